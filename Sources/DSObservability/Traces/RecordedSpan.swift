internal import Synchronization
package import Tracing

/// A span that is going on.
package final class RecordedSpan: Span {
    private struct State {
        var span: SpanRecord
        var attributes: SpanAttributes = [:]
        var hasEnded = false
    }

    package let context: ServiceContext
    private let state: Mutex<State>
    /// Nil: the trace is not recorded.
    private let record: (@Sendable (SpanRecord) -> Void)?

    init(_ span: SpanRecord, _ context: ServiceContext, record: (@Sendable (SpanRecord) -> Void)?) {
        self.context = context
        self.record = record
        state = Mutex(State(span: span))
    }

    package var isRecording: Bool { record != nil && state.withLock { !$0.hasEnded } }

    package var operationName: String {
        get { state.withLock { $0.span.name } }
        set { state.withLock { $0.span.name = newValue } }
    }

    package var attributes: SpanAttributes {
        get { state.withLock { $0.attributes } }
        set { state.withLock { $0.attributes = newValue } }
    }

    package func setStatus(_ status: SpanStatus) {
        state.withLock {
            $0.span.status = status.code == .ok ? .ok : .error
            $0.span.statusMessage = status.message ?? ""
        }
    }

    package func addEvent(_ event: SpanEvent) {
        guard record != nil else { return }
        let entry = SpanRecord.Event(
            name: event.name, time: Timestamp(nanosecondsSince1970: event.nanosecondsSinceEpoch),
            attributes: event.attributes.records)
        state.withLock { $0.span.events.append(entry) }
    }

    package func recordError<Instant: TracerInstant>(
        _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
    ) {
        var attributes = attributes
        attributes["exception.type"] = String(describing: type(of: error))
        addEvent(SpanEvent(name: "exception", at: instant(), attributes: attributes))
    }

    package func addLink(_ link: SpanLink) {
        guard let context = link.context.trace else { return }
        let entry = SpanRecord.Link(context: context, attributes: link.attributes.records)
        state.withLock { $0.span.links.append(entry) }
    }

    package func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        let end = Timestamp(nanosecondsSince1970: instant().nanosecondsSinceEpoch)
        let finished = state.withLock { state -> SpanRecord? in
            guard !state.hasEnded else { return nil }
            state.hasEnded = true
            state.span.end = end
            state.span.attributes = state.attributes.records
            return state.span
        }
        if let finished { record?(finished) }
    }
}

extension SpanAttributes {
    /// By name, so that the same attributes are always written alike.
    var records: [SpanRecord.Attribute] {
        var records: [SpanRecord.Attribute] = []
        forEach { name, value in records.append(.init(name, SpanRecord.Value(value))) }
        return records.sorted { $0.name < $1.name }
    }
}

extension SpanRecord.Value {
    init(_ attribute: SpanAttribute) {
        switch attribute {
        case .int32(let value): self = .integer(Int64(value))
        case .int64(let value): self = .integer(value)
        case .double(let value): self = .number(value)
        case .bool(let value): self = .truth(value)
        case .string(let value): self = .text(value)
        case .int32Array(let values): self = .list(values.map { .integer(Int64($0)) })
        case .int64Array(let values): self = .list(values.map { .integer($0) })
        case .doubleArray(let values): self = .list(values.map { .number($0) })
        case .boolArray(let values): self = .list(values.map { .truth($0) })
        case .stringArray(let values): self = .list(values.map { .text($0) })
        case .stringConvertible(let value): self = .text(value.description)
        case .stringConvertibleArray(let values): self = .list(values.map { .text($0.description) })
        // The library asks not to list its last case, which has no value.
        default: self = .text("\(attribute)")
        }
    }
}

/// A time at which a span began or ended, in the library's form.
extension Timestamp: TracerInstant {
    package var nanosecondsSinceEpoch: UInt64 { nanosecondsSince1970 }

    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.nanosecondsSince1970 < right.nanosecondsSince1970
    }
}
