/// The part of a run in which its load was what it should be.
package enum SteadyState {
    /// From the first completion, when a closed loop's first burst has begun to spread, or from when its last client began if that is later,
    /// to the start of the last request, after which fewer are under way. Nil if the one is not before the other.
    package static func window(of records: [RequestRecord], lastBegin: Double = 0) -> ClosedRange<Double>? {
        guard let first = records.filter({ $0.failure == nil }).map(\.end).min(), let end = records.map(\.due).max()
        else { return nil }
        let begin = max(first, lastBegin)
        return begin < end ? begin...end : nil
    }
}
