internal import Synchronization

/// A grammar over one vocabulary, ready for any number of matchers. Thread-safe; what one matcher finds out, all know.
package final class CompiledGrammar: Sendable {
    package let vocabulary: GrammarVocabulary
    private let automaton: Mutex<GrammarAutomaton>
    /// What it holds, as of the last question: read without waiting for one that goes on.
    private let knownBytes: Atomic<Int>
    private let knownFull = Atomic<Bool>(false)
    private let sourceBytes: Int
    let start: GrammarAutomaton.State

    package init(
        _ source: GrammarSource, vocabulary: GrammarVocabulary, limits: GrammarLimits = GrammarLimits()
    ) throws(GrammarError) {
        var compiler = GrammarCompiler(vocabulary: vocabulary, limits: limits)
        let (table, term) = try compiler.compile(source)
        self.vocabulary = vocabulary
        let automaton = GrammarAutomaton(table, start: term, vocabulary: vocabulary)
        start = automaton.start
        sourceBytes = compiler.sourceBytes
        knownBytes = Atomic(automaton.byteCount)
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
        /// Steps of work that compiling took, as `GrammarLimits` counts them.
        package var compileWork: Int
        /// Steps of the mask or token that took most.
        package var largestStepWork: Int
        package var bytes: Int
    }

    /// Memory that it takes, its source included.
    package var bytes: Int { knownBytes.load(ordering: .relaxed) + sourceBytes }

    /// Texts have made it so large that it soon will not grow any further.
    package var isNearlyFull: Bool { knownFull.load(ordering: .relaxed) }

    package var size: Size {
        automaton.withLock {
            Size(
                terms: $0.termCount, states: $0.stateCount, masks: $0.maskCount, byteClasses: $0.classCount,
                walks: $0.walks, compileWork: $0.compileWork, largestStepWork: $0.largestWork, bytes: $0.byteCount)
        }
    }

    /// Exclusive use, as one does for a whole token. What takes too much work fails, and leaves no trace.
    func use<Result: Sendable>(
        isBounded: Bool = true, _ body: (inout GrammarAutomaton) throws(GrammarError) -> Result
    ) throws(GrammarError) -> Result {
        try automaton.withLock { (automaton) throws(GrammarError) -> Result in
            automaton.begin(isBounded: isBounded)
            let result = try body(&automaton)
            automaton.finish(isBounded: isBounded)
            knownBytes.store(automaton.byteCount, ordering: .relaxed)
            knownFull.store(automaton.isNearlyFull, ordering: .relaxed)
            if let failure = automaton.failure { throw failure }
            return result
        }
    }
}
