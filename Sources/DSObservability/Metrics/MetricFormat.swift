/// The text formats that a scraper may ask for.
package enum MetricFormat: Sendable, Equatable {
    /// Prometheus' text format 0.0.4, which everything reads.
    case prometheus
    /// OpenMetrics 1.0.0.
    case openMetrics

    package var contentType: String {
        switch self {
        case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
    }

    /// What an `accept` header prefers: OpenMetrics where it is named with at least the weight of plain text.
    package init(accept: String?) {
        var weights: [Substring: Double] = [:]
        for entry in (accept ?? "").split(separator: ",") {
            let parts = entry.split(separator: ";").map { $0.drop { $0 == " " } }
            guard let type = parts.first else { continue }
            let weight = parts.first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            let name = type.prefix { $0 != " " }
            weights[name] = max(weights[name] ?? 0, weight)
        }
        let open = weights["application/openmetrics-text"] ?? 0
        let plain = max(weights["text/plain"] ?? 0, weights["*/*"] ?? 0, weights["text/*"] ?? 0)
        self = open > 0 && open >= plain ? .openMetrics : .prometheus
    }
}
