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
    package func compile(
        _ source: GrammarSource, field: String, thinks: Bool
    ) throws(EngineError) -> TokenConstraint {
        let parts = ready()
        do {
            return TokenConstraint(try parts.cache.grammar(source), after: thinks ? parts.mark : nil)
        } catch {
            throw .invalidConstraint(field: field, reason: error.description)
        }
    }

    /// A text, or tool calls.
    package func compile(
        _ text: GrammarSource, field: String, orCalls calls: GrammarSource, thinks: Bool
    ) throws(EngineError) -> TokenConstraint {
        do throws(EngineError) {
            return try compile(.either([calls, text]), field: field, thinks: thinks)
        } catch {
            // Whose fault it is: the tools', or what the text shall be.
            _ = try compile(calls, field: "tools", thinks: thinks)
            throw error
        }
    }

    package func vocabulary() -> GrammarVocabulary { ready().cache.vocabulary }
}
