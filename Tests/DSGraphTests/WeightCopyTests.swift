import CDSTestSupport
import DSGraph
import DSKernels
import DSTensor
import DSTestSupport
import Testing

/// Weights that are copied into another layout between steps.
@Suite(.serialized) struct WeightCopyTests {
    private static let kernels = KernelSet.best()
    private static let width = QuantizedTests.width

    private struct Run {
        let executor: Executor
        let memory: StepMemory

        init(_ graph: Graph, threads: Int = 1) throws {
            executor = try makeExecutor(graph, threads: threads, kernels: kernels, copiesWeights: false)
            memory = StepMemory(graph: graph)
            var random = SplitMix(seed: 31)
            memory.setTensors([random.floats(21 * width)])
            memory.step.promptTokens = 21
        }

        func outputs() throws -> [[Float]] {
            try executor.run(memory.step)
            return executor.graph.outputs.indices.map { executor.array($0).elements }
        }
    }

    @Test(arguments: [DType.q8_0, .q4_0, .q5_0], [1, 2])
    func everyStageGivesTheSameBits(dtype: DType, threads: Int) throws {
        guard Self.kernels.canInterleave(dtype, columns: Self.width) else { return }
        let run = try Run(QuantizedTests.graph(dtype, up: dtype), threads: threads)
        let total = CPUBackend.copiedBytes(run.executor.graph, Self.kernels)
        #expect(run.executor.weightCopies == CopyProgress(made: 0, total: total))
        let expected = try run.outputs()
        #expect(run.executor.statistics.plansBuilt == 1)
        var stages = 0
        while !run.executor.weightCopies.isComplete {
            let before = run.executor.weightCopies.made
            run.executor.copyWeights(for: .zero)
            try #require(run.executor.weightCopies.made > before)
            stages += 1
            #expect(try run.outputs() == expected, "stage \(stages)")
        }
        // Five matrices, the two of a gated unit one after the other, three stacks of four and one of two heads.
        #expect(stages == 19)
        // A plan for each weight that was finished.
        #expect(run.executor.statistics.plansBuilt == 10)
    }

    /// Steps after the copies read nothing of what the copies were made from.
    @Test(arguments: [false, true]) func stepsReadCopies(copies: Bool) throws {
        guard Self.kernels.canInterleave(.q8_0, columns: Self.width) else { return }
        let run = try Run(QuantizedTests.graph(.q8_0, up: .q8_0))
        let expected = try run.outputs()
        if copies { run.executor.copyWeights() }
        let weights = run.executor.graph.relocatableWeights.map { run.executor.graph.weights[$0] }
        for weight in weights where weight.dtype == .q8_0 {
            for part in weight.parts {
                part.storage.mutableBytes?.initializeMemory(as: UInt8.self, repeating: 0)
            }
        }
        let found = try run.outputs()
        #expect((found[0] == expected[0]) == copies)
        #expect((found[1] == expected[1]) == copies)
    }

    /// Weights whose products would change are copied before the first step, beside ones that are not.
    @Test func bfloat16IsCopiedFirst() throws {
        guard Self.kernels.canInterleave(.bf16, columns: Self.width) else { return }
        let plain = try Run(QuantizedTests.graph(.bf16, up: .bf16))
        #expect(plain.executor.weightCopies.isComplete && plain.executor.weightCopies.total > 0)

        let run = try Run(QuantizedTests.graph(.bf16, up: .q8_0))
        let copies = run.executor.weightCopies
        #expect(copies.made > 0 && !copies.isComplete)
        let expected = try run.outputs()
        while !run.executor.weightCopies.isComplete {
            run.executor.copyWeights(for: .zero)
            #expect(try run.outputs() == expected)
        }
    }

    @Test(arguments: [1, 2]) func steadyStepsAllocateNothingAfterwards(threads: Int) throws {
        let run = try Run(QuantizedTests.graph(.q8_0, up: .q8_0), threads: threads)
        try run.executor.run(run.memory.step)
        run.executor.copyWeights()
        try run.executor.run(run.memory.step)
        let built = run.executor.statistics.plansBuilt
        let before = cds_thread_allocation_count()
        for _ in 0..<100 {
            try run.executor.run(run.memory.step)
            run.executor.copyWeights(for: .milliseconds(1))
        }
        #expect(cds_thread_allocation_count() == before)
        #expect(run.executor.statistics.plansBuilt == built)
    }
}
