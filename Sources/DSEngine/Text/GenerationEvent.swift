/// What a text stream reports: deltas in order, then `finished` exactly once (unless the stream throws).
public enum GenerationEvent: Sendable, Equatable {
    case delta(GenerationDelta)
    case finished(GenerationResult)
}

/// What became certain since the last delta: whole characters only, nothing of a possible stop string or of a dialect's
/// markup. Any part may be empty; all of
/// them are after `TextStream.nudge()` only.
public struct GenerationDelta: Sendable, Equatable {
    /// Text between the thinking marks.
    public var reasoning: String
    /// Text of the answer.
    public var content: String
    /// Beginnings and continuations of tool calls.
    public var toolCalls: [ToolCallDelta]
    /// The tokens that were consumed, terminators included. Text may lag behind tokens (and is complete at `finished`).
    public var tokens: [GeneratedToken]
    /// Log-probabilities of prompt tokens, if asked for; before every generated token.
    public var promptTokens: [GeneratedToken]

    public init(
        reasoning: String = "", content: String = "", toolCalls: [ToolCallDelta] = [], tokens: [GeneratedToken] = [],
        promptTokens: [GeneratedToken] = []
    ) {
        self.reasoning = reasoning
        self.content = content
        self.toolCalls = toolCalls
        self.tokens = tokens
        self.promptTokens = promptTokens
    }

    public var isEmpty: Bool {
        reasoning.isEmpty && content.isEmpty && toolCalls.isEmpty && tokens.isEmpty && promptTokens.isEmpty
    }
}

/// A piece of a tool call: the first piece of an index carries the name, later ones more of the arguments' JSON text.
public struct ToolCallDelta: Sendable, Equatable {
    /// Position of the call among this answer's calls, from 0.
    public var index: Int
    /// Name of the function; in the first piece only.
    public var name: String?
    /// The next part of the arguments, JSON text.
    public var arguments: String

    public init(index: Int, name: String? = nil, arguments: String = "") {
        self.index = index
        self.name = name
        self.arguments = arguments
    }
}
