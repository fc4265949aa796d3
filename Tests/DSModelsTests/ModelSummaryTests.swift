import DSModels
import DSTensor
import Testing

/// The figures of `deepseek info`, against counts made from the files' headers by other means.
@Suite struct ModelSummaryTests {
    struct Case: Sendable {
        let name: String
        let parameters: Int
        let active: Int
        /// Of these, behind the last layer's attention.
        let tail: Int
        let draft: Int
        /// Bytes that a BF16 cache takes per token.
        let cacheBytes: Int
    }

    static let cases = [
        Case(name: "v3-yarn", parameters: 108_280, active: 39_960, tail: 14_664, draft: 46_816, cacheBytes: 2 * (32 + 8) * 2),
        Case(name: "v2-lite", parameters: 106_048, active: 66_112, tail: 17_728, draft: 0, cacheBytes: 3 * (32 + 8) * 2),
        Case(name: "v3-fp8", parameters: 234_724, active: 98_904, tail: 25_644, draft: 75_916, cacheBytes: 3 * (40 + 8) * 2),
        Case(name: "qwen2", parameters: 34_208, active: 31_136, tail: 10_304, draft: 0, cacheBytes: 3 * 2 * (2 * 8) * 2),
    ]

    @Test(arguments: cases) func figures(_ expected: Case) throws {
        let summary = ModelSummary(try LoadedModel.open(path: Golden(name: expected.name).directory))
        #expect(summary.inventory.parameters == expected.parameters)
        #expect(summary.inventory.activeParameters == expected.active)
        #expect(summary.inventory.tailParameters == expected.tail)
        #expect(summary.inventory.draftParameters == expected.draft)
        #expect(summary.hasDraft == (expected.draft > 0))
        #expect(summary.cacheBytesPerToken(.bf16) == expected.cacheBytes)
        #expect(summary.cacheBytesPerToken(.f32) == 2 * expected.cacheBytes)
        let fixed = summary.inventory.bytes + summary.inventory.convertedBytes
        // One more layer, of the same width as each other.
        let draftBytes = expected.draft > 0 ? expected.cacheBytes / summary.configuration.layerCount : 0
        #expect(summary.draftCacheBytesPerToken(.bf16) == draftBytes)
        let perToken = 2 * (expected.cacheBytes + draftBytes)
        #expect(summary.memoryBytes(context: 100, sequences: 2, cacheType: .f32) == fixed + 200 * perToken)
        #expect(summary.inventory.bytesByType.values.reduce(0, +) == summary.inventory.bytes)

        // A step: every row meets the body, those with wanted logits the rest.
        let (none, some) = (cost(summary, sampledRows: 0), cost(summary, sampledRows: 2))
        #expect(none.operations == Double(2 * 7 * (expected.active - expected.tail)))
        #expect(some.operations - none.operations == Double(2 * 2 * expected.tail))
        #expect(none.bytes < some.bytes && some.bytes <= Double(summary.inventory.bytes + 9 * perToken))
    }

    private func cost(_ summary: ModelSummary, sampledRows: Int) -> StepCost {
        summary.stepCost(rows: 7, sampledRows: sampledRows, cachedTokens: 9, cacheType: .f32)
    }
}
