package import Tracing

/// Makes spans and hands the finished ones to `record`. Which traces are recorded is decided at their first span: as the caller
/// decided, if there is one, else by a ratio.
package struct SpanTracer: Tracer {
    package typealias Span = RecordedSpan

    private let ratio: Double
    private let record: @Sendable (SpanRecord) -> Void

    /// - Parameter ratio: the fraction of the traces that begin here to be recorded, 0...1.
    package init(ratio: Double, record: @escaping @Sendable (SpanRecord) -> Void) {
        self.ratio = ratio
        self.record = record
    }

    package func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
    ) -> RecordedSpan {
        var service = context()
        let parent = service.trace
        let traceID = parent?.traceID ?? TraceContext.newTraceID()
        let trace = TraceContext(
            traceID: traceID, spanID: TraceContext.newSpanID(),
            isSampled: parent?.isSampled ?? TraceContext.isSampled(traceID, ratio: ratio), state: parent?.state)
        service.trace = trace
        let span = SpanRecord(
            name: operationName, kind: SpanRecord.Kind(kind), context: trace, parentID: parent?.spanID,
            start: Timestamp(nanosecondsSince1970: instant().nanosecondsSinceEpoch), end: Timestamp.now)
        return RecordedSpan(span, service, record: trace.isSampled ? record : nil)
    }

    package func startAnySpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
    ) -> any Tracing.Span {
        startSpan(
            operationName, context: context(), ofKind: kind, at: instant(), function: function, file: fileID,
            line: line)
    }

    /// Finished spans are handed on at once.
    package func forceFlush() {}

    package func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
    ) where Extract.Carrier == Carrier {
        guard let parent = extractor.extract(key: "traceparent", from: carrier) else { return }
        context.trace = TraceContext(
            traceparent: parent, state: extractor.extract(key: "tracestate", from: carrier))
    }

    package func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext, into carrier: inout Carrier, using injector: Inject
    ) where Inject.Carrier == Carrier {
        guard let trace = context.trace else { return }
        injector.inject(trace.traceparent, forKey: "traceparent", into: &carrier)
        if let state = trace.state { injector.inject(state, forKey: "tracestate", into: &carrier) }
    }
}

extension ServiceContext {
    private enum Key: ServiceContextKey {
        typealias Value = TraceContext
    }

    /// The innermost span.
    package var trace: TraceContext? {
        get { self[Key.self] }
        set { self[Key.self] = newValue }
    }
}

extension SpanRecord.Kind {
    init(_ kind: SpanKind) {
        self =
            switch kind {
            case .server: .server
            case .client: .client
            case .producer: .producer
            case .consumer: .consumer
            case .internal: .internal
            }
    }
}
