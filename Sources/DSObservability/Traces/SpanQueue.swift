/// Finished spans that wait to be sent: at most `capacity`; later ones are dropped and counted. A pure value.
package struct SpanQueue: Sendable {
    package let capacity: Int
    private var waiting: [SpanRecord] = []
    package private(set) var dropped = 0

    package init(capacity: Int) { self.capacity = capacity }

    package var count: Int { waiting.count }

    package mutating func add(_ span: SpanRecord) {
        if waiting.count < capacity { waiting.append(span) } else { dropped += 1 }
    }

    /// Takes the oldest spans, at most `limit`.
    package mutating func take(_ limit: Int) -> [SpanRecord] {
        defer { waiting.removeFirst(min(limit, waiting.count)) }
        return Array(waiting.prefix(limit))
    }
}
