/// How prompts share a step.
extension Scheduler {
    /// Gives rows to running requests with more than one token to compute: half of them to the first one in the policy's order, so
    /// that every request has its turn, the others to those with the shortest way to go, so that a short prompt does not wait
    /// for a long one. The first one is among these with what its half leaves, perhaps a row.
    /// - Parameters:
    ///   - limit: rows that prompts may have; nil: all that the step has left.
    ///   - condition: which requests take part.
    mutating func schedulePrompts(
        atMost limit: Int?, _ budget: inout Budget, _ plan: inout StepPlan,
        where condition: (ScheduledSequence) -> Bool = { _ in true }
    ) {
        var prompts: [SequenceSlot] = []
        for slot in running {
            // Also one that started in this step and found all but its last token known.
            guard let sequence = sequences[slot.rawValue], !sequence.isPaused, sequence.scheduled == 0,
                condition(sequence)
            else { continue }
            prompts.append(slot)
        }
        guard let first = prompts.first else { return }
        computing.removeAll(keepingCapacity: true)
        for slot in prompts { adoptKnown(slot) }
        var left = min(budget.tokens, limit ?? .max)
        left -= compute(first, prompts.count == 1 ? left : (left + 1) / 2, &budget, &plan)
        for slot in prompts.sorted(by: { remaining($0) < remaining($1) }) where left > 0 {
            left -= slot == first ? extend(slot, left, &budget) : compute(slot, left, &budget, &plan)
        }
        // Others may have given up their blocks, and rows, since.
        let planned = prompts.reduce(0) { $0 + (sequences[$1.rawValue]?.scheduled ?? 0) }
        left = min(budget.tokens, limit.map { $0 - planned } ?? .max)
        if left > 0 { _ = extend(first, left, &budget) }
    }

    /// Tokens that the step leaves to later ones, as it is planned so far.
    private func remaining(_ slot: SequenceSlot) -> (Int, RequestID) {
        sequences[slot.rawValue].map { ($0.remaining - $0.scheduled, $0.id) } ?? (.max, RequestID(.max))
    }

    /// Schedules tokens of a request, unless another one computes the same block in this step: then it finds it in the next one.
    private mutating func compute(
        _ slot: SequenceSlot, _ count: Int, _ budget: inout Budget, _ plan: inout StepPlan
    ) -> Int {
        guard let sequence = sequences[slot.rawValue] else { return 0 }
        let next = sequence.computed / limits.blockSize
        if sequence.takesKnownBlocks, let keys = sequence.chain?.keys, next < keys.count,
            sequence.computed == next * limits.blockSize, computing.contains(keys[next])
        {
            return 0
        }
        let granted = grant(slot, count, &budget, &plan)
        noteComputing(slot)
        return granted
    }

    /// More tokens of a request that has some in this step; returns how many.
    private mutating func extend(_ slot: SequenceSlot, _ count: Int, _ budget: inout Budget) -> Int {
        guard let sequence = sequences[slot.rawValue], sequence.scheduled > 0 else { return 0 }
        let wanted = min(sequence.scheduled + min(count, budget.tokens), sequence.remaining)
        let more = reserve(wanted, for: slot) - sequence.scheduled
        guard more > 0 else { return 0 }
        sequences[slot.rawValue]?.scheduled += more
        budget.tokens -= more
        noteComputing(slot)
        return more
    }

    /// Remembers the blocks that become known by this step.
    private mutating func noteComputing(_ slot: SequenceSlot) {
        guard let sequence = sequences[slot.rawValue], sequence.scheduled > 0, let keys = sequence.chain?.keys,
            sequence.keptBlocks == sequence.computed / limits.blockSize
        else { return }
        let end = (sequence.computed + sequence.scheduled) / limits.blockSize
        for index in sequence.computed / limits.blockSize..<max(end, sequence.computed / limits.blockSize)
        where index < keys.count && index * limits.blockSize < sequence.promptCount {
            computing.insert(keys[index])
        }
    }
}
