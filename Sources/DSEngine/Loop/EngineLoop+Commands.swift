/// What others ask of the loop, between two steps.
extension EngineLoop {
    /// Carries out what was asked for; returns whether the mailbox is closed.
    package func drainCommands(mayWait: Bool) -> Bool {
        if mayWait { board.update { $0.turnStarted = nil } }
        let isClosed = mailbox.drain(into: &commands, mayWait: mayWait, deadline: nextDeadline)
        if mayWait { noteTurn() }
        for command in commands {
            switch command {
            case .submit(let submission): start(submission)
            case .cancel(let id): cancel(id)
            case .finish(let id): cancel(id, outcome: .stop)
            case .resume(let id): scheduler.setPaused(id, false)
            case .loaded(let id, let key, let load): traffic?.receive(id, key, load, &scheduler)
            }
        }
        if !commands.isEmpty { publish() }
        commands.removeAll(keepingCapacity: true)
        endLateRequests()
        handOverBlocks()
        return isClosed
    }

    /// Gives the blocks that became known to the store. Requests that others end have some, too.
    func handOverBlocks() {
        guard !scheduler.newBlocks.isEmpty else { return }
        traffic?.handOver(scheduler, hasDrafter: speculator?.drafterError == nil)
        scheduler.forgetNewBlocks()
    }

    func start(_ submission: Submission) {
        let slot = scheduler.add(
            SequenceRequest(
                id: submission.id, promptTokens: submission.request.promptTokens,
                stopping: submission.request.stopping,
                wantsPromptLogprobs: submission.request.promptLogprobs != nil,
                priority: submission.request.priority,
                needsAllRows: submission.request.pooling.map { $0 != .last } ?? false, chain: submission.chain))
        while active.count <= slot.rawValue { active.append(nil) }
        let request = ActiveRequest(submission, endTokens: scheduler.endTokens)
        active[slot.rawValue] = request
        if let deadline = deadline(of: request) { nextDeadline = min(nextDeadline ?? deadline.time, deadline.time) }
        traffic?.fetch(submission.id, &scheduler)
    }

    func cancel(_ id: RequestID, outcome: RequestOutcome = .abort) {
        guard let (slot, usage) = scheduler.cancel(id), let request = active[slot.rawValue] else { return }
        board.update {
            if outcome == .abort { $0.cancelledRequests += 1 } else { $0.finishedRequests += 1 }
        }
        end(request, at: slot, reason: .cancelled, outcome: outcome, usage: usage, now: clock.now)
    }
}
