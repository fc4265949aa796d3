internal import Synchronization

/// A grammar over one vocabulary, ready for any number of matchers. Thread-safe; what one matcher finds out, all know.
package final class CompiledGrammar: Sendable {
    package let vocabulary: GrammarVocabulary
    private let automaton: Mutex<GrammarAutomaton>
    let start: GrammarAutomaton.State

    package init(
        _ source: GrammarSource, vocabulary: GrammarVocabulary, limits: GrammarLimits = GrammarLimits()
    ) throws(GrammarError) {
        var compiler = GrammarCompiler(vocabulary: vocabulary, limits: limits)
        let (table, term) = try compiler.compile(source)
        self.vocabulary = vocabulary
        let automaton = GrammarAutomaton(table, start: term, vocabulary: vocabulary)
        start = automaton.start
        self.automaton = Mutex(automaton)
    }

    /// Sizes, for people who ask what a grammar costs.
    package struct Size: Sendable, Equatable {
        package var terms: Int
        package var states: Int
        package var masks: Int
        package var byteClasses: Int
        /// Masks that had to be computed.
        package var walks: Int
    }

    package var size: Size {
        automaton.withLock {
            Size(
                terms: $0.termCount, states: $0.stateCount, masks: $0.maskCount, byteClasses: $0.classCount,
                walks: $0.walks)
        }
    }

    /// Exclusive use, as one does for a whole token.
    func use<Result: Sendable>(
        _ body: (inout GrammarAutomaton) throws(GrammarError) -> Result
    ) throws(GrammarError) -> Result {
        try automaton.withLock { (automaton) throws(GrammarError) -> Result in
            let result = try body(&automaton)
            if let failure = automaton.failure { throw failure }
            return result
        }
    }
}
