internal import DSGrammar

/// What constraints may take of a step. A grammar is allowed a fraction of a second for one token, which many at once would add up; those
/// that have no turn are left to the next step, which computes their row once more and chooses what this one would have.
extension EngineLoop {
    /// Calls `body` with each sampled row of the plan, the rows of one request in their order: first those whose constraints took little
    /// last time, then the others; both from where the last step stopped, so that each has its turn. The first token of the first of the
    /// others never waits, so that they go on whatever the quick ones take.
    func forEachRowToSample(_ body: (_ index: Int, _ mayWait: Bool) -> Void) {
        constraintsWait = false
        let hasSlow = markSlowConstraints()
        var begin = firstRow(of: nextQuickConstraint)
        nextQuickConstraint = nil
        for offset in plan.sampled.indices {
            let index = (begin + offset) % plan.sampled.count
            if !hasSlow || !isSlow(index) { body(index, true) }
        }
        guard hasSlow else { return }
        begin = firstRow(of: nextSlowConstraint)
        nextSlowConstraint = nil
        var first: RequestID?
        for offset in plan.sampled.indices {
            let index = (begin + offset) % plan.sampled.count
            guard isSlow(index) else { continue }
            if first == nil { first = plan.sampled[index].id }
            body(index, plan.sampled[index].id != first || plan.sampled[index].draft != nil)
        }
    }

    /// Where a request's rows begin, or those of one after it if it is gone; the order of rows is not that of ids.
    private func firstRow(of id: RequestID?) -> Int {
        guard let id else { return 0 }
        if let index = plan.sampled.firstIndex(where: { $0.id == id }) { return index }
        return plan.sampled.firstIndex { $0.id > id && $0.draft == nil } ?? 0
    }

    /// Whether constraints have taken what they may of this step.
    var constraintsAreOverdue: Bool {
        guard let constraintBudget else { return false }
        return constraintWork.time > constraintBudget
    }

    /// Half of what a step may take beside answers, where that does not grow with them; nil: no bound.
    var constraintBudget: Duration? { interTokenLatencyBound.seconds(besideAnswersOf: nil).map { .seconds($0 / 2) } }

    func leaveForLater(_ sampled: StepPlan.Sampled) -> Int32 {
        constraintsWait = true
        if active[sampled.slot.rawValue]?.hasSlowConstraint ?? true {
            nextSlowConstraint = nextSlowConstraint ?? sampled.id
        } else {
            nextQuickConstraint = nextQuickConstraint ?? sampled.id
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
