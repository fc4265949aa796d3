internal import Synchronization

/// Compiled grammars of one vocabulary by their sources, those used least lately forgotten first: at most so many, and
/// so many bytes of them. Thread-safe.
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
    private let byteCapacity: Int
    private let limits: GrammarLimits
    private let content = Mutex(Content())

    /// - Parameter byteCapacity: the one that was used last is kept, whatever its size.
    package init(
        vocabulary: GrammarVocabulary, capacity: Int = 64, byteCapacity: Int = 256 << 20,
        limits: GrammarLimits = GrammarLimits()
    ) {
        self.vocabulary = vocabulary
        self.capacity = max(1, capacity)
        self.byteCapacity = byteCapacity
        self.limits = limits
    }

    /// The grammar of a source, compiled at its first use. Two that ask at the same time may both compile it.
    package func grammar(_ source: GrammarSource) throws(GrammarError) -> CompiledGrammar {
        if let known = known(source) { return known }
        let grammar = try CompiledGrammar(source, vocabulary: vocabulary, limits: limits)
        content.withLock { content in
            content.entries[source] = Entry(grammar: grammar, used: content.clock)
            trim(&content)
        }
        return grammar
    }

    /// The grammar of a source if it is kept.
    package func known(_ source: GrammarSource) -> CompiledGrammar? {
        content.withLock { content in
            content.clock += 1
            guard let entry = content.entries[source] else { return nil }
            // One that texts have made large is compiled anew; those who use it keep it.
            guard !entry.grammar.isNearlyFull else {
                content.entries[source] = nil
                return nil
            }
            content.entries[source]?.used = content.clock
            content.hits += 1
            // Grammars grow while they are used.
            trim(&content)
            return entry.grammar
        }
    }

    private func trim(_ content: inout Content) {
        var bytes = content.entries.values.reduce(0) { $0 + $1.grammar.bytes }
        while content.entries.count > 1, content.entries.count > capacity || bytes > byteCapacity,
            let oldest = content.entries.min(by: { $0.value.used < $1.value.used })
        {
            bytes -= oldest.value.grammar.bytes
            content.entries[oldest.key] = nil
        }
    }

    /// How many grammars are kept, and how often one was found.
    package var statistics: (count: Int, hits: Int) { content.withLock { ($0.entries.count, $0.hits) } }

    /// Memory of the grammars that are kept.
    package var bytes: Int { content.withLock { $0.entries.values.reduce(0) { $0 + $1.grammar.bytes } } }
}
