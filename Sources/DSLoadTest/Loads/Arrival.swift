/// Gaps between the arrivals of an open loop.
package enum Arrival: String, Sendable, CaseIterable {
    /// Exponentially distributed gaps: clients that know nothing of each other.
    case poisson
    /// Equal gaps.
    case constant
}
