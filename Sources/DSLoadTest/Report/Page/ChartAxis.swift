/// One direction of a chart: a range of values, and the round ones among them.
package struct ChartAxis: Sendable {
    package enum Kind: Sendable { case linear, logarithmic }

    package let kind: Kind
    package let low: Double
    package let high: Double
    package let ticks: [Double]

    /// A linear axis begins at 0 and ends at a tick; a logarithmic one ends at the values.
    package init(_ kind: Kind, values: [Double], tickCount: Int = 5) {
        let finite = values.filter { $0.isFinite && (kind == .linear ? $0 >= 0 : $0 > 0) }
        self.kind = kind
        switch kind {
        case .linear:
            let most = finite.max() ?? 0
            let step = Self.roundStep((most > 0 ? most : 1) / Double(tickCount))
            let count = max(1, Int(((most > 0 ? most : 1) / step - 1e-9).rounded(.up)))
            low = 0
            high = step * Double(count)
            ticks = (0...count).map { step * Double($0) }
        case .logarithmic:
            let least = finite.min() ?? 1
            let most = finite.max() ?? 10
            // One value alone gets room around it.
            let isWide = most / least > 1.2
            low = isWide ? least : least / 2
            high = isWide ? most : most * 2
            ticks = Self.logarithmicTicks(low, high, tickCount)
        }
    }

    /// Where a value lies: 0 at the low end, 1 at the high one.
    package func position(_ value: Double) -> Double {
        let fraction =
            switch kind {
            case .linear: (value - low) / (high - low)
            case .logarithmic:
                (Logarithm.decimal(max(value, low)) - Logarithm.decimal(low))
                    / (Logarithm.decimal(high) - Logarithm.decimal(low))
            }
        return min(max(fraction, 0), 1)
    }

    /// An axis with ticks at these values.
    func ticking(at values: [Double]) -> ChartAxis { ChartAxis(kind: kind, low: low, high: high, ticks: values) }

    private init(kind: Kind, low: Double, high: Double, ticks: [Double]) {
        self.kind = kind
        self.low = low
        self.high = high
        self.ticks = ticks
    }

    /// The powers of ten, twice and five times them that enclose values: ends of an axis whose lines should not touch them.
    static func enclosing(_ values: [Double]) -> [Double] {
        let positive = values.filter { $0 > 0 && $0.isFinite }
        guard let least = positive.min(), let most = positive.max() else { return [] }
        let power = Logarithm.tenToThe(Int(Logarithm.decimal(least).rounded(.down)))
        let low = [5.0, 2, 1].first { $0 * power <= least } ?? 1
        return [low * power, roundStep(most)]
    }

    /// 1, 2 or 5 times a power of ten, at least `size`.
    private static func roundStep(_ size: Double) -> Double {
        let power = Logarithm.tenToThe(Int(Logarithm.decimal(size).rounded(.down)))
        let factor = [1.0, 2, 5].first { $0 * power >= size * (1 - 1e-9) } ?? 10
        return factor * power
    }

    /// What round values are multiples of, in each power of ten; finest first.
    private static let factors: [[Double]] = [
        [1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1],
    ]

    /// The finest round values that are not too many.
    private static func logarithmicTicks(_ low: Double, _ high: Double, _ count: Int) -> [Double] {
        let first = Int(Logarithm.decimal(low).rounded(.down))
        let last = Int(Logarithm.decimal(high).rounded(.up))
        let range = (low * (1 - 1e-9))...(high * (1 + 1e-9))
        var ticks: [Double] = []
        for factors in factors {
            ticks = []
            for exponent in first...last {
                let power = Logarithm.tenToThe(exponent)
                ticks += factors.map { $0 * power }.filter { range.contains($0) }
            }
            if ticks.count <= count + 2 { return ticks.isEmpty ? [low, high] : ticks }
        }
        let stride = ticks.count / count + 1
        return ticks.enumerated().filter { $0.offset % stride == 0 }.map(\.element)
    }

    /// A tick's text: no more digits than it needs.
    package static func label(_ value: Double) -> String {
        for digits in 0..<6 {
            let scale = Logarithm.tenToThe(digits)
            if ((value * scale).rounded() / scale - value).magnitude <= value.magnitude * 1e-6 {
                return Figure.text(value, digits: digits)
            }
        }
        return Figure.text(value)
    }
}
