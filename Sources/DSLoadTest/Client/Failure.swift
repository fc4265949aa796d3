/// Why a request was not answered.
package struct Failure: Error, Sendable, Equatable {
    package enum Kind: Sendable, Hashable {
        /// No connection, or one that broke.
        case connection
        case timeout
        /// A status other than 200.
        case status(Int)
        /// An `error` object inside a stream or a body.
        case error
        /// The answer ended without a reason to finish.
        case endedEarly
        /// What came is not what an OpenAI-compatible server sends.
        case malformed

        package var label: String {
            switch self {
            case .connection: "connection failed"
            case .timeout: "timed out"
            case .status(let status): "status \(status)"
            case .error: "error in the answer"
            case .endedEarly: "ended early"
            case .malformed: "malformed answer"
            }
        }
    }

    package let kind: Kind
    /// The server's own words, or the client library's.
    package let message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// The failure in a line, with the way out of it if one is known.
    package func text(on endpoint: Endpoint) -> String {
        let text = "\(kind.label): \(message)"
        return remedy(on: endpoint).map { "\(text); \($0)" } ?? text
    }

    /// What helps against it: a base model has no template for chats, and completions need none.
    package func remedy(on endpoint: Endpoint) -> String? {
        guard endpoint == .chat, case .status(400..<500) = kind else { return nil }
        return message.lowercased().contains("template") ? "try --endpoint completions" : nil
    }
}
