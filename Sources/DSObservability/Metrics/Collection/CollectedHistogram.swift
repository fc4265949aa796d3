import DSSupport
import Metrics
import Synchronization

/// What a `Timer` (in seconds) or a `Recorder` observed. An observation allocates nothing.
final class CollectedHistogram: CollectedSeries, TimerHandler, RecorderHandler {
    let labels: MetricLabels
    private let histogram: Mutex<Histogram>

    init(_ labels: MetricLabels, bounds: [Double]) {
        self.labels = labels
        histogram = Mutex(Histogram(bounds: bounds))
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

    func record(_ value: Int64) { record(Double(value)) }

    /// What is no number belongs to no bucket.
    func record(_ value: Double) {
        guard !value.isNaN else { return }
        histogram.withLock { $0.observe(value) }
    }

    func add(to page: inout MetricPage, name: String, help: String) {
        page.histogram(name, help, labels, histogram.withLock { $0 })
    }
}
