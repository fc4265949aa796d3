internal import DSGraph
internal import DSKernels

/// A batch as a graph's executor takes it; the memory for its sequences is reused.
final class BatchInputs {
    private var sequences = RowBuffer<AttentionSequence>(capacity: 16)

    /// The inputs of a step over `states`. Valid until the next call, and as long as the batch is not changed.
    func step(_ batch: Batch, _ states: CacheStates) -> StepInputs {
        sequences.removeAll()
        for index in 0..<batch.sequences.count {
            let sequence = batch.sequences[index]
            sequences.append(
                AttentionSequence(
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
        step.sequences = sequences.elements
        step.promptSequenceCount = batch.promptSequences
        step.blockSize = batch.blockSize
        step.states = UnsafeBufferPointer(states.addresses)
        return step
    }
}
