/// What a running request reports, in order: prompt log-probabilities if asked for, tokens, then `finished` exactly once
/// (unless the stream throws).
public enum TokenEvent: Sendable, Equatable {
    /// Log-probabilities of consecutive prompt tokens; several events may follow each other, starting with the second
    /// prompt token (the first has no context).
    case prompt([GeneratedToken])
    case token(GeneratedToken)
    /// The prompt's embedding, not normalised, if the request asked for one.
    case embedding([Float])
    case finished(GenerationResult)
}

/// One token and what was asked for about it.
public struct GeneratedToken: Sendable, Equatable {
    public let id: Int32
    /// Natural logarithm of the token's probability under the raw logits; `nil` unless asked for.
    public let logprob: Float?
    /// The most probable tokens, most probable first; empty unless asked for.
    public let alternatives: [TokenLogprob]
    /// The token ended the request (end of sequence or a stop token) and is no part of the text.
    public let isTerminator: Bool

    public init(id: Int32, logprob: Float? = nil, alternatives: [TokenLogprob] = [], isTerminator: Bool = false) {
        self.id = id
        self.logprob = logprob
        self.alternatives = alternatives
        self.isTerminator = isTerminator
    }
}

/// A token id and its natural log-probability.
public struct TokenLogprob: Sendable, Equatable {
    public let id: Int32
    public let logprob: Float

    public init(id: Int32, logprob: Float) {
        self.id = id
        self.logprob = logprob
    }
}

/// Why a request ended.
public enum FinishReason: Sendable, Equatable {
    /// The model chose one of its end tokens.
    case endOfSequence
    /// The model chose one of the request's `stopTokens`.
    case stopToken(Int32)
    /// The text contained this stop string (text streams only).
    case stopString(String)
    /// `maxTokens`, or the context, is used up.
    case length
    /// The request was cancelled.
    case cancelled
}

/// How a request ended and what it used.
public struct GenerationResult: Sendable, Equatable {
    public let reason: FinishReason
    public let usage: TokenUsage
    public let timings: RequestTimings

    public init(reason: FinishReason, usage: TokenUsage, timings: RequestTimings = RequestTimings()) {
        self.reason = reason
        self.usage = usage
        self.timings = timings
    }
}

/// Tokens that a request consumed and produced.
public struct TokenUsage: Sendable, Equatable {
    public var promptTokens: Int
    /// Every generated token, a terminator included.
    public var completionTokens: Int
    /// Generated tokens that belong to the reasoning (text streams only; 0 otherwise).
    public var reasoningTokens: Int
    /// Prompt tokens whose keys and values were found in a cache.
    public var cachedPromptTokens: Int
    /// How often the request lost its blocks to an older one and was computed again.
    public var preemptions: Int
    /// Guessed tokens that were computed beside known ones (speculation).
    public var draftTokens: Int
    /// Those of them that turned out right: tokens that cost no step of their own.
    public var acceptedDraftTokens: Int
    /// What the request cost, set by whoever knows prices.
    public var cost: Double?

    public init(
        promptTokens: Int = 0, completionTokens: Int = 0, reasoningTokens: Int = 0, cachedPromptTokens: Int = 0,
        preemptions: Int = 0, draftTokens: Int = 0, acceptedDraftTokens: Int = 0
    ) {
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
        self.reasoningTokens = reasoningTokens
        self.cachedPromptTokens = cachedPromptTokens
        self.preemptions = preemptions
        self.draftTokens = draftTokens
        self.acceptedDraftTokens = acceptedDraftTokens
    }
}

/// When things happened to a request, as durations since it was submitted; `nil` for what did not happen.
public struct RequestTimings: Sendable, Equatable {
    /// Until the first step that computed anything for it.
    public var scheduled: Duration?
    /// Until its first token (time to first token).
    public var firstToken: Duration?
    /// Until its last token.
    public var lastToken: Duration?
    /// Until its last event.
    public var finished: Duration?
    /// Seconds of computation that it used: of each step's time its share by rows.
    public var computeSeconds = 0.0

    /// Seconds from the first token to the last event; 0 without a token.
    public var decodingSeconds: Double {
        guard let firstToken, let finished else { return 0 }
        return max(0, (finished - firstToken) / .seconds(1))
    }

    public init(scheduled: Duration? = nil, firstToken: Duration? = nil, finished: Duration? = nil) {
        self.scheduled = scheduled
        self.firstToken = firstToken
        self.finished = finished
    }
}
