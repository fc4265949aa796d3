import DSSupport

/// What a metric of swift-metrics is, and so what it becomes on a page.
enum MetricSource: Hashable, Sendable {
    /// `Counter` and `FloatingPointCounter`.
    case counter
    /// `Meter` and `Gauge`.
    case gauge
    /// `Recorder`.
    case recorder
    /// `Timer`; seconds on the page.
    case timer

    var kind: MetricFamily.Kind {
        switch self {
        case .counter: .counter
        case .gauge: .gauge
        case .recorder, .timer: .histogram
        }
    }

    /// Of histograms that nobody described.
    var standardBounds: [Double] {
        switch self {
        case .counter, .gauge: []
        case .recorder: Histogram.decades(upTo: 1_000_000)
        case .timer: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
        }
    }
}
