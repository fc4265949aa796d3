import DSGraph
import DSModels
import DSTensor
import Foundation
import Testing

/// The figures of `deepseek info`, against counts made from the files' headers by other means.
@Suite struct ModelSummaryTests {
    struct Case: Sendable {
        let name: String
        let parameters: Int
        let active: Int
        /// Of these, behind the last layer's attention.
        let tail: Int
        /// Bytes of the same and of all the last layer's experts, which are apart.
        let tailBytes: (Int, experts: Int)
        let draft: Int
        /// Bytes that a BF16 cache takes per token.
        let cacheBytes: Int
    }

    static let cases = [
        Case(
            name: "v3-yarn", parameters: 108_280, active: 39_960, tail: 14_664, tailBytes: (17056, 49152),
            draft: 46_816, cacheBytes: 2 * (32 + 8) * 2),
        Case(
            name: "v2-lite", parameters: 106_048, active: 66_112, tail: 17_728, tailBytes: (23168, 49152), draft: 0,
            cacheBytes: 3 * (32 + 8) * 2),
        Case(
            name: "v3-fp8", parameters: 234_724, active: 98_904, tail: 25_644, tailBytes: (17176, 41760), draft: 75_916,
            cacheBytes: 3 * (40 + 8) * 2),
        Case(
            name: "qwen2", parameters: 34_208, active: 31_136, tail: 10_304, tailBytes: (20608, 0), draft: 0,
            cacheBytes: 3 * 2 * (2 * 8) * 2),
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
        let routing = summary.configuration.experts?.routing
        // Two rows choose K of E experts each: that many are touched by at least one of them.
        let touched = routing.map { 1 - pow(1 - Double($0.topK) / Double($0.expertCount), 2) } ?? 0
        let expectedBytes = Double(expected.tailBytes.0) + touched * Double(expected.tailBytes.experts)
        #expect(abs(some.bytes - none.bytes - expectedBytes) < 1e-6 * expectedBytes)
    }

    private func cost(_ summary: ModelSummary, sampledRows: Int) -> StepCost {
        summary.stepCost(rows: 7, sampledRows: sampledRows, cachedTokens: 9, cacheType: .f32)
    }
}
