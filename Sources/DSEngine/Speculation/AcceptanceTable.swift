/// How often guesses turn out right, by what was known when they were made. Newer outcomes count more.
package struct AcceptanceTable: Sendable, Equatable {
    /// Where a guess comes from.
    package enum Source: Hashable, Sendable {
        /// The drafter, which gave its token this probability.
        case drafter(probability: Float)
        /// An earlier occurrence of so many tokens.
        case lookup(length: Int)
    }

    private struct Rate: Sendable, Equatable {
        var right: Double
        var all: Double
    }

    /// Outcomes that an entry remembers.
    private static let memory = 64.0
    /// The weight of the first assumption, in outcomes.
    private static let doubt = 4.0
    private static let probabilityBins = 8
    private var rates: [Rate]

    package init() {
        let bins = Self.probabilityBins
        // A drafter is taken at its word, and a repetition of n tokens goes on with 1 - 1 / n, until outcomes say better.
        var assumed = (0..<bins).map { (Double($0) + 0.5) / Double(bins) }
        assumed += (PromptLookup.shortest...PromptLookup.longest).map { 1 - 1 / Double($0) }
        rates = assumed.map { Rate(right: Self.doubt * $0, all: Self.doubt) }
    }

    private static func index(_ source: Source) -> Int {
        switch source {
        case .drafter(let probability):
            probability >= 0 ? Int(min(probability * Float(probabilityBins), Float(probabilityBins - 1))) : 0
        case .lookup(let length):
            probabilityBins + min(max(length, PromptLookup.shortest), PromptLookup.longest) - PromptLookup.shortest
        }
    }

    /// The expected fraction of right guesses, between 0 and 1.
    package func rate(_ source: Source) -> Double {
        let rate = rates[Self.index(source)]
        return rate.right / rate.all
    }

    /// Records a guess that was tried: all before it in its step were right.
    package mutating func record(_ source: Source, isRight: Bool) {
        let index = Self.index(source)
        if rates[index].all >= Self.memory {
            let shrink = (Self.memory - 1) / rates[index].all
            rates[index].right *= shrink
            rates[index].all *= shrink
        }
        rates[index].right += isRight ? 1 : 0
        rates[index].all += 1
    }
}
