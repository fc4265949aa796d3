import DSEngine
import DSTestSupport
import Dispatch
import Testing

@Suite("Engine")
struct EngineTests {
    static func engine(
        _ runner: sending ScriptedModelRunner = ScriptedModelRunner(), endTokens: [Int32] = [],
        _ change: (inout EngineConfiguration) -> Void = { _ in }
    ) throws -> Engine {
        var configuration = EngineConfiguration()
        configuration.maxBatchTokens = 16
        configuration.maxBatchSize = 8
        change(&configuration)
        return try Engine(runner: runner, endTokens: endTokens, configuration: configuration)
    }

    @Test("Many requests at once in a small cache give the tokens that each gives alone", arguments: UInt64(1)...6)
    func manyAtOnce(seed: UInt64) async throws {
        var random = SplitMix(seed: seed)
        let runner = ScriptedModelRunner(maximumContext: 64, blockCount: 24, blockSize: 4)
        let gate = DispatchSemaphore(value: 0)
        runner.gate = gate
        // No stream fills up, so the steps do not depend on how fast the streams are read.
        let engine = try Self.engine(runner, endTokens: [9]) { $0.streamCapacity = 128 }
        var work: [(prompt: [Int32], count: Int)] = []
        for _ in 0..<30 {
            let prompt = (0..<(1 + random.below(30))).map { _ in Int32(random.below(61)) }
            work.append((prompt, 1 + random.below(64 - prompt.count)))
        }
        let streams = try work.map { try engine.submit(.greedy($0.prompt, $0.count)) }
        gate.signal()
        try await withThrowingTaskGroup(of: (Int, [Int32], GenerationResult?).self) { group in
            for (index, stream) in streams.enumerated() {
                group.addTask {
                    let (tokens, result) = try await stream.drain()
                    return (index, tokens, result)
                }
            }
            for try await (index, tokens, result) in group {
                let item = work[index]
                let expected = ScriptedModelRunner.continuation(item.prompt, count: item.count, endTokens: [9])
                #expect(tokens == expected, "seed \(seed), request \(index)")
                #expect(result?.reason == (expected.last == 9 ? .endOfSequence : .length), "seed \(seed)")
                #expect(result?.usage.completionTokens == expected.count)
                #expect(result?.usage.promptTokens == item.prompt.count)
            }
        }
        await engine.shutdown()
        let statistics = engine.statistics()
        #expect(statistics.preemptions > 0, "the cache was meant to be too small")
        #expect(statistics.usedBlocks == 0)
        #expect(statistics.finishedRequests == 30)
    }

    @Test("With a temperature, tokens depend on the seed and not on the company")
    func seededSampling() async throws {
        let engine = try Self.engine()
        func tokens(_ seed: UInt64) async throws -> [Int32] {
            var request = GenerationRequest.greedy([1, 2, 3], 20)
            request.sampling.temperature = 1.5
            request.sampling.topP = 0.9
            request.sampling.seed = seed
            let stream = try engine.submit(request)
            #expect(stream.seed == seed)
            return try await stream.drain().tokens
        }
        let alone = try await tokens(11)
        async let first = tokens(11)
        async let second = tokens(12)
        async let third = tokens(11)
        let (a, b, c) = try await (first, second, third)
        #expect(a == alone && c == alone)
        #expect(b != alone)
        await engine.shutdown()
    }

    @Test func logprobsOfPromptAndOutput() async throws {
        let engine = try Self.engine()
        var request = GenerationRequest.greedy(Array(1...40), 3)
        request.logprobs = 4
        request.promptLogprobs = 0
        var prompt: [GeneratedToken] = []
        var output: [GeneratedToken] = []
        for try await event in try engine.submit(request) {
            switch event {
            case .prompt(let tokens): prompt += tokens
            case .token(let token): output.append(token)
            case .finished, .embedding: break
            }
        }
        #expect(prompt.map(\.id) == Array(2...40))
        #expect(prompt.allSatisfy { ($0.logprob ?? 1) < 0 && $0.alternatives.isEmpty })
        #expect(output.count == 3)
        for token in output {
            #expect(token.alternatives.count == 4)
            #expect(token.alternatives.first?.id == token.id, "greedy takes the most probable")
            #expect(token.alternatives.map(\.logprob) == token.alternatives.map(\.logprob).sorted(by: >))
        }
        await engine.shutdown()
    }

    @Test func cancelEndsTheStream() async throws {
        let engine = try Self.engine { $0.streamCapacity = 4 }
        let stream = try engine.submit(.greedy([5], 200))
        engine.cancel(stream.id)
        let (tokens, result) = try await stream.drain()
        #expect(result?.reason == .cancelled || tokens.count == 200)
        #expect(engine.statistics().usedBlocks == 0)
        await engine.shutdown()
    }

    @Test("Dropping a stream cancels its request")
    func dropCancels() async throws {
        let engine = try Self.engine { $0.streamCapacity = 8 }
        do {
            // The consumer takes one event and leaves; the rest would never fit the channel.
            var iterator = try engine.submit(.greedy([5], 200)).makeAsyncIterator()
            _ = try await iterator.next()
        }
        while engine.statistics().cancelledRequests == 0 { await Task.yield() }
        #expect(engine.statistics().usedBlocks == 0)
        await engine.shutdown()
    }

