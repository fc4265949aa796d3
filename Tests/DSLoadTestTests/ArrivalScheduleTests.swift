import DSLoadTest
import Testing

@Suite struct ArrivalScheduleTests {
    private func gaps(rate: Double, seed: UInt64, count: Int) -> [Double] {
        var last = 0.0
        return ArrivalSchedule(rate: rate, arrival: .poisson, seed: seed).prefix(count).map { time in
            defer { last = time }
            return time - last
        }
    }

    /// Gaps of a Poisson process are exponential: mean and standard deviation 1/rate, and a distribution function that the
    /// samples follow (Kolmogorov-Smirnov: 1.63/√n is exceeded once in a hundred seeds; these seeds are fixed).
    @Test(arguments: [(0.5, UInt64(1)), (40, 2), (1000, 3)])
    func poissonGapsAreExponential(rate: Double, seed: UInt64) throws {
        let count = 20_000
        let gaps = Distribution(gaps(rate: rate, seed: seed, count: count))
        #expect(abs(try #require(gaps.mean) * rate - 1) < 0.03)
        #expect(abs(try #require(gaps.standardDeviation) * rate - 1) < 0.05)
        // Medians and upper percentiles of the exponential distribution: -ln(1 - p).
        for (percent, expected) in [(50.0, 0.693147), (90, 2.302585), (99, 4.605170)] {
            #expect(abs(try #require(gaps.percentile(percent)) * rate / expected - 1) < 0.06)
        }
        let distance = gaps.sorted.enumerated().map { index, gap in
            abs(Double(index + 1) / Double(count) - (1 - exponential(-gap * rate)))
        }.max()
        #expect(try #require(distance) < 1.63 / Double(count).squareRoot())
    }

    /// e to the power of a number at most 0, as a series of its reciprocal's square roots: no library behind it.
    private func exponential(_ value: Double) -> Double {
        var term = 1.0
        var sum = 1.0
        let small = value / 64
        for index in 1..<20 {
            term *= small / Double(index)
            sum += term
        }
        var result = sum
        for _ in 0..<6 { result *= result }
        return result
    }

    @Test func constantGapsAreEqual() {
        let times = Array(ArrivalSchedule(rate: 4, arrival: .constant, seed: 9).prefix(5))
        #expect(times == [0, 0.25, 0.5, 0.75, 1])
    }

    @Test func seedsRepeatAndDiffer() {
        #expect(gaps(rate: 1, seed: 5, count: 100) == gaps(rate: 1, seed: 5, count: 100))
        #expect(gaps(rate: 1, seed: 5, count: 100) != gaps(rate: 1, seed: 6, count: 100))
    }

    @Test func arrivalsNeverGoBack() {
        #expect(gaps(rate: 3, seed: 7, count: 10_000).allSatisfy { $0 >= 0 && $0.isFinite })
    }

    /// The first values of SplitMix64 for the seed 1234567, as published with its reference implementation, whose stream the
    /// generator's own begins after one draw.
    @Test func generatorIsSplitMix64() {
        let published: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
        ]
        // A generator whose state is the seed itself: the one that its initialiser starts from.
        var state: UInt64 = 1_234_567
        func reference() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = state
            value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
            return value ^ (value >> 31)
        }
        #expect(published.allSatisfy { $0 == reference() })
        state = published[0]
        var generator = SeededGenerator(seed: 1_234_567)
        #expect((0..<3).allSatisfy { _ in generator.next() == reference() })
    }
}
