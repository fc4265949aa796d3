package import DSTokenizers

/// A model's tokenizer as the text layer sees it.
package struct ModelTextTokenizer: TextTokenizer {
    let tokenizer: Tokenizer
    /// Control tokens that an answer's parser must see: marks of thinking and of tool calls.
    private let markup: Set<Int32>

    package init(_ tokenizer: Tokenizer) {
        self.tokenizer = tokenizer
        markup = Set(
            tokenizer.addedTokens.lazy.filter { token in
                ["think", "tool", "DSML"].contains { token.content.contains($0) }
            }.map(\.id))
    }

    package func encode(
        _ text: String, addsSpecialTokens: Bool, parsesControlTokens: Bool
    ) throws(EngineError) -> [Int32] {
        do {
            return try tokenizer.encode(
                text, addSpecialTokens: addsSpecialTokens, parseSpecial: parsesControlTokens)
        } catch {
            throw .promptFailure("\(error)")
        }
    }

    package func makeDecoder(showsControlTokens: Bool) -> any TextDecoder {
        ModelTextDecoder(tokenizer, shownControlTokens: showsControlTokens ? markup : [])
    }

    package func bytes(of token: Int32) -> [UInt8] {
        // Ids between the vocabulary and the model's padded output layer have no text.
        (try? tokenizer.tokenBytes(token)) ?? []
    }

    /// Those that decoding leaves out, or that frame a sequence, however a file marks them.
    package var controlTokens: [Int32: [UInt8]] {
        var result: [Int32: [UInt8]] = [:]
        for token in tokenizer.addedTokens where token.isControl { result[token.id] = Array(token.content.utf8) }
        for id in [tokenizer.bosID, tokenizer.eosID, tokenizer.padID].compactMap({ $0 }) { result[id] = bytes(of: id) }
        return result
    }
}

/// Leaves control tokens out, except those that a parser must see. Ids without text (padding of the output layer) are
/// skipped: a model may choose one, and the stream goes on.
private struct ModelTextDecoder: TextDecoder {
    private let tokenizer: Tokenizer
    private let shownControlTokens: Set<Int32>
    private var detokenizer: IncrementalDetokenizer

    init(_ tokenizer: Tokenizer, shownControlTokens: Set<Int32>) {
        self.tokenizer = tokenizer
        self.shownControlTokens = shownControlTokens
        detokenizer = IncrementalDetokenizer(tokenizer, skipsSpecial: false)
    }

    mutating func push(_ token: Int32) -> [UInt8] {
        if let added = tokenizer.addedToken(token) {
            let isHidden = added.isControl && !shownControlTokens.contains(token)
            if isHidden || isBare(added.id) { return [] }
        }
        return (try? detokenizer.pushBytes(token)) ?? []
    }

    /// Tokens around a sequence are never text, however a file marks them.
    private func isBare(_ token: Int32) -> Bool {
        token == tokenizer.bosID || token == tokenizer.eosID || token == tokenizer.padID
    }

    mutating func finish() -> [UInt8] { Array(detokenizer.flush().utf8) }
}
