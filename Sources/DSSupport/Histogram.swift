/// Counts observations in buckets. Adding one allocates nothing.
package struct Histogram: Sendable, Equatable {
    /// Upper bounds, inclusive and ascending; what is above all of them has a bucket of its own.
    package let bounds: [Double]
    /// Observations by bucket, not cumulative, [bounds.count + 1].
    package private(set) var counts: [UInt64]
    package private(set) var sum = 0.0

    package init(bounds: [Double]) {
        precondition(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }, "bounds ascend")
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    package var count: UInt64 { counts.reduce(0, +) }

    package mutating func observe(_ value: Double) {
        var index = 0
        while index < bounds.count, value > bounds[index] { index += 1 }
        counts[index] += 1
        sum += value
    }

    /// 1, 2, 5, 10, 20, 50, … up to `limit`: buckets for numbers of tokens.
    package static func decades(upTo limit: Int) -> [Double] {
        var bounds: [Double] = []
        var decade = 1
        while decade <= limit {
            for digit in [1, 2, 5] {
                let (bound, overflow) = decade.multipliedReportingOverflow(by: digit)
                if overflow || bound > limit { return bounds }
                bounds.append(Double(bound))
            }
            let (next, overflow) = decade.multipliedReportingOverflow(by: 10)
            if overflow { return bounds }
            decade = next
        }
        return bounds
    }
}
