/// Ends a model's thinking after a number of tokens by writing the mark of its end.
public struct ThinkingBudget: Sendable, Hashable {
    /// Tokens between the marks.
    public var tokens: Int
    /// The marks around the thinking, as token ids.
    public var opening: [Int32]
    public var closing: [Int32]
    /// The prompt ends inside the thinking; otherwise it begins where the model writes `opening`.
    public var startsInside: Bool

    public init(tokens: Int, opening: [Int32], closing: [Int32], startsInside: Bool) {
        self.tokens = tokens
        self.opening = opening
        self.closing = closing
        self.startsInside = startsInside
    }

    package func validate(vocabularySize: Int) throws(EngineError) {
        guard tokens >= 0 else {
            throw .invalidParameter(field: "thinking_token_budget", expected: "at least 0", found: "\(tokens)")
        }
        guard !opening.isEmpty, !closing.isEmpty else {
            throw .invalidParameter(
                field: "thinking_token_budget", expected: "a model with marks of thinking", found: "none")
        }
        for token in opening + closing where !(0..<vocabularySize).contains(Int(token)) {
            throw .invalidParameter(
                field: "thinking_token_budget", expected: "marks in 0..<\(vocabularySize)", found: "\(token)")
        }
    }
}
