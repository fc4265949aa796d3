import DSEngine
import DSTestSupport
import Dispatch
import Synchronization
import Testing

/// Guesses change how many steps a request takes and nothing else.
@Suite("Speculation")
struct SpeculationTests {
    // MARK: Whole engine

    struct Outcome: Equatable {
        var tokens: [Int32]
        var logprobs: [Float?]
        var reason: FinishReason?
        var completionTokens: Int?
    }

    /// All requests are there before the first step; streams never fill up.
    static func run(
        _ requests: [GenerationRequest], _ speculation: Speculation, errorEvery: Int? = nil, blocks: Int = 64,
        drafts: Int = 4, bound: InterTokenLatencyBound = .none, rowTime: Duration = .zero
    ) async throws -> (outcomes: [Outcome], statistics: EngineStatistics, holes: Int, promptSteps: Int) {
        let holes = Counter()
        let gate = DispatchSemaphore(value: 0)
        let runner = ScriptedModelRunner(maximumContext: 96, blockCount: blocks, blockSize: 4)
        runner.drafter = errorEvery.map { ScriptedDrafter(runner, errorEvery: $0, holes: holes) }
        runner.gate = gate
        runner.rowTime = rowTime
        let engine = try EngineTests.engine(runner, endTokens: [9]) {
            $0.speculation = speculation
            $0.maxDraftTokens = drafts
            $0.draftsAlways = true
            $0.streamCapacity = 256
            $0.interTokenLatencyBound = bound
        }
        let streams = try requests.map { try engine.submit($0) }
        gate.signal()
        var outcomes: [Outcome] = []
        for stream in streams {
            var outcome = Outcome(tokens: [], logprobs: [])
            for try await event in stream {
                switch event {
                case .token(let token):
                    outcome.tokens.append(token.id)
                    outcome.logprobs.append(token.logprob)
                case .finished(let result):
                    outcome.reason = result.reason
                    outcome.completionTokens = result.usage.completionTokens
                case .prompt, .embedding: break
                }
            }
            outcomes.append(outcome)
        }
        await engine.shutdown()
        let statistics = engine.statistics()
        let promptSteps = runner.promptSteps.load(ordering: .relaxed)
        return (outcomes, statistics, holes.value.load(ordering: .relaxed), promptSteps)
    }

    static func requests(_ seed: UInt64, temperature: Double) -> [GenerationRequest] {
        var random = SplitMix(seed: seed)
        return (0..<20).map { index in
            let prompt = (0..<(1 + random.below(40))).map { _ in Int32(random.below(61)) }
            var request = GenerationRequest.greedy(prompt, 1 + random.below(96 - prompt.count))
            request.sampling.temperature = temperature
            request.sampling.seed = UInt64(index)
            if index % 3 == 0 { request.sampling.repetitionPenalty = 1.3 }
            if index % 4 == 0 { request.logprobs = 2 }
            if index % 5 == 0 { request.stopping.minTokens = min(5, request.stopping.maxTokens ?? 5) }
            if index % 7 == 0 { request.stopping.stopTokens = [3] }
            return request
        }
    }

