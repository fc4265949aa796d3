/// How requests arrive.
package enum Load: Sendable, Equatable {
    /// Closed loop: so many clients, each of which sends its next request when the last one was answered. They begin at equal
    /// distances within `rampUp` seconds, all at once if it is 0.
    case closed(concurrency: Int, rampUp: Double = 0)
    /// Open loop: requests arrive at a rate (per second), whether or not earlier ones were answered.
    case open(rate: Double, arrival: Arrival)

    /// `8 concurrent`, `8 concurrent after 10.0 s` or `2.5 requests/s (poisson)`.
    package var title: String {
        switch self {
        case .closed(let concurrency, 0): "\(concurrency) concurrent"
        case .closed(let concurrency, let rampUp): "\(concurrency) concurrent after \(Figure.text(rampUp)) s"
        case .open(let rate, let arrival): "\(Figure.text(rate)) requests/s (\(arrival.rawValue))"
        }
    }

    /// The number that grows from run to run of a report.
    package var level: Double {
        switch self {
        case .closed(let concurrency, _): Double(concurrency)
        case .open(let rate, _): rate
        }
    }

    /// Seconds after which the last client of a closed loop begins.
    package var lastBegin: Double {
        switch self {
        case .closed(let concurrency, let rampUp): Self.begin(of: concurrency - 1, concurrency, rampUp)
        case .open: 0
        }
    }

    static func begin(of client: Int, _ concurrency: Int, _ rampUp: Double) -> Double {
        rampUp * Double(client) / Double(max(1, concurrency))
    }
}
