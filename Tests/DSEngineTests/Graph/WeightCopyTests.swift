import CDSTestSupport
import DSEngine
import DSFormats
import DSGraph
import DSKernels
import DSModels
import DSTensor
import FoundationEssentials
import Testing

/// Copies one piece of the weights between two steps, however long that takes.
private final class PiecewiseRunner: ModelRunner {
    let inner: GraphModelRunner
    let promptRowsWorthCopies: Int?
    /// Bytes copied before each step.
    private(set) var made: [Int] = []

    var vocabularySize: Int { inner.vocabularySize }
    var maximumContext: Int { inner.maximumContext }
    var blockCount: Int { inner.blockCount }
    var blockSize: Int { inner.blockSize }
    var weightCopies: CopyProgress { inner.weightCopies }

    init(_ inner: GraphModelRunner, promptRowsWorthCopies: Int? = nil) {
        self.inner = inner
        self.promptRowsWorthCopies = promptRowsWorthCopies
    }

    func copyWeights(for time: Duration?) { inner.copyWeights(for: time.map { _ in .zero }) }

    func run(_ batch: Batch) throws(EngineError) -> UnsafeBufferPointer<Float> {
        made.append(weightCopies.made)
        return try inner.run(batch)
    }
}

@Suite("Copies of weights behind the first tokens", .serialized)
struct WeightCopyTests {
    /// A tiny model in Q8_0: dense, a mixture, and one with a layer that guesses.
    private static func quantized(_ name: String) throws -> LoadedModel {
        let path = FileManager.default.temporaryDirectory.path + "/copies-\(name)-\(UUID().uuidString).gguf"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try GGUFExporter.export(directory: "\(TinyModel.folder)/\(name)", to: path, .init(weightType: .q8_0))
        return try LoadedModel.open(path: path)
    }

    private static let names = ["qwen2", "v2-lite", "v3-yarn"]
    private static let variant = Variant(name: "two threads", threads: 2)

    private static func runner(_ model: LoadedModel, first: Bool = false) throws -> GraphModelRunner {
        var configuration = EngineConfiguration()
        configuration.threads = 2
        configuration.maxBatchSize = 8
        configuration.kvCacheBytes = 4 << 20
        configuration.copiesWeightsFirst = first
        return try GraphModelRunner(model, configuration)
    }

    @Test("Requests that run and join meanwhile keep every bit", arguments: names)
    func requestsInFlight(name: String) async throws {
        let model = try Self.quantized(name)
        let requests = GraphEngineTests.requests.prefix(2).map { request in
            var request = request
            request.stopping.maxTokens = 80
            return request
        }
        let settled = try Self.runner(model, first: true)
        #expect(settled.weightCopies.isComplete)
        try #require(settled.weightCopies.total > 0, "nothing to copy here")
        let expected = RecordingRunner(settled)
        let tokens = try await GraphEngineTests.run(expected, Self.variant.limits(settled), requests, stagger: 4).tokens

        let lazy = PiecewiseRunner(try Self.runner(model))
        #expect(lazy.weightCopies == CopyProgress(made: 0, total: settled.weightCopies.total))
        let recorder = RecordingRunner(lazy, expecting: expected.rows)
        var hand = HandLoop(recorder, limits: Self.variant.limits(lazy))
        var channels = [hand.submit(requests[0], capacity: 128)]
        for _ in 0..<4 { hand.turn() }
        let atJoin = lazy.weightCopies
        #expect(atJoin.made > 0 && !atJoin.isComplete)
        channels.append(hand.submit(requests[1], capacity: 128))
        while hand.turn() {}
        for (channel, tokens) in zip(channels, tokens) { #expect(try await channel.drain().tokens == tokens) }
        #expect(recorder.differences.isEmpty)
        #expect(recorder.rows.count == expected.rows.count)
        #expect(lazy.made.first == 0 && lazy.made.last == lazy.weightCopies.total, "the copies end within the requests")
        #expect(hand.board.snapshot.copiedWeightBytes == lazy.weightCopies.total)
        #expect(hand.board.snapshot.weightBytesToCopy == lazy.weightCopies.total)
    }

    @Test("Weights are copied while nothing runs, and steps allocate nothing afterwards", arguments: names)
    func idle(name: String) throws {
        let runner = try Self.runner(Self.quantized(name))
        var hand = HandLoop(runner, limits: Self.variant.limits(runner))
        #expect(!runner.weightCopies.isComplete)
        while hand.turn() {}
        #expect(runner.weightCopies.isComplete)
        #expect(hand.board.snapshot.copiedWeightBytes == runner.weightCopies.total)
        for var request in GraphEngineTests.requests.prefix(4) {
            request.stopping.maxTokens = 80
            _ = hand.submit(request, capacity: 256)
        }
        for _ in 0..<20 { hand.turn() }
        let plans = runner.planStatistics.plansBuilt
        let before = cds_thread_allocation_count()
        for _ in 0..<40 { hand.turn() }
        #if !DEBUG
            #expect(cds_thread_allocation_count() == before)
        #endif
        #expect(runner.planStatistics.plansBuilt == plans)
        #expect(hand.board.snapshot.lastStepTokens == 4)
    }

    @Test("A prompt that gains more than copying takes waits for it", arguments: [(18, false), (19, true)])
    func longPrompt(rows: Int, waits: Bool) throws {
        let runner = PiecewiseRunner(try Self.runner(Self.quantized("qwen2")), promptRowsWorthCopies: 19)
        var hand = HandLoop(runner, limits: Self.variant.limits(runner))
        _ = hand.submit(.greedy((0..<rows).map { Int32(2 + $0) }, 1))
        hand.turn()
        #expect(runner.made == [waits ? runner.weightCopies.total : 0])
    }

    @Test("The layer that guesses has copies of its own")
    func drafter() throws {
        let model = try Self.quantized("v3-yarn")
        try #require(model.architecture.draft != nil)
        var configuration = EngineConfiguration()
        configuration.threads = 1
        configuration.kvCacheBytes = 4 << 20
        var totals: [Int] = []
        for speculation in [Speculation.off, .auto] {
            configuration.speculation = speculation
            let runner = try GraphModelRunner(model, configuration)
            totals.append(runner.weightCopies.total)
            while !runner.weightCopies.isComplete {
                let made = runner.weightCopies.made
                runner.copyWeights(for: .zero)
                try #require(runner.weightCopies.made > made)
            }
        }
        #expect(totals[1] > totals[0])
    }

    /// In BF16, products with copies give other bits, so they may not come later.
    @Test("BF16 weights are copied before the first step")
    func bfloat16() throws {
        let runner = try Self.runner(LoadedModel.embedded())
        #expect(runner.weightCopies.isComplete)
        #expect((runner.weightCopies.total > 0) == KernelSet.best().canInterleave(.bf16, columns: 256))
    }
}
