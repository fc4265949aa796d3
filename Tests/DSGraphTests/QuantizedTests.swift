import DSGraph
import DSKernels
import DSTensor
import DSTestSupport
import Testing

/// Block-quantised weights: activations are prepared once, and plans agree with the reference tier's exact products.
@Suite struct QuantizedTests {
    static let width = 64

    private static func quantized(
        _ random: inout SplitMix, _ name: String, _ dims: [Int], _ dtype: DType
    ) throws -> WeightRef {
        let values = random.floats(dims.reduce(1, *), scale: 0.3)
        let shape = Shape(dims)
        let tensor = try Tensor.allocate(dtype, shape)
        let base = try #require(tensor.storage.mutableBytes?.baseAddress)
        try #require(RowConversion.quantize(dtype, from: values, to: base, count: values.count))
        return WeightRef(name: name, tensor: tensor)
    }

    /// Three products of one input, a gated unit with `up` in a format of its own, experts.
    static func graph(_ dtype: DType, up: DType) throws -> Graph {
        var random = SplitMix(seed: 5)
        var t = Trace()
        let x = try t.input(.tensor(name: "x"), ValueType(.f32, [.tokens, .fixed(width)]))
        let a = try t.linear(x, quantized(&random, "a", [96, width], dtype))
        let b = try t.linear(x, quantized(&random, "b", [width, width], dtype), bias: random.weight("bias", [width]))
        let gate = try t.silu(t.linear(x, quantized(&random, "gate", [96, width], dtype)))
        let hidden = try t.mul(gate, t.linear(x, quantized(&random, "up", [96, width], up)))
        let y = try t.add(b, t.linear(t.add(hidden, a), quantized(&random, "down", [width, 96], dtype)))
        let routing = RoutingParameters(expertCount: 4, topK: 2, scoring: .softmax, normalize: false, scale: 1)
        let (ids, weights) = try t.route(t.linear(x, random.weight("router", [4, width])), routing)
        let routed = try t.experts(
            x, ids: ids, weights: weights, gate: quantized(&random, "eg", [4, 32, width], dtype),
            up: quantized(&random, "eu", [4, 32, width], up), down: quantized(&random, "ed", [4, width, 32], dtype))
        let heads = try t.reshape(y, [.tokens, 2, 32])
        let mixed = try t.headLinear(heads, quantized(&random, "heads", [2, 16, 32], dtype))
        return try t.finish(outputs: [("y", y), ("experts", routed), ("heads", mixed)])
    }

    static let formats: [(DType, DType)] = [
        (.q8_0, .q8_0), (.q4_0, .q4_0), (.q5_1, .q5_1), (.q8_0, .q4_0), (.q8_0, .f16), (.bf16, .bf16),
    ]

    @Test(arguments: formats) func tiersAgree(dtype: DType, up: DType) throws {
        let graph = try Self.graph(dtype, up: up)
        var random = SplitMix(seed: 8)
        let x = random.floats(7 * Self.width)
        var results: [[[Float]]] = []
        for (kernels, level, threads) in [
            (KernelSet.reference, OptimizationLevel.none, 1), (.best(), .none, 1), (.best(), .layout, 1),
            (.best(), .layout, 3),
        ] {
            let executor = try makeExecutor(graph, level: level, threads: threads, kernels: kernels)
            let memory = StepMemory(graph: graph)
            memory.setTensors([x])
            memory.step.promptTokens = 7
            try executor.run(memory.step)
            results.append((0..<3).map { executor.array($0).elements })
        }
        for output in 0..<3 {
            // Activations in 8 bits: about 1/254 of a block's largest value per element, averaged over a row.
            #expect(relativeError(results[1][output], results[0][output]) < 2e-2)
            // Copies of BF16 may be multiplied with activations of that type.
            #expect(relativeError(results[2][output], results[1][output]) < (dtype == .bf16 ? 1e-2 : 2e-3))
            #expect(results[3][output] == results[2][output])
        }
    }

