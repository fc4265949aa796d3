package import DSGraph

/// Computes a batch: the only thing that the engine's loop knows about a model. Used by one thread at a time.
package protocol ModelRunner: AnyObject {
    /// Token ids are 0..<vocabularySize.
    var vocabularySize: Int { get }
    /// Positions that the model was made for.
    var maximumContext: Int { get }
    /// Blocks of the key/value state that this runner owns.
    var blockCount: Int { get }
    /// Tokens per block.
    var blockSize: Int { get }
    /// What the user should know about how the model runs here; nil: nothing.
    var note: String? { get }
    /// Guesses tokens from this runner's hidden states; nil: the model has no such part, or it is not wanted.
    var drafter: (any DraftRunner)? { get }

    /// What the runner keeps in memory.
    var memory: EngineMemory { get }

    /// How far copies of weights in a faster layout have come.
    var weightCopies: CopyProgress { get }

    /// A step with so many prompt rows gains more from copies than it takes to make all of them; nil: no step does.
    var promptRowsWorthCopies: Int? { get }

    /// Between two steps: copies weights for about `time` (`nil`: all that are left). Steps become faster, their results stay
    /// the same.
    func copyWeights(for time: Duration?)

    /// The hidden states after the last norm that the last step left, of `count` rows from `row` on, [count, hiddenSize]; nil: it
    /// leaves none.
    func hiddenRows(_ row: Int, count: Int) -> UnsafeBufferPointer<Float>?

    /// What must be equal for blocks of two runners to hold the same bits: model, types, layout, kernels. May read from files.
    var cacheIdentity: [UInt8] { get }

    /// Bytes of one block over all states, the drafter's among them; nil: blocks cannot be taken out.
    var blockBytes: Int? { get }

    /// Copies a block's rows out, [blockBytes]. Between two steps, as `importBlock`.
    func exportBlock(_ block: BlockID, into bytes: UnsafeMutableRawBufferPointer)

    /// Replaces a block's rows, [blockBytes].
    func importBlock(_ block: BlockID, from bytes: UnsafeRawBufferPointer)

    /// Writes the keys and values of every row and returns the logits of `batch.sampledRows`,
    /// [sampled, vocabularySize], valid until the next call.
    func run(_ batch: Batch) throws(EngineError) -> UnsafeBufferPointer<Float>
}

extension ModelRunner {
    package var note: String? { nil }
    package var drafter: (any DraftRunner)? { nil }
    package var weightCopies: CopyProgress { CopyProgress() }
    package var memory: EngineMemory { EngineMemory() }
    package var promptRowsWorthCopies: Int? { nil }
    package func copyWeights(for time: Duration?) {}
    package func hiddenRows(_ row: Int, count: Int) -> UnsafeBufferPointer<Float>? { nil }
    package var cacheIdentity: [UInt8] { [] }
    package var blockBytes: Int? { nil }
    package func exportBlock(_ block: BlockID, into bytes: UnsafeMutableRawBufferPointer) {}
    package func importBlock(_ block: BlockID, from bytes: UnsafeRawBufferPointer) {}
}
