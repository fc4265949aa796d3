/// How long steps take: prompts beside requests that generate get what the configured time leaves.
extension EngineLoop {
    /// Rows of prompts that the coming step may have beside requests that decode; nil: no limit.
    func promptRows() -> Int? {
        guard interTokenLatencyBound != .none, let outlook = scheduler.outlook(),
            let limit = interTokenLatencyBound.seconds(besideAnswersOf: stepTimes.plainSeconds(outlook.decodes))
        else { return nil }
        return stepTimes.promptRows(
            within: limit, beside: outlook.decodes, depth: outlook.promptDepth, block: scheduler.limits.blockSize,
            atMost: scheduler.limits.maxBatchTokens)
    }

    func noteStepTime(_ started: ContinuousClock.Instant) {
        guard interTokenLatencyBound != .none else { return }
        stepTimes.record(plan.work, seconds: started.duration(to: clock.now) / .seconds(1))
    }
}

extension StepPlan {
    /// What the step's time depends on.
    var work: StepTimes.Work {
        var work = StepTimes.Work()
        for chunk in decodes {
            work.decodeRows += chunk.count
            work.decodeContext += chunk.end
        }
        for chunk in prompts { work = work.adding(promptRows: chunk.count, at: chunk.start) }
        return work
    }
}

extension Scheduler {
    /// What the coming step will have beside prompts, and how many tokens the longest prompt under way has behind it; nil if no step
    /// has both.
    func outlook() -> (decodes: StepTimes.Work, promptDepth: Int)? {
        var decodes = StepTimes.Work()
        var depth: Int?
        for slot in running {
            guard let sequence = sequences[slot.rawValue], !sequence.isPaused else { continue }
            if sequence.isDecoding {
                decodes.decodeRows += 1
                decodes.decodeContext += sequence.tokens.count
            } else {
                depth = max(depth ?? 0, sequence.computed)
            }
        }
        guard decodes.decodeRows > 0, let depth = depth ?? (waiting.isEmpty ? nil : 0) else { return nil }
        return (decodes, depth)
    }
}
