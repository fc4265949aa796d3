/// What requests get from a step, and how they end.
extension EngineLoop {
    func emit(_ logits: UnsafeBufferPointer<Float>) {
        let now = clock.now
        emitPromptLogprobs(logits, now)
        for entry in progress {
            guard let request = active[entry.slot.rawValue], request.id == entry.id else { continue }
            if let index = entry.sampledIndex {
                let usage = entry.finish?.usage ?? scheduler.usage(of: entry.slot)
                noteToken(request, usage: usage, at: now)
                let token: GeneratedToken
                if let count = request.logprobs {
                    token = reporter.report(
                        chosen[index], row(index, of: logits), count: count, isTerminator: entry.isTerminator)
                } else {
                    token = GeneratedToken(id: chosen[index], isTerminator: entry.isTerminator)
                }
                request.tokenCount += 1
                send(.token(token), to: request, now: now)
            }
            if let ending = entry.finish {
                if let embedding = request.embedding { send(.embedding(embedding.values), to: request, now: now) }
                board.update { $0.finishedRequests += 1 }
                end(request, at: entry.slot, reason: ending.reason, usage: ending.usage, now: now)
            }
        }
    }

    /// Takes the hidden states of prompts whose embedding is wanted.
    func poolEmbeddings() {
        for chunk in plan.prompts {
            guard let request = active[chunk.slot.rawValue], request.embedding != nil,
                let rows = runner.hiddenRows(chunk.row, count: chunk.count)
            else { continue }
            request.embedding?.add(rows, count: chunk.count, start: chunk.start)
        }
    }

    /// One event per request with the rows of this step.
    func emitPromptLogprobs(_ logits: UnsafeBufferPointer<Float>, _ now: ContinuousClock.Instant) {
        var index = 0
        while index < plan.sampled.count {
            let first = plan.sampled[index]
            guard first.purpose == .promptLogprob, let request = active[first.slot.rawValue],
                let count = request.promptLogprobs
            else {
                index += 1
                continue
            }
            var tokens: [GeneratedToken] = []
            while index < plan.sampled.count, plan.sampled[index].id == first.id,
                plan.sampled[index].purpose == .promptLogprob
            {
                let target = plan.sampled[index].tokenIndex + 1
                let token = request.promptToken(at: target)
                tokens.append(reporter.report(token, row(index, of: logits), count: count, isTerminator: false))
                index += 1
            }
            send(.prompt(tokens), to: request, now: now)
        }
    }

    func send(_ event: TokenEvent, to request: ActiveRequest, now: ContinuousClock.Instant) {
        let isDue = isDue(request, now)
        if isDue { request.woken = now }
        request.holdsEvents = !isDue
        holdsEvents = holdsEvents || !isDue
        if !request.channel.send(event, wakes: isDue, account: request.account) {
            scheduler.setPaused(request.id, true)
        }
    }

    func isDue(_ request: ActiveRequest, _ now: ContinuousClock.Instant) -> Bool {
        request.woken.map { $0.duration(to: now) >= Self.wakingInterval } ?? true
    }

    /// Wakes the consumers that were not told of their last events: all, or those whose interval is over.
    func wakeConsumers(dueAt now: ContinuousClock.Instant? = nil) {
        guard holdsEvents else { return }
        holdsEvents = false
        for case let request? in active where request.holdsEvents {
            if let now, !isDue(request, now) {
                holdsEvents = true
                continue
            }
            request.holdsEvents = false
            request.woken = now ?? clock.now
            request.channel.wake()
        }
    }

    func end(
        _ request: ActiveRequest, at slot: SequenceSlot, reason: FinishReason, outcome: RequestOutcome? = nil,
        usage: TokenUsage, now: ContinuousClock.Instant
    ) {
        leaveQueue(request)
        request.timings.finished = request.submitted.duration(to: now)
        noteEnd(request, outcome ?? RequestOutcome(reason), usage: usage, at: now)
        _ = request.channel.send(
            .finished(GenerationResult(reason: reason, usage: usage, timings: request.timings)))
        // Of one that broke off not all of the prompt may have been computed.
        let used = reason == .cancelled ? request.usage : usage
        request.channel.close(account: RequestAccount(timings: request.timings, usage: used))
        active[slot.rawValue] = nil
    }

    func fail(_ request: ActiveRequest, _ error: EngineError) {
        leaveQueue(request)
        board.update {
            switch error {
            case .queueTimeout, .deadlineExceeded: $0.expiredRequests += 1
            default: $0.failedRequests += 1
            }
        }
        board.telemetry.failed()
        request.timings.finished = request.submitted.duration(to: clock.now)
        request.channel.close(.failure(error), account: request.account)
    }

    /// The forward pass failed: every request that took part ends with the error, the others go on.
    func failPlanned(_ error: EngineError) {
        for chunk in plan.prompts + plan.decodes {
            guard scheduler.cancel(chunk.id, hasFailed: true) != nil, let request = active[chunk.slot.rawValue] else {
                continue
            }
            fail(request, error)
            active[chunk.slot.rawValue] = nil
        }
    }
}
