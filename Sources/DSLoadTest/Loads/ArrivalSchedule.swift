/// Arrival times of an open loop, in seconds since the run began, without end.
package struct ArrivalSchedule: Sequence, IteratorProtocol, Sendable {
    private let rate: Double
    private let arrival: Arrival
    private var generator: SeededGenerator
    private var count = 0
    private var time = 0.0

    package init(rate: Double, arrival: Arrival, seed: UInt64) {
        precondition(rate > 0 && rate.isFinite, "arrivals need a rate above 0")
        self.rate = rate
        self.arrival = arrival
        generator = SeededGenerator(seed: seed)
    }

    package mutating func next() -> Double? {
        switch arrival {
        case .constant:
            time = Double(count) / rate
        case .poisson:
            // 1 - u is above 0, so that the logarithm is finite.
            time -= Logarithm.natural(1 - generator.unit()) / rate
        }
        count += 1
        return time
    }
}
