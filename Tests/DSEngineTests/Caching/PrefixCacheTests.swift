import DSEngine
import DSTestSupport
import Dispatch
import Synchronization
import Testing

/// What a cache holds changes how many rows are computed, and nothing else.
@Suite("Prefix cache")
struct PrefixCacheTests {
    struct Outcome: Equatable {
        var tokens: [Int32] = []
        var logprobs: [Float?] = []
        var reason: FinishReason?
    }

    /// Runs the requests of each round at the same time, one round after the other.
    static func run(
        _ rounds: [[GenerationRequest]], isCaching: Bool, errorEvery: Int? = nil, blocks: Int = 64,
        keepsAnswers: Bool = false, store: (any BlockStore)? = nil
    ) async throws -> (outcomes: [[Outcome]], cached: [[Int]], statistics: EngineStatistics, holes: Int) {
        let holes = Counter()
        let runner = ScriptedModelRunner(maximumContext: 96, blockCount: blocks, blockSize: 4)
        runner.drafter = errorEvery.map { ScriptedDrafter(runner, errorEvery: $0, holes: holes) }
        var configuration = EngineConfiguration()
        configuration.maxBatchTokens = 16
        configuration.maxBatchSize = 8
        configuration.streamCapacity = 256
        configuration.draftsAlways = true
        configuration.prefixCaching = isCaching
        configuration.keepsAnswers = keepsAnswers
        let engine = try Engine(runner: runner, endTokens: [9], configuration: configuration, store: store)
        var result = (outcomes: [[Outcome]](), cached: [[Int]](), statistics: EngineStatistics(), holes: 0)
        for requests in rounds {
            let streams = try requests.map { try engine.submit($0) }
            var outcomes: [Outcome] = []
            var cached: [Int] = []
            for stream in streams {
                var outcome = Outcome()
                for try await event in stream {
                    switch event {
                    case .token(let token):
                        outcome.tokens.append(token.id)
                        outcome.logprobs.append(token.logprob)
                    case .finished(let ended):
                        outcome.reason = ended.reason
                        cached.append(ended.usage.cachedPromptTokens)
                    case .prompt(let tokens): outcome.logprobs += tokens.map(\.logprob)
                    case .embedding: break
                    }
                }
                outcomes.append(outcome)
            }
            result.outcomes.append(outcomes)
            result.cached.append(cached)
        }
        await engine.shutdown()
        result.statistics = engine.statistics()
        result.holes = holes.value.load(ordering: .relaxed)
        return result
    }

    static func rounds(_ seed: UInt64) -> [[GenerationRequest]] {
        var random = SplitMix(seed: seed)
        let families = (0..<3).map { _ in (0..<40).map { _ in Int32(random.below(61)) } }
        return (0..<3).map { _ in
            (0..<8).map { index in
                var prompt = Array(families[random.below(3)].prefix(4 + random.below(36)))
                for _ in 0..<random.below(12) { prompt.append(Int32(random.below(61))) }
                var request = GenerationRequest.greedy(prompt, 1 + random.below(40))
                request.sampling.temperature = index % 2 == 0 ? 0 : 0.8
                request.sampling.seed = UInt64(index)
                if index % 3 == 0 { request.logprobs = 1 }
                if index == 5 { request.promptLogprobs = 0 }
                return request
            }
        }
    }

