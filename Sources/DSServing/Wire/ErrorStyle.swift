/// Which API's error bodies a path answers with.
package enum ErrorStyle: Sendable {
    /// `{"error": {message, type, param, code}}`
    case openAI
    /// `{"type": "error", "error": {type, message}}`
    case anthropic
    /// `{"error": message}`, of KServe's V2 protocol and Triton.
    case openInference

    package init(path: String) {
        if path == "/v1/messages" || path.hasPrefix("/v1/messages/") {
            self = .anthropic
        } else if path == "/v2" || path.hasPrefix("/v2/") {
            self = .openInference
        } else {
            self = .openAI
        }
    }
}
