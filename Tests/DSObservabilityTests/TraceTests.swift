import DSObservability
import DSSupport
import Synchronization
import Testing
import Tracing

@Suite("Traces") struct TraceTests {
    private static let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    // Cases of the W3C's specification of trace context.
    @Test(arguments: [
        (parent, true), ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", true),
        ("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", true),
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", false),
        ("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false),
        ("00-00000000000000000000000000000000-b7ad6b7169203331-01", false),
        ("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false),
        ("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", false),
        ("00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01", false), ("", false), ("00-a-b", false),
    ])
    func parents(header: String, isValid: Bool) { #expect((TraceContext(traceparent: header) != nil) == isValid) }

    /// Spans that were handed on.
    private final class Spans: Sendable {
        private let all = Mutex<[SpanRecord]>([])
        func add(_ span: SpanRecord) { all.withLock { $0.append(span) } }
        var list: [SpanRecord] { all.withLock { $0 } }
    }

    @Test func childrenContinueTheirParentsTrace() throws {
        let spans = Spans()
        let tracer = SpanTracer(ratio: 0, record: spans.add)
        var context = ServiceContext.topLevel
        context.trace = TraceContext(traceparent: Self.parent, state: "a=b")
        let outer = tracer.startSpan("outer", context: context, ofKind: .server)
        let inner = tracer.startSpan("inner", context: outer.context)
        inner.attributes["count"] = 3
        inner.addEvent("half-way")
        inner.end()
        inner.end()
        outer.end()
        #expect(spans.list.map(\.name) == ["inner", "outer"])
        let (child, root) = (spans.list[0], spans.list[1])
        #expect(root.context.traceID == "0af7651916cd43dd8448eb211c80319c" && root.parentID == "b7ad6b7169203331")
        #expect(child.context.traceID == root.context.traceID && child.parentID == root.context.spanID)
        #expect(child.context.spanID != root.context.spanID && child.context.state == "a=b")
        #expect(child.attributes == [.init("count", .integer(3))] && child.events.map(\.name) == ["half-way"])
        #expect(root.kind == .server && child.kind == .internal)
    }

    @Test(arguments: [0, 0.25, 1])
    func aRatioOfTracesIsRecorded(ratio: Double) {
        let spans = Spans()
        let tracer = SpanTracer(ratio: ratio, record: spans.add)
        for _ in 0..<4000 { tracer.startSpan("x", context: .topLevel).end() }
        // Six standard deviations of 4000 draws are 0.041.
        #expect(abs(Double(spans.list.count) / 4000 - ratio) < 0.042)
    }

    @Test func aCallersDecisionCounts() throws {
        let spans = Spans()
        var context = ServiceContext.topLevel
        context.trace = TraceContext(traceparent: Self.parent.dropLast() + "0")
        SpanTracer(ratio: 1, record: spans.add).startSpan("x", context: context).end()
        #expect(spans.list.isEmpty)
    }

    @Test func aFullQueueDropsAndCounts() {
        var queue = SpanQueue(capacity: 3)
        let context = TraceContext(
            traceID: TraceContext.newTraceID(), spanID: TraceContext.newSpanID(), isSampled: true)
        for index in 0..<5 {
            queue.add(
                SpanRecord(name: "\(index)", kind: .internal, context: context, parentID: nil, start: .now, end: .now))
        }
        #expect(queue.dropped == 2)
        #expect(queue.take(2).map(\.name) == ["0", "1"])
        #expect(queue.take(2).map(\.name) == ["2"])
        #expect(queue.take(2).isEmpty)
    }
}
