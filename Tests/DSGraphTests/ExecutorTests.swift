import CDSTestSupport
import DSGraph
import DSKernels
import DSTensor
import Testing

/// Whole decoders: the same rows whatever the batch, the chunking, the level and the number of threads.
@Suite(.serialized) struct ExecutorTests {
    enum Model: String, CaseIterable, Sendable {
        case groupedQuery, absorbed, mixed

        func graph(cache: DType = .f32) throws -> Graph {
            switch self {
            case .groupedQuery: try MiniModel.groupedQuery(cache: cache)
            case .absorbed: try MiniModel.latent(.absorbed, cache: cache)
            case .mixed: try MiniModel.latent(.mixed, cache: cache)
            }
        }
    }

    static let tokens: [Int32] = [3, 17, 5, 41, 8, 8, 30, 2, 11]
    static let other: [Int32] = [9, 1, 25, 7]

    /// Logits of the last row of `tokens`, of which the first `promptLength` are prompt, computed in the given chunks.
    private func logits(
        _ executor: Executor, _ memory: StepMemory, sequence: Int = 0, promptLength: Int, chunks: [Int]
    ) throws -> [Float] {
        var done = 0
        for chunk in chunks {
            let range = done..<done + chunk
            let prompt = range.clamped(to: 0..<promptLength)
            let decode = range.clamped(to: promptLength..<max(promptLength, range.upperBound))
            func parts(_ part: Range<Int>) -> [StepMemory.Part] {
                part.isEmpty
                    ? []
                    : [.init(sequence: sequence, tokens: Array(Self.tokens[part]), firstPosition: part.lowerBound)]
            }
            memory.setBatch(prompt: parts(prompt), decode: parts(decode))
            try executor.run(memory.step)
            done += chunk
        }
        return executor.array(0).elements.suffix(MiniModel.vocabulary)
    }

    @Test(arguments: Model.allCases, OptimizationLevel.allCases)
    func levelsAgree(model: Model, level: OptimizationLevel) throws {
        let graph = try model.graph()
        var results: [[Float]] = []
        for (current, threads) in [(OptimizationLevel.none, 1), (level, 1), (level, 3)] {
            let executor = try makeExecutor(graph, level: current, threads: threads)
            results.append(
                try logits(executor, StepMemory(graph: graph), promptLength: 6, chunks: [6, 1, 1, 1]))
        }
        #expect(relativeError(results[1], results[0]) < 1e-5)
        #expect(results[1] == results[2])
    }

    /// Cutting the prompt, and mixing prompt and generated rows in one step, changes no bit.
    @Test(arguments: Model.allCases) func chunksDoNotChangeBits(model: Model) throws {
        let graph = try model.graph()
        let executor = try makeExecutor(graph, kernels: .best())
        let whole = try logits(executor, StepMemory(graph: graph), promptLength: 6, chunks: [6, 1, 1, 1])
        for chunks in [[1, 2, 3, 1, 1, 1], [5, 2, 2], [6, 3], [9]] {
            let cut = try logits(executor, StepMemory(graph: graph), promptLength: 6, chunks: chunks)
            #expect(cut == whole, "chunks \(chunks)")
        }
    }

    /// A second sequence in the batch, prompt or decode, changes no bit of the first.
    @Test(arguments: Model.allCases, [DType.f32, .f16, .bf16, .q8_0])
    func batchDoesNotChangeBits(model: Model, cache: DType) throws {
        let graph = try model.graph(cache: cache)
        let executor = try makeExecutor(graph, kernels: .best())
        let alone = StepMemory(graph: graph)
        let expected = try logits(executor, alone, promptLength: 6, chunks: [6, 1, 1, 1])

        let shared = StepMemory(graph: graph)
        func part(_ sequence: Int, _ tokens: ArraySlice<Int32>) -> StepMemory.Part {
            .init(sequence: sequence, tokens: Array(tokens), firstPosition: tokens.startIndex)
        }
        shared.setBatch(prompt: [part(2, Self.other[0..<3]), part(0, Self.tokens[0..<6])], decode: [])
        try executor.run(shared.step)
        shared.setBatch(
            prompt: [part(1, Self.other[0..<4])], decode: [part(2, Self.other[3..<4]), part(0, Self.tokens[6..<7])])
        try executor.run(shared.step)
        shared.setBatch(prompt: [part(3, Self.tokens[0..<5])], decode: [part(0, Self.tokens[7..<8])])
        try executor.run(shared.step)
        shared.setBatch(prompt: [], decode: [part(0, Self.tokens[8..<9])])
        try executor.run(shared.step)
        #expect(executor.array(0).elements == expected)
    }

