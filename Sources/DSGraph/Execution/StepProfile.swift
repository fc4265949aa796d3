/// When the steps of the plans that ran began, how long they took and what they had to do. Times are those of the
/// first part of a step and end when the next one begins.
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
    private var open: (step: Step, start: UInt64, work: StepWork)?

    package init() {}

    func begin(_ step: Step, at time: UInt64, work: StepWork) {
        close(time)
        open = (step, time, work)
    }

    func endRun(_ time: UInt64) {
        close(time)
        runs += 1
    }

    private func close(_ end: UInt64) {
        guard let (step, start, work) = open else { return }
        let origin = origin ?? start
        self.origin = origin
        events.append(
            Event(
                label: step.label, start: Double(start - origin) / 1e9, seconds: Double(end - start) / 1e9, work: work))
        open = nil
    }
}
