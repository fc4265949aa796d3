/// A set of tokens, one bit per id: bit `id % 64` of word `id / 64`.
package struct TokenMask: Sendable, Equatable {
    package private(set) var words: [UInt64]

    package init(count: Int) { words = Array(repeating: 0, count: (count + 63) / 64) }

    package init(words: [UInt64]) { self.words = words }

    package mutating func insert(_ token: Int32) { words[Int(token) >> 6] |= 1 << UInt64(token & 63) }

    package mutating func remove(_ token: Int32) { words[Int(token) >> 6] &= ~(1 << UInt64(token & 63)) }

    package func contains(_ token: Int32) -> Bool { words[Int(token) >> 6] >> UInt64(token & 63) & 1 != 0 }

    package var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    package var tokenCount: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    /// Whether a token belongs to it that is not among these.
    package func hasOthers(than tokens: [Int32]) -> Bool {
        var rest = self
        for token in tokens where Int(token) >> 6 < words.count { rest.remove(token) }
        return !rest.isEmpty
    }

    /// Ids in ascending order.
    package var tokens: [Int32] {
        var result: [Int32] = []
        for (index, word) in words.enumerated() {
            var rest = word
            while rest != 0 {
                result.append(Int32(index * 64 + rest.trailingZeroBitCount))
                rest &= rest - 1
            }
        }
        return result
    }
}
