package import DSGraph
internal import DSKernels
internal import DSTensor

/// Runs one sequence through a traced model, without an engine: for parity work and tests.
///
/// The cache is one contiguous range of blocks. Rows come in as prompt rows or as generated rows, which may take
/// different paths through latent attention.
package final class SimpleRunner {
    package struct Options: Sendable {
        package var trace: TraceOptions
        package var level: OptimizationLevel
        package var threadCount: Int
        /// Tokens that the cache holds.
        package var capacity: Int
        /// Whether weights are copied into a faster layout before the first step, else between steps.
        package var copiesWeightsFirst = true

        package init(
            trace: TraceOptions = TraceOptions(cacheType: .f32), level: OptimizationLevel = .fusion,
            threadCount: Int = 1, capacity: Int
        ) {
            self.trace = trace
            self.level = level
            self.threadCount = threadCount
            self.capacity = capacity
        }
    }

    /// Which rows' logits are computed.
    package enum Sampling: Sendable { case all, last }

    package static let logitsOutput = "logits"
    package static let residualOutput = "residual"

    private static let blockSize = 16
    private let executor: Executor
    private let states: [Tensor]
    private let blocks: [Int32]
    private let capacity: Int
    private let vocabularySize: Int
    private let clock = ContinuousClock()
    /// How long the last step took.
    private var lastStep = Duration.zero
    /// Tokens in the cache.
    package private(set) var length = 0

    /// A runner of the whole network.
    package convenience init(_ model: LoadedModel, _ options: Options) throws(ModelError) {
        try self.init(options, vocabularySize: model.configuration.vocabularySize) { t throws(GraphError) in
            try model.architecture.trace(&t, options.trace)
        }
    }

    /// A runner of the drafter, whose `residual` input is given to `forward`.
    package convenience init(draft: DraftLayer, _ options: Options) throws(ModelError) {
        try self.init(options, vocabularySize: draft.vocabularySize) { t throws(GraphError) in
            try draft.trace(&t, options.trace)
        }
    }

    private init(
        _ options: Options, vocabularySize: Int,
        _ trace: (inout Trace) throws(GraphError) -> ModelOutputs
    ) throws(ModelError) {
        self.vocabularySize = vocabularySize
        let graph = try Self.running { () throws(GraphError) in
            var t = Trace()
            let outputs = try trace(&t)
            let names = [(Self.logitsOutput, outputs.logits), (Self.residualOutput, outputs.residual)]
            let traced = try t.finish(outputs: names + outputs.observations)
            return try PassPipeline(level: options.level).run(traced).graph
        }
        let backend: CPUBackend
        do {
            backend = try CPUBackend(
                kernels: KernelSet.selected(), pool: ThreadPool(threadCount: options.threadCount))
        } catch {
            throw .running(reason: "\(error)")
        }
        executor = try Self.running { () throws(GraphError) in try Executor(graph: graph, backend: backend) }
        if options.copiesWeightsFirst { executor.copyWeights() }
        let blockCount = (options.capacity + Self.blockSize - 1) / Self.blockSize
        capacity = blockCount * Self.blockSize
        blocks = (0..<blockCount).map { Int32($0) }
        var states: [Tensor] = []
        for spec in graph.states {
            do {
                states.append(try Tensor.allocate(spec.dtype, [capacity, spec.rowWidth]))
            } catch {
                throw .running(reason: "cache of '\(spec.name)': \(error)")
            }
        }
        self.states = states
    }

    /// Forgets the cached tokens from `count` on.
    package func truncate(to count: Int) { length = min(length, count) }

    /// Appends tokens to the sequence and returns the logits of the chosen rows, `[rows][vocabulary]`.
    package func forward(
        _ tokens: [Int32], asPrompt: Bool, sampling: Sampling = .last, residual: [Float]? = nil
    ) throws(ModelError) -> [[Float]] {
        let count = tokens.count
        guard count > 0, tokens.allSatisfy({ (0..<vocabularySize).contains(Int($0)) }) else {
            throw .running(reason: "expected token ids in 0..<\(vocabularySize), found \(tokens.prefix(8))")
        }
        guard length + count <= capacity else {
            throw .running(reason: "expected at most \(capacity) tokens, found \(length + count)")
        }
        // Cache rows are positions: the blocks are contiguous.
        let positions = (0..<count).map { Int32(length + $0) }
        let sampled = sampling == .all ? (0..<count).map { Int32($0) } : [Int32(count - 1)]
        // As long as the step before it took, and nothing before the first.
        if lastStep > .zero { executor.copyWeights(for: lastStep) }
        let start = clock.now
        try run(tokens, positions, sampled, isPrompt: asPrompt, residual)
        lastStep = start.duration(to: clock.now)
        length += count
        return try floats(Self.logitsOutput)
    }

    /// Rows of a float output of the last step.
    package func floats(_ name: String) throws(ModelError) -> [[Float]] {
        let view = try output(name)
        return (0..<view.dims[0]).map { Array(view.row($0)) }
    }

    /// Rows of an integer output of the last step.
    package func integers(_ name: String) throws(ModelError) -> [[Int32]] {
        let view = try output(name)
        let base = view.base.assumingMemoryBound(to: Int32.self)
        return (0..<view.dims[0]).map { row in
            (0..<view.dims[1]).map { base[row * view.strides[0] + $0 * view.strides[1]] }
        }
    }

    private func output(_ name: String) throws(ModelError) -> Executor.OutputView {
        guard let index = executor.outputIndex(named: name), let view = executor.output(index) else {
            throw .running(reason: "output '\(name)': the last step has none of this name")
        }
        return view
    }

    private func run(
        _ tokens: [Int32], _ positions: [Int32], _ sampled: [Int32], isPrompt: Bool, _ residual: [Float]?
    ) throws(ModelError) {
        // One allocation per call is fine here; the engine's path is the one that must not allocate.
        let addresses = states.compactMap { $0.storage.mutableBytes?.baseAddress }
        let count = tokens.count
        try Self.running { () throws(GraphError) in
            try tokens.withUnsafeBufferPointer { ids throws(GraphError) in
                try positions.withUnsafeBufferPointer { places throws(GraphError) in
                    try sampled.withUnsafeBufferPointer { rows throws(GraphError) in
                        try blocks.withUnsafeBufferPointer { table throws(GraphError) in
                            let sequence = AttentionSequence(
                                queryStart: 0, queryCount: count, contextLength: length + count,
                                blocks: table.baseAddress)
                            var step = StepInputs()
                            step.tokenIDs = ids.baseAddress
                            step.positions = places.baseAddress
                            step.slots = places.baseAddress
                            step.sampledRows = rows.baseAddress
                            step.sampledCount = rows.count
                            step.promptTokens = isPrompt ? count : 0
                            step.decodeTokens = isPrompt ? 0 : count
                            step.promptSequenceCount = isPrompt ? 1 : 0
                            step.blockSize = Self.blockSize
                            try submit(step, sequence, addresses, residual ?? [])
                        }
                    }
                }
            }
        }
    }

    private func submit(
        _ step: StepInputs, _ sequence: AttentionSequence, _ addresses: [UnsafeMutableRawPointer], _ residual: [Float]
    ) throws(GraphError) {
        var step = step
        try [sequence].withUnsafeBufferPointer { sequences throws(GraphError) in
            try addresses.withUnsafeBufferPointer { states throws(GraphError) in
                try residual.withUnsafeBufferPointer { values throws(GraphError) in
                    let start = values.isEmpty ? nil : values.baseAddress
                    let tensors = start.map { [UnsafeRawPointer($0)] } ?? []
                    try tensors.withUnsafeBufferPointer { tensors throws(GraphError) in
                        step.sequences = sequences
                        step.states = states
                        step.tensors = tensors
                        try executor.run(step)
                    }
                }
            }
        }
    }

    private static func running<Value>(_ body: () throws(GraphError) -> Value) throws(ModelError) -> Value {
        do {
            return try body()
        } catch {
            throw .graph(error)
        }
    }
}
