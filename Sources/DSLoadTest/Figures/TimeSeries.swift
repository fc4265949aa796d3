/// What happened in each of a run's equal slices of time.
package struct TimeSeries: Sendable {
    /// Seconds per slice.
    package let width: Double
    package let outputTokensPerSecond: [Double]
    /// Requests under way on average.
    package let inFlight: [Double]
    /// The most requests that were under way at the same moment.
    package let maximumInFlight: Int

    package init(_ records: [RequestRecord], slices: Int = 60) {
        let end = records.map(\.end).max() ?? 0
        let width = end > 0 ? end / Double(slices) : 1
        var tokens = [Double](repeating: 0, count: slices)
        var busy = [Double](repeating: 0, count: slices)
        func slice(_ time: Double) -> Int { min(max(Int(time / width), 0), slices - 1) }
        for record in records {
            if let count = record.outputTokens, record.failure == nil {
                let times = record.textTimes.isEmpty ? [record.end] : record.textTimes
                for time in times { tokens[slice(time)] += Double(count) / Double(times.count) }
            }
            for index in slice(record.sent)...max(slice(record.sent), slice(record.end)) {
                let from = max(record.sent, Double(index) * width)
                let to = min(record.end, Double(index + 1) * width)
                busy[index] += max(0, to - from)
            }
        }
        self.width = width
        outputTokensPerSecond = tokens.map { $0 / width }
        inFlight = busy.map { $0 / width }
        maximumInFlight = Self.maximumInFlight(records)
    }

    private static func maximumInFlight(_ records: [RequestRecord]) -> Int {
        // Ends before starts at the same moment.
        let changes = records.flatMap { [($0.sent, 1), ($0.end, -1)] }.sorted { $0 < $1 }
        var now = 0
        var most = 0
        for (_, change) in changes {
            now += change
            most = max(most, now)
        }
        return most
    }
}
