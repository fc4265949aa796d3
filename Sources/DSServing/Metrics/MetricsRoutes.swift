import DSObservability
import Hummingbird
import NIOCore

/// `GET /metrics`, for Prometheus and what reads its text formats.
struct MetricsRoutes: RouteGroup {
    let catalog: ModelCatalog
    let observability: Observability

    func add(to router: Router<ServingContext>) {
        router.get("/metrics") { request, _ in
            let format = MetricFormat(accept: request.headers[.accept])
            return Response(
                status: .ok, headers: [.contentType: format.contentType],
                body: ResponseBody(byteBuffer: ByteBuffer(string: MetricText.write(page(), as: format))))
        }
    }

    var operations: [APIOperation] {
        [APIOperation(.get, "/metrics", tag: "Server", "Metrics for Prometheus", answers: ["text/plain"])]
    }

    private func page() -> MetricPage {
        var page = MetricPage()
        for model in catalog.models { EngineMetrics(model, observability.metrics).addAll(to: &page) }
        if let counts = observability.exporter?.counts { Self.add(counts, to: &page) }
        ProcessMetrics.add(to: &page)
        // Last, because names that are taken are not given again.
        observability.collector.add(to: &page)
        return page
    }

    private static func add(_ counts: SpanExporter.Counts, to page: inout MetricPage) {
        page.counter("deepseek_trace_spans_exported", "Spans that the collector took.", [:], counts.exported)
        for (reason, count) in [("queue_full", counts.overflowed), ("collector", counts.refused)] {
            page.counter(
                "deepseek_trace_spans_dropped", "Spans that were lost, by reason.", ["reason": reason], count)
        }
        page.gauge("deepseek_trace_spans_waiting", "Spans that wait to be sent.", [:], counts.waiting)
    }
}
