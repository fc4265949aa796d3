/// What a step tells the statistics.
extension EngineLoop {
    func noteScheduled(_ now: ContinuousClock.Instant) {
        for chunk in plan.prompts {
            guard let request = active[chunk.slot.rawValue], request.timings.scheduled == nil else { continue }
            leaveQueue(request)
            request.timings.scheduled = request.submitted.duration(to: now)
        }
    }

    /// A request counts as queued until its first step or its end, whichever comes first.
    func leaveQueue(_ request: ActiveRequest) {
        if request.timings.scheduled == nil { board.leaveQueue(tokens: request.promptCount) }
    }

    func finishStep(_ started: ContinuousClock.Instant) {
        let now = clock.now
        board.update { [plan, progress] in
            $0.steps += 1
            $0.lastStepTokens = plan.rows
            $0.promptTokens += plan.promptRows
            $0.generatedTokens += progress.count { $0.sampledIndex != nil }
            $0.preemptions += plan.preempted.count
            $0.stepTime += started.duration(to: now)
            $0.lastStep = now
            $0.turnStarted = now
        }
        noteStep(started, now)
        publish()
        // Steps that take long follow each other: what a step gave is not left until the end of the next one.
        wakeConsumers(dueAt: started.duration(to: now) >= Self.wakingInterval ? nil : now)
    }

    /// The thread turns to something else: it makes progress.
    func noteTurn() {
        let now = clock.now
        board.update { $0.turnStarted = now }
    }

    func publish() {
        let running = scheduler.runningCount
        let waiting = scheduler.waitingCount
        let paused = scheduler.pausedCount
        let used = scheduler.pool.usedCount
        let known = scheduler.knownBlockCount
        let prefixes = scheduler.prefixCounts
        let memory = runner.memory
        board.update {
            $0.memory = memory
            $0.cachedBlocks = known
            $0.prefixCacheQueries = prefixes.queriedTokens
            $0.prefixCacheHits = prefixes.hitTokens
            $0.prefixCacheEvictions = prefixes.evictedBlocks
            $0.runningRequests = running
            $0.waitingRequests = waiting
            $0.pausedRequests = paused
            $0.usedBlocks = used
        }
    }
}
