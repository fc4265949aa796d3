import Metrics
import Synchronization

/// What `Counter` and `FloatingPointCounter` add up. Amounts that would make it fall are not added; `reset` begins anew, which
/// Prometheus recognises.
final class CollectedCounter: CollectedSeries, CounterHandler, FloatingPointCounterHandler {
    let labels: MetricLabels
    private let total = Mutex(0.0)

    init(_ labels: MetricLabels) { self.labels = labels }

    func increment(by amount: Int64) { increment(by: Double(amount)) }

    func increment(by amount: Double) {
        guard amount.isFinite, amount > 0 else { return }
        total.withLock { $0 += amount }
    }

    func reset() { total.withLock { $0 = 0 } }

    func add(to page: inout MetricPage, name: String, help: String) {
        page.counter(name, help, labels, total.withLock { $0 })
    }
}
