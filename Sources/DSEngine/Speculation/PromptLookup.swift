/// Guesses from the text itself: what followed the last tokens when they occurred before (prompt-lookup decoding; Saxena
/// 2023, as in transformers and vLLM's n-gram proposer). It pays where answers copy: quotations, code edits, tables.
package enum PromptLookup {
    /// Fewer equal tokens are chance.
    package static let shortest = 2
    /// More are no better evidence.
    package static let longest = 8

    package struct Match: Equatable, Sendable {
        /// Index of the token that followed.
        package let next: Int
        /// Equal tokens before it, `shortest`...`longest`.
        package let length: Int

        package init(next: Int, length: Int) {
            self.next = next
            self.length = length
        }
    }

    /// The longest earlier occurrence of the end of `tokens`, the latest of equally long ones; nil: none of at least
    /// `shortest` tokens. Time grows linearly with the number of tokens.
    package static func match(_ tokens: borrowing [Int32]) -> Match? {
        let count = tokens.count
        guard count > shortest else { return nil }
        let last = tokens[count - 1]
        var best: Match?
        var next = count - 1
        while next >= shortest {
            if tokens[next - 1] == last {
                var length = 1
                while length < longest, length < next, tokens[next - 1 - length] == tokens[count - 1 - length] {
                    length += 1
                }
                if length >= shortest, length > best?.length ?? 0 { best = Match(next: next, length: length) }
                if length == longest { return best }
            }
            next -= 1
        }
        return best
    }
}
