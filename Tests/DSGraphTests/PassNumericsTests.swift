import DSGraph
import DSKernels
import DSTestSupport
import Testing

/// Optimised graphs give the numbers of the plain interpreter, at every level, on one thread and on several.
@Suite struct PassNumericsTests {
    static let seeds: [UInt64] = Array(1...24)

    @Test(arguments: seeds, [1, 3, 8])
    func levelsKeepTheNumbers(seed: UInt64, tokens: Int) throws {
        let graph = try RandomGraph.make(seed: seed)
        var random = SplitMix(seed: seed &* 31 &+ UInt64(tokens))
        let tensors = graph.inputs.map { _ in random.floats(tokens * RandomGraph.width) }
        let sizes = DimSizes(decodeTokens: tokens)
        let expected = try PlainInterpreter(graph: graph, sizes: sizes, tensors: tensors).outputs()
        for level in OptimizationLevel.allCases {
            for threads in [1, 3] {
                let executor = try makeExecutor(graph, level: level, threads: threads)
                let memory = StepMemory(graph: graph)
                memory.setTensors(tensors)
                memory.step.decodeTokens = tokens
                try executor.run(memory.step)
                for (index, reference) in expected.enumerated() {
                    let error = relativeError(executor.array(index).elements, reference.elements)
                    #expect(error < 2e-5, "seed \(seed), level \(level), \(threads) threads, output \(index)")
                }
            }
        }
    }

    /// The same graph at the same level gives the same bits whatever the number of threads.
    @Test(arguments: seeds) func threadsDoNotChangeBits(seed: UInt64) throws {
        let graph = try RandomGraph.make(seed: seed)
        var random = SplitMix(seed: seed)
        let tensors = graph.inputs.map { _ in random.floats(5 * RandomGraph.width) }
        var bits: [[[UInt32]]] = []
        for threads in [1, 2, 5] {
            let executor = try makeExecutor(graph, threads: threads, kernels: .best())
            let memory = StepMemory(graph: graph)
            memory.setTensors(tensors)
            memory.step.decodeTokens = 5
            try executor.run(memory.step)
            bits.append(graph.outputs.indices.map { executor.array($0).elements.map(\.bitPattern) })
        }
        #expect(bits[0] == bits[1])
        #expect(bits[0] == bits[2])
    }
}
