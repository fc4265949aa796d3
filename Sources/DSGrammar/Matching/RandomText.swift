/// Writes texts that a grammar allows, choosing among the tokens of each mask: what a model without any opinion would
/// write. For tests, and to look at what a grammar means.
package struct RandomText {
    private var generator: SplitMix64
    /// Tokens after which it takes the shortest way to the end.
    private let patience: Int

    package init(seed: UInt64, patience: Int = 60) {
        generator = SplitMix64(state: seed)
        self.patience = patience
    }

    package struct Outcome: Sendable {
        package var tokens: [Int32]
        package var text: [UInt8]
        /// False: `limit` tokens were not enough.
        package var isComplete: Bool
        /// False: somewhere no token was allowed, though the text was not complete.
        package var hasWayOn: Bool
    }

    /// One text of at most `limit` tokens.
    package mutating func next(_ grammar: CompiledGrammar, limit: Int) throws(GrammarError) -> Outcome {
        var matcher = GrammarMatcher(grammar)
        var outcome = Outcome(tokens: [], text: [], isComplete: false, hasWayOn: true)
        while outcome.tokens.count < limit {
            let mask = try matcher.mask()
            let isComplete = try matcher.isComplete
            let allowed = mask.tokens.filter { !grammar.vocabulary.isEnd($0) }
            guard !allowed.isEmpty else {
                outcome.isComplete = isComplete
                outcome.hasWayOn = isComplete
                return outcome
            }
            if isComplete, outcome.tokens.count >= patience || generator.next() % 8 == 0 {
                outcome.isComplete = true
                return outcome
            }
            if outcome.tokens.count >= patience, let rest = try matcher.completion(limit: 3_000) {
                outcome.text += rest
                outcome.isComplete = true
                return outcome
            }
            let token = pick(allowed)
            guard try matcher.accept(token) else {
                outcome.hasWayOn = false
                return outcome
            }
            outcome.tokens.append(token)
            let text = grammar.vocabulary.text(of: token)
            outcome.text += text.isEmpty ? grammar.vocabulary.spelling(ofControl: token) ?? [] : text
        }
        outcome.isComplete = try matcher.isComplete
        return outcome
    }

    private mutating func pick(_ tokens: [Int32]) -> Int32 { tokens[Int(generator.next() % UInt64(tokens.count))] }
}

/// Steele, Lea and Flood 2014.
private struct SplitMix64 {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
