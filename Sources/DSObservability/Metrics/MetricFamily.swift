/// All samples of one metric.
package struct MetricFamily: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case counter, gauge, histogram, summary

        /// Every name that a family of this kind takes: its own and those of its samples.
        func names(_ name: String) -> [String] {
            let suffixes =
                switch self {
                case .counter: ["_total"]
                case .gauge: [] as [String]
                case .histogram: ["_bucket", "_sum", "_count"]
                case .summary: ["_sum", "_count"]
                }
            return [name] + suffixes.map { name + $0 }
        }
    }

    package struct Sample: Sendable, Equatable {
        /// What follows the family's name: empty, `_total`, `_bucket`, `_sum` or `_count`.
        package let suffix: String
        package let labels: MetricLabels
        package let value: Double
    }

    /// Without the `_total` of a counter.
    package let name: String
    package let help: String
    package let kind: Kind
    package var samples: [Sample] = []
}
