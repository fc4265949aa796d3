/// Seconds since a moment, by the clock that never jumps.
package struct Stopwatch: Sendable {
    package let start = ContinuousClock.now

    package init() {}

    package var seconds: Double { (ContinuousClock.now - start) / .seconds(1) }

    package func sleep(until time: Double) async throws {
        try await Task.sleep(until: start + .seconds(time), tolerance: .zero, clock: .continuous)
    }
}
