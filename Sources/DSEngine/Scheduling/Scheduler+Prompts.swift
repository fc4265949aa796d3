/// How prompts share a step.
extension Scheduler {
    /// Gives rows to running requests with more than one token to compute: half of them to the first one in the policy's order, so
    /// that every request has its turn, the others to those with the shortest way to go, so that a short prompt does not wait
    /// for a long one. What nobody takes goes to the first one.
    mutating func schedulePrompts(_ rows: Int, _ budget: inout Budget, _ plan: inout StepPlan) {
        var prompts: [SequenceSlot] = []
        for slot in running {
            // Also one that started in this step and found all but its last token known.
            guard let sequence = sequences[slot.rawValue], !sequence.isPaused, sequence.scheduled == 0 else { continue }
            prompts.append(slot)
        }
        guard let first = prompts.first else { return }
        computing.removeAll(keepingCapacity: true)
        for slot in prompts { adoptKnown(slot) }
        var left = rows
        left -= compute(first, prompts.count == 1 ? left : (left + 1) / 2, &budget, &plan)
        for slot in prompts.dropFirst().sorted(by: { remaining($0) < remaining($1) }) where left > 0 {
            left -= compute(slot, left, &budget, &plan)
        }
        if left > 0, budget.tokens > 0 { extend(first, left, &budget) }
    }

    private func remaining(_ slot: SequenceSlot) -> (Int, RequestID) {
        sequences[slot.rawValue].map { ($0.remaining, $0.id) } ?? (.max, RequestID(.max))
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

    /// More tokens of a request that has some in this step.
    private mutating func extend(_ slot: SequenceSlot, _ count: Int, _ budget: inout Budget) {
        guard let sequence = sequences[slot.rawValue], sequence.scheduled > 0 else { return }
        let wanted = min(sequence.scheduled + min(count, budget.tokens), sequence.remaining)
        let granted = reserve(wanted, for: slot)
        guard granted > sequence.scheduled else { return }
        sequences[slot.rawValue]?.scheduled = granted
        budget.tokens -= granted - sequence.scheduled
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
