import DSEngine
import DSModels
import Testing

/// The built-in model with each element type of the cache; its rows, a latent of 64 and a rotated key of 32, take any.
@Suite("Cache types") struct CacheTypeTests {
    /// Logits of every sampled row by the tokens that lead to it.
    private static func rows(
        _ model: LoadedModel, _ variant: Variant, expecting rows: [[Int32]: [UInt32]] = [:]
    ) async throws -> (rows: [[Int32]: [UInt32]], tokens: [[Int32]], differences: Int) {
        let runner = try variant.runner(model)
        let recorder = RecordingRunner(runner, expecting: rows)
        let (tokens, _) = try await GraphEngineTests.run(
            recorder, variant.limits(runner), GraphEngineTests.requests, stagger: variant.stagger)
        return (recorder.rows, tokens, recorder.differences.count)
    }

    @Test("Tokens and logits do not depend on the batch", arguments: KVCacheType.allCases)
    func batchInvariance(cacheType: KVCacheType) async throws {
        let model = try LoadedModel.embedded()
        let plain = try await Self.rows(model, Variant(name: "plain", cacheType: cacheType))
        #expect(plain.differences == 0 && plain.rows.count >= 7 * 24 - 3)
        for var variant in Variant.all {
            variant.cacheType = cacheType
            let found = try await Self.rows(model, variant, expecting: plain.rows)
            #expect(found.tokens == plain.tokens, "\(variant.name)")
            #expect(found.differences == 0, "\(variant.name): \(found.differences) rows differ")
        }
    }

    /// Logits after each prompt beside those of a cache of Float32; the budgets are a few times what is found.
    @Test(
        "Logits stay near those of Float32",
        arguments: [(KVCacheType.float16, 2e-3), (.bfloat16, 2e-2), (.q8_0, 6e-2)] as [(KVCacheType, Float)])
    func logits(cacheType: KVCacheType, budget: Float) async throws {
        let model = try LoadedModel.embedded()
        // Without copies, whose products may round activations: a last bit of the cache would turn into more there.
        let exact = try await Self.rows(model, Variant(name: "exact", level: 2)).rows
        let found = try await Self.rows(
            model, Variant(name: "\(cacheType)", cacheType: cacheType, level: 2)
        ).rows
        for request in GraphEngineTests.requests {
            let expected = try #require(exact[request.promptTokens]).map(Float.init(bitPattern:))
            let logits = try #require(found[request.promptTokens]).map(Float.init(bitPattern:))
            let size = expected.map(abs).max() ?? 0
            let error = zip(logits, expected).map { abs($0 - $1) }.max() ?? .infinity
            #expect(error <= budget * size, "prompt of \(request.promptTokens.count): \(error / size)")
        }
    }

    @Test("Rows that are no whole blocks are refused", arguments: [("qwen3", 24), ("llama3", 16), ("v2-lite", 8)])
    func refusal(name: String, width: Int) throws {
        let model = try TinyModel.open(name)
        var configuration = EngineConfiguration()
        configuration.kvCacheType = .q8_0
        let error = #expect(throws: EngineError.self) { try GraphModelRunner(model, configuration) }
        guard case .invalidParameter(let field, let expected, let found) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(field == "kv_cache_type" && found.contains("q8_0"))
        #expect(expected.contains("\(width) values"), "\(expected)")
    }
}