    @Test(
        "Tokens, log-probabilities and endings are those without guesses",
        arguments: UInt64(1)...4, [0, 0.8])
    func exact(seed: UInt64, temperature: Double) async throws {
        let requests = Self.requests(seed, temperature: temperature)
        for blocks in [64, 26] {
            let plain = try await Self.run(requests, .off, blocks: blocks)
            #expect(plain.statistics.drafts == 0)
            for (speculation, errorEvery) in [(Speculation.lookup, nil), (.drafter, 0), (.drafter, 3), (.auto, 2)] {
                let found = try await Self.run(requests, speculation, errorEvery: errorEvery, blocks: blocks)
                #expect(found.outcomes == plain.outcomes, "\(speculation), error every \(errorEvery ?? 0)")
                #expect(found.statistics.usedBlocks == 0)
                #expect(found.statistics.acceptedDraftTokens <= found.statistics.draftTokens)
                #expect(
                    found.statistics.acceptedDraftTokensByPosition.reduce(0, +)
                        == found.statistics.acceptedDraftTokens)
                if blocks == 26 { #expect(found.statistics.preemptions > 0) }
                if speculation == .drafter { #expect(found.statistics.acceptedDraftTokens > 0) }
                #expect(found.holes == 0, "the drafter's cache is followed row by row")
            }
        }
    }

    /// Rows take so long beside everything else that it pays to leave answers to the step after.
    @Test("Prompts that come first change when tokens come, and none of them", arguments: [0, 0.8])
    func promptsComeFirst(temperature: Double) async throws {
        var random = SplitMix(seed: 11)
        let requests = (0..<60).map { index in
            let prompt = (0..<(2 + random.below(8))).map { _ in Int32(random.below(61)) }
            var request = GenerationRequest.greedy(prompt, 4 + random.below(12))
            request.sampling.temperature = temperature
            request.sampling.seed = UInt64(index)
            return request
        }
        let plain = try await Self.run(requests, .off, rowTime: .microseconds(200))
        let bound = InterTokenLatencyBound.fixed(.milliseconds(200))
        for (speculation, errorEvery) in [(Speculation.off, nil), (.lookup, nil), (.auto, 2)] {
            let found = try await Self.run(
                requests, speculation, errorEvery: errorEvery, bound: bound, rowTime: .microseconds(200))
            #expect(found.outcomes == plain.outcomes, "\(speculation)")
            #expect(found.holes == 0 && found.statistics.usedBlocks == 0)
            // A drafter has no part in such steps. One in seventeen is tried on the slowest machine, too.
            if errorEvery == nil { #expect(found.promptSteps > plain.promptSteps, "\(speculation)") }
        }
    }

    @Test("A drafter that knows the model is always right, and saves the steps that it promises")
    func perfectDrafter() async throws {
        var request = GenerationRequest.greedy([1, 2, 3, 4, 5], 60)
        request.stopping.ignoreEndOfSequence = true
        let plain = try await Self.run([request], .off)
        let count = plain.outcomes[0].tokens.count
        #expect(count == 60)
        let found = try await Self.run([request], .drafter, errorEvery: 0, drafts: 3)
        #expect(found.outcomes == plain.outcomes)
        // The last step may guess beyond the end.
        #expect(found.statistics.draftTokens - found.statistics.acceptedDraftTokens <= 3)
        // The prompt gives the first token, each further step four.
        #expect(found.statistics.steps == 1 + (count - 1 + 3) / 4)
    }

    @Test("Wrong guesses cost rows, not tokens")
    func uselessDrafter() async throws {
        var request = GenerationRequest.greedy([1, 2, 3, 4, 5], 40)
        request.stopping.ignoreEndOfSequence = true
        let plain = try await Self.run([request], .off)
        let found = try await Self.run([request], .drafter, errorEvery: 1, drafts: 2)
        #expect(found.outcomes == plain.outcomes)
        #expect(found.statistics.acceptedDraftTokens <= found.statistics.draftTokens / 10)
        #expect(found.statistics.steps > plain.outcomes[0].tokens.count / 2)
    }

    // MARK: Prompt lookup

    @Test("The longest earlier occurrence, the latest of equally long ones", arguments: UInt64(1)...200)
    func lookup(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let tokens = (0..<(1 + random.below(60))).map { _ in Int32(random.below(3)) }
        // The definition, tried at every place.
        var expected: PromptLookup.Match?
        for next in stride(from: tokens.count - 1, through: 1, by: -1) {
            var length = 0
            while length < PromptLookup.longest, length < next,
                tokens[next - 1 - length] == tokens[tokens.count - 1 - length]
            { length += 1 }
            if length >= PromptLookup.shortest, length > expected?.length ?? 0 {
                expected = PromptLookup.Match(next: next, length: length)
            }
        }
        #expect(PromptLookup.match(tokens) == expected, "\(tokens)")
    }

    // MARK: What pays

    @Test func acceptanceFollowsOutcomes() {
        var table = AcceptanceTable()
        #expect(table.rate(.drafter(probability: 0.95)) > table.rate(.drafter(probability: 0.2)))
        #expect(table.rate(.lookup(length: 8)) > table.rate(.lookup(length: 2)))
        let untouched = table.rate(.lookup(length: 3))
        for _ in 0..<200 { table.record(.lookup(length: 2), isRight: true) }
        for index in 0..<400 { table.record(.drafter(probability: 0.95), isRight: index % 4 == 0) }
        #expect(table.rate(.lookup(length: 2)) > 0.95)
        #expect(abs(table.rate(.drafter(probability: 0.95)) - 0.25) < 0.05)
        #expect(table.rate(.lookup(length: 3)) == untouched)
        #expect(table.rate(.drafter(probability: .nan)) >= 0, "a drafter without numbers is no reason to stop")
    }

    @Test func costsNeverFallWithRows() {
        var costs = StepCosts()
        #expect(costs.seconds(rows: 1) == nil)
        for (rows, seconds) in [(1, 1.0), (2, 5.0), (3, 1.4), (8, 3.0)] {
            for _ in 0..<4 { costs.record(rows: rows, seconds: seconds) }
        }
        #expect(costs.seconds(rows: 1) == 1)
        #expect(costs.seconds(rows: 2) == 1.4, "one outlier is outvoted by a larger step")
        #expect(costs.seconds(rows: 8) == 3)
        #expect(abs((costs.seconds(rows: 5) ?? 0) - (1.4 + 1.6 * 2 / 5)) < 1e-9, "between what was measured")
        #expect(costs.seconds(rows: 9) == 3, "one row more is tried")
        #expect(costs.seconds(rows: 10) == nil && costs.seconds(rows: 40) == nil, "but not many")
        #expect(costs.seconds(rows: StepCosts.maximumRows + 1) == nil)
        for _ in 0..<2000 { costs.record(rows: 1, seconds: 2) }
        #expect(costs.seconds(rows: 8) == nil && costs.seconds(rows: 3) == nil, "old measurements are forgotten")
        #expect(abs((costs.seconds(rows: 1) ?? 0) - 2) < 1e-9)
    }

    @Test("A drafter that costs more than it saves rests, and is tried again")
    func budgetRests() {
        for (drafting, rests) in [(0.05, false), (2.0, true)] {
            var budget = DrafterBudget()
            var resting = 0
            var working = 0
            for _ in 0..<10_000 {
                for rows in 1...5 {
                    budget.model.record(rows: rows, seconds: 1 + 0.1 * Double(rows))
                    budget.drafter.record(rows: rows, seconds: drafting)
                }
                budget.note(requests: 1, guesses: 2, rate: 0.9, limit: 4)
                if budget.isResting { resting += 1 } else { working += 1 }
            }
            #expect((resting > 0) == rests)
            #expect(working > 2 * 64, "it is tried, and tried again")
        }
        // Nothing is known of more rows: what counts is whether anything is guessed.
        for (guesses, rests) in [(32, false), (0, true)] {
            var budget = DrafterBudget()
            for _ in 0..<200 {
                budget.model.record(rows: 32, seconds: 1)
                budget.drafter.record(rows: 32, seconds: 0.1)
                budget.note(requests: 32, guesses: guesses, rate: 0.9, limit: 4)
            }
            #expect(budget.isResting == rests)
        }
    }
}
