/// Which of OpenAI's endpoints is asked.
package enum Endpoint: String, Sendable, CaseIterable {
    case chat, completions

    package var path: String {
        switch self {
        case .chat: "/v1/chat/completions"
        case .completions: "/v1/completions"
        }
    }
}
