import DSGraph
import DSKernels
import DSTensor
import DSTestSupport

extension SplitMix {
    mutating func weight(_ name: String, _ dims: [Int], scale: Float = 0.3) throws -> WeightRef {
        let values = floats(dims.reduce(1, *), scale: scale)
        return WeightRef(name: name, tensor: try Tensor(values, shape: Shape(dims)))
    }
}

/// Memory of one step's inputs, and the cache, with addresses that stay valid.
final class StepMemory {
    private var blocks: [UnsafeMutableRawPointer] = []
    var step = StepInputs()
    let states: [UnsafeMutableRawPointer]

    init(graph: Graph, cacheRows: Int = 256) {
        var pointers: [UnsafeMutableRawPointer] = []
        for state in graph.states {
            let bytes = cacheRows * (state.rowBytes ?? 0)
            let block = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
            block.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
            pointers.append(block)
        }
        states = pointers
        blocks = pointers
        step.states = UnsafeBufferPointer(start: keep(pointers), count: pointers.count)
    }

    deinit { for block in blocks { block.deallocate() } }

    func keep<Element>(_ elements: [Element]) -> UnsafeMutablePointer<Element> {
        let block = UnsafeMutablePointer<Element>.allocate(capacity: max(1, elements.count))
        for (index, element) in elements.enumerated() { (block + index).initialize(to: element) }
        blocks.append(UnsafeMutableRawPointer(block))
        return block
    }

    func setTensors(_ arrays: [[Float]]) {
        let pointers = arrays.map { UnsafeRawPointer(keep($0)) }
        step.tensors = UnsafeBufferPointer(start: keep(pointers), count: pointers.count)
    }

    /// Some tokens of some sequences: prompt ones first. Every sequence owns a run of blocks.
    struct Part {
        var sequence: Int
        var tokens: [Int32]
        var firstPosition: Int
    }

    static let blockSize = 4
    static let blocksPerSequence = 8

    func setBatch(prompt: [Part], decode: [Part], sampled: [Int32]? = nil) {
        var (ids, positions, slots): ([Int32], [Int32], [Int32]) = ([], [], [])
        var sequences: [AttentionSequence] = []
        for part in prompt + decode {
            // Blocks in reverse order: a paged cache must not depend on neighbours.
            let blocks = (0..<Self.blocksPerSequence).map {
                Int32((part.sequence + 1) * Self.blocksPerSequence - 1 - $0)
            }
            sequences.append(
                AttentionSequence(
                    queryStart: ids.count, queryCount: part.tokens.count,
                    contextLength: part.firstPosition + part.tokens.count, blocks: keep(blocks)))
            for (index, token) in part.tokens.enumerated() {
                let position = part.firstPosition + index
                ids.append(token)
                positions.append(Int32(position))
                slots.append(
                    blocks[position / Self.blockSize] * Int32(Self.blockSize) + Int32(position % Self.blockSize))
            }
        }
        let rows = sampled ?? ids.indices.map(Int32.init)
        step.tokenIDs = UnsafePointer(keep(ids))
        step.positions = UnsafePointer(keep(positions))
        step.slots = UnsafePointer(keep(slots))
        step.sampledRows = UnsafePointer(keep(rows))
        step.promptTokens = prompt.reduce(0) { $0 + $1.tokens.count }
        step.decodeTokens = decode.reduce(0) { $0 + $1.tokens.count }
        step.sampledCount = rows.count
        step.sequences = UnsafeBufferPointer(start: keep(sequences), count: sequences.count)
        step.promptSequenceCount = prompt.count
        step.blockSize = Self.blockSize
    }
}

extension Executor {
    /// Copies an output out of the arena, dense.
    func array(_ index: Int) -> HostArray {
        guard let view = output(index) else { return HostArray(dims: [], elements: []) }
        let base = view.base.assumingMemoryBound(to: Float.self)
        var elements: [Float] = []
        let count = view.dims.reduce(1, *)
        for flat in 0..<count {
            var (rest, offset) = (flat, 0)
            for axis in view.dims.indices.reversed() {
                offset += rest % view.dims[axis] * view.strides[axis]
                rest /= view.dims[axis]
            }
            elements.append(base[offset])
        }
        return HostArray(dims: view.dims, elements: elements)
    }
}

func makeExecutor(
    _ graph: Graph, level: OptimizationLevel = .layout, threads: Int = 2, kernels: KernelSet = .reference,
    copiesWeights: Bool = true
) throws -> Executor {
    let optimized = try PassPipeline(level: level, verifyBetweenPasses: true).run(graph).graph
    let executor = try Executor(
        graph: optimized, backend: CPUBackend(kernels: kernels, pool: ThreadPool(threadCount: threads)))
    if copiesWeights { executor.copyWeights() }
    return executor
}

/// Largest difference relative to the largest magnitude of the reference.
func relativeError(_ found: [Float], _ expected: [Float]) -> Float {
    guard found.count == expected.count else { return .infinity }
    let size = expected.map(\.magnitude).max() ?? 0
    var worst: Float = 0
    for (a, b) in zip(found, expected) {
        guard a.isFinite, b.isFinite else { return a.bitPattern == b.bitPattern ? worst : .infinity }
        worst = max(worst, (a - b).magnitude)
    }
    return worst / max(size, 1e-6)
}
