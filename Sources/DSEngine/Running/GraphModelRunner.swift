package import DSGraph
internal import DSKernels
package import DSModels
package import DSTensor

/// Runs a traced model: one graph, its plans, and the key/value state of all requests.
package final class GraphModelRunner: ModelRunner {
    package let vocabularySize: Int
    package let maximumContext: Int
    package let blockCount: Int
    package let blockSize: Int
    /// Bytes of the key/value state.
    package let cacheBytes: Int

    package var note: String? { executor.weightsNote }
    /// Times of the steps that run; nil measures nothing.
    package var profile: StepProfile? {
        get { executor.profile }
        set { executor.profile = newValue }
    }

    private let executor: Executor
    private let logits: Int
    private let states: [any DeviceBuffer]
    private let stateAddresses: UnsafeMutableBufferPointer<UnsafeMutableRawPointer>
    private var sequences: UnsafeMutableBufferPointer<AttentionSequence>

    /// Tokens that the cache holds at most if the configuration does not say how large it is.
    private static let defaultTokens = 32_768

    /// Traces `model` for the processor at hand and allocates the cache.
    package convenience init(_ model: LoadedModel, _ configuration: EngineConfiguration) throws(EngineError) {
        let backend: CPUBackend
        do {
            backend = try CPUBackend(
                kernels: KernelSet.selected(), pool: ThreadPool(threadCount: configuration.threads))
        } catch {
            throw .modelFailure("\(error)")
        }
        try self.init(model, configuration, backend: backend)
    }

    package init(
        _ model: LoadedModel, _ configuration: EngineConfiguration, backend: any Backend
    ) throws(EngineError) {
        try configuration.kvCacheType.check(model)
        let options = TraceOptions(cacheType: configuration.kvCacheType.dtype)
        let graph = try Self.running { () throws(GraphError) in
            let traced = try model.architecture.graph(options)
            let level = OptimizationLevel(rawValue: configuration.optimizeLevel) ?? .fusion
            return try PassPipeline(level: level).run(traced).graph
        }
        let rowBytes = graph.states.compactMap(\.rowBytes)
        blockCount = try Self.blockCount(
            configuration, model.configuration.maximumContext, bytesPerToken: rowBytes.reduce(0, +))
        let rows = blockCount * configuration.blockSize
        cacheBytes = rows * rowBytes.reduce(0, +)
        executor = try Self.running { [cacheBytes] () throws(GraphError) in
            try Executor(graph: graph, backend: backend, reservedBytes: cacheBytes)
        }
        guard let logits = executor.outputIndex(named: "logits") else {
            throw .modelFailure("the traced model has no output 'logits'")
        }
        self.logits = logits
        vocabularySize = model.configuration.vocabularySize
        maximumContext = model.configuration.maximumContext
        blockSize = configuration.blockSize
        states = try Self.running { () throws(GraphError) in
            var buffers: [any DeviceBuffer] = []
            for bytes in rowBytes { buffers.append(try backend.makeBuffer(byteCount: rows * bytes, device: 0)) }
            return buffers
        }
        stateAddresses = .allocate(capacity: states.count)
        for (index, state) in states.enumerated() {
            stateAddresses.initializeElement(at: index, to: state.address)
        }
        sequences = .allocate(capacity: 2 * configuration.maxBatchSize)
    }

    deinit {
        stateAddresses.deallocate()
        sequences.deallocate()
    }

    private static func blockCount(
        _ configuration: EngineConfiguration, _ maximumContext: Int, bytesPerToken: Int
    ) throws(EngineError) -> Int {
        let blockSize = configuration.blockSize
        guard let bytes = configuration.kvCacheBytes else {
            let (wanted, overflow) = maximumContext.multipliedReportingOverflow(by: configuration.maxBatchSize)
            let tokens = overflow ? defaultTokens : min(wanted, defaultTokens)
            return (tokens + blockSize - 1) / blockSize
        }
        let count = bytes / max(1, bytesPerToken * blockSize)
        guard count > 0 else {
            throw .invalidParameter(
                field: "kv_cache_bytes", expected: "at least \(bytesPerToken * blockSize) (one block)",
                found: "\(bytes)")
        }
        return min(count, Int(Int32.max) / blockSize)
    }

    private static func running<Value>(_ body: () throws(GraphError) -> Value) throws(EngineError) -> Value {
        do {
            return try body()
        } catch {
            throw .modelFailure("\(error)")
        }
    }

    /// Plans built and found, bytes of the arena.
    package var planStatistics: (plansBuilt: Int, planHits: Int) { executor.statistics }
    package var arenaBytes: Int { executor.arenaBytes }

    package func run(_ batch: Batch) throws(EngineError) -> UnsafeBufferPointer<Float> {
        try Self.running { () throws(GraphError) in try executor.run(inputs(batch)) }
        let count = batch.sampledRows.count
        guard count > 0 else { return UnsafeBufferPointer(start: nil, count: 0) }
        guard let first = executor.outputRow(logits, 0) else {
            throw .modelFailure("the step produced no logits")
        }
        return UnsafeBufferPointer(start: first, count: count * vocabularySize)
    }

    private func inputs(_ batch: Batch) -> StepInputs {
        let count = batch.sequences.count
        if count > sequences.count {
            sequences.deallocate()
            sequences = .allocate(capacity: 2 * count)
        }
        for index in 0..<count {
            let sequence = batch.sequences[index]
            sequences.initializeElement(
                at: index,
                to: AttentionSequence(
                    queryStart: sequence.queryStart, queryCount: sequence.queryCount,
                    contextLength: sequence.contextLength, blocks: batch.blockTables.base + sequence.tableStart))
        }
        var step = StepInputs()
        step.tokenIDs = UnsafePointer(batch.tokenIDs.base)
        step.positions = UnsafePointer(batch.positions.base)
        step.slots = UnsafePointer(batch.slots.base)
        step.sampledRows = UnsafePointer(batch.sampledRows.base)
        step.sampledCount = batch.sampledRows.count
        step.promptTokens = batch.promptRows
        step.decodeTokens = batch.decodeRows
        step.sequences = UnsafeBufferPointer(rebasing: sequences[..<count])
        step.promptSequenceCount = batch.promptSequences
        step.blockSize = batch.blockSize
        step.states = UnsafeBufferPointer(stateAddresses)
        return step
    }
}

extension KVCacheType {
    package var dtype: DType {
        switch self {
        case .float32: .f32
        case .float16: .f16
        case .bfloat16: .bf16
        case .q8_0: .q8_0
        }
    }

    /// Throws if the model's cache rows are not whole blocks of this type.
    package func check(_ model: LoadedModel) throws(EngineError) {
        for state in model.architecture.stateSpecs(dtype) {
            guard let width = state.unfitPart else { continue }
            throw .invalidParameter(
                field: "kv_cache_type",
                expected: "a type without blocks, for \(state.name) has heads or parts of \(width) values",
                found: "\(rawValue) in blocks of \(dtype.blockElements)")
        }
    }
}

extension Engine {
    /// Starts an engine over a loaded model on the processor at hand.
    package convenience init(model: LoadedModel, configuration: EngineConfiguration) throws(EngineError) {
        try configuration.validate()
        // config.json and generation_config.json may name different ones; each ends the output.
        var endTokens: [Int32] = []
        for token in model.tokenizer.endTokens + model.configuration.endTokens {
            if let token = Int32(exactly: token), !endTokens.contains(token) { endTokens.append(token) }
        }
        try self.init(
            runner: GraphModelRunner(model, configuration), endTokens: endTokens, configuration: configuration)
    }
}
