/// A bucket that holds what one minute allows and fills evenly. It may be overdrawn: what an answer costs is known only
/// when it is done.
package struct RateBudget: Sendable {
    package let perMinute: Int
    private var available: Double
    private var updated: ContinuousClock.Instant

    package init(perMinute: Int, now: ContinuousClock.Instant) {
        self.perMinute = perMinute
        available = Double(perMinute)
        updated = now
    }

    private mutating func refill(_ now: ContinuousClock.Instant) {
        let seconds = max(0, (now - updated) / .seconds(1))
        available = min(Double(perMinute), available + seconds * Double(perMinute) / 60)
        updated = max(now, updated)
    }

    /// Whole units that are left; never negative.
    package mutating func remaining(now: ContinuousClock.Instant) -> Int {
        refill(now)
        return max(0, Int(available))
    }

    /// Whether at least one unit is left.
    package mutating func isOpen(now: ContinuousClock.Instant) -> Bool {
        refill(now)
        return available >= 1
    }

    package mutating func take(_ units: Int, now: ContinuousClock.Instant) {
        refill(now)
        available -= Double(units)
    }

    /// Seconds until one unit is left.
    package mutating func secondsUntilOpen(now: ContinuousClock.Instant) -> Double {
        refill(now)
        return max(0, (1 - available) * 60 / Double(perMinute))
    }

    /// Seconds until the bucket is full.
    package mutating func secondsUntilFull(now: ContinuousClock.Instant) -> Double {
        refill(now)
        return max(0, (Double(perMinute) - available) * 60 / Double(perMinute))
    }
}
