internal import DSGrammar

/// What constraints may take of a step. A grammar is allowed a fraction of a second for one token, which many at once would add up; those
/// that have no turn are left to the next step, which computes their row once more and chooses what this one would have.
extension EngineLoop {
    /// Calls `body` with each sampled row of the plan, the rows of one request in their order: first those whose constraints took little
    /// last time, then the others, from where the last step stopped, so that each has its turn. The first of the others always has its
    /// turn.
    func forEachRowToSample(_ body: (_ index: Int, _ mayWait: Bool) -> Void) {
        guard markSlowConstraints() else {
            for index in plan.sampled.indices { body(index, true) }
            return
        }
        for index in plan.sampled.indices where !isSlow(index) { body(index, true) }
        var begin = 0
        if let next = nextSlowConstraint {
            // It may have ended; the order of rows is not that of ids.
            begin = plan.sampled.firstIndex { $0.id == next } ?? plan.sampled.firstIndex { $0.id > next } ?? 0
        }
        nextSlowConstraint = nil
        var first: RequestID?
        for offset in plan.sampled.indices {
            let index = (begin + offset) % plan.sampled.count
            guard isSlow(index) else { continue }
            if first == nil { first = plan.sampled[index].id }
            body(index, plan.sampled[index].id != first)
        }
    }

    /// Whether constraints have taken what they may of this step.
    var constraintsAreOverdue: Bool {
        guard let constraintBudget else { return false }
        return constraintWork.time > constraintBudget
    }

    /// Half of what a step may take beside answers; nil: no bound.
    var constraintBudget: Duration? { interTokenLatencyBound.seconds(besideAnswersOf: nil).map { .seconds($0 / 2) } }

    func leaveForLater(_ sampled: StepPlan.Sampled) -> Int32 {
        guard sampled.draft == nil else { return StepPlan.void }
        if active[sampled.slot.rawValue]?.hasSlowConstraint == true, nextSlowConstraint == nil {
            nextSlowConstraint = sampled.id
        }
        return StepPlan.postponed
    }

    /// Measures `body` as part of what a request's constraint takes.
    func constraining<Result>(
        _ request: ActiveRequest, _ body: () throws(GrammarError) -> Result
    ) throws(GrammarError) -> Result {
        let started = clock.now
        defer {
            let time = started.duration(to: clock.now)
            constraintWork.time += time
            request.constraintTime += time
        }
        return try body()
    }

    /// Decides for the coming step whose constraints are slow; false if nobody's.
    private func markSlowConstraints() -> Bool {
        guard let constraintBudget else { return false }
        // If no constraint takes more than this, all together stay within what they may take.
        let share = constraintBudget / scheduler.limits.maxBatchSize
        var found = false
        for sampled in plan.sampled where sampled.draft == nil {
            guard let request = active[sampled.slot.rawValue], request.constraint != nil else { continue }
            // What it took when it last had its turn.
            if request.constraintTime > .zero {
                request.hasSlowConstraint = request.constraintTime > share
                request.constraintTime = .zero
            }
            if request.hasSlowConstraint { found = true }
        }
        return found
    }

    private func isSlow(_ index: Int) -> Bool {
        active[plan.sampled[index].slot.rawValue]?.hasSlowConstraint ?? false
    }
}
