package import DSGraph
internal import DSKernels
package import DSModels
internal import DSSupport
package import DSTensor

/// Runs a traced model: one graph, its plans, and the key/value state of all requests.
package final class GraphModelRunner: ModelRunner {
    package let vocabularySize: Int
    package let maximumContext: Int
    package let blockCount: Int
    package let blockSize: Int
    /// Bytes of the key/value state.
    package let cacheBytes: Int
    private let weightBytes: Int

    package var note: String? {
        let notes = [pageIn?.note, executor.weightsNote].compactMap { $0 }
        return notes.isEmpty ? nil : notes.joined(separator: "; ")
    }
    /// Times of the steps that run; nil measures nothing.
    package var profile: StepProfile? {
        get { executor.profile }
        set { executor.profile = newValue }
    }

    /// Nil: not wanted.
    private let pageIn: PageIn.Outcome?
    private let executor: Executor
    private let logits: Int
    /// Nil: no embeddings are computed.
    private let hidden: Int?
    private let hiddenSize: Int
    let states: CacheStates
    private let inputs = BatchInputs()
    let draftModel: DraftModelRunner?
    package var drafter: (any DraftRunner)? { draftModel }
    /// The model's, and the drafter's.
    let graphs: [Graph]
    let backend: any Backend

    /// Tokens that the cache holds at most if the configuration does not say how large it is.
    private static let defaultTokens = 32_768

    /// Traces `model` for the processor at hand and allocates the cache.
    package convenience init(
        _ model: LoadedModel, _ configuration: EngineConfiguration, onPageIn: @escaping PageIn.Report = { _, _ in true }
    ) throws(EngineError) {
        let backend: CPUBackend
        do {
            let pool = try ThreadPool(
                threadCount: configuration.threads, pinning: configuration.pinning.threadPinning, bindsCaller: true)
            backend = try CPUBackend(kernels: KernelSet.selected(), pool: pool)
        } catch {
            throw .modelFailure("\(error)")
        }
        try self.init(model, configuration, backend: backend, onPageIn: onPageIn)
    }

    package init(
        _ model: LoadedModel, _ configuration: EngineConfiguration, backend: any Backend,
        onPageIn: @escaping PageIn.Report = { _, _ in true }
    ) throws(EngineError) {
        try configuration.kvCacheType.check(model)
        let options = TraceOptions(
            cacheType: configuration.kvCacheType.dtype, includesHidden: configuration.computesEmbeddings)
        let level = OptimizationLevel(rawValue: configuration.optimizeLevel) ?? .fusion
        let draft = try Self.draftLayer(model, configuration)
        let graph = try Self.running { () throws(GraphError) in
            let traced = try model.architecture.graph(options, includesResidual: draft != nil)
            return try PassPipeline(level: level).run(traced).graph
        }
        let draftGraph = try Self.running { () throws(GraphError) in
            try draft.map { layer throws(GraphError) in try DraftModelRunner.graph(layer, options, level) }
        }
        let bytesPerToken =
            CacheStates.byteCount(graph, rows: 1) + (draftGraph.map { CacheStates.byteCount($0, rows: 1) } ?? 0)
        blockCount = try Self.blockCount(
            configuration, model.configuration.maximumContext, bytesPerToken: bytesPerToken)
        let rows = blockCount * configuration.blockSize
        cacheBytes = rows * bytesPerToken
        weightBytes = model.files.reduce(0) { $0 + $1.count }
        pageIn = configuration.pagesIn ? PageIn.run(model.files, reservedBytes: cacheBytes, report: onPageIn) : nil
        let executor = try Self.running { [cacheBytes] () throws(GraphError) in
            try Executor(graph: graph, backend: backend, reservedBytes: cacheBytes)
        }
        self.executor = executor
        self.backend = backend
        graphs = [graph] + (draftGraph.map { [$0] } ?? [])
        guard let logits = executor.outputIndex(named: "logits") else {
            throw .modelFailure("the traced model has no output 'logits'")
        }
        self.logits = logits
        hidden = executor.outputIndex(named: "hidden")
        hiddenSize = model.configuration.hiddenSize
        vocabularySize = model.configuration.vocabularySize
        maximumContext = model.configuration.maximumContext
        blockSize = configuration.blockSize
        states = try Self.running { () throws(GraphError) in
            try CacheStates(graph, backend: backend, rows: rows)
        }
        draftModel = try Self.running { () throws(GraphError) in
            try draftGraph.map { graph throws(GraphError) in
                let residual = executor.outputIndex(named: "residual") ?? 0
                let copies = executor.weightCopies
                return try DraftModelRunner(
                    graph: graph, backend: backend, rows: rows, reservedBytes: copies.total - copies.made,
                    hiddenSize: model.configuration.hiddenSize, vocabularySize: model.configuration.vocabularySize
                ) { executor.outputRow(residual, $0) }
            }
        }
        // Of a mixture, a row meets a part of the weights only.
        let (all, active) = (model.inventory.parameters, model.inventory.activeParameters)
        promptRowsWorthCopies = backend.rowsWorthCopies.map { $0 * max(all, 1) / max(active, 1) }
        if configuration.copiesWeightsFirst { copyWeights(for: nil) }
    }

    /// The model's drafter if the configuration wants one; an error if it demands one that the model does not have.
    private static func draftLayer(
        _ model: LoadedModel, _ configuration: EngineConfiguration
    ) throws(EngineError) -> DraftLayer? {
        switch configuration.speculation {
        case .off, .lookup: return nil
        case .auto: return model.architecture.draft
        case .drafter:
            guard let draft = model.architecture.draft else {
                throw .invalidParameter(
                    field: "speculation",
                    expected: "auto, ngram or off for a model without a layer that predicts several tokens",
                    found: configuration.speculation.rawValue)
            }
            return draft
        }
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

    static func running<Value>(_ body: () throws(GraphError) -> Value) throws(EngineError) -> Value {
        do {
            return try body()
        } catch {
            throw .modelFailure("\(error)")
        }
    }

    /// Plans built and found, bytes of the arena.
    package var planStatistics: (plansBuilt: Int, planHits: Int) { executor.statistics }
    package var arenaBytes: Int { executor.arenaBytes }

    package var memory: EngineMemory {
        var memory = EngineMemory()
        memory.weightBytes = weightBytes
        memory.cacheBytes = cacheBytes
        memory.arenaBytes = arenaBytes
        (memory.plansBuilt, memory.planHits) = planStatistics
        return memory
    }

    package var weightCopies: CopyProgress {
        executor.weightCopies + (draftModel?.weightCopies ?? CopyProgress())
    }

    package let promptRowsWorthCopies: Int?

    /// The model's first, then the drafter's.
    package func copyWeights(for time: Duration?) {
        let wasComplete = executor.weightCopies.isComplete
        executor.copyWeights(for: time)
        if wasComplete || time == nil { draftModel?.copyWeights(for: time) }
    }

    package func hiddenRows(_ row: Int, count: Int) -> UnsafeBufferPointer<Float>? {
        hidden.flatMap { executor.outputRow($0, row) }.map { UnsafeBufferPointer(start: $0, count: count * hiddenSize) }
    }

    package func run(_ batch: Batch) throws(EngineError) -> UnsafeBufferPointer<Float> {
        try Self.running { () throws(GraphError) in try executor.run(inputs.step(batch, states)) }
        let count = batch.sampledRows.count
        guard count > 0 else { return UnsafeBufferPointer(start: nil, count: 0) }
        guard let first = executor.outputRow(logits, 0) else {
            throw .modelFailure("the step produced no logits")
        }
        return UnsafeBufferPointer(start: first, count: count * vocabularySize)
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
        for state in model.architecture.stateSpecs(dtype) + model.architecture.draftStateSpecs(dtype) {
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
    package convenience init(
        model: LoadedModel, configuration: EngineConfiguration, store: (any BlockStore)? = nil,
        onPageIn: @escaping PageIn.Report = { _, _ in true }
    ) throws(EngineError) {
        try configuration.validate()
        // config.json and generation_config.json may name different ones; each ends the output.
        var endTokens: [Int32] = []
        for token in model.tokenizer.endTokens + model.configuration.endTokens {
            if let token = Int32(exactly: token), !endTokens.contains(token) { endTokens.append(token) }
        }
        try self.init(
            runner: GraphModelRunner(model, configuration, onPageIn: onPageIn), endTokens: endTokens,
            configuration: configuration, store: store)
    }
}
