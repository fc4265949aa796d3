/// Samples in order, and what they say together. Nothing is binned: every percentile comes from the samples.
package struct Distribution: Sendable, Equatable {
    package let sorted: [Double]

    package init(_ samples: [Double]) { sorted = samples.sorted() }

    package var count: Int { sorted.count }
    package var isEmpty: Bool { sorted.isEmpty }
    package var minimum: Double? { sorted.first }
    package var maximum: Double? { sorted.last }

    package var mean: Double? {
        isEmpty ? nil : sorted.reduce(0, +) / Double(count)
    }

    /// Of the samples as a whole population (divided by n), as `numpy.std` has it by default.
    package var standardDeviation: Double? {
        guard let mean else { return nil }
        return (sorted.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)).squareRoot()
    }

    package var median: Double? { percentile(50) }

    /// Linear between the two nearest samples, at (n - 1) * p / 100 counted from 0: `numpy.percentile`'s default, and so
    /// what `vllm bench serve` prints. Nil without samples.
    package func percentile(_ percent: Double) -> Double? {
        precondition((0...100).contains(percent), "a percentile is between 0 and 100")
        guard !isEmpty else { return nil }
        let position = Double(count - 1) * percent / 100
        let below = Int(position)
        let above = min(below + 1, count - 1)
        let fraction = position - Double(below)
        return sorted[below] + (sorted[above] - sorted[below]) * fraction
    }

    /// The fraction of samples at or below a value.
    package func fraction(atMost value: Double) -> Double? {
        guard !isEmpty else { return nil }
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle] <= value { low = middle + 1 } else { high = middle }
        }
        return Double(low) / Double(count)
    }
}
