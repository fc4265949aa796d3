/// What the loop reports about requests' times.
extension EngineLoop {
    /// Shares the time of a step's computation out to the requests in it, by rows.
    func attribute(since started: ContinuousClock.Instant) {
        let seconds = started.duration(to: clock.now) / .seconds(1)
        let share = seconds / Double(plan.rows)
        for chunk in plan.prompts {
            guard let request = active[chunk.slot.rawValue] else { continue }
            request.timings.computeSeconds += share * Double(chunk.count)
            notePrompt(chunk, request)
        }
        for chunk in plan.decodes { active[chunk.slot.rawValue]?.timings.computeSeconds += share * Double(chunk.count) }
        board.telemetry.computed(seconds: seconds)
    }

    /// A request that ends before its first token used this much of its prompt.
    private func notePrompt(_ chunk: StepPlan.Chunk, _ request: ActiveRequest) {
        let known = request.usage.promptTokens
        request.usage = scheduler.usage(of: chunk.slot)
        // A request that lost its blocks computes its tokens again.
        request.usage.promptTokens = max(known, min(request.promptCount, chunk.end))
    }

    /// A token was chosen for `request`. Those that one step gives together count as one.
    func noteToken(_ request: ActiveRequest, usage: TokenUsage, at now: ContinuousClock.Instant) {
        let time = request.submitted.duration(to: now)
        request.usage = usage
        if let last = request.timings.lastToken {
            if time > last { board.telemetry.nextToken(after: (time - last) / .seconds(1)) }
        } else {
            request.timings.firstToken = time
            board.telemetry.firstToken(after: time / .seconds(1), usage: usage)
        }
        request.timings.lastToken = time
    }

    func noteStep(_ started: ContinuousClock.Instant, _ now: ContinuousClock.Instant) {
        board.telemetry.stepped(
            seconds: started.duration(to: now) / .seconds(1), rows: plan.rows,
            tokens: progress.count { $0.sampledIndex != nil }, at: now)
        noteConstraints(started.duration(to: now))
    }

    /// Steps that compute prompts take long for another reason: their share would say nothing.
    private func noteConstraints(_ step: Duration) {
        constraintWork.time += sampler.maskingTime
        sampler.maskingTime = .zero
        if constraintWork.masks > 0, plan.promptRows == 0 { board.telemetry.constrained(constraintWork, step: step) }
        constraintWork = ConstraintWork()
    }

    func noteEnd(
        _ request: ActiveRequest, _ outcome: RequestOutcome, usage: TokenUsage, at now: ContinuousClock.Instant
    ) {
        let room = scheduler.limits.maximumContext - usage.promptTokens
        board.telemetry.ended(
            outcome, request.timings, usage, maxTokens: min(request.maxTokens ?? room, room), at: now)
    }
}
