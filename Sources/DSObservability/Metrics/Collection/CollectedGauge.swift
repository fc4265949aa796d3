import Metrics
import Synchronization

/// What a `Meter` or a `Gauge` was last set to.
final class CollectedGauge: CollectedSeries, MeterHandler, RecorderHandler {
    let labels: MetricLabels
    private let value = Mutex(0.0)

    init(_ labels: MetricLabels) { self.labels = labels }

    func set(_ value: Int64) { set(Double(value)) }

    func set(_ value: Double) { self.value.withLock { $0 = value } }

    func increment(by amount: Double) { value.withLock { $0 += amount } }

    func decrement(by amount: Double) { value.withLock { $0 -= amount } }

    func record(_ value: Int64) { set(Double(value)) }

    func record(_ value: Double) { set(value) }

    func add(to page: inout MetricPage, name: String, help: String) {
        page.gauge(name, help, labels, value.withLock { $0 })
    }
}
