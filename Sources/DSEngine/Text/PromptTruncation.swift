/// Shortens a prompt to its first or last tokens, because its request asked for that.
public struct PromptTruncation: Sendable, Hashable {
    public enum Side: String, Sendable, CaseIterable {
        /// The first tokens go.
        case left
        /// The last tokens go.
        case right
    }

    /// Tokens that stay; at least 1.
    public var count: Int
    public var side: Side

    public init(count: Int, side: Side = .left) {
        self.count = count
        self.side = side
    }

    package func apply(to tokens: [Int32]) -> [Int32] {
        Array(side == .left ? tokens.suffix(count) : tokens.prefix(count))
    }
}
