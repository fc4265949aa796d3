internal import Synchronization

/// Compiled grammars of one vocabulary by their sources, those used least lately forgotten first. Thread-safe.
package final class GrammarCache: Sendable {
    private struct Entry {
        let grammar: CompiledGrammar
        var used: UInt64
    }

    private struct Content {
        var entries: [GrammarSource: Entry] = [:]
        var clock: UInt64 = 0
        var hits = 0
    }

    package let vocabulary: GrammarVocabulary
    private let capacity: Int
    private let limits: GrammarLimits
    private let content = Mutex(Content())

    package init(vocabulary: GrammarVocabulary, capacity: Int = 64, limits: GrammarLimits = GrammarLimits()) {
        self.vocabulary = vocabulary
        self.capacity = max(1, capacity)
        self.limits = limits
    }

    /// The grammar of a source, compiled at its first use. Two that ask at the same time may both compile it.
    package func grammar(_ source: GrammarSource) throws(GrammarError) -> CompiledGrammar {
        let found = content.withLock { content -> CompiledGrammar? in
            content.clock += 1
            guard let entry = content.entries[source] else { return nil }
            // One that texts have made large is compiled anew; those who use it keep it.
            guard entry.grammar.size.terms < limits.terms else {
                content.entries[source] = nil
                return nil
            }
            content.entries[source]?.used = content.clock
            content.hits += 1
            return entry.grammar
        }
        if let found { return found }
        let grammar = try CompiledGrammar(source, vocabulary: vocabulary, limits: limits)
        content.withLock { content in
            if content.entries.count >= capacity, content.entries[source] == nil,
                let oldest = content.entries.min(by: { $0.value.used < $1.value.used })
            {
                content.entries[oldest.key] = nil
            }
            content.entries[source] = Entry(grammar: grammar, used: content.clock)
        }
        return grammar
    }

    /// How many grammars are kept, and how often one was found.
    package var statistics: (count: Int, hits: Int) { content.withLock { ($0.entries.count, $0.hits) } }
}
