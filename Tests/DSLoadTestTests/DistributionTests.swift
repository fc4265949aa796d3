import DSLoadTest
import Testing

@Suite struct DistributionTests {
    private struct Case: Sendable {
        let samples: [Double]
        let mean: Double
        let standardDeviation: Double
        /// At 0, 1, 25, 40, 50, 90, 95, 99 and 100 %.
        let percentiles: [Double]
    }

    private static let percents: [Double] = [0, 1, 25, 40, 50, 90, 95, 99, 100]

    /// Computed by numpy 2.4.6: `numpy.mean`, `numpy.std`, `numpy.percentile` with their defaults.
    private static let cases = [
        Case(
            samples: [15, 20, 35, 40, 50], mean: 32, standardDeviation: 12.884098726725126,
            percentiles: [15, 15.2, 20, 29, 35, 46, 48, 49.6, 50]),
        Case(
            samples: [0.37, 12.5, 3.25, 3.25, 0.01, 99, 7.75, 41.125, 2, 5.5, 8.0625], mean: 16.61977272727273,
            standardDeviation: 28.26933566875763,
            percentiles: [0.01, 0.046, 2.625, 3.25, 5.5, 41.125, 70.0625, 93.21250000000002, 99]),
        Case(
            samples: [4.5], mean: 4.5, standardDeviation: 0,
            percentiles: [4.5, 4.5, 4.5, 4.5, 4.5, 4.5, 4.5, 4.5, 4.5]),
    ]

    @Test(arguments: cases.indices) func agreesWithNumpy(index: Int) throws {
        let (expected, found) = (Self.cases[index], Distribution(Self.cases[index].samples))
        func isClose(_ a: Double?, _ b: Double) throws -> Bool { abs(try #require(a) - b) <= 1e-12 * max(1, abs(b)) }
        #expect(try isClose(found.mean, expected.mean))
        #expect(try isClose(found.standardDeviation, expected.standardDeviation))
        for (percent, value) in zip(Self.percents, expected.percentiles) {
            #expect(try isClose(found.percentile(percent), value), "p\(percent)")
        }
        #expect(found.minimum == expected.percentiles.first && found.maximum == expected.percentiles.last)
    }

    @Test func nothingHasNoFigures() {
        let nothing = Distribution([])
        #expect(nothing.mean == nil && nothing.percentile(50) == nil && nothing.standardDeviation == nil)
    }

    @Test(arguments: [(0.0, 0.0), (1, 0.25), (1.5, 0.25), (2, 0.75), (3, 1), (9, 1)])
    func fractions(value: Double, fraction: Double) {
        #expect(Distribution([2, 1, 3, 2]).fraction(atMost: value) == fraction)
    }

    @Test(arguments: [
        (0.0, "0"), (0.01234, "0.0123"), (0.5, "0.500"), (4.567, "4.57"), (81.26, "81.3"), (99.96, "100"),
        (12345.6, "12,346"), (-3.14159, "-3.14"), (.infinity, "-"), (1_234_567, "1,234,567"),
    ])
    func figuresForPeople(value: Double, text: String) { #expect(Figure.text(value) == text) }

    @Test func axes() {
        let linear = ChartAxis(.linear, values: [3, 87])
        #expect(linear.ticks == [0, 20, 40, 60, 80, 100] && linear.position(50) == 0.5)
        #expect(ChartAxis(.linear, values: []).ticks.count > 1 && ChartAxis(.linear, values: [0]).high > 0)
        let logarithmic = ChartAxis(.logarithmic, values: [1, 10000])
        #expect(logarithmic.ticks.first == 1 && abs(logarithmic.position(100) - 0.5) < 1e-12)
        #expect(ChartAxis(.logarithmic, values: [8]).low < 8 && ChartAxis(.logarithmic, values: [8]).high > 8)
        for most in [1e-3, 0.7, 1, 9.99, 32, 1e7] {
            let ticks = ChartAxis(.linear, values: [most]).ticks
            #expect((2...7).contains(ticks.count) && ticks.last ?? 0 >= most * (1 - 1e-9))
        }
    }
}
