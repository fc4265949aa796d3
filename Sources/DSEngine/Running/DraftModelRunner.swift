internal import DSGraph
internal import DSModels
internal import DSTensor

/// Runs a model's multi-token-prediction layer: a graph of its own over the model's blocks.
final class DraftModelRunner: DraftRunner {
    private let executor: Executor
    private let logits: Int
    private let residual: Int
    private let hiddenSize: Int
    private let vocabularySize: Int
    let states: CacheStates
    private let inputs = BatchInputs()
    /// The residual stream of the model's last step, by row.
    private let modelResidual: (Int) -> UnsafeMutablePointer<Float>?
    /// Hidden states that the rows continue, [rows, hiddenSize].
    private var sources = RowBuffer<Float>(capacity: 0)
    private let tensor = UnsafeMutableBufferPointer<UnsafeRawPointer>.allocate(capacity: 1)

    /// The layer's graph, optimised as the model's.
    static func graph(_ draft: DraftLayer, _ options: TraceOptions, _ level: OptimizationLevel) throws(GraphError)
        -> Graph
    {
        var trace = Trace()
        let outputs = try draft.trace(&trace, options)
        let traced = try trace.finish(outputs: [("logits", outputs.logits), ("residual", outputs.residual)])
        return try PassPipeline(level: level).run(traced).graph
    }

    /// - Parameters:
    ///   - rows: rows of the cache.
    ///   - reservedBytes: memory that is going to be used beside that cache and the layer's weights.
    ///   - modelResidual: where the model's last step left the residual stream of a row.
    init(
        graph: Graph, backend: any Backend, rows: Int, reservedBytes: Int, hiddenSize: Int, vocabularySize: Int,
        modelResidual: @escaping (Int) -> UnsafeMutablePointer<Float>?
    ) throws(GraphError) {
        self.hiddenSize = hiddenSize
        self.vocabularySize = vocabularySize
        self.modelResidual = modelResidual
        executor = try Executor(
            graph: graph, backend: backend, reservedBytes: CacheStates.byteCount(graph, rows: rows) + reservedBytes)
        guard let logits = executor.outputIndex(named: "logits"),
            let residual = executor.outputIndex(named: "residual")
        else { throw .binding(name: "drafter", expected: "outputs 'logits' and 'residual'", found: "\(graph.outputs)") }
        self.logits = logits
        self.residual = residual
        states = try CacheStates(graph, backend: backend, rows: rows)
    }

    deinit { tensor.deallocate() }

    var weightCopies: CopyProgress { executor.weightCopies }

    func copyWeights(for time: Duration?) { executor.copyWeights(for: time) }

    func run(
        _ batch: Batch, sources rows: borrowing RowBuffer<Int32>, isContinuation: Bool
    ) throws(EngineError) -> UnsafeBufferPointer<Float> {
        precondition(rows.count == batch.rows, "one source per row")
        sources.reserve(batch.rows * hiddenSize)
        for index in 0..<rows.count {
            let row = Int(rows[index])
            guard let source = isContinuation ? executor.outputRow(residual, row) : modelResidual(row) else {
                throw .modelFailure("the step left no hidden state of row \(row)")
            }
            (sources.base + index * hiddenSize).update(from: source, count: hiddenSize)
        }
        tensor.initialize(repeating: UnsafeRawPointer(sources.base))
        var step = inputs.step(batch, states)
        step.tensors = UnsafeBufferPointer(tensor)
        try GraphModelRunner.running { () throws(GraphError) in try executor.run(step) }
        let count = batch.sampledRows.count
        guard count > 0 else { return UnsafeBufferPointer(start: nil, count: 0) }
        return UnsafeBufferPointer(start: executor.outputRow(logits, 0), count: count * vocabularySize)
    }
}
