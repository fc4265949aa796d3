internal import DSKernels
internal import DSTensor

/// Runs one graph step after step: looks up the plan for the step's sizes, binds addresses, and lets the backend run it.
///
/// A step whose bucket was seen before builds no plan and allocates nothing. One step at a time.
@safe package final class Executor {
    package let graph: Graph
    package let backend: any Backend
    /// Time per step of a plan; nil measures nothing.
    package var profile: StepProfile?
    private var cache = PlanCache()
    private let structure: Int
    private let weights: any BoundWeights
    private let stream: any ExecutionStream
    private var arena: any DeviceBuffer
    private let context: UnsafeMutablePointer<RunContext>
    private var contextCapacity = 0
    private var current: Plan?

    /// - Parameter reservedBytes: memory that the caller is going to use beside the weights, such as that of states.
    package init(graph: Graph, backend: any Backend, reservedBytes: Int = 0) throws(GraphError) {
        try graph.verify()
        self.graph = graph
        self.backend = backend
        structure = graph.structureHash
        weights = try backend.bind(graph, reservedBytes: reservedBytes)
        stream = backend.makeStream(device: 0)
        arena = try backend.makeBuffer(byteCount: 0, device: 0)
        let inputs = UnsafeMutablePointer<UnsafeRawPointer?>.allocate(capacity: max(1, graph.inputs.count))
        unsafe inputs.initialize(repeating: nil, count: max(1, graph.inputs.count))
        let states = UnsafeMutablePointer<UnsafeMutableRawPointer?>.allocate(capacity: max(1, graph.states.count))
        unsafe states.initialize(repeating: nil, count: max(1, graph.states.count))
        unsafe context = .allocate(capacity: 1)
        unsafe context.initialize(to: RunContext(arena: arena.address, inputs: inputs, states: states))
    }

    deinit {
        unsafe context.pointee.inputs.deallocate()
        unsafe context.pointee.states.deallocate()
        unsafe context.pointee.contextSequences?.deallocate()
        unsafe context.deallocate()
    }

    /// Plans built and found since the executor was made.
    package var statistics: (plansBuilt: Int, planHits: Int) { (cache.misses, cache.hits) }

    /// What the user should know about how the weights lie in memory.
    package var weightsNote: String? { weights.note }

    /// How far copies of weights in a faster layout have come. They change the time of a step, not its results.
    package var weightCopies: CopyProgress { weights.copies }

    /// Between two runs: copies weights for about `time` (`nil`: all that are left). Plans are made anew for those finished.
    package func copyWeights(for time: Duration? = nil) {
        if weights.copy(for: time) { cache.removeAll() }
    }

    /// Bytes of the arena that all plans share.
    package var arenaBytes: Int { arena.byteCount }

    /// The plan for a step's sizes, built when it is not known yet.
    package func plan(for sizes: DimSizes) throws(GraphError) -> Plan {
        let bucket = DimBucket(holding: sizes)
        return try cache.plan(structure: structure, bucket: bucket) { () throws(GraphError) -> Plan in
            var builder = PlanBuilder(graph: graph, bucket: bucket)
            try builder.lowerAll { node, builder throws(GraphError) in
                try backend.lower(node, weights: weights, into: &builder)
            }
            return try Plan(builder)
        }
    }

    /// Runs one step. Outputs can be read until the next call.
    package func run(_ step: StepInputs) throws(GraphError) {
        let sizes = unsafe DimSizes(
            promptTokens: step.promptTokens, decodeTokens: step.decodeTokens, contextRows: step.contextRows,
            sampledRows: step.sampledCount)
        let plan = try plan(for: sizes)
        if plan.memory.byteCount > arena.byteCount {
            arena = try backend.makeBuffer(byteCount: plan.memory.byteCount, device: 0)
        }
        unsafe context.pointee.arena = arena.address
        unsafe context.pointee.sizes = sizes
        unsafe try bindInputs(step, sizes)
        unsafe try bindStates(step)
        unsafe bindSequences(step)
        current = plan
        unsafe stream.submit(plan, UnsafePointer(context), profile: profile)
        stream.synchronize()
    }

    private func bindInputs(_ step: StepInputs, _ sizes: DimSizes) throws(GraphError) {
        var next = 0
        for index in graph.inputs.indices {
            let address: UnsafeRawPointer?
            switch graph.inputs[index].kind {
            case .tokenIDs: unsafe address = UnsafeRawPointer(step.tokenIDs)
            case .positions: unsafe address = UnsafeRawPointer(step.positions)
            case .slots: unsafe address = UnsafeRawPointer(step.slots)
            case .sampledRows: unsafe address = UnsafeRawPointer(step.sampledRows)
            case .tensor:
                unsafe address = next < step.tensors.count ? step.tensors[next] : nil
                next += 1
            }
            unsafe context.pointee.inputs[index] = address
            guard unsafe address == nil else { continue }
            let first = graph.inputs[index].type.dims.first ?? 1
            if sizes.size(of: first) > 0 {
                throw .binding(
                    name: "\(graph.inputs[index].kind)", expected: graph.inputs[index].type.description,
                    found: "nothing")
            }
        }
    }

    private func bindStates(_ step: StepInputs) throws(GraphError) {
        guard unsafe step.states.count == graph.states.count else {
            throw .binding(
                name: "states", expected: "\(graph.states.count) buffers", found: "\(unsafe step.states.count)")
        }
        for index in graph.states.indices { unsafe context.pointee.states[index] = step.states[index] }
    }

    private func bindSequences(_ step: StepInputs) {
        unsafe context.pointee.sequences = step.sequences.baseAddress
        unsafe context.pointee.sequenceCount = step.sequences.count
        unsafe context.pointee.promptSequenceCount = step.promptSequenceCount
        unsafe context.pointee.blockSize = step.blockSize
        let count = unsafe step.promptSequenceCount
        if count > contextCapacity {
            contextCapacity = max(16, count * 2)
            unsafe context.pointee.contextSequences?.deallocate()
            unsafe context.pointee.contextSequences = .allocate(capacity: contextCapacity)
        }
        guard let target = unsafe context.pointee.contextSequences else { return }
        var start = 0
        for index in 0..<count {
            let sequence = unsafe step.sequences[index]
            unsafe (target + index).initialize(
                to: AttentionSequence(
                    queryStart: Int(sequence.queryStart), queryCount: Int(sequence.queryCount),
                    contextLength: Int(sequence.contextLength), blocks: nil, keyStart: start))
            start += Int(sequence.contextLength)
        }
    }

    // MARK: Outputs

    /// A named result of the last step: rows of floats (or integers) in the arena.
    @unsafe package struct OutputView {
        package let base: UnsafeMutableRawPointer
        package let type: ValueType
        /// Sizes of the last step.
        package let dims: [Int]
        /// Elements between neighbours along each dimension.
        package let strides: [Int]

        /// One row of a matrix-shaped result.
        package func row(_ index: Int) -> UnsafeMutableBufferPointer<Float> {
            let start = unsafe base.assumingMemoryBound(to: Float.self) + index * (strides.first ?? 0)
            return unsafe UnsafeMutableBufferPointer(start: start, count: dims.last ?? 1)
        }
    }

    /// Index of an output by its name.
    package func outputIndex(named name: String) -> Int? { graph.outputs.firstIndex { $0.name == name } }

    /// Address of a row of an output of the last step; allocates nothing. Rows are dense.
    package func outputRow(_ output: Int, _ row: Int) -> UnsafeMutablePointer<Float>? {
        guard let plan = current, unsafe plan.outputs.indices.contains(output) else { return nil }
        let place = unsafe plan.outputs[output]
        return unsafe place.operand.floats(context) + row * (place.layout.strides.first ?? 0)
    }

    package func output(_ index: Int) -> OutputView? {
        guard let plan = current, unsafe plan.outputs.indices.contains(index) else { return nil }
        let place = unsafe plan.outputs[index]
        return unsafe OutputView(
            base: place.operand.address(context), type: place.type,
            dims: place.type.dims.map { unsafe context.pointee.sizes.size(of: $0) }, strides: place.layout.strides)
    }
}