    /// Copies of weights in another layout give the same bits, stacks of experts included.
    @Test(arguments: [DType.q8_0, .q4_0, .q5_0]) func layoutDoesNotChangeABit(dtype: DType) throws {
        let kernels = KernelSet.best()
        let graph = try Self.graph(dtype, up: dtype)
        var random = SplitMix(seed: 9)
        let x = random.floats(21 * Self.width)
        var results: [[[Float]]] = []
        for level in [OptimizationLevel.fusion, .layout] {
            let executor = try makeExecutor(graph, level: level, kernels: kernels)
            let relocatable = executor.graph.relocatableWeights.map { executor.graph.weights[$0].name }
            #expect(
                Set(relocatable).isSuperset(of: level == .layout ? ["a", "gate", "down", "eg", "ed", "heads"] : []))
            #expect(!relocatable.contains("router"))
            let copies = CPUBackend.copiedBytes(executor.graph, kernels)
            #expect((copies > 0) == (level == .layout && kernels.canInterleave(dtype, columns: Self.width)))
            #expect(executor.weightsNote == nil)
            let memory = StepMemory(graph: graph)
            memory.setTensors([x])
            memory.step.promptTokens = 21
            try executor.run(memory.step)
            results.append((0..<3).map { executor.array($0).elements })
        }
        #expect(results[0] == results[1])
    }

    /// A head that shares its matrix with the embedding has a copy; the embedding reads the mapped rows.
    @Test func tiedHeadHasACopy() throws {
        var random = SplitMix(seed: 6)
        var t = Trace()
        let ids = try t.input(.tokenIDs, ValueType(.i32, [.tokens]))
        let table = try Self.quantized(&random, "table", [80, Self.width], .q8_0)
        let x = try t.embedding(ids, table)
        let traced = try t.finish(outputs: [("x", x), ("logits", try t.linear(x, table))])
        var results: [[[Float]]] = []
        for level in [OptimizationLevel.fusion, .layout] {
            let executor = try makeExecutor(traced, level: level, kernels: KernelSet.best())
            #expect(executor.graph.relocatableWeights.isEmpty == (level == .fusion))
            let memory = StepMemory(graph: traced)
            let tokens: [Int32] = [3, 79, 0, 41, 16]
            try tokens.withUnsafeBufferPointer { tokens in
                memory.step.tokenIDs = tokens.baseAddress
                memory.step.promptTokens = tokens.count
                try executor.run(memory.step)
            }
            results.append((0..<2).map { executor.array($0).elements })
        }
        #expect(results[0] == results[1])
        #expect(!results[0][1].contains { !$0.isFinite })
    }

    /// Without memory for copies beside what the caller needs, the weights stay mapped and the user is told.
    @Test func copiesNeedMemory() throws {
        let kernels = KernelSet.best()
        guard kernels.canInterleave(.q8_0, columns: Self.width) else { return }
        let graph = try PassPipeline(level: .layout).run(Self.graph(.q8_0, up: .q8_0)).graph
        let backend = CPUBackend(kernels: kernels, pool: try ThreadPool(threadCount: 1))
        #expect(try Executor(graph: graph, backend: backend).weightsNote == nil)
        let note = try #require(try Executor(graph: graph, backend: backend, reservedBytes: 1 << 60).weightsNote)
        #expect(note.contains("stay as they are mapped") && note.contains("\(CPUBackend.copiedBytes(graph, kernels))"))
    }

    /// However many products read a value, it is quantised once per format.
    @Test func activationIsQuantizedOnce() throws {
        let kernels = KernelSet.best()
        guard kernels.activationFormat(for: .q8_0) != .f32 else { return }
        let executor = try makeExecutor(Self.graph(.q8_0, up: .q8_0), kernels: kernels)
        let plan = try executor.plan(for: DimSizes(decodeTokens: 1))
        // x, the sum before `down`, the experts' hidden rows, the heads.
        #expect(plan.steps.count { $0.label.hasSuffix("quantize") } == 4)
        #expect(plan.sharedPreparations >= 3)
    }

    /// FP8 with a scale per block, edge blocks included: the same as plain weights that were scaled beforehand.
    @Test(arguments: [1, 2]) func blockScales(matrices: Int) throws {
        var random = SplitMix(seed: 21)
        let (rows, columns, block) = (20, 40, 16)
        let grid = (2, 3)
        var bytes = [UInt8](repeating: 0, count: matrices * rows * columns)
        let values = random.floats(bytes.count)
        bytes.withUnsafeMutableBytes { target in
            guard let base = target.baseAddress else { return }
            RowConversion.quantize(.f8e4m3, from: values, to: base, count: values.count)
        }
        let stored = try Tensor(bytes: bytes, dtype: .f8e4m3, shape: [matrices, rows, columns])
        let scales = random.floats(matrices * grid.0 * grid.1, scale: 2)
        var plain = try #require(RowConversion.floats(of: stored))
        for index in plain.indices {
            let (matrix, rest) = index.quotientAndRemainder(dividingBy: rows * columns)
            let (row, column) = rest.quotientAndRemainder(dividingBy: columns)
            plain[index] *= scales[(matrix * grid.0 + row / block) * grid.1 + column / block]
        }
        let scaleTensor = try Tensor(scales, shape: [matrices, grid.0, grid.1])
        let stack = WeightRef(
            name: "stack", tensor: stored, blockScales: scaleTensor, scaleBlock: .init(rows: block, columns: block))
        let reference = WeightRef(name: "plain", tensor: try Tensor(plain, shape: [matrices, rows, columns]))
        let down = try random.weight("down", [matrices, columns, rows])
        var t = Trace()
        let x = try t.input(.tensor(name: "x"), ValueType(.f32, [.tokens, .fixed(columns)]))
        let logits = try t.linear(x, random.weight("router", [matrices, columns]))
        let routing = RoutingParameters(expertCount: matrices, topK: 1, scoring: .softmax, normalize: true, scale: 1)
        let (ids, weights) = try t.route(logits, routing)
        let outputs = try [stack, reference].map { gate in
            try t.experts(x, ids: ids, weights: weights, gate: gate, up: gate, down: down)
        }
        let graph = try t.finish(outputs: [("scaled", outputs[0]), ("plain", outputs[1])])
        let executor = try makeExecutor(graph, kernels: .best())
        let memory = StepMemory(graph: graph)
        memory.setTensors([random.floats(6 * columns)])
        memory.step.decodeTokens = 6
        try executor.run(memory.step)
        #expect(relativeError(executor.array(0).elements, executor.array(1).elements) < 1e-5)
    }

    @Test func scalesOfAnotherShapeAreErrors() throws {
        var t = Trace()
        let x = try t.input(.tensor(name: "x"), ValueType(.f32, [.tokens, 40]))
        let weight = WeightRef(
            name: "w", tensor: try Tensor.allocate(.f8e4m3, [20, 40]), blockScales: try Tensor.allocate(.f32, [2, 2]),
            scaleBlock: .init(rows: 16, columns: 16))
        let graph = try t.finish(outputs: [("y", t.linear(x, weight))])
        let executor = try makeExecutor(graph)
        #expect(throws: GraphError.weight(name: "w", reason: "expected 6 scales per matrix, found [4]")) {
            try executor.plan(for: DimSizes(decodeTokens: 1))
        }
    }
}
