import DSGraph
import DSSupport
import DSTensor
import DSTestSupport
import Testing

/// Which fusions fire on whole models, and what they report.
@Suite struct FusionTests {
    private func counts(_ graph: Graph) -> [String: Int] {
        graph.nodes.reduce(into: [:]) { $0[$1.op.name, default: 0] += 1 }
    }

    @Test func groupedQueryModel() throws {
        let traced = try MiniModel.groupedQuery()
        let result = try PassPipeline(level: .fusion, verifyBetweenPasses: true).run(traced)
        let found = counts(result.graph)
        #expect(found["linearGroup"] == 2)
        #expect(found["gateUpSwiGLU"] == 2)
        #expect(found["addRMSNorm"] == 4)
        #expect(found["ropeGroup"] == 2)
        #expect(found["kvWriteGroup"] == 2)
        #expect(found["rope"] == nil && found["kvWrite"] == nil && found["binary"] == nil && found["unary"] == nil)
        let (before, after) = (GraphCost(traced), GraphCost(result.graph))
        #expect(after.activationPasses == before.activationPasses - 2 * 3)
        #expect(after.nodes < before.nodes && after.intermediateBytes < before.intermediateBytes)
    }

    @Test func latentModel() throws {
        let result = try PassPipeline(level: .fusion, verifyBetweenPasses: true).run(MiniModel.latent(.mixed))
        let found = counts(result.graph)
        // The router shares its input with nothing else that is a plain product; q and the compressed keys share theirs.
        #expect(found["linearGroup"] == 2)
        #expect(found["gateUpSwiGLU"] == 2)
        #expect(result.graph.nodes.count { $0.op == .experts(addsBase: true) } == 2)
    }

    @Test func attentionPatternNeverStoresScores() throws {
        var t = Trace()
        let q = try t.input(.tensor(name: "q"), ValueType(.f32, [2, 5, 4]))
        let k = try t.input(.tensor(name: "k"), ValueType(.f32, [2, 7, 4]))
        let v = try t.input(.tensor(name: "v"), ValueType(.f32, [2, 7, 3]))
        let scores = try t.affine(t.matmul(q, k, transposeB: true), scale: 0.5)
        let graph = try t.finish(outputs: [("out", try t.matmul(t.softmax(scores), v))])
        let found = counts(try PassPipeline(level: .fusion).run(graph).graph)
        #expect(found["denseAttention"] == 1 && found["matmul"] == nil && found["softmax"] == nil)
    }

    /// A value that somebody else reads is not fused away.
    @Test func sharedValuesStay() throws {
        var random = SplitMix(seed: 3)
        var t = Trace()
        let x = try t.input(.tensor(name: "x"), ValueType(.f32, [.tokens, 8]))
        let y = try t.linear(x, random.weight("w", [8, 8]))
        let graph = try t.finish(outputs: [("a", try t.silu(y)), ("b", y)])
        let found = counts(try PassPipeline(level: .fusion).run(graph).graph)
        #expect(found["linear"] == 1 && found["unary"] == 1)
    }

    @Test func pipelineIsAPrintableList() throws {
        let all = PassPipeline(level: .layout).passes
        #expect(all.map(\.name).first == "constant-folding" && all.map(\.name).last == "weight-layout")
        #expect(Set(all.map(\.name)).count == all.count)
        #expect(PassPipeline(level: .none).passes.isEmpty)
        #expect(all.map(\.level) == all.map(\.level).sorted())
        #expect(throws: GraphError.unknownPass("magic")) { try PassPipeline(names: ["magic"]) }
    }

    @Test func explanation() throws {
        let traced = try MiniModel.latent(.mixed)
        let result = try PassPipeline(level: .layout).run(traced)
        let executor = try makeExecutor(traced)
        let plan = try executor.plan(for: DimSizes(decodeTokens: 1, sampledRows: 1))
        let explanation = GraphExplanation(traced: traced, result: result, plan: plan)
        for pass in PassPipeline.allPasses { #expect(explanation.text.contains("] \(pass.name): ")) }
        #expect(explanation.text.contains("may be laid out anew"))
        let parsed = try JSONValue.parse(explanation.json.serialized())
        #expect(parsed["passes"]?.arrayValue?.count == PassPipeline.allPasses.count)
        #expect(parsed["plan"]?["steps"]?.intValue == plan.steps.count)
        #expect(explanation.listing.contains("headLinear"))
        let drawing = result.graph.dot()
        #expect(drawing.hasPrefix("digraph") && drawing.contains("experts"))
    }
}
