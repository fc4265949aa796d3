/// Planning: which tokens of which requests the next step computes.
extension Scheduler {
    /// Plans one step into `plan`, whose storage is reused. An empty plan means that nothing can run now.
    /// - Parameters:
    ///   - promptRows: how many rows of prompts a step may have beside requests that decode, so that those do not wait
    ///     longer than they should; nil: as many as there are. 0 leaves prompts to a later step, and who waits for a place.
    ///   - promptsAlone: prompts have this step for themselves if there are any to compute; requests that decode wait for the next one.
    package mutating func schedule(into plan: inout StepPlan, promptRows: Int? = nil, promptsAlone: Bool = false) {
        plan.removeAll()
        var budget = Budget(tokens: limits.maxBatchTokens, requests: limits.maxBatchSize)
        if promptsAlone {
            admitWaiting(&budget, &plan)
            schedulePrompts(atMost: nil, &budget, &plan) { !$0.isDecoding }
            if budget.tokens < limits.maxBatchTokens {
                plan.leavesAnswers = true
                return emit(into: &plan)
            }
        }
        scheduleDecodes(&budget, &plan)
        let isAlone = budget.tokens == limits.maxBatchTokens
        if isAlone || promptRows != 0 {
            if plan.preempted.isEmpty { admitWaiting(&budget, &plan) }
            schedulePrompts(atMost: isAlone ? nil : promptRows, &budget, &plan)
        }
        scheduleDrafts(&budget)
        emit(into: &plan)
    }

    /// What is left of a step's limits.
    struct Budget {
        var tokens: Int
        var requests: Int

        var isSpent: Bool { tokens == 0 || requests == 0 }

        mutating func spend(_ count: Int) {
            tokens -= count
            requests -= 1
        }
    }

    /// Gives a row to every running request that decodes, taking blocks from later ones if needed.
    private mutating func scheduleDecodes(_ budget: inout Budget, _ plan: inout StepPlan) {
        var index = 0
        while index < running.count, !budget.isSpent {
            let slot = running[index]
            if let sequence = sequences[slot.rawValue], sequence.isDecoding, !sequence.isPaused {
                _ = grant(slot, 1, &budget, &plan)
            }
            // Preemption may have removed entries before this one, or this one.
            index = (running.firstIndex(of: slot) ?? index - 1) + 1
        }
    }

    /// Has up to `count` known tokens of a running request computed, taking blocks from later requests if needed; if it is the last
    /// of all and nothing is left, it waits again. Returns how many.
    mutating func grant(
        _ slot: SequenceSlot, _ count: Int, _ budget: inout Budget, _ plan: inout StepPlan
    ) -> Int {
        guard let sequence = sequences[slot.rawValue], sequence.isRunning, !budget.isSpent else { return 0 }
        let wanted = min(count, sequence.remaining, budget.tokens)
        var granted = reserve(wanted, for: slot)
        while granted == 0, let victim = victim(), victim != slot {
            preempt(victim, &budget, &plan)
            granted = reserve(wanted, for: slot)
        }
        guard granted > 0 else {
            preempt(slot, &budget, &plan)
            return 0
        }
        sequences[slot.rawValue]?.scheduled = granted
        budget.spend(granted)
        return granted
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

    func blocksNeeded(for tokens: Int) -> Int { (tokens + limits.blockSize - 1) / limits.blockSize }

    /// Takes blocks for up to `count` more tokens; returns for how many there is room.
    mutating func reserve(_ count: Int, for slot: SequenceSlot) -> Int {
        guard let computed = sequences[slot.rawValue]?.computed, let held = sequences[slot.rawValue]?.blocks.count
        else { return 0 }
        let missing = max(0, blocksNeeded(for: computed + count) - held)
        let taken = min(missing, pool.freeCount)
        for _ in 0..<taken {
            if let block = takeBlock() { sequences[slot.rawValue]?.blocks.append(block) }
        }
        return min(count, (held + taken) * limits.blockSize - computed)
    }

    /// The running request to give up its blocks next: the last paused one that holds any, else the last.
    private func victim() -> SequenceSlot? {
        running.last { sequences[$0.rawValue]?.isPaused ?? false } ?? running.last
    }

    mutating func preempt(_ slot: SequenceSlot, _ budget: inout Budget, _ plan: inout StepPlan) {
        guard let id = sequences[slot.rawValue]?.id, let scheduled = sequences[slot.rawValue]?.scheduled else { return }
        if scheduled > 0 {
            budget.tokens += scheduled
            budget.requests += 1
        }
        keepGenerated(slot)
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
