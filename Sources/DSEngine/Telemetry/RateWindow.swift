/// Events per second over the last few whole seconds. Memory is fixed; seconds count from any origin.
package struct RateWindow: Sendable, Equatable {
    package static let seconds = 10
    /// The second that each place counts for, and its events; a place is used again after a turn of the ring.
    private var stamps: [Int]
    private var counts: [Int]

    package init() {
        // The current second is counted, too, but not part of the rate.
        stamps = Array(repeating: -1, count: Self.seconds + 1)
        counts = Array(repeating: 0, count: Self.seconds + 1)
    }

    package mutating func add(_ count: Int, at second: Int) {
        let place = second % stamps.count
        if stamps[place] != second {
            stamps[place] = second
            counts[place] = 0
        }
        counts[place] += count
    }

    /// Events per second in the seconds before `second`.
    package func rate(at second: Int) -> Double {
        var total = 0
        for place in stamps.indices where stamps[place] >= max(0, second - Self.seconds) && stamps[place] < second {
            total += counts[place]
        }
        return Double(total) / Double(Self.seconds)
    }
}
