/// Planning: which tokens of which requests the next step computes.
extension Scheduler {
    /// Plans one step into `plan`, whose storage is reused. An empty plan means that nothing can run now.
    package mutating func schedule(into plan: inout StepPlan) {
        plan.removeAll()
        var budget = Budget(tokens: limits.maxBatchTokens, requests: limits.maxBatchSize)
        scheduleRunning(&budget, &plan) { $0.isDecoding }
        scheduleRunning(&budget, &plan) { !$0.isDecoding }
        if plan.preempted.isEmpty { admitWaiting(&budget, &plan) }
        scheduleDrafts(&budget)
        emit(into: &plan)
    }

    /// What is left of a step's limits.
    private struct Budget {
        var tokens: Int
        var requests: Int

        var isSpent: Bool { tokens == 0 || requests == 0 }

        mutating func spend(_ count: Int) {
            tokens -= count
            requests -= 1
        }
    }

    /// Gives tokens to running requests that satisfy `condition`, oldest first, taking blocks from younger ones if needed.
    private mutating func scheduleRunning(
        _ budget: inout Budget, _ plan: inout StepPlan, where condition: (ScheduledSequence) -> Bool
    ) {
        var index = 0
        while index < running.count, !budget.isSpent {
            let slot = running[index]
            guard
                let (wanted, isCandidate) = sequences[slot.rawValue].map({ sequence in
                    (sequence.remaining, !sequence.isPaused && sequence.scheduled == 0 && condition(sequence))
                }), isCandidate
            else {
                index += 1
                continue
            }
            var count = reserve(min(wanted, budget.tokens), for: slot)
            while count == 0, let victim = victim(), victim != slot {
                preempt(victim, &budget, &plan)
                count = reserve(min(wanted, budget.tokens), for: slot)
            }
            if count == 0 {
                // The youngest of all, and nothing is left: it waits, and every later entry of the list is gone already.
                preempt(slot, &budget, &plan)
                return
            }
            sequences[slot.rawValue]?.scheduled = count
            budget.spend(count)
            // Preemption may have removed entries before this one.
            index = (running.firstIndex(of: slot) ?? index) + 1
        }
    }

    /// Adds drafted tokens to the requests that decode, from rows that nobody needs for known tokens: one for each of them in
    /// turn, oldest first.
    private mutating func scheduleDrafts(_ budget: inout Budget) {
        var scheduled = 1
        var isDone = false
        while !isDone {
            isDone = true
            for slot in running where budget.tokens > 0 {
                guard let sequence = sequences[slot.rawValue], sequence.scheduled == scheduled,
                    sequence.draft.count >= scheduled,
                    sequence.computed + scheduled < sequence.blocks.count * limits.blockSize
                else { continue }
                sequences[slot.rawValue]?.scheduled += 1
                budget.tokens -= 1
                isDone = false
            }
            scheduled += 1
        }
    }

    /// Starts waiting requests in order of arrival. One starts only if all its known tokens fit beside what the running
    /// requests still need for theirs, so that a start is not paid for by a preemption right after.
    private mutating func admitWaiting(_ budget: inout Budget, _ plan: inout StepPlan) {
        var room = admissionRoom()
        var index = 0
        while index < waiting.count, !budget.isSpent, room.active < limits.maxBatchSize {
            let slot = waiting[index]
            guard let known = sequences[slot.rawValue].flatMap({ $0.isPaused ? nil : $0.tokens.count }) else {
                index += 1
                continue
            }
            let needed = blocksNeeded(for: known)
            guard needed <= room.unclaimed + room.paused else { return }
            while needed > room.unclaimed, let slot = running.last(where: { sequences[$0.rawValue]?.isPaused ?? false })
            {
                let count = sequences[slot.rawValue]?.blocks.count ?? 0
                room.unclaimed += count
                room.paused -= count
                // An older request may now wait before the one at `index`; it is paused, and skipped as such.
                preempt(slot, &budget, &plan)
            }
            guard let index = waiting.firstIndex(of: slot), reserve(min(known, budget.tokens), for: slot) > 0 else {
                return
            }
            let count = min(known, budget.tokens)
            waiting.remove(at: index)
            sequences[slot.rawValue]?.isRunning = true
            sequences[slot.rawValue]?.scheduled = count
            insert(slot, into: \.running)
            room.unclaimed -= needed
            room.active += 1
            budget.spend(count)
        }
    }

