/// When the steps of the plans that ran began, how long they took and what they had to do. Times are those of worker 0 and end
/// with the barrier after a step.
package final class StepProfile {
    package struct Event: Sendable {
        /// `layers.0.attention/linear`.
        package let label: String
        /// Seconds since the first event.
        package let start: Double
        package let seconds: Double
        package let work: StepWork
    }

    /// Of all runs, in order.
    package private(set) var events: [Event] = []
    package private(set) var runs = 0
    private var origin: UInt64?

    package init() {}

    func add(_ step: Step, from start: UInt64, to end: UInt64, work: StepWork) {
        let origin = origin ?? start
        self.origin = origin
        events.append(
            Event(
                label: step.label, start: Double(start - origin) / 1e9, seconds: Double(end - start) / 1e9, work: work))
    }

    func endRun() { runs += 1 }
}