    @Test("Cancelling the consuming task cancels its request")
    func taskCancellation() async throws {
        let engine = try Self.engine { $0.streamCapacity = 8 }
        let stream = try engine.submit(.greedy([5], 250))
        let task = Task {
            var count = 0
            for try await _ in stream {
                count += 1
                if count == 3 { withUnsafeCurrentTask { $0?.cancel() } }
            }
            return count
        }
        #expect(try await task.value < 250)
        while engine.statistics().cancelledRequests == 0, engine.statistics().finishedRequests == 0 {
            await Task.yield()
        }
        #expect(engine.statistics().cancelledRequests == 1)
        #expect(engine.statistics().usedBlocks == 0)
        await engine.shutdown()
    }

    @Test func shutdownEndsEverything() async throws {
        let engine = try Self.engine { $0.streamCapacity = 4 }
        let stream = try engine.submit(.greedy([5], 200))
        await engine.shutdown()
        await #expect(throws: EngineError.shutDown) { _ = try await stream.drain() }
        #expect(throws: EngineError.shutDown) { _ = try engine.submit(.greedy([5], 1)) }
        await engine.shutdown()
    }

    @Test("A request that makes the model fail ends alone")
    func failureOfOne() async throws {
        let runner = ScriptedModelRunner()
        runner.nanAfter = 60
        let engine = try Self.engine(runner)
        let expected = ScriptedModelRunner.continuation([1, 2], count: 12)
        try #require(!expected.contains(60))
        let good = try engine.submit(.greedy([1, 2], 12))
        let bad = try engine.submit(.greedy([1, 60], 12))
        await #expect(throws: EngineError.self) { _ = try await bad.drain() }
        #expect(try await good.drain().tokens == expected)
        #expect(engine.statistics().failedRequests == 1)
        await engine.shutdown()
    }

    @Test("A failed forward pass ends those that took part; the engine goes on")
    func failedStep() async throws {
        let runner = ScriptedModelRunner()
        runner.poison = 60
        let engine = try Self.engine(runner)
        let bad = try engine.submit(.greedy([1, 60], 12))
        await #expect(throws: EngineError.modelFailure("poisoned")) { _ = try await bad.drain() }
        let good = try engine.submit(.greedy([1, 2], 5))
        #expect(try await good.drain().tokens == ScriptedModelRunner.continuation([1, 2], count: 5))
        #expect(engine.statistics().usedBlocks == 0)
        await engine.shutdown()
    }

    @Test func fullQueueRefuses() async throws {
        let engine = try Self.engine { $0.maximumQueuedRequests = 1_000 }
        var refused = false
        var streams: [TokenStream] = []
        for _ in 0..<5_000 where !refused {
            do {
                streams.append(try engine.submit(.greedy([5], 250)))
            } catch {
                refused = error == .queueFull(limit: 1_000)
            }
        }
        #expect(refused)
        streams.removeAll()
        await engine.shutdown()
    }

    static let invalid: [(field: String, change: @Sendable (inout GenerationRequest) -> Void)] = [
        ("prompt", { $0.promptTokens = [] }), ("prompt", { $0.promptTokens = [61] }),
        ("prompt", { $0.promptTokens = [-1] }), ("temperature", { $0.sampling.temperature = -0.1 }),
        ("temperature", { $0.sampling.temperature = .nan }), ("top_k", { $0.sampling.topK = 0 }),
        ("top_p", { $0.sampling.topP = 0 }), ("top_p", { $0.sampling.topP = 1.01 }),
        ("min_p", { $0.sampling.minP = 1.5 }), ("typical_p", { $0.sampling.typicalP = 0 }),
        ("repetition_penalty", { $0.sampling.repetitionPenalty = 0 }),
        ("repetition_penalty", { $0.sampling.repetitionPenalty = .infinity }),
        ("presence_penalty", { $0.sampling.presencePenalty = 2.5 }),
        ("frequency_penalty", { $0.sampling.frequencyPenalty = -3 }),
        ("logit_bias", { $0.sampling.logitBias = [61: 1] }), ("logit_bias", { $0.sampling.logitBias = [1: 101] }),
        ("max_tokens", { $0.stopping.maxTokens = -1 }), ("min_tokens", { $0.stopping.minTokens = 99 }),
        ("stop_token_ids", { $0.stopping.stopTokens = [1000] }), ("top_logprobs", { $0.logprobs = 21 }),
        ("prompt_logprobs", { $0.promptLogprobs = -1 }),
    ]

    @Test("Invalid requests are refused at once, naming the field", arguments: invalid.indices)
    func invalidParameters(index: Int) throws {
        let engine = try Self.engine()
        var request = GenerationRequest.greedy([1, 2], 4)
        Self.invalid[index].change(&request)
        #expect {
            _ = try engine.submit(request)
        } throws: { error in
            guard case .invalidParameter(let field, _, _)? = error as? EngineError else { return false }
            return field == Self.invalid[index].field
        }
        #expect(engine.statistics().submittedRequests == 0)
    }

    @Test func promptsThatDoNotFitAreRefused() throws {
        let engine = try Self.engine(ScriptedModelRunner(maximumContext: 1000, blockCount: 8, blockSize: 4))
        #expect(engine.maximumContext == 32)
        #expect(throws: EngineError.contextExceeded(promptTokens: 30, requestedTokens: 3, limit: 32)) {
            _ = try engine.submit(.greedy(Array(repeating: 1, count: 30), 3))
        }
        #expect(throws: EngineError.contextExceeded(promptTokens: 32, requestedTokens: 1, limit: 32)) {
            _ = try engine.submit(.greedy(Array(repeating: 1, count: 32), nil))
        }
        _ = try engine.submit(.greedy(Array(repeating: 1, count: 30), 2))
    }
}
