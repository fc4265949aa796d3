/// One step's input as the model sees it: ragged rows, prompt rows first, without padding.
///
/// Rows [0, promptRows) are prompt tokens, rows [promptRows, rows) generated ones. A request that computes tokens of both
/// forms appears in `sequences` twice.
package final class Batch {
    /// Consecutive rows of one request.
    package struct Sequence: BitwiseCopyable, Equatable, Sendable {
        /// First row.
        package let queryStart: Int
        package let queryCount: Int
        /// Tokens that the last of these rows may attend to, itself included.
        package let contextLength: Int
        /// Index into `blockTables` of the request's first block.
        package let tableStart: Int
        package let tableCount: Int
    }

    /// [rows]
    package private(set) var tokenIDs: RowBuffer<Int32>
    /// Index of each row's token in its request, [rows].
    package private(set) var positions: RowBuffer<Int32>
    /// Row of the key/value state that each row writes, [rows]: block * blockSize + offset.
    package private(set) var slots: RowBuffer<Int32>
    /// Prompt sequences first, [sequences].
    package private(set) var sequences: RowBuffer<Sequence>
    /// Block ids of all sequences, one list after the other.
    package private(set) var blockTables: RowBuffer<Int32>
    /// Rows whose logits are wanted, ascending per sequence, [sampled].
    package private(set) var sampledRows: RowBuffer<Int32>
    package private(set) var promptRows = 0
    package private(set) var promptSequences = 0
    package let blockSize: Int

    package var rows: Int { tokenIDs.count }
    package var decodeRows: Int { rows - promptRows }

    package init(limits: Scheduler.Limits) {
        blockSize = limits.blockSize
        tokenIDs = RowBuffer(capacity: limits.maxBatchTokens)
        positions = RowBuffer(capacity: limits.maxBatchTokens)
        slots = RowBuffer(capacity: limits.maxBatchTokens)
        sequences = RowBuffer(capacity: 2 * limits.maxBatchSize)
        // Every block of the pool can be listed by one running request; a request with both forms lists its blocks twice.
        blockTables = RowBuffer(capacity: 2 * limits.blockCount)
        sampledRows = RowBuffer(capacity: limits.maxBatchTokens)
    }

    /// Replaces the content by what `plan` computes.
    package func build(_ plan: StepPlan, from scheduler: borrowing Scheduler) {
        removeAll()
        for chunk in plan.prompts { append(chunk, isPrompt: true, from: scheduler) }
        for chunk in plan.decodes { append(chunk, isPrompt: false, from: scheduler) }
        for row in plan.sampled { sample(row: row.row) }
    }

    private func append(_ chunk: StepPlan.Chunk, isPrompt: Bool, from scheduler: borrowing Scheduler) {
        scheduler.withSequence(chunk.slot) { tokens, draft, blocks in
            append(chunk.start..<chunk.end, blocks: blocks, isPrompt: isPrompt) { index in
                index < tokens.count ? tokens[index] : draft[index - tokens.count]
            }
        }
    }

    // MARK: Rows by hand

    func removeAll() {
        tokenIDs.removeAll()
        positions.removeAll()
        slots.removeAll()
        sequences.removeAll()
        blockTables.removeAll()
        sampledRows.removeAll()
        promptRows = 0
        promptSequences = 0
    }

    /// Adds rows at consecutive positions of a request whose cache lies in `blocks`, prompts before all others.
    func append(
        _ range: Range<Int>, blocks: [BlockID], isPrompt: Bool, token: (_ position: Int) -> Int32
    ) {
        precondition(!isPrompt || promptRows == rows, "rows of prompts come first")
        sequences.append(
            Sequence(
                queryStart: rows, queryCount: range.count, contextLength: range.upperBound,
                tableStart: blockTables.count, tableCount: blocks.count))
        for block in blocks { blockTables.append(block.rawValue) }
        for index in range {
            tokenIDs.append(token(index))
            positions.append(Int32(index))
            slots.append(blocks[index / blockSize].rawValue * Int32(blockSize) + Int32(index % blockSize))
        }
        if isPrompt {
            promptRows += range.count
            promptSequences += 1
        }
    }

    /// The logits of `row` are wanted.
    func sample(row: Int) { sampledRows.append(Int32(row)) }
}
