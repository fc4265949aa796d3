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
            switch choose(row(index, of: logits), request, after: sampled.tokenIndex) {
            case .token(let token): chosen.append(token)
            case .end where sampled.draft != nil:
                // The next step, whose row is no guess, ends it.
                chosen.append(StepPlan.void)
            case .end:
                chosen.append(0)
                guard let (slot, usage) = scheduler.cancel(request.id) else { continue }
                board.update { $0.finishedRequests += 1 }
                end(request, at: slot, reason: .endOfSequence, usage: usage, now: clock.now)
            case .failure(let error):
                chosen.append(0)
                scheduler.cancel(request.id, hasFailed: true)
                fail(request, error)
                active[sampled.slot.rawValue] = nil
            }
        }
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
            let allowed = try constraining { () throws(GrammarError) in try request.constraint?.mask() }
            constraintWork.masks += 1
            if let token = sampler.next(row, &request.sampling, allowed: allowed) {
                try constraining { () throws(GrammarError) in try request.constraint?.accept(token) }
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

    private func constraining<Result>(
        _ body: () throws(GrammarError) -> Result
    ) throws(GrammarError) -> Result {
        let started = clock.now
        defer { constraintWork.time += started.duration(to: clock.now) }
        return try body()
    }
}
