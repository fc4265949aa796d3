import CDSTestSupport
import DSEngine
import DSFormats
import DSModels
import DSTensor
import DSTestSupport
import Testing

/// The tiny random models of `Tests/Goldens/models`, run by the engine.
enum TinyModel {
    static let names = [
        "v2-lite", "v2-group", "v2-bias", "v3-yarn", "v3-fp8", "moe-greedy", "llama3", "qwen2", "qwen3",
    ]

    static let folder =
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        + "/Goldens/models"

    static func open(_ name: String) throws -> LoadedModel { try LoadedModel.open(path: "\(folder)/\(name)") }

    static func expected(_ name: String, _ tensor: String) throws -> [Int32] {
        try SafetensorsFile(path: "\(folder)/\(name)/expected.safetensors").tensor(named: tensor).integers()
    }
}

/// How a step is cut and computed; none of it may change a bit.
struct Variant: Sendable, CustomTestStringConvertible {
    let name: String
    var threads = 1
    var batchTokens = 512
    var batchSize = 8
    var blockSize = 16
    var cacheType = KVCacheType.float32
    var level = EngineConfiguration().optimizeLevel
    /// Blocks of the whole cache; `nil`: plenty.
    var blocks: Int?
    /// Requests that run before the next one arrives, counted in turns of the loop.
    var stagger = 0

    var testDescription: String { name }

    static let all = [
        Variant(name: "all at once"),
        Variant(name: "two threads", threads: 2),
        Variant(name: "chunks of 7 rows, one after the other", batchTokens: 7, batchSize: 3, blockSize: 4, stagger: 3),
        Variant(
            name: "a cache that forces preemption", threads: 2, batchTokens: 24, blockSize: 4, blocks: 20, stagger: 1),
        Variant(name: "single rows", batchTokens: 1, batchSize: 1, blockSize: 1),
    ]

    func runner(_ model: LoadedModel) throws -> GraphModelRunner {
        var configuration = EngineConfiguration()
        configuration.threads = threads
        configuration.maxBatchTokens = batchTokens
        configuration.maxBatchSize = batchSize
        configuration.blockSize = blockSize
        configuration.kvCacheBytes = 4 << 20
        configuration.kvCacheType = cacheType
        configuration.optimizeLevel = level
        return try GraphModelRunner(model, configuration)
    }

    func limits(_ runner: some ModelRunner) -> Scheduler.Limits {
        let blocks = min(blocks ?? runner.blockCount, runner.blockCount)
        return Scheduler.Limits(
            maxBatchTokens: batchTokens, maxBatchSize: batchSize, blockSize: blockSize, blockCount: blocks,
            maximumContext: min(runner.maximumContext, blocks * blockSize))
    }
}

@Suite("Real graphs")
struct GraphEngineTests {
    static let requests: [GenerationRequest] = {
        var random = SplitMix(seed: 5)
        return (0..<7).map { index in
            let count = [1, 37, 5, 18, 2, 26, 11][index]
            var request = GenerationRequest.greedy((0..<count).map { _ in Int32(2 + random.below(90)) }, 24)
            request.stopping.ignoreEndOfSequence = true
            return request
        }
    }()

    /// Runs all requests; returns their tokens and the preemptions.
    static func run(
        _ recorder: RecordingRunner, _ limits: Scheduler.Limits, _ requests: [GenerationRequest], stagger: Int = 0
    ) async throws -> (tokens: [[Int32]], preemptions: Int) {
        var hand = HandLoop(recorder, limits: limits)
        var channels: [TokenChannel] = []
        for request in requests {
            channels.append(hand.submit(request, capacity: 128))
            for _ in 0..<stagger { hand.turn() }
        }
        while hand.turn() {}
        var tokens: [[Int32]] = []
        for channel in channels { tokens.append(try await channel.drain().tokens) }
        return (tokens, hand.board.snapshot.preemptions)
    }

    @Test("Greedy tokens are those of transformers", arguments: TinyModel.names)
    func greedyTokens(name: String) async throws {
        let model = try TinyModel.open(name)
        var configuration = EngineConfiguration()
        configuration.threads = 1
        // With Float32 activations: level 3 may round those of BF16 products, and these models have near ties.
        configuration.optimizeLevel = 2
        let engine = try Engine(model: model, configuration: configuration)
        let expected = try TinyModel.expected(name, "greedy")
        var request = GenerationRequest.greedy(try TinyModel.expected(name, "prompt"), expected.count)
        request.stopping.ignoreEndOfSequence = true
        let (tokens, result) = try await engine.submit(request).drain()
        #expect(tokens == expected)
        #expect(result?.reason == .length)
        await engine.shutdown()
    }

    @Test("Tokens and logits of a request are bit-identical alone and in any batch", arguments: TinyModel.names)
    func batchInvariance(name: String) async throws {
        let model = try TinyModel.open(name)
        let plain = Variant(name: "alone")
        let runner = try plain.runner(model)
        var rows: [[Int32]: [UInt32]] = [:]
        var alone: [[Int32]] = []
        for request in Self.requests {
            let recorder = RecordingRunner(runner, expecting: rows)
            alone += try await Self.run(recorder, plain.limits(runner), [request]).tokens
            rows = recorder.rows
            #expect(recorder.differences.isEmpty)
        }
        #expect(rows.count >= 7 * 24 - 3)
        for variant in Variant.all {
            let runner = try variant.runner(model)
            let recorder = RecordingRunner(runner, expecting: rows)
            let (tokens, preemptions) = try await Self.run(
                recorder, variant.limits(runner), Self.requests, stagger: variant.stagger)
            #expect(tokens == alone, "\(variant.name)")
            #expect(recorder.differences.isEmpty, "\(variant.name): \(recorder.differences.count) rows differ")
            #expect(recorder.rows.count == rows.count, "\(variant.name)")
            if variant.blocks != nil { #expect(preemptions > 0, "the cache was meant to be too small") }
        }
    }

    /// Optimised builds only, as for the loop's own test.
    private static var isOptimized: Bool {
        #if DEBUG
            false
        #else
            true
        #endif
    }

    @Test(
        "A steady decode step allocates nothing and builds no plan", .enabled(if: isOptimized),
        arguments: TinyModel.names)
    func noAllocations(name: String) throws {
        let variant = Variant(name: "steady", batchTokens: 64)
        let runner = try variant.runner(try TinyModel.open(name))
        var hand = HandLoop(runner, limits: variant.limits(runner))
        for var request in Self.requests.prefix(4) {
            request.stopping.maxTokens = 80
            _ = hand.submit(request, capacity: 256)
        }
        for _ in 0..<20 { hand.turn() }
        let plans = runner.planStatistics.plansBuilt
        let before = cds_thread_allocation_count()
        for _ in 0..<40 { hand.turn() }
        let after = cds_thread_allocation_count()
        #expect(after == before)
        #expect(runner.planStatistics.plansBuilt == plans)
        #expect(hand.board.snapshot.lastStepTokens == 4)
    }
}
