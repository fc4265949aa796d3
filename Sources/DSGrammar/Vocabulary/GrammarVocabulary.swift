/// A model's tokens as a grammar sees them: the texts that ordinary ones stand for, and the control tokens, which stand
/// for nothing but themselves. Immutable; one per model.
package final class GrammarVocabulary: Sendable {
    /// Ids are 0..<count; those without text (padding of the output layer) are never allowed.
    package let count: Int
    /// Tokens that end an answer.
    package let endTokens: [Int32]
    let trie: TokenTrie
    private let texts: [[UInt8]]
    private let controlTokens: [Int32: [UInt8]]
    private let controlBySpelling: [[UInt8]: Int32]
    /// The same by the first byte of the spelling.
    private let controlByByte: [UInt8: [(spelling: [UInt8], token: Int32)]]
    /// One bit per ordinary token.
    package let textMask: [UInt64]

    /// - Parameters:
    ///   - texts: bytes of each token by id; empty for ids without text.
    ///   - controlTokens: spellings of the tokens that are no text, by id. End tokens need not be among them.
    package init(texts: [[UInt8]], controlTokens: [Int32: [UInt8]], endTokens: [Int32]) {
        count = texts.count
        self.endTokens = endTokens.filter { texts.indices.contains(Int($0)) }.sorted()
        var ordinary = texts
        for id in controlTokens.keys where ordinary.indices.contains(Int(id)) { ordinary[Int(id)] = [] }
        for id in self.endTokens { ordinary[Int(id)] = [] }
        self.texts = ordinary
        self.controlTokens = controlTokens
        controlBySpelling = Dictionary(controlTokens.map { ($0.value, $0.key) }) { min($0, $1) }
        var byByte: [UInt8: [(spelling: [UInt8], token: Int32)]] = [:]
        for (spelling, token) in controlBySpelling {
            if let byte = spelling.first { byByte[byte, default: []].append((spelling, token)) }
        }
        controlByByte = byByte
        trie = TokenTrie(ordinary)
        var mask = TokenMask(count: ordinary.count)
        for (id, text) in ordinary.enumerated() where !text.isEmpty { mask.insert(Int32(id)) }
        textMask = mask.words
    }

    /// The text of an ordinary token; empty for others.
    package func text(of token: Int32) -> [UInt8] {
        texts.indices.contains(Int(token)) ? texts[Int(token)] : []
    }

    package func isEnd(_ token: Int32) -> Bool { endTokens.contains(token) }

    /// The control token that is written so.
    package func controlToken(_ spelling: [UInt8]) -> Int32? { controlBySpelling[spelling] }

    /// Where the first control token is spelled out in a text, the longest of those that begin there.
    func firstControlToken(in text: ArraySlice<UInt8>) -> (range: Range<Int>, token: Int32)? {
        for start in text.indices {
            let rest = text[start...]
            let found = controlByByte[text[start]]?.filter { rest.starts(with: $0.spelling) } ?? []
            if let (spelling, token) = found.max(by: { $0.spelling.count < $1.spelling.count }) {
                return (start..<start + spelling.count, token)
            }
        }
        return nil
    }

    /// How many control tokens have to be compared with a text at this byte.
    func controlTokenCount(beginningWith byte: UInt8) -> Int { controlByByte[byte]?.count ?? 0 }

    package func spelling(ofControl token: Int32) -> [UInt8]? { controlTokens[token] }

    /// Words of a mask.
    package var maskWords: Int { (count + 63) / 64 }
}
