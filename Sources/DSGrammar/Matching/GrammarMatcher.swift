/// Where one text stands in a grammar. A value: a copy is a place to go back to.
package struct GrammarMatcher: Sendable {
    package let grammar: CompiledGrammar
    private var state: GrammarAutomaton.State
    /// An end token was accepted: nothing follows.
    package private(set) var hasEnded = false

    package init(_ grammar: CompiledGrammar) {
        self.grammar = grammar
        state = grammar.start
    }

    /// Reads a token; false, without effect, if the grammar does not allow it here.
    package mutating func accept(_ token: Int32) throws(GrammarError) -> Bool {
        guard !hasEnded else { return false }
        let vocabulary = grammar.vocabulary
        if vocabulary.isEnd(token), try isComplete {
            hasEnded = true
            return true
        }
        let text = vocabulary.text(of: token)
        if text.isEmpty {
            let current = state
            let next = try grammar.use { $0.step(current, control: token) }
            guard next != GrammarAutomaton.dead else { return false }
            state = next
            return true
        }
        return try accept(bytes: text)
    }

    /// Reads text; false, without effect, if the grammar does not allow it here.
    package mutating func accept(bytes: some Sequence<UInt8>) throws(GrammarError) -> Bool {
        guard !hasEnded else { return false }
        let text = Array(bytes)
        let current = state
        let next = try grammar.use { (automaton: inout GrammarAutomaton) -> GrammarAutomaton.State in
            var state = current
            for byte in text where state != GrammarAutomaton.dead { state = automaton.step(state, byte) }
            return state
        }
        guard next != GrammarAutomaton.dead else { return false }
        state = next
        return true
    }

    /// Which of these texts could be read next, all of them one question.
    package func allows(_ texts: [[UInt8]]) throws(GrammarError) -> [Bool] {
        guard !hasEnded else { return texts.map { _ in false } }
        let current = state
        return try grammar.use { (automaton: inout GrammarAutomaton) -> [Bool] in
            var result: [Bool] = []
            for text in texts {
                var state = current
                for byte in text where state != GrammarAutomaton.dead { state = automaton.step(state, byte) }
                result.append(state != GrammarAutomaton.dead)
            }
            return result
        }
    }

    /// Whether the text read so far may end here.
    package var isComplete: Bool {
        get throws(GrammarError) {
            let current = state
            return try grammar.use { $0.isComplete(current) }
        }
    }

    /// Whether the text must end here.
    package var isFinal: Bool {
        get throws(GrammarError) {
            let current = state
            if hasEnded { return true }
            return try grammar.use { $0.isFinal(current) }
        }
    }

    /// The shortest text that would complete the one read so far; nil if there is none without control tokens, or none
    /// was found among `limit` states.
    package func completion(limit: Int = 50_000) throws(GrammarError) -> [UInt8]? {
        let current = state
        return try grammar.use(isBounded: false) { $0.completion(current, limit: limit) }
    }

    /// The tokens that may come next; an end token exactly where the text is complete. Empty after the end.
    package func mask() throws(GrammarError) -> TokenMask {
        guard !hasEnded else { return TokenMask(count: grammar.vocabulary.count) }
        let current = state
        return TokenMask(words: try grammar.use { $0.mask(current) })
    }

    /// As `mask()`, into storage of `GrammarVocabulary.maskWords` words.
    package func fillMask(into words: UnsafeMutableBufferPointer<UInt64>) throws(GrammarError) {
        let mask = try mask().words
        precondition(words.count >= mask.count, "one bit per token")
        _ = words.update(fromContentsOf: mask)
    }
}