    @Test("Tokens, log-probabilities and endings are those without a cache", arguments: UInt64(1)...6)
    func exact(seed: UInt64) async throws {
        let rounds = Self.rounds(seed)
        for blocks in [64, 26] {
            let plain = try await Self.run(rounds, isCaching: false, blocks: blocks)
            #expect(plain.cached.joined().allSatisfy { $0 == 0 })
            for errorEvery in [nil, 0, 3] {
                let found = try await Self.run(rounds, isCaching: true, errorEvery: errorEvery, blocks: blocks)
                #expect(found.outcomes == plain.outcomes, "errors \(errorEvery ?? -1), \(blocks) blocks")
                #expect(found.holes == 0, "the drafter's rows are those of the request's own tokens")
                #expect(found.statistics.prefixCacheHits > 0)
                #expect(found.statistics.prefixCacheHits == found.cached.joined().reduce(0, +))
                #expect(found.statistics.promptTokens < plain.statistics.promptTokens)
                #expect(found.statistics.usedBlocks == 0)
                if blocks == 26 { #expect(found.statistics.prefixCacheEvictions > 0) }
            }
        }
    }

    @Test(
        "A prompt is found up to its last full block, and its last token is computed",
        arguments: [1, 4, 5, 8, 9, 16, 17])
    func hitLength(count: Int) async throws {
        let prompt = (0..<count).map { Int32($0 + 10) }
        let found = try await Self.run(
            [[.greedy(prompt, 2)], [.greedy(prompt, 2)]], isCaching: true)
        #expect(found.cached == [[0], [(count - 1) / 4 * 4]])
        #expect(found.outcomes[0] == found.outcomes[1])
    }

    @Test("The next turn of a conversation finds the answer before it, if answers are kept", arguments: [nil, 0, 3])
    func answers(errorEvery: Int?) async throws {
        let prompt = (0..<13).map { Int32($0 + 10) }
        let answer = ScriptedModelRunner.continuation(prompt, count: 20)
        let turns: [[GenerationRequest]] = [[.greedy(prompt, 20)], [.greedy(prompt + answer + [5, 6], 6)]]
        let plain = try await Self.run(turns, isCaching: false, errorEvery: errorEvery)
        let without = try await Self.run(turns, isCaching: true, errorEvery: errorEvery)
        #expect(without.cached == [[0], [12]])
        let kept = try await Self.run(turns, isCaching: true, errorEvery: errorEvery, keepsAnswers: true)
        // 33 tokens, the last of them without a row; a drafter's block also needs the token after it.
        #expect(kept.cached == [[0], [32]])
        #expect(kept.outcomes == plain.outcomes)
        #expect(kept.holes == 0)
    }

    @Test("A drafter reads one token more: the block before a fork is computed again")
    func hitLengthWithDrafter() async throws {
        let prompt = (0..<17).map { Int32($0 + 10) }
        var other = prompt
        other[16] = 3
        other.append(4)
        let found = try await Self.run(
            [[.greedy(prompt, 2)], [.greedy(prompt, 2)], [.greedy(other, 2)]], isCaching: true, errorEvery: 0)
        #expect(found.cached == [[0], [16], [12]])
        #expect(found.holes == 0)
    }

    @Test("Two tenants never share, whatever they ask")
    func salts() async throws {
        var requests: [[GenerationRequest]] = []
        for salt in ["tenant-a", "tenant-b", nil, "", "tenant-a"] {
            var request = GenerationRequest.greedy((0..<30).map { Int32($0 + 10) }, 2)
            request.cacheSalt = salt
            requests.append([request])
        }
        let found = try await Self.run(requests, isCaching: true)
        #expect(found.cached == [[0], [0], [0], [0], [28]])
    }

    @Test("Prompts whose log-probabilities are wanted are computed")
    func promptLogprobs() async throws {
        var request = GenerationRequest.greedy((0..<30).map { Int32($0 + 10) }, 2)
        request.promptLogprobs = 1
        let found = try await Self.run([[request], [request]], isCaching: true)
        #expect(found.cached == [[0], [0]])
        #expect(found.outcomes[0] == found.outcomes[1] && found.outcomes[0][0].logprobs.count == 31)
    }

    @Test("Requests with the same prompt that come together have it computed once")
    func together() async throws {
        let runner = ScriptedModelRunner(maximumContext: 96, blockCount: 64, blockSize: 4)
        let gate = DispatchSemaphore(value: 0)
        runner.gate = gate
        let engine = try EngineTests.engine(runner)
        let prompt = (0..<42).map { Int32($0 + 10) }
        // The first one's first step waits until all are there.
        let streams = try (0..<8).map { _ in try engine.submit(.greedy(prompt, 5)) }
        gate.signal()
        for stream in streams {
            #expect(try await stream.drain().tokens == ScriptedModelRunner.continuation(prompt, count: 5))
        }
        await engine.shutdown()
        // Ten full blocks once, and for each of the eight the two tokens after them.
        #expect(engine.statistics().promptTokens == 40 + 8 * 2)
    }

    @Test("What a preempted request has computed is found again, also what it generated")
    func preemption() async throws {
        let hasher = BlockHasher(identity: [], blockSize: 2, readsNextToken: false)
        var scheduler = Scheduler(
            limits: .init(maxBatchTokens: 16, maxBatchSize: 4, blockSize: 2, blockCount: 9, maximumContext: 12),
            policy: .priority, hasher: hasher)
        func add(_ id: UInt64, _ prompt: [Int32], priority: Int) {
            scheduler.add(
                SequenceRequest(
                    id: RequestID(id), promptTokens: prompt, stopping: StoppingConditions(maxTokens: 8),
                    priority: priority, chain: hasher.chain(of: prompt, salt: nil)))
        }
        add(1, [1, 2, 3, 4], priority: 1)
        for _ in 0..<5 { try SchedulerTests.step(&scheduler) }
        // 4 + 5 tokens known, 8 computed in 4 blocks; five blocks are left.
        add(2, [9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9], priority: 0)
        let (plan, progress) = try SchedulerTests.step(&scheduler)
        #expect(plan.preempted == [RequestID(1)])
        #expect(progress.map(\.finish?.reason) == [.length])
        var again: StepPlan?
        for _ in 0..<10 where again == nil {
            let (plan, _) = try SchedulerTests.step(&scheduler)
            if plan.prompts.contains(where: { $0.id == RequestID(1) })
                || plan.decodes.contains(where: { $0.id == RequestID(1) })
            {
                again = plan
            }
        }
        // The other one took six of nine blocks, so the last of four is gone.
        #expect(again?.prompts.isEmpty == true)
        #expect(again?.decodes.first { $0.id == RequestID(1) }?.start == 6)
    }
}
