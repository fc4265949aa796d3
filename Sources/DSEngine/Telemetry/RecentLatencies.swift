/// The last requests' durations, for quantiles over a recent time. Memory is fixed.
package struct RecentLatencies: Sendable, Equatable {
    package static let capacity = 1024
    /// Seconds for which a duration counts.
    package static let window = 60.0
    /// When a request ended, and how long it took, in seconds.
    private var entries: [(ended: Double, seconds: Double)] = []
    private var next = 0
    package private(set) var count: UInt64 = 0
    package private(set) var sum = 0.0

    package init() { entries.reserveCapacity(Self.capacity) }

    package mutating func add(_ seconds: Double, at now: Double) {
        count += 1
        sum += seconds
        if entries.count < Self.capacity {
            entries.append((now, seconds))
        } else {
            entries[next] = (now, seconds)
        }
        next = (next + 1) % Self.capacity
    }

    /// The durations of the requests that ended in the last `window` seconds before `now`, ascending.
    package func recent(at now: Double) -> [Double] {
        entries.filter { now - $0.ended <= Self.window }.map(\.seconds).sorted()
    }

    /// The smallest duration that at least a fraction of `values` (ascending) does not exceed; nil without values.
    package static func quantile(_ fraction: Double, of values: [Double]) -> Double? {
        guard !values.isEmpty else { return nil }
        let rank = Int((fraction * Double(values.count)).rounded(.up))
        return values[min(max(rank, 1), values.count) - 1]
    }

    package static func == (left: RecentLatencies, right: RecentLatencies) -> Bool {
        left.count == right.count && left.sum == right.sum
            && left.entries.elementsEqual(right.entries) { $0 == $1 }
    }
}
