/// How requests arrive.
package enum Load: Sendable, Equatable {
    /// Closed loop: so many clients, each of which sends its next request when the last one was answered.
    case closed(concurrency: Int)
    /// Open loop: requests arrive at a rate (per second), whether or not earlier ones were answered.
    case open(rate: Double, arrival: Arrival)

    /// `8 concurrent` or `2.5 requests/s (poisson)`.
    package var title: String {
        switch self {
        case .closed(let concurrency): "\(concurrency) concurrent"
        case .open(let rate, let arrival): "\(Figure.text(rate)) requests/s (\(arrival.rawValue))"
        }
    }

    /// The number that grows from run to run of a report.
    package var level: Double {
        switch self {
        case .closed(let concurrency): Double(concurrency)
        case .open(let rate, _): rate
        }
    }
}