    /// Blocks that a new request could have now (`unclaimed`), more that paused requests could give up (`paused`), and
    /// the number of running requests that are not paused.
    private func admissionRoom() -> (unclaimed: Int, paused: Int, active: Int) {
        var room = (unclaimed: pool.freeCount, paused: 0, active: 0)
        for slot in running {
            guard let sequence = sequences[slot.rawValue] else { continue }
            if sequence.isPaused {
                room.paused += sequence.blocks.count
            } else {
                room.unclaimed -= max(0, blocksNeeded(for: sequence.tokens.count) - sequence.blocks.count)
                room.active += 1
            }
        }
        return room
    }

    private func blocksNeeded(for tokens: Int) -> Int { (tokens + limits.blockSize - 1) / limits.blockSize }

    /// Takes blocks for up to `count` more tokens; returns for how many there is room.
    mutating func reserve(_ count: Int, for slot: SequenceSlot) -> Int {
        guard let computed = sequences[slot.rawValue]?.computed, let held = sequences[slot.rawValue]?.blocks.count
        else { return 0 }
        let missing = max(0, blocksNeeded(for: computed + count) - held)
        let taken = min(missing, pool.freeCount)
        for _ in 0..<taken {
            if let block = pool.allocate() { sequences[slot.rawValue]?.blocks.append(block) }
        }
        return min(count, (held + taken) * limits.blockSize - computed)
    }

    /// The running request to give up its blocks next: the youngest paused one that holds any, else the youngest.
    private func victim() -> SequenceSlot? {
        running.last { sequences[$0.rawValue]?.isPaused ?? false } ?? running.last
    }

    private mutating func preempt(_ slot: SequenceSlot, _ budget: inout Budget, _ plan: inout StepPlan) {
        guard let id = sequences[slot.rawValue]?.id, let scheduled = sequences[slot.rawValue]?.scheduled else { return }
        if scheduled > 0 {
            budget.tokens += scheduled
            budget.requests += 1
        }
        releaseBlocks(of: slot)
        sequences[slot.rawValue]?.isRunning = false
        sequences[slot.rawValue]?.preemptions += 1
        running.removeAll { $0 == slot }
        insert(slot, into: \.waiting)
        plan.preempted.append(id)
    }

    // MARK: Rows

    /// Writes the scheduled tokens as chunks: prompt chunks first, then decode chunks. A request that is computed again
    /// after a preemption can have both; which form a token takes depends on its index alone.
    private func emit(into plan: inout StepPlan) {
        for slot in running {
            guard let sequence = sequences[slot.rawValue], sequence.scheduled > 0 else { continue }
            let end = min(sequence.computed + sequence.scheduled, sequence.promptCount)
            if sequence.computed < end {
                plan.prompts.append(
                    .init(
                        id: sequence.id, slot: slot, start: sequence.computed, count: end - sequence.computed,
                        row: plan.promptRows, drafted: 0))
                emitSampled(of: sequence, plan.prompts[plan.prompts.count - 1], into: &plan)
                plan.promptRows += end - sequence.computed
            }
        }
        for slot in running {
            guard let sequence = sequences[slot.rawValue], sequence.scheduled > 0 else { continue }
            let start = max(sequence.computed, sequence.promptCount)
            let end = sequence.computed + sequence.scheduled
            if start < end {
                plan.decodes.append(
                    .init(
                        id: sequence.id, slot: slot, start: start, count: end - start, row: plan.rows,
                        drafted: max(0, end - sequence.tokens.count)))
                emitSampled(of: sequence, plan.decodes[plan.decodes.count - 1], into: &plan)
                plan.decodeRows += end - start
            }
        }
    }

    private func emitSampled(of sequence: ScheduledSequence, _ chunk: StepPlan.Chunk, into plan: inout StepPlan) {
        if sequence.wantsPromptLogprobs {
            let first = max(chunk.start, sequence.reportedPromptRows)
            let end = min(chunk.end, sequence.promptCount - 1)
            for index in stride(from: first, to: end, by: 1) {
                plan.sampled.append(
                    .init(
                        id: sequence.id, slot: chunk.slot, row: chunk.row + index - chunk.start, tokenIndex: index,
                        purpose: .promptLogprob, draft: nil))
            }
        }
        let known = sequence.tokens.count
        guard chunk.end >= known, known < sequence.tokenLimit else { return }
        for index in known - 1..<chunk.end {
            plan.sampled.append(
                .init(
                    id: sequence.id, slot: chunk.slot, row: chunk.row + index - chunk.start, tokenIndex: index,
                    purpose: .nextToken, draft: index < known ? nil : sequence.draft[index - known]))
        }
    }
}
