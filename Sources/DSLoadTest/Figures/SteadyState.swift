/// The part of a run in which its load was what it should be.
package enum SteadyState {
    /// From the first completion, when a closed loop's first burst has begun to spread, to the start of the last request,
    /// after which fewer are under way. Nil if the one is not before the other.
    package static func window(of records: [RequestRecord]) -> ClosedRange<Double>? {
        guard let begin = records.filter({ $0.failure == nil }).map(\.end).min(), let end = records.map(\.due).max(),
            begin < end
        else { return nil }
        return begin...end
    }
}
