import DSEngine
import DSFormats
import DSModels
import DSTensor
import Testing

/// The oracle are transformers' logits: the output head's product with the hidden states after the last norm.
@Suite("Embeddings")
struct EmbeddingTests {
    static func engine(_ name: String, batchTokens: Int = 512, computes: Bool = true) throws -> Engine {
        var configuration = EngineConfiguration()
        configuration.threads = 1
        configuration.optimizeLevel = 2
        configuration.blockSize = 8
        configuration.maxBatchTokens = batchTokens
        configuration.maxBatchSize = min(batchTokens, 8)
        configuration.computesEmbeddings = computes
        return try Engine(model: TinyModel.open(name), configuration: configuration)
    }

    static func embed(_ engine: Engine, _ tokens: [Int32], _ pooling: Pooling) async throws -> [Float] {
        var request = GenerationRequest(promptTokens: tokens, stopping: StoppingConditions(maxTokens: 0))
        request.pooling = pooling
        var values: [Float] = []
        for try await event in try engine.submit(request) {
            if case .embedding(let found) = event { values = found }
        }
        return values
    }

    @Test(
        "Hidden states are those of transformers", arguments: ["llama3", "qwen2", "qwen3", "v2-lite", "v3-yarn"],
        [512, 13])
    func parity(name: String, batchTokens: Int) async throws {
        let tokens = try TinyModel.expected(name, "prompt") + TinyModel.expected(name, "greedy")
        let expected = try SafetensorsFile(path: "\(TinyModel.folder)/\(name)/expected.safetensors")
            .tensor(named: "logits").floats()
        let weights = try SafetensorsFile(path: "\(TinyModel.folder)/\(name)/model.safetensors")
            .tensor(named: "lm_head.weight")
        let width = weights.shape.dimensions[1]
        // BF16 is the upper half of a Float.
        let head = weights.withUnsafeBytes { bytes in
            bytes.bindMemory(to: UInt16.self).map { Float(bitPattern: UInt32($0) << 16) }
        }
        let engine = try Self.engine(name, batchTokens: batchTokens)
        let hidden = try await Self.embed(engine, tokens, .none)
        try #require(hidden.count == tokens.count * width)
        var worst: Float = 0
        for token in tokens.indices {
            for output in 0..<96 {
                var sum: Float = 0
                for index in 0..<width { sum += hidden[token * width + index] * head[output * width + index] }
                worst = max(worst, abs(sum - expected[token * 96 + output]))
            }
        }
        // The largest difference over all logits, which are of the order of 1.
        #expect(worst < 2e-3, "\(worst)")
        // The others follow from those.
        let last = try await Self.embed(engine, tokens, .last)
        #expect(last == Array(hidden.suffix(width)))
        #expect(try await Self.embed(engine, tokens, .cls) == Array(hidden.prefix(width)))
        let mean = try await Self.embed(engine, tokens, .mean)
        for index in 0..<width {
            let sum = stride(from: index, to: hidden.count, by: width).reduce(0) { $0 + Double(hidden[$1]) }
            #expect(abs(Double(mean[index]) - sum / Double(tokens.count)) < 1e-5)
        }
        // The last token's is there also where the rest was found in the cache.
        #expect(engine.statistics().prefixCacheHits > 0)
        await engine.shutdown()
    }

    @Test func refusesWhatItCannotDo() async throws {
        let engine = try Self.engine("llama3", computes: false)
        var request = GenerationRequest(promptTokens: [2, 3], stopping: StoppingConditions(maxTokens: 0))
        request.pooling = .last
        #expect(throws: EngineError.self) { try engine.submit(request) }
        await engine.shutdown()
        let other = try Self.engine("llama3")
        request.stopping.maxTokens = 3
        #expect(throws: EngineError.self) { try other.submit(request) }
        await other.shutdown()
    }
}
