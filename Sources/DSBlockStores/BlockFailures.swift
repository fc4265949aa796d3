import Synchronization

/// Tells somebody what a store cannot read or write: the first failure at once, those of each further interval together.
package final class BlockFailures: Sendable {
    private struct State {
        var nextReport: ContinuousClock.Instant?
        var untold = 0
    }

    private let interval: Duration
    private let report: @Sendable (String) -> Void
    private let state = Mutex(State())

    /// - Parameter report: takes a line of text, on any thread.
    package init(interval: Duration = .seconds(60), report: @escaping @Sendable (String) -> Void) {
        self.interval = interval
        self.report = report
    }

    func note(_ failure: String, now: ContinuousClock.Instant = .now) {
        let untold = state.withLock { state -> Int? in
            if let next = state.nextReport, now < next {
                state.untold += 1
                return nil
            }
            state.nextReport = now + interval
            defer { state.untold = 0 }
            return state.untold
        }
        guard let untold else { return }
        report(untold == 0 ? failure : "\(failure) (and \(untold) more since the last such line)")
    }
}
