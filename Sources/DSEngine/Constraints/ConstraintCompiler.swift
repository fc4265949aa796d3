package import DSGrammar
import Synchronization

/// Compiles constraints for one model; grammars are kept and shared between requests. Thread-safe.
package final class ConstraintCompiler: Sendable {
    private struct Parts: Sendable {
        let cache: GrammarCache
        let mark: ThinkingMark
    }

    private let makeVocabulary: @Sendable () -> GrammarVocabulary
    /// Made at the first use: most engines never see a constraint.
    private let parts = Mutex<Parts?>(nil)

    package init(_ makeVocabulary: @escaping @Sendable () -> GrammarVocabulary) {
        self.makeVocabulary = makeVocabulary
    }

    private func ready() -> Parts {
        parts.withLock { parts in
            if let parts { return parts }
            let vocabulary = makeVocabulary()
            let made = Parts(cache: GrammarCache(vocabulary: vocabulary), mark: ThinkingMark(vocabulary))
            parts = made
            return made
        }
    }

    /// - Parameter thinks: the answer begins inside the model's thinking.
    private func compile(
        _ source: GrammarSource, field: String, thinks: Bool
    ) throws(EngineError) -> TokenConstraint {
        let parts = ready()
        do {
            return TokenConstraint(try parts.cache.grammar(source), after: thinks ? parts.mark : nil, field: field)
        } catch {
            throw .invalidConstraint(field: field, reason: error.description)
        }
    }

    package func compile(_ plan: ConstraintPlan) throws(EngineError) -> TokenConstraint {
        do throws(EngineError) {
            return try compile(plan.source, field: plan.field, thinks: plan.thinks)
        } catch {
            // Whose fault it is: the tools', or what the text shall be.
            if let calls = plan.calls { _ = try compile(calls, field: "tools", thinks: plan.thinks) }
            throw error
        }
    }

    /// Compiles on a thread of `executor`, unless the grammar is kept: it may take up to a second.
    package func compile(
        _ plan: ConstraintPlan, on executor: any TaskExecutor
    ) async throws(EngineError) -> TokenConstraint {
        if let known = known(plan) { return known }
        return try await withTaskExecutorPreference(executor) { () async throws(EngineError) -> TokenConstraint in
            try await compileThere(plan)
        }
    }

    @concurrent private func compileThere(_ plan: ConstraintPlan) async throws(EngineError) -> TokenConstraint {
        try compile(plan)
    }

    private func known(_ plan: ConstraintPlan) -> TokenConstraint? {
        // While they are made, which takes long, others must not wait for them here.
        guard let parts = parts.withLockIfAvailable({ $0 }) ?? nil, let grammar = parts.cache.known(plan.source)
        else { return nil }
        return TokenConstraint(grammar, after: plan.thinks ? parts.mark : nil, field: plan.field)
    }

    package func vocabulary() -> GrammarVocabulary { ready().cache.vocabulary }
}
