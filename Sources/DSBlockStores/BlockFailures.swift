import Synchronization

/// Tells somebody what a store cannot read and what it cannot write, of each the first failure at once and then one in every
/// interval, with how many there were.
package final class BlockFailures: Sendable {
    package enum Kind: Sendable, Hashable {
        case reading, writing
    }

    private struct State {
        var nextReport: ContinuousClock.Instant?
        var untold = 0
    }

    private let interval: Duration
    private let report: @Sendable (String) -> Void
    private let states = Mutex<[Kind: State]>([:])

    /// - Parameter report: takes a line of text, on any thread.
    package init(interval: Duration = .seconds(60), report: @escaping @Sendable (String) -> Void) {
        self.interval = interval
        self.report = report
    }

    package func note(_ failure: String, of kind: Kind, now: ContinuousClock.Instant = .now) {
        let untold = states.withLock { states -> Int? in
            var state = states[kind] ?? State()
            defer { states[kind] = state }
            if let next = state.nextReport, now < next {
                state.untold += 1
                return nil
            }
            let untold = state.untold
            state = State(nextReport: now + interval)
            return untold
        }
        guard let untold else { return }
        report(untold == 0 ? failure : "\(failure) (and \(untold) more since the last such line)")
    }
}
