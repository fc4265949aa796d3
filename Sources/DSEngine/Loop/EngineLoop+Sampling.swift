internal import DSGrammar

/// From logits to the chosen tokens, and guesses at those after them.
extension EngineLoop {
    func row(_ index: Int, of logits: UnsafeBufferPointer<Float>) -> UnsafeBufferPointer<Float> {
        let width = runner.vocabularySize
        return UnsafeBufferPointer(rebasing: logits[index * width..<(index + 1) * width])
    }

    func sample(_ logits: UnsafeBufferPointer<Float>) {
        precondition(logits.count == plan.sampled.count * runner.vocabularySize, "one row of logits per sampled row")
        chosen.removeAll(keepingCapacity: true)
        chosen.append(contentsOf: repeatElement(StepPlan.void, count: plan.sampled.count))
        forEachRowToSample { index, mayWait in
            chosen[index] = token(of: index, row(index, of: logits), mayWait: mayWait)
        }
    }

    /// What is chosen for a sampled row of the plan; a request that fails or ends by its constraint ends here.
    /// - Parameter mayWait: a row with a constraint is left to the next step if constraints took their part of this one.
    private func token(of index: Int, _ row: UnsafeBufferPointer<Float>, mayWait: Bool) -> Int32 {
        let sampled = plan.sampled[index]
        // A guess was wrong, or right and the last token of its request.
        if let draft = sampled.draft, chosen[index - 1] != draft || scheduler.isTerminator(draft, of: sampled.slot) {
            return StepPlan.void
        }
        guard sampled.purpose == .nextToken, let request = active[sampled.slot.rawValue] else { return 0 }
        if mayWait, request.constraint != nil, constraintsAreOverdue { return leaveForLater(sampled) }
        switch choose(row, request, after: sampled.tokenIndex) {
        case .token(let token): return token
        case .end where sampled.draft != nil:
            // The next step, whose row is no guess, ends it.
            return StepPlan.void
        case .end:
            guard let (slot, usage) = scheduler.cancel(request.id) else { return 0 }
            board.update { $0.finishedRequests += 1 }
            end(request, at: slot, reason: .endOfSequence, usage: usage, now: clock.now)
        case .failure(let error):
            scheduler.cancel(request.id, hasFailed: true)
            fail(request, error)
            active[sampled.slot.rawValue] = nil
        }
        return 0
    }

    func learn(_ started: ContinuousClock.Instant) {
        guard let speculator else { return }
        let seconds = started.duration(to: clock.now) / .seconds(1)
        speculator.learn(plan, chosen: chosen, seconds: seconds) { outcome in
            board.update { $0.record(outcome) }
        }
    }

    func propose() {
        guard let speculator else { return }
        speculator.propose(after: plan, &scheduler) { slot in
            active[slot.rawValue].map { $0.sampling.parameters.temperature == 0 }
        }
        if let error = speculator.drafterError { board.update { $0.drafterError = error.description } }
    }

    private enum Choice {
        case token(Int32)
        /// The request's constraint is satisfied and allows nothing more.
        case end
        case failure(EngineError)
    }

    private func choose(
        _ row: UnsafeBufferPointer<Float>, _ request: ActiveRequest, after tokenIndex: Int
    ) -> Choice {
        guard request.constraint != nil else {
            if let token = sampler.next(row, &request.sampling) { return .token(token) }
            return .failure(.modelFailure("the logits after token \(tokenIndex) hold no number"))
        }
        // The row lies in other processors' caches, for which every choice pays: no part of what constraints take.
        guard LogitScan.maximum(row) > -.infinity else {
            return .failure(.modelFailure("the logits after token \(tokenIndex) hold no number"))
        }
        do {
            let allowed = try constraining(request) { () throws(GrammarError) in try request.constraint?.mask() }
            constraintWork.masks += 1
            if let token = sampler.next(row, &request.sampling, allowed: allowed) {
                try constraining(request) { () throws(GrammarError) in try request.constraint?.accept(token) }
                return .token(token)
            }
            if try request.constraint?.isComplete ?? false { return .end }
            guard allowed?.isEmpty ?? false else {
                return .failure(
                    .modelFailure("the logits after token \(tokenIndex) hold no number for an allowed token"))
            }
            return .failure(
                unmet(
                    request,
                    "expected a grammar whose texts the model's tokens can write, found none that "
                        + "goes on after token \(tokenIndex)"))
        } catch {
            return .failure(unmet(request, error.description))
        }
    }

    private func unmet(_ request: ActiveRequest, _ reason: String) -> EngineError {
        .invalidConstraint(field: request.constraint?.field ?? "grammar", reason: reason)
    }
}
