/// Everything that a request, or the engine as a whole, can fail with.
///
/// The cases keep the operands, so that a server can map them to its own error bodies; `description` is one sentence
/// that names the thing, the expectation and what was found.
public enum EngineError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A field of a request or of a configuration holds a value outside its range.
    case invalidParameter(field: String, expected: String, found: String)
    /// The output was asked to follow a schema, pattern or grammar that is wrong or cannot be enforced.
    case invalidConstraint(field: String, reason: String)
    /// The prompt, or the prompt together with the tokens asked for, does not fit the engine's context.
    case contextExceeded(promptTokens: Int, requestedTokens: Int, limit: Int)
    /// As many requests as `EngineConfiguration.maximumQueuedRequests` are waiting already.
    case queueFull(limit: Int)
    /// The tokens of waiting prompts would be more than `EngineConfiguration.maximumQueuedTokens`.
    case queueTokensExceeded(limit: Int, queued: Int, requested: Int)
    /// The request waited for its first step longer than `EngineConfiguration.maximumQueueDelay`.
    case queueTimeout(limit: Duration)
    /// The request's own `timeout` passed. Tokens that it had were delivered before.
    case deadlineExceeded(timeout: Duration, completionTokens: Int)
    /// The engine was shut down before or while the request ran.
    case shutDown
    /// The model's forward pass failed; the engine goes on with the other requests.
    case modelFailure(String)
    /// The conversation could not be turned into a prompt (chat template or tokenizer).
    case promptFailure(String)

    public var description: String {
        switch self {
        case .invalidParameter(let field, let expected, let found):
            "parameter '\(field)': expected \(expected), found \(found)"
        case .invalidConstraint(let field, let reason): "parameter '\(field)': \(reason)"
        case .contextExceeded(let prompt, let requested, let limit):
            "context: expected at most \(limit) tokens, found \(prompt) prompt tokens + \(requested) requested tokens"
        case .queueFull(let limit):
            "queue: expected at most \(limit) waiting requests, found the queue full"
        case .queueTokensExceeded(let limit, let queued, let requested):
            "queue: expected at most \(limit) prompt tokens to wait, found \(queued) + \(requested)"
        case .queueTimeout(let limit):
            "queue: expected a first step within \(limit), found the request still waiting"
        case .deadlineExceeded(let timeout, let tokens):
            "timeout: expected the request to end within \(timeout), found \(tokens) tokens generated and no end"
        case .shutDown: "engine: it was shut down before the request ended"
        case .modelFailure(let reason): "model: expected a forward pass, found a failure: \(reason)"
        case .promptFailure(let reason): "prompt: expected messages that render to tokens, found a failure: \(reason)"
        }
    }
}
