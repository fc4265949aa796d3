package import DSObservability

/// How the server watches its requests.
package struct Observability: Sendable {
    /// All metrics that come by swift-metrics: the server's own, and those of libraries once it is the program's factory.
    package let collector: MetricCollector
    package let metrics: ServingMetrics
    /// Nil: no prices are set, and nothing speaks of costs.
    package var costs: CostModel?
    /// Nil: no traces.
    package var tracer: SpanTracer?
    package var exporter: SpanExporter?
    /// Paths whose requests are not logged.
    package var unloggedPaths: Set<String> = []

    package init() {
        collector = MetricCollector(ServingMetrics.descriptions)
        metrics = ServingMetrics(collector)
    }
}
