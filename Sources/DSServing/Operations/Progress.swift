package import DSEngine

/// Judges from pictures of an engine whether it makes progress.
///
/// An engine without work is fine however long its last step is ago, so besides the engine's own heartbeat the clock
/// starts when work is seen for the first time, or a step was made since.
package struct Progress: Sendable {
    private var steps = -1
    private var since: ContinuousClock.Instant?

    package init() {}

    /// How long the engine has had work and ended no step; zero while it makes progress or has nothing to do.
    package mutating func stalled(_ statistics: EngineStatistics, now: ContinuousClock.Instant) -> Duration {
        // One step that does not end, seen at the first look, and steps that never come.
        max(statistics.busyTime(at: now), withoutStep(statistics, now))
    }

    private mutating func withoutStep(_ statistics: EngineStatistics, _ now: ContinuousClock.Instant) -> Duration {
        guard Self.hasWork(statistics) else {
            since = nil
            return .zero
        }
        guard let since, steps == statistics.steps else {
            steps = statistics.steps
            self.since = now
            return .zero
        }
        return now - since
    }

    /// Whether a step must come. Requests that wait for slow clients hold blocks for which others may have to wait.
    private static func hasWork(_ statistics: EngineStatistics) -> Bool {
        let ended =
            statistics.finishedRequests + statistics.cancelledRequests + statistics.expiredRequests
            + statistics.failedRequests
        return statistics.submittedRequests > ended && statistics.pausedRequests == 0
    }
}
