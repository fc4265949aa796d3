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
}
