/// Decides what each step computes. A pure value: no clock, no lock, no I/O; the same calls give the same plans.
///
/// One rule: *a request has known tokens and computed tokens; each step spends a token budget making computed catch up
/// with known.* Requests that decode come first, then prompts, which share the rows that are left. Waiting requests start in order
/// of their priority, then of arrival. When blocks run out, the last running request in that order gives up its blocks and is
/// computed again later (a paused one before any other, so that a slow reader never holds up the rest).
package struct Scheduler: Sendable {
    package struct Limits: Sendable, Equatable {
        /// Rows per step.
        package var maxBatchTokens: Int
        /// Requests per step.
        package var maxBatchSize: Int
        /// Tokens per block.
        package var blockSize: Int
        package var blockCount: Int
        /// Tokens per request, prompt and output together. At most `blockSize * blockCount`, so that a request that has
        /// the pool for itself can always finish.
        package var maximumContext: Int

        package init(
            maxBatchTokens: Int, maxBatchSize: Int, blockSize: Int, blockCount: Int, maximumContext: Int
        ) {
            self.maxBatchTokens = maxBatchTokens
            self.maxBatchSize = maxBatchSize
            self.blockSize = blockSize
            self.blockCount = blockCount
            self.maximumContext = maximumContext
        }
    }

    /// In which order requests come.
    package enum Policy: Sendable, Equatable {
        case arrival
        /// A lower priority value first, then arrival; a waiting request takes the place of running ones with a higher value.
        case priority
    }

    package let limits: Limits
    package let policy: Policy
    /// Tokens with which the model itself ends its output.
    package let endTokens: [Int32]
    package internal(set) var pool: BlockPool
    /// What computes keys of blocks; nil: no block is shared.
    package let hasher: BlockHasher?
    var prefixes: PrefixIndex
    package internal(set) var prefixCounts = PrefixCounts()
    /// Blocks that were computed and made known since they were last handed over.
    package internal(set) var newBlocks: [KnownBlock] = []
    /// Keys of the blocks that the step being planned computes.
    var computing: Set<BlockKey> = []
    var sequences: [ScheduledSequence?] = []
    var freeSlots: [SequenceSlot] = []
    var slotOfRequest: [RequestID: SequenceSlot] = [:]
    /// Requests that were started, in the policy's order.
    var running: [SequenceSlot] = []
    /// Requests without blocks, in the policy's order.
    var waiting: [SequenceSlot] = []

    package init(
        limits: Limits, endTokens: [Int32] = [], policy: Policy = .arrival, hasher: BlockHasher? = nil
    ) {
        precondition(limits.blockSize > 0 && limits.maxBatchSize > 0)
        precondition(limits.maxBatchTokens >= limits.maxBatchSize, "each running request needs a row per step")
        precondition(limits.maximumContext <= limits.blockSize * limits.blockCount, "one request must fit the pool")
        self.limits = limits
        self.endTokens = endTokens
        self.policy = policy
        self.hasher = hasher
        precondition(hasher.map { $0.blockSize == limits.blockSize } ?? true, "keys of blocks of another size")
        prefixes = PrefixIndex(blockCount: hasher == nil ? 0 : limits.blockCount)
        pool = BlockPool(blockCount: limits.blockCount)
        running.reserveCapacity(limits.maxBatchSize + 1)
    }

    package var runningCount: Int { running.count }
    package var waitingCount: Int { waiting.count }
    package var pausedCount: Int { sequences.count { $0?.isPaused ?? false } }
    package var isIdle: Bool { slotOfRequest.isEmpty }

    // MARK: Requests

    /// Adds a request that was validated against `limits.maximumContext`. Ids must increase from call to call.
    @discardableResult
    package mutating func add(_ request: SequenceRequest) -> SequenceSlot {
        precondition(slotOfRequest[request.id] == nil, "request added twice")
        precondition(!request.promptTokens.isEmpty && request.promptTokens.count <= limits.maximumContext)
        let sequence = ScheduledSequence(
            request, maximumContext: limits.maximumContext, blockSize: limits.blockSize)
        let slot: SequenceSlot
        if let reused = freeSlots.popLast() {
            slot = reused
            sequences[slot.rawValue] = sequence
        } else {
            slot = SequenceSlot(sequences.count)
            sequences.append(sequence)
            freeSlots.reserveCapacity(sequences.count)
        }
        slotOfRequest[request.id] = slot
        insert(slot, into: \.waiting)
        return slot
    }

    /// Removes a request at once and frees its blocks; `nil` if it is unknown or ended already.
    /// - Parameter hasFailed: its rows are not to be trusted, and nobody finds its answer.
    @discardableResult
    package mutating func cancel(
        _ id: RequestID, hasFailed: Bool = false
    ) -> (slot: SequenceSlot, usage: TokenUsage)? {
        guard let slot = slotOfRequest[id], let usage = sequences[slot.rawValue]?.usage else { return nil }
        remove(slot, keepsAnswer: !hasFailed)
        return (slot, usage)
    }

    /// A request whose prefix is on its way from a store does not start before it is there. Unknown ids are ignored.
    package mutating func setFetching(_ id: RequestID, _ isFetching: Bool) {
        guard let slot = slotOfRequest[id] else { return }
        sequences[slot.rawValue]?.isFetching = isFetching
    }

    /// A paused request keeps its place and is not scheduled. Unknown ids are ignored: the request may just have ended.
    package mutating func setPaused(_ id: RequestID, _ isPaused: Bool) {
        guard let slot = slotOfRequest[id] else { return }
        sequences[slot.rawValue]?.isPaused = isPaused
    }

    // MARK: Reading

    package func slot(of id: RequestID) -> SequenceSlot? { slotOfRequest[id] }

    /// What the request in `slot` used so far; nothing for a slot without one.
    package func usage(of slot: SequenceSlot) -> TokenUsage { sequences[slot.rawValue]?.usage ?? TokenUsage() }

    /// Calls `body` with the known tokens, the drafted ones after them, and the blocks of the request in `slot`.
    package func withSequence<Result>(
        _ slot: SequenceSlot,
        _ body: (_ tokens: borrowing [Int32], _ draft: borrowing [Int32], _ blocks: borrowing [BlockID]) -> Result
    ) -> Result? {
        guard sequences.indices.contains(slot.rawValue), let sequence = sequences[slot.rawValue] else { return nil }
        return body(sequence.tokens, sequence.draft, sequence.blocks)
    }

    // MARK: Commit

    /// Records that `plan` was computed and that `tokens[i]` was chosen for `plan.sampled[i]` (ignored for rows that only
    /// report a prompt's log-probability; `StepPlan.void` for rows whose own token was guessed wrong, `StepPlan.postponed` for rows
    /// that are to be computed once more). Appends what happened to `progress`, in the order of the rows.
    package mutating func commit(_ plan: StepPlan, tokens: [Int32], into progress: inout [Progress]) {
        precondition(tokens.count == plan.sampled.count, "one token per sampled row")
        for chunk in plan.prompts { advance(chunk) }
        for chunk in plan.decodes { advance(chunk) }
        // Before their last block is made known, which the next step writes to.
        for (index, row) in plan.sampled.enumerated() where tokens[index] == StepPlan.postponed {
            settle(row.id, row.slot)
        }
        // Before any of them ends and gives up its blocks.
        for chunk in plan.prompts where slotOfRequest[chunk.id] == chunk.slot { keepComputed(chunk.slot) }
        for (index, row) in plan.sampled.enumerated() where slotOfRequest[row.id] == row.slot {
            switch row.purpose {
            case .promptLogprob:
                sequences[row.slot.rawValue]?.reportedPromptRows = row.tokenIndex + 1
            case .nextToken:
                guard tokens[index] != StepPlan.void, tokens[index] != StepPlan.postponed else { continue }
                if index + 1 < plan.sampled.count, plan.sampled[index + 1].id == row.id,
                    plan.sampled[index + 1].draft == tokens[index]
                {
                    sequences[row.slot.rawValue]?.acceptedCount += 1
                }
                append(tokens[index], from: row, at: index, into: &progress)
            }
        }
        for chunk in plan.decodes where chunk.drafted > 0 { settle(chunk.id, chunk.slot) }
        for chunk in plan.prompts where slotOfRequest[chunk.id] == chunk.slot {
            finishIfPromptOnly(chunk, into: &progress)
        }
    }

    private mutating func advance(_ chunk: StepPlan.Chunk) {
        guard slotOfRequest[chunk.id] == chunk.slot else { return }
        sequences[chunk.slot.rawValue]?.computed = chunk.end
        sequences[chunk.slot.rawValue]?.scheduled = 0
        sequences[chunk.slot.rawValue]?.draft.removeAll(keepingCapacity: true)
        sequences[chunk.slot.rawValue]?.draftedCount += chunk.drafted
    }

    /// What was computed for wrong guesses is computed again, and so is the last known token if nothing was chosen behind it.
    private mutating func settle(_ id: RequestID, _ slot: SequenceSlot) {
        guard slotOfRequest[id] == slot, let known = sequences[slot.rawValue]?.tokens.count else { return }
        sequences[slot.rawValue]?.computed = known - 1
    }

    private mutating func append(
        _ token: Int32, from row: StepPlan.Sampled, at index: Int, into progress: inout [Progress]
    ) {
        sequences[row.slot.rawValue]?.tokens.append(token)
        guard let ending = sequences[row.slot.rawValue]?.ending(after: token, endTokens: endTokens),
            let usage = sequences[row.slot.rawValue]?.usage
        else {
            progress.append(
                Progress(id: row.id, slot: row.slot, sampledIndex: index, isTerminator: false, finish: nil))
            return
        }
        progress.append(
            Progress(
                id: row.id, slot: row.slot, sampledIndex: index, isTerminator: ending.isTerminator,
                finish: .init(reason: ending.reason, usage: usage)))
        remove(row.slot)
    }

    /// A request for 0 tokens ends when its prompt is computed.
    private mutating func finishIfPromptOnly(_ chunk: StepPlan.Chunk, into progress: inout [Progress]) {
        guard let sequence = sequences[chunk.slot.rawValue], sequence.tokenLimit == sequence.promptCount,
            sequence.remaining == 0
        else { return }
        let ending = Progress.Ending(reason: .length, usage: sequence.usage)
        progress.append(
            Progress(id: chunk.id, slot: chunk.slot, sampledIndex: nil, isTerminator: false, finish: ending))
        remove(chunk.slot)
    }

    // MARK: Bookkeeping shared with planning

    mutating func releaseBlocks(of slot: SequenceSlot) {
        guard let count = sequences[slot.rawValue]?.blocks.count else { return }
        // Last block first, so that the pool hands them out again in their old order.
        for index in (0..<count).reversed() {
            if let block = sequences[slot.rawValue]?.blocks[index] { pool.release(block) }
        }
        sequences[slot.rawValue]?.blocks.removeAll(keepingCapacity: true)
        sequences[slot.rawValue]?.computed = 0
        sequences[slot.rawValue]?.followed = 0
        sequences[slot.rawValue]?.keptBlocks = 0
        sequences[slot.rawValue]?.scheduled = 0
        sequences[slot.rawValue]?.draft.removeAll(keepingCapacity: true)
    }

    mutating func insert(_ slot: SequenceSlot, into list: WritableKeyPath<Scheduler, [SequenceSlot]>) {
        guard let sequence = sequences[slot.rawValue] else { return }
        var index = self[keyPath: list].count
        while index > 0, let other = sequences[self[keyPath: list][index - 1].rawValue], precedes(sequence, other) {
            index -= 1
        }
        self[keyPath: list].insert(slot, at: index)
    }

    /// Whether a request comes before another one by the policy.
    func precedes(_ one: ScheduledSequence, _ other: ScheduledSequence) -> Bool {
        if policy == .priority, one.priority != other.priority { return one.priority < other.priority }
        return one.id < other.id
    }

    private mutating func remove(_ slot: SequenceSlot, keepsAnswer: Bool = true) {
        guard let id = sequences[slot.rawValue]?.id else { return }
        if keepsAnswer, hasher?.servesAnswers == true { keepAnswer(slot) }
        releaseBlocks(of: slot)
        running.removeAll { $0 == slot }
        waiting.removeAll { $0 == slot }
        slotOfRequest[id] = nil
        sequences[slot.rawValue] = nil
        freeSlots.append(slot)
    }
}
