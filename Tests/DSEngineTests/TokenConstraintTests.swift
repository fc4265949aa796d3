import DSEngine
import DSGrammar
import DSTestSupport
import Testing

/// Tokens that a request allows, bans or forces.
@Suite struct TokenConstraintTests {
    /// The tokens that follow when every step has the same logits: 5 is likeliest, then 4, 3, ...
    private func output(
        _ change: (inout SamplingParameters) -> Void = { _ in }, thinking: ThinkingBudget? = nil, count: Int = 6
    ) throws -> [Int32] {
        var parameters = SamplingParameters.greedy
        change(&parameters)
        try parameters.validate(vocabularySize: 6)
        var sampler = Sampler(vocabularySize: 6)
        var state = SamplingState(
            parameters, seed: 1, promptTokens: [0], stopping: StoppingConditions(), endTokens: [], thinking: thinking)
        let logits: [Float] = [0, 1, 2, 3, 4, 5]
        return (0..<count).compactMap { _ in logits.withUnsafeBufferPointer { sampler.next($0, &state) } }
    }

    @Test("A mask leaves the choice that a row without the other tokens has", arguments: UInt64(1)...20)
    func masked(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let count = 64 + random.below(300)
        var parameters = SamplingParameters()
        // With a penalty, logits are adjusted beside.
        if seed % 3 == 0 { parameters.presencePenalty = 0.5 }
        var sampler = Sampler(vocabularySize: count)
        for share in [2, 30, 70, 98] {
            let row = (0..<count).map { _ in Float(random.below(100)) / 20 }
            let allowed = (0..<count).map { $0 / 64 == 1 ? share > 50 : random.chance(share) }
            var mask = TokenMask(count: count)
            for token in allowed.indices where allowed[token] { mask.insert(Int32(token)) }
            let bare = zip(row, allowed).map { $1 ? $0 : -Float.infinity }
            var one = SamplingState(
                parameters, seed: seed, promptTokens: [0], stopping: StoppingConditions(), endTokens: [])
            var other = one
            for _ in 0..<4 {
                let masked = row.withUnsafeBufferPointer { sampler.next($0, &one, allowed: mask) }
                #expect(masked == bare.withUnsafeBufferPointer { sampler.next($0, &other) }, "\(share) % of \(count)")
                #expect(masked.map { allowed[Int($0)] } ?? !allowed.contains(true))
            }
        }
    }

    @Test func onlyAllowedTokensAreChosen() throws {
        #expect(try output { $0.allowedTokens = [1, 3] } == [3, 3, 3, 3, 3, 3])
        // A bias counts among them.
        let biased = try output {
            $0.allowedTokens = [1, 3]
            $0.logitBias = [1: 9, 5: 100]
        }
        #expect(biased == [1, 1, 1, 1, 1, 1])
    }

    @Test func bannedSequencesNeverComplete() throws {
        #expect(try output { $0.bannedSequences = [[5]] } == [4, 4, 4, 4, 4, 4])
        #expect(try output { $0.bannedSequences = [[5, 5]] } == [5, 4, 5, 4, 5, 4])
        #expect(try output { $0.bannedSequences = [[5, 5, 5], [4, 5]] } == [5, 5, 4, 4, 4, 4])
    }

    @Test func wrongTokensAreNamed() {
        for (field, change) in [
            ("allowed_token_ids", { (parameters: inout SamplingParameters) in parameters.allowedTokens = [] }),
            ("allowed_token_ids", { $0.allowedTokens = [6] }), ("bad_words", { $0.bannedSequences = [[]] }),
            ("bad_words", { $0.bannedSequences = [[-1]] }),
        ] {
            let error = #expect(throws: EngineError.self) { try output(change) }
            guard case .invalidParameter(field, _, _) = error else {
                Issue.record("expected an error about \(field), found \(String(describing: error))")
                return
            }
        }
    }

    @Test func thinkingEndsWithItsBudget() throws {
        func budget(_ tokens: Int, inside: Bool = true) -> ThinkingBudget {
            ThinkingBudget(tokens: tokens, opening: [5], closing: [1, 2], startsInside: inside)
        }
        #expect(try output(thinking: budget(0)) == [1, 2, 5, 5, 5, 5])
        #expect(try output(thinking: budget(3)) == [5, 5, 5, 1, 2, 5])
        // The model opens the thinking itself: its mark is no part of it.
        #expect(try output(thinking: budget(2, inside: false)) == [5, 5, 5, 1, 2, 5])
        // Nothing is forced on a model that does not think.
        #expect(try output({ $0.allowedTokens = [4] }, thinking: budget(2, inside: false)) == [4, 4, 4, 4, 4, 4])
    }

    /// The model would end its thinking again where it wanted to.
    @Test func aForcedEndIsTheOnlyOne() throws {
        let forced = ThinkingBudget(tokens: 0, opening: [0], closing: [5], startsInside: true)
        #expect(try output(thinking: forced) == [5, 4, 4, 4, 4, 4])
        let free = ThinkingBudget(tokens: 3, opening: [0], closing: [5], startsInside: true)
        #expect(try output(thinking: free) == [5, 5, 5, 5, 5, 5])
    }

    /// What the model began of the closing mark is not written twice.
    @Test func aMarkThatWasBegunIsCompleted() throws {
        let budget = ThinkingBudget(tokens: 2, opening: [0], closing: [5, 2], startsInside: true)
        #expect(try output(thinking: budget) == [5, 5, 2, 5, 5, 5])
    }
}
