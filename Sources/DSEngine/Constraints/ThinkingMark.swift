package import DSGrammar

/// The text that ends a model's thinking, as the tokens of a vocabulary can write it: one control token, or several
/// ordinary ones, the last of which may say more than the mark. Immutable; one per vocabulary.
package final class ThinkingMark: Sendable {
    let text: [UInt8]
    /// Tokens that thinking may consist of: no end of the sequence, and no control token but the mark.
    let mask: TokenMask
    /// By bytes of the mark that were read: tokens that complete it, with the text that they have behind it.
    private let overruns: [[(token: Int32, rest: [UInt8])]]
    private let vocabulary: GrammarVocabulary
    /// For the search: by bytes read, how many of them begin the mark again if the next one does not go on (Knuth, Morris
    /// and Pratt 1977).
    private let fallback: [Int]

    package init(_ vocabulary: GrammarVocabulary, text: String = "</think>") {
        let text = Array(text.utf8)
        precondition(!text.isEmpty, "a mark has text")
        self.text = text
        self.vocabulary = vocabulary
        var mask = TokenMask(words: vocabulary.textMask)
        if let token = vocabulary.controlToken(text) { mask.insert(token) }
        self.mask = mask
        var fallback = [0]
        for index in text.indices.dropFirst() {
            var length = fallback[index - 1]
            while length > 0, text[index] != text[length] { length = fallback[length - 1] }
            fallback.append(text[index] == text[length] ? length + 1 : 0)
        }
        self.fallback = fallback
        let last = text[text.count - 1]
        var overruns = [[(token: Int32, rest: [UInt8])]](repeating: [], count: text.count)
        for token in Int32(0)..<Int32(vocabulary.count) {
            let bytes = vocabulary.text(of: token)
            guard bytes.dropLast().contains(last) else { continue }
            for matched in text.indices {
                if case .ended(let rest) = Self.read(bytes, matched, text, fallback), !rest.isEmpty {
                    overruns[matched].append((token, rest))
                }
            }
        }
        self.overruns = overruns
    }

    enum Progress: Equatable {
        /// So many bytes of the mark were read last.
        case inside(Int)
        /// The mark is complete; the token had this text behind it.
        case ended([UInt8])
    }

    func read(_ token: Int32, after matched: Int) -> Progress {
        let text = vocabulary.text(of: token)
        let bytes = text.isEmpty ? vocabulary.spelling(ofControl: token) ?? [] : text
        return Self.read(bytes, matched, self.text, fallback)
    }

    /// Tokens that complete the mark and go on behind it, where so many bytes of it were read.
    func overruns(after matched: Int) -> [(token: Int32, rest: [UInt8])] { overruns[matched] }

    private static func read(_ bytes: [UInt8], _ matched: Int, _ text: [UInt8], _ fallback: [Int]) -> Progress {
        var matched = matched
        for (index, byte) in bytes.enumerated() {
            while matched > 0, byte != text[matched] { matched = fallback[matched - 1] }
            if byte == text[matched] { matched += 1 }
            if matched == text.count { return .ended(Array(bytes[(index + 1)...])) }
        }
        return .inside(matched)
    }
}
