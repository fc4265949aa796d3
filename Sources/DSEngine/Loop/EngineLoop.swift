/// The engine's turn: drain commands, plan, build, forward, sample, commit, emit. Owned by one thread.
///
/// A step whose buffers have seen their size before allocates nothing (unless a request asks for alternatives of its
/// log-probabilities).
package final class EngineLoop {
    package private(set) var scheduler: Scheduler
    private let runner: any ModelRunner
    private let batch: Batch
    private let mailbox: Mailbox
    private let board: StatisticsBoard
    private var sampler: Sampler
    private var reporter: LogprobReporter
    /// Nil: no tokens are guessed.
    private let speculator: Speculator?
    private var plan = StepPlan()
    /// Indexed by the scheduler's slots.
    private var active: [ActiveRequest?] = []
    private var commands: [Command] = []
    /// One per sampled row of the plan.
    private var chosen: [Int32] = []
    private var progress: [Progress] = []
    private let clock = ContinuousClock()
    /// Tokens are handed to a consumer at most this often: waking one costs as much as a small model's layer, and its
    /// thread takes a worker's processor.
    private static let wakingInterval = Duration.milliseconds(1)
    /// Whether any request `holdsEvents`.
    private var holdsEvents = false
    private let copier: WeightCopier

    package init(
        runner: any ModelRunner, limits: Scheduler.Limits, endTokens: [Int32], mailbox: Mailbox,
        board: StatisticsBoard, speculator: Speculator? = nil
    ) {
        self.runner = runner
        self.mailbox = mailbox
        self.board = board
        self.speculator = speculator
        scheduler = Scheduler(limits: limits, endTokens: endTokens)
        batch = Batch(limits: limits)
        sampler = Sampler(vocabularySize: runner.vocabularySize)
        reporter = LogprobReporter(vocabularySize: runner.vocabularySize)
        copier = WeightCopier(runner, board, speculator)
        chosen.reserveCapacity(limits.maxBatchTokens)
        progress.reserveCapacity(limits.maxBatchSize)
        board.update { [limits] in
            $0.totalBlocks = limits.blockCount
            $0.blockSize = limits.blockSize
        }
    }

    /// Runs until the mailbox is closed, then ends every request.
    func run() {
        // While nobody asks for anything yet, weights are copied.
        var mayWait = copier.isDone
        while !drainCommands(mayWait: mayWait) { mayWait = !step() }
        for request in active {
            if let request { fail(request, .shutDown) }
        }
    }

    // MARK: 1 Drain commands

    /// Carries out what was asked for; returns whether the mailbox is closed.
    package func drainCommands(mayWait: Bool) -> Bool {
        let isClosed = mailbox.drain(into: &commands, mayWait: mayWait)
        for command in commands {
            switch command {
            case .submit(let submission): start(submission)
            case .cancel(let id): cancel(id)
            case .resume(let id): scheduler.setPaused(id, false)
            }
        }
        if !commands.isEmpty { publish() }
        commands.removeAll(keepingCapacity: true)
        return isClosed
    }

    private func start(_ submission: Submission) {
        let slot = scheduler.add(
            SequenceRequest(
                id: submission.id, promptTokens: submission.request.promptTokens,
                stopping: submission.request.stopping,
                wantsPromptLogprobs: submission.request.promptLogprobs != nil))
        while active.count <= slot.rawValue { active.append(nil) }
        active[slot.rawValue] = ActiveRequest(submission, endTokens: scheduler.endTokens)
    }

    private func cancel(_ id: RequestID) {
        guard let (slot, usage) = scheduler.cancel(id), let request = active[slot.rawValue] else { return }
        board.update { $0.cancelledRequests += 1 }
        end(request, at: slot, reason: .cancelled, usage: usage, now: clock.now)
    }

    // MARK: 2-7 One step

    /// Computes one step; false if nothing could run, so that the thread may park.
    @discardableResult
    package func step() -> Bool {
        scheduler.schedule(into: &plan)
        // What follows may take long.
        if plan.isEmpty || plan.promptRows > 0 { wakeConsumers() }
        guard !plan.isEmpty else { return copier.copyWhileIdle() || !plan.preempted.isEmpty }
        copier.copy(before: plan) { mailbox.hasCommands }
        let started = clock.now
        noteScheduled(started)
        batch.build(plan, from: scheduler)
        do throws(EngineError) {
            let logits = try runner.run(batch)
            sample(logits)
            learn(started)
            progress.removeAll(keepingCapacity: true)
            scheduler.commit(plan, tokens: chosen, into: &progress)
            emit(logits)
            propose()
        } catch {
            failPlanned(error)
        }
        finishStep(started)
        if !copier.isDone { wakeConsumers() }
        copier.copy(
            after: plan, took: started.duration(to: clock.now), gaveTokens: progress.contains { $0.sampledIndex != nil }
        )
        return true
    }

    private func row(_ index: Int, of logits: UnsafeBufferPointer<Float>) -> UnsafeBufferPointer<Float> {
        let width = runner.vocabularySize
        return UnsafeBufferPointer(rebasing: logits[index * width..<(index + 1) * width])
    }

    private func sample(_ logits: UnsafeBufferPointer<Float>) {
        precondition(logits.count == plan.sampled.count * runner.vocabularySize, "one row of logits per sampled row")
        chosen.removeAll(keepingCapacity: true)
        for index in plan.sampled.indices {
            let sampled = plan.sampled[index]
            // A guess was wrong, or right and the last token of its request.
            if let draft = sampled.draft,
                chosen[index - 1] != draft || scheduler.isTerminator(draft, of: sampled.slot)
            {
                chosen.append(StepPlan.void)
                continue
            }
            guard sampled.purpose == .nextToken, let request = active[sampled.slot.rawValue] else {
                chosen.append(0)
                continue
            }
            if let token = sampler.next(row(index, of: logits), &request.sampling) {
                chosen.append(token)
            } else {
                chosen.append(0)
                scheduler.cancel(request.id)
                fail(request, .modelFailure("the logits after token \(sampled.tokenIndex) hold no number"))
                active[sampled.slot.rawValue] = nil
            }
        }
    }

    private func learn(_ started: ContinuousClock.Instant) {
        guard let speculator else { return }
        let seconds = started.duration(to: clock.now) / .seconds(1)
        speculator.learn(plan, chosen: chosen, seconds: seconds) { outcome in
            board.update { $0.record(outcome) }
        }
    }

    private func propose() {
        guard let speculator else { return }
        speculator.propose(after: plan, &scheduler) { slot in
            active[slot.rawValue].map { $0.sampling.parameters.temperature == 0 }
        }
        if let error = speculator.drafterError { board.update { $0.drafterError = error.description } }
    }

    // MARK: Emit

    private func emit(_ logits: UnsafeBufferPointer<Float>) {
        let now = clock.now
        emitPromptLogprobs(logits, now)
        for entry in progress {
            guard let request = active[entry.slot.rawValue], request.id == entry.id else { continue }
            if let index = entry.sampledIndex {
                if request.timings.firstToken == nil {
                    request.timings.firstToken = request.submitted.duration(to: now)
                }
                let token: GeneratedToken
                if let count = request.logprobs {
                    token = reporter.report(
                        chosen[index], row(index, of: logits), count: count, isTerminator: entry.isTerminator)
                } else {
                    token = GeneratedToken(id: chosen[index], isTerminator: entry.isTerminator)
                }
                send(.token(token), to: request, now: now)
            }
            if let ending = entry.finish {
                board.update { $0.finishedRequests += 1 }
                end(request, at: entry.slot, reason: ending.reason, usage: ending.usage, now: now)
            }
        }
    }

    /// One event per request with the rows of this step.
    private func emitPromptLogprobs(_ logits: UnsafeBufferPointer<Float>, _ now: ContinuousClock.Instant) {
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

    private func send(_ event: TokenEvent, to request: ActiveRequest, now: ContinuousClock.Instant) {
        let isDue = isDue(request, now)
        if isDue { request.woken = now }
        request.holdsEvents = !isDue
        holdsEvents = holdsEvents || !isDue
        if !request.channel.send(event, wakes: isDue) { scheduler.setPaused(request.id, true) }
    }

    private func isDue(_ request: ActiveRequest, _ now: ContinuousClock.Instant) -> Bool {
        request.woken.map { $0.duration(to: now) >= Self.wakingInterval } ?? true
    }

    /// Wakes the consumers that were not told of their last events: all, or those whose interval is over.
    private func wakeConsumers(dueAt now: ContinuousClock.Instant? = nil) {
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

    private func end(
        _ request: ActiveRequest, at slot: SequenceSlot, reason: FinishReason, usage: TokenUsage,
        now: ContinuousClock.Instant
    ) {
        leaveQueue(request)
        request.timings.finished = request.submitted.duration(to: now)
        _ = request.channel.send(
            .finished(GenerationResult(reason: reason, usage: usage, timings: request.timings)))
        request.channel.close()
        active[slot.rawValue] = nil
    }

    private func fail(_ request: ActiveRequest, _ error: EngineError) {
        leaveQueue(request)
        board.update { $0.failedRequests += 1 }
        request.channel.close(.failure(error))
    }

    /// The forward pass failed: every request that took part ends with the error, the others go on.
    private func failPlanned(_ error: EngineError) {
        for chunk in plan.prompts + plan.decodes {
            guard scheduler.cancel(chunk.id) != nil, let request = active[chunk.slot.rawValue] else { continue }
            fail(request, error)
            active[chunk.slot.rawValue] = nil
        }
    }

    // MARK: Statistics

    private func noteScheduled(_ now: ContinuousClock.Instant) {
        for chunk in plan.prompts {
            guard let request = active[chunk.slot.rawValue], request.timings.scheduled == nil else { continue }
            leaveQueue(request)
            request.timings.scheduled = request.submitted.duration(to: now)
        }
    }

    /// A request counts as queued until its first step or its end, whichever comes first.
    private func leaveQueue(_ request: ActiveRequest) {
        if request.timings.scheduled == nil { board.leaveQueue() }
    }

    private func finishStep(_ started: ContinuousClock.Instant) {
        let now = clock.now
        board.update { [plan, progress] in
            $0.steps += 1
            $0.lastStepTokens = plan.rows
            $0.promptTokens += plan.promptRows
            $0.generatedTokens += progress.count { $0.sampledIndex != nil }
            $0.preemptions += plan.preempted.count
            $0.stepTime += started.duration(to: now)
            $0.lastStep = now
        }
        publish()
        // Steps that take long follow each other: what a step gave is not left until the end of the next one.
        wakeConsumers(dueAt: started.duration(to: now) >= Self.wakingInterval ? nil : now)
    }

    private func publish() {
        let running = scheduler.runningCount
        let waiting = scheduler.waitingCount
        let paused = scheduler.pausedCount
        let used = scheduler.pool.usedCount
        board.update {
            $0.runningRequests = running
            $0.waitingRequests = waiting
            $0.pausedRequests = paused
            $0.usedBlocks = used
        }
    }
}