    /// Both forms of MLA give the same numbers.
    @Test func naiveEqualsAbsorbed() throws {
        let (first, second) = (try Model.absorbed.graph(), try Model.mixed.graph())
        let absorbed = try logits(makeExecutor(first), StepMemory(graph: first), promptLength: 8, chunks: [8, 1])
        let mixed = try logits(makeExecutor(second), StepMemory(graph: second), promptLength: 8, chunks: [8, 1])
        #expect(relativeError(mixed, absorbed) < 1e-4)
    }

    /// A steady decode step builds no plan and makes no allocation. With one thread all kernels run in this one, whose
    /// allocations are counted apart from those of tests that run beside this one.
    @Test(arguments: Model.allCases, [1, 2]) func steadyDecodeAllocatesNothing(model: Model, threads: Int) throws {
        let graph = try model.graph()
        let executor = try makeExecutor(graph, threads: threads, kernels: .best())
        let memory = StepMemory(graph: graph)
        memory.setBatch(prompt: [.init(sequence: 0, tokens: Self.tokens, firstPosition: 0)], decode: [])
        try executor.run(memory.step)
        memory.setBatch(prompt: [], decode: [.init(sequence: 0, tokens: [4], firstPosition: Self.tokens.count)])
        try executor.run(memory.step)
        let built = executor.statistics.plansBuilt

        let before = cds_thread_allocation_count()
        for _ in 0..<100 { try executor.run(memory.step) }
        #expect(cds_thread_allocation_count() == before)
        #expect(executor.statistics.plansBuilt == built)
        #expect(executor.statistics.planHits >= 100)
        #expect(executor.outputRow(0, 0) != nil)
    }

    @Test func countingSeesAllocations() {
        let before = cds_thread_allocation_count()
        let array = [Int](unsafeUninitializedCapacity: 1000) { _, count in count = 0 }
        #expect(cds_thread_allocation_count() > before)
        #expect(array.isEmpty)
    }

    /// Buckets are powers of two: sizes inside one share a plan, the next size builds one more.
    @Test func planCacheFollowsBuckets() throws {
        let graph = try MiniModel.groupedQuery()
        let executor = try makeExecutor(graph)
        let memory = StepMemory(graph: graph)
        var built: [Int] = []
        for count in [5, 6, 8, 7, 9] {
            let tokens = (0..<count).map(Int32.init)
            memory.setBatch(prompt: [.init(sequence: 0, tokens: tokens, firstPosition: 0)], decode: [], sampled: [0])
            try executor.run(memory.step)
            built.append(executor.statistics.plansBuilt)
        }
        #expect(built == [1, 1, 1, 1, 2])
    }

    /// The cache keeps the plans that are in use.
    @Test func planCacheIsBounded() throws {
        let executor = try makeExecutor(MiniModel.groupedQuery())
        var cache = PlanCache(capacity: 2)
        func ask(_ tokens: Int) throws {
            let sizes = DimSizes(decodeTokens: tokens)
            _ = try cache.plan(structure: 0, bucket: DimBucket(holding: sizes)) { () throws(GraphError) in
                try executor.plan(for: sizes)
            }
        }
        for tokens in [1, 2, 1, 4, 1] { try ask(tokens) }
        #expect(cache.count == 2 && cache.misses == 3 && cache.hits == 2)
    }

    @Test(arguments: Model.allCases) func plansAreLegalAndSmall(model: Model) throws {
        let executor = try makeExecutor(model.graph())
        for sizes in [
            DimSizes(decodeTokens: 1, sampledRows: 1), DimSizes(decodeTokens: 8, sampledRows: 8),
            DimSizes(promptTokens: 16, decodeTokens: 3, contextRows: 40, sampledRows: 4),
        ] {
            let plan = try executor.plan(for: sizes)
            try plan.memory.checkInvariants()
            #expect(plan.memory.byteCount <= plan.memory.lowerBound * 5 / 4)
            #expect(plan.barrierCount < plan.steps.count)
        }
        let decode = try executor.plan(for: DimSizes(decodeTokens: 1, sampledRows: 1))
        #expect(!decode.steps.contains { $0.label.hasSuffix("gatherContext") || $0.label.hasSuffix("Contiguous") })
    }

    @Test func missingBindingsAreErrors() throws {
        let executor = try makeExecutor(MiniModel.groupedQuery())
        var step = StepInputs()
        step.decodeTokens = 1
        #expect(throws: GraphError.self) { try executor.run(step) }
        let memory = StepMemory(graph: executor.graph)
        memory.setBatch(prompt: [], decode: [.init(sequence: 0, tokens: [1], firstPosition: 0)])
        memory.step.positions = nil
        #expect(throws: GraphError.binding(name: "positions", expected: "I32[T]", found: "nothing")) {
            try executor.run(memory.step)
        }
    }
}
