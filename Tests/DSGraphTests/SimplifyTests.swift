import DSGraph
import DSTensor
import DSTestSupport
import Testing

/// Each rule of level 1 on the smallest graph that needs it: how many computing nodes are left.
@Suite struct SimplifyTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let left: Int
        let build: @Sendable (inout Trace, Value) throws -> Value
    }

    private static func vector(_ t: inout Trace, _ value: Float) throws -> Value {
        try t.constant(Tensor([Float](repeating: value, count: 8), shape: [8]))
    }

    static let cases: [Case] = [
        Case(testDescription: "x + 0", left: 1) { t, x in try t.silu(t.add(x, vector(&t, 0))) },
        Case(testDescription: "1 * x keeps", left: 2) { t, x in try t.silu(t.mul(x, vector(&t, 2))) },
        Case(testDescription: "x * 1", left: 1) { t, x in try t.silu(t.mul(x, vector(&t, 1))) },
        Case(testDescription: "0 + [8] widens", left: 2) { t, x in
            // The result has the shape of x: the vector alone cannot take its place.
            try t.silu(t.add(t.mul(x, vector(&t, 0)), vector(&t, 0)))
        },
        Case(testDescription: "affine(1, 0)", left: 1) { t, x in try t.silu(t.affine(x, scale: 1)) },
        Case(testDescription: "-(-x)", left: 1) { t, x in
            try t.silu(t.unary(.negate, t.unary(.negate, x)))
        },
        Case(testDescription: "reshape and back", left: 1) { t, x in
            try t.silu(t.reshape(t.reshape(x, [.tokens, 2, 4]), [.tokens, 8]))
        },
        Case(testDescription: "transpose and back", left: 1) { t, x in
            try t.silu(t.transpose(t.transpose(x, [1, 0]), [1, 0]))
        },
        Case(testDescription: "slice of slice", left: 2) { t, x in
            try t.silu(t.slice(t.slice(x, axis: 1, 2..<8), axis: 1, 1..<3))
        },
        Case(testDescription: "slice of what was joined", left: 1) { t, x in
            try t.silu(t.slice(t.concat([x, t.tanh(x)], axis: 1), axis: 1, 0..<8))
        },
        Case(testDescription: "rows of joined rows", left: 2) { t, x in
            let prompt = try t.rows(x, .prompt)
            return try t.silu(t.rows(t.joinRows(prompt, t.rows(x, .decode)), .prompt))
        },
        Case(testDescription: "equal nodes", left: 2) { t, x in try t.add(t.tanh(x), t.tanh(x)) },
        Case(testDescription: "unused nodes", left: 1) { t, x in
            _ = try t.softmax(t.exp(x))
            return try t.silu(x)
        },
        Case(testDescription: "constants", left: 1) { t, x in
            let scale = try t.exp(t.affine(vector(&t, 3), scale: 0.5, offset: -1))
            return try t.mul(x, t.add(scale, vector(&t, 1)))
        },
        Case(testDescription: "full slice, one-part concat", left: 1) { t, x in
            try t.silu(t.concat([t.slice(x, axis: 1, 0..<8)], axis: 1))
        },
    ]

    @Test(arguments: cases) func nodesLeft(example: Case) throws {
        var t = Trace()
        let x = try t.input(.tensor(name: "x"), ValueType(.f32, [.tokens, 8]))
        let graph = try t.finish(outputs: [("y", example.build(&t, x))])
        let result = try PassPipeline(level: .simplify, verifyBetweenPasses: true).run(graph)
        #expect(GraphCost(result.graph).nodes == example.left)

        var random = SplitMix(seed: 4)
        let values = random.floats(6 * 8)
        var outputs: [[Float]] = []
        for level in [OptimizationLevel.none, .simplify] {
            let executor = try makeExecutor(graph, level: level)
            let memory = StepMemory(graph: graph)
            memory.setTensors([values])
            (memory.step.promptTokens, memory.step.decodeTokens) = (4, 2)
            try executor.run(memory.step)
            outputs.append(executor.array(0).elements)
        }
        #expect(relativeError(outputs[1], outputs[0]) < 1e-6)
    }

    /// Writes to the cache stay although nobody reads them.
    @Test func writesAreNotDead() throws {
        var t = Trace()
        let x = try t.input(.tensor(name: "x"), ValueType(.f32, [.tokens, 8]))
        _ = try t.kvWrite(t.state(StateSpec(name: "k", dtype: .f32, rowWidth: 8)), x, slots: t.input(.slots))
        let graph = try t.finish(outputs: [("y", t.silu(x))])
        let result = try PassPipeline(level: .layout, verifyBetweenPasses: true).run(graph)
        #expect(result.graph.nodes.contains { $0.op.writesState })
    }
}
