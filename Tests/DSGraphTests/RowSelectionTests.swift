import DSGraph
import DSKernels
import DSTensor
import DSTestSupport
import Testing

/// Work on rows that nobody reads is left out, and nothing else changes.
@Suite struct RowSelectionTests {
    private func selectedRows(_ graph: Graph, _ matches: (Op) -> Bool) -> Int {
        graph.nodes.count { node in
            matches(node.op) && node.outputs.contains { graph.type(of: $0).dims.first == .sampledRows }
        }
    }

    private func isLinear(_ op: Op) -> Bool { if case .linear = op { true } else { false } }
    private func isExperts(_ op: Op) -> Bool { if case .experts = op { true } else { false } }

    private func simplified(_ graph: Graph) throws -> PassPipeline.Result {
        try PassPipeline(level: .simplify, verifyBetweenPasses: true).run(graph)
    }

    /// The output projection, the feed-forward part and the head of the last layer; nothing of the layers before it.
    @Test func whatFollowsTheLastAttention() throws {
        let grouped = try simplified(MiniModel.groupedQuery()).graph
        #expect(selectedRows(grouped, isLinear) == 5)
        #expect(grouped.nodes.count { isLinear($0.op) } == 2 * 7 + 1)
        let latent = try simplified(MiniModel.latent(.mixed)).graph
        // Output projection, router, the shared expert's three, head.
        #expect(selectedRows(latent, isLinear) == 6)
        #expect(selectedRows(latent, isExperts) == 1)
        #expect(latent.nodes.count { isExperts($0.op) } == 2)
        // All rows are written to the cache.
        #expect(selectedRows(latent) { $0.writesState } == 0)
        #expect(selectedRows(grouped) { $0 == .gatherRows } == 2)
        // The values of the heads, too, where all rows take the absorbed form.
        let absorbed = try simplified(MiniModel.latent(.absorbed)).graph
        #expect(selectedRows(absorbed) { if case .headLinear = $0 { true } else { false } } == 1)
        #expect(selectedRows(absorbed, isLinear) == 6)
    }

    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        /// Linears over selected rows.
        let selected: Int
        let build: @Sendable (inout Trace, Value, Value, WeightRef) throws -> [Value]
    }

    /// `x [T, 8]`, the sampled rows, and a matrix `[8, 8]`.
    static let cases: [Case] = [
        Case(testDescription: "a chain", selected: 2) { t, x, rows, w in
            [try t.gatherRows(t.linear(t.rmsNorm(t.linear(x, w), ones(), eps: 1e-6), w), rows)]
        },
        Case(testDescription: "all rows are an output", selected: 0) { t, x, rows, w in
            let y = try t.linear(x, w)
            return [try t.gatherRows(y, rows), y]
        },
        Case(testDescription: "all rows are read", selected: 0) { t, x, rows, w in
            let y = try t.linear(x, w)
            return [try t.gatherRows(y, rows), try t.reduceMean(y, axis: 0)]
        },
        Case(testDescription: "an operation over rows", selected: 0) { t, x, rows, w in
            let turned = try t.transpose(t.softmax(t.transpose(t.linear(x, w), [1, 0])), [1, 0])
            return [try t.gatherRows(turned, rows)]
        },
        Case(testDescription: "the last part of a chain", selected: 1) { t, x, rows, w in
            let mean = try t.reshape(t.reduceMean(t.linear(x, w), axis: 0), [1, 8])
            return [try t.gatherRows(t.linear(t.add(x, mean), w), rows)]
        },
        Case(testDescription: "the second half is read by row", selected: 1) { t, x, rows, w in
            let first = try t.linear(x, w)
            return [try t.gatherRows(t.linear(first, w), rows), try t.tanh(first)]
        },
        Case(testDescription: "prompt rows", selected: 0) { t, x, rows, w in
            let y = try t.linear(t.rows(x, .prompt), w)
            return [try t.gatherRows(t.joinRows(y, t.rows(x, .decode)), rows)]
        },
        Case(testDescription: "two readers, both selected", selected: 3) { t, x, rows, w in
            let y = try t.linear(x, w)
            return [try t.gatherRows(t.add(y, t.linear(y, w)), rows), try t.gatherRows(t.linear(t.silu(y), w), rows)]
        },
        Case(testDescription: "another selection", selected: 1) { t, x, rows, w in
            let y = try t.linear(x, w)
            let third = try t.constant(Tensor(integers: [2], shape: [1]))
            return [try t.gatherRows(t.linear(y, w), rows), try t.gatherRows(y, third)]
        },
        Case(testDescription: "constant rows, a cube, a column", selected: 0) { t, x, rows, w in
            let first = try t.constant(Tensor(integers: [1, 1, 4], shape: [3]))
            let cube = try t.reshape(t.linear(x, w), [.tokens, 2, 4])
            let mean = try t.reshape(t.reduceMean(t.linear(x, w), axis: 1), [.tokens, 1, 1])
            return [try t.gatherRows(t.silu(t.mul(cube, mean)), first)]
        },
        Case(testDescription: "all rows in another order", selected: 0) { t, x, rows, w in
            let order = try t.input(.positions)
            return [try t.gatherRows(t.linear(x, w), order)]
        },
        Case(testDescription: "selected before and after", selected: 1) { t, x, rows, w in
            [try t.gatherRows(x, rows), try t.gatherRows(t.linear(x, w), rows)]
        },
        Case(testDescription: "no product", selected: 0) { t, x, rows, _ in [try t.gatherRows(t.tanh(x), rows)] },
    ]

    private static func ones() throws -> WeightRef {
        WeightRef(name: "ones", tensor: try Tensor([Float](repeating: 1, count: 8), shape: [8]))
    }

    @Test(arguments: cases) func selects(example: Case) throws {
        var random = SplitMix(seed: 21)
        var t = Trace()
        let x = try t.input(.tensor(name: "x"), ValueType(.f32, [.tokens, 8]))
        let values = try example.build(&t, x, t.input(.sampledRows), random.weight("w", [8, 8]))
        let graph = try t.finish(outputs: values.enumerated().map { ("out\($0.offset)", $0.element) })
        let result = try simplified(graph)
        #expect(selectedRows(result.graph, isLinear) == example.selected)
        let notes = result.reports.flatMap(\.notes)
        #expect(
            example.selected == 0 || notes.contains { $0.hasPrefix("\(example.selected) of them multiply weights") })
        let moved = result.reports.first { $0.name == "row-selection" }?.rewriteCount ?? 0
        #expect((moved > 0) == (example.selected > 0 || example.testDescription.hasPrefix("constant")))

        // Bit for bit what it was, for rows out of order, repeated, and none at all.
        let floats = random.floats(6 * 8)
        for rows: [Int32] in [[5, 0, 3, 3], [], [1]] {
            var outputs: [[[UInt32]]] = []
            for current in [graph, result.graph] {
                let executor = try makeExecutor(current, level: .none, kernels: .best())
                let memory = StepMemory(graph: current)
                memory.setTensors([floats])
                (memory.step.promptTokens, memory.step.decodeTokens) = (4, 2)
                memory.step.sampledRows = UnsafePointer(memory.keep(rows))
                memory.step.sampledCount = rows.count
                memory.step.positions = UnsafePointer(memory.keep([5, 4, 0, 1, 2, 3]))
                try executor.run(memory.step)
                #expect(
                    executor.array(0).elements.isEmpty
                        == (rows.isEmpty && graph.type(of: values[0].id).dims[0] == .sampledRows))
                outputs.append(values.indices.map { executor.array($0).elements.map(\.bitPattern) })
            }
            #expect(outputs[1] == outputs[0])
        }
    }

    /// Random graphs give the interpreter's rows at every level.
    @Test func randomGraphs() throws {
        var moved = 0
        for seed in UInt64(1)...24 {
            let tokens = 5
            let everything = try RandomGraph.make(seed: seed)
            let graph = try RandomGraph.make(seed: seed, selects: true)
            moved += try simplified(graph).reports.first { $0.name == "row-selection" }?.rewriteCount ?? 0
            var random = SplitMix(seed: seed &* 17)
            let tensors = everything.inputs.map { _ in random.floats(tokens * RandomGraph.width) }
            let expected = try PlainInterpreter(
                graph: everything, sizes: DimSizes(decodeTokens: tokens), tensors: tensors
            ).outputs()
            let rows: [Int32] = [4, 1, 4]
            for level in OptimizationLevel.allCases {
                let executor = try makeExecutor(graph, level: level)
                let memory = StepMemory(graph: graph)
                memory.setTensors(tensors)
                memory.step.decodeTokens = tokens
                memory.step.sampledRows = UnsafePointer(memory.keep(rows))
                memory.step.sampledCount = rows.count
                try executor.run(memory.step)
                for (index, reference) in expected.enumerated() {
                    let wanted = rows.flatMap { row in
                        reference.elements[Int(row) * RandomGraph.width..<(Int(row) + 1) * RandomGraph.width]
                    }
                    let error = relativeError(executor.array(index).elements, wanted)
                    #expect(error < 2e-5, "seed \(seed), level \(level), output \(index)")
                }
            }
        }
        #expect(moved > 24)
    }
}
