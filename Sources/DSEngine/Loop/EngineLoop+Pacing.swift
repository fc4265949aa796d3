/// How long steps take: prompts beside requests that generate get what the configured time leaves.
extension EngineLoop {
    /// What the coming step may have of prompts.
    struct Pace {
        /// Rows beside requests that decode; nil: no limit.
        var promptRows: Int?
        /// Prompts come before the next tokens of those requests.
        var promptsAlone = false
    }

    func pace() -> Pace {
        guard interTokenLatencyBound != .none, let outlook = scheduler.outlook(),
            let limit = interTokenLatencyBound.seconds(besideAnswersOf: stepTimes.plainSeconds(outlook.answers))
        else { return Pace() }
        // Prompts get a block at least, so that they end; those that come after a step of prompts alone may wait for the next one.
        let rows = stepTimes.promptRows(
            within: limit - answersWaited, beside: outlook.answers, depth: outlook.promptDepth,
            atLeast: answersWaited > 0 ? 0 : scheduler.limits.blockSize, atMost: scheduler.limits.maxBatchTokens)
        return Pace(promptRows: rows, promptsAlone: promptsComeFirst(outlook, limit))
    }

    /// A drafter's guesses at the next tokens are made right before them.
    private func promptsComeFirst(_ outlook: Scheduler.Outlook, _ limit: Double) -> Bool {
        guard answersWaited == 0, speculator?.hasDrafter != true, let prompts = outlook.prompts else { return false }
        // Those that get their first token are answers of the step after.
        var later = outlook.answers
        later.decodeRows += outlook.promptCount
        let added = (stepTimes.plainSeconds(later) ?? 0) - (stepTimes.plainSeconds(outlook.answers) ?? 0)
        return stepTimes.promptsPayAlone(prompts, before: outlook.answers, within: limit - added)
    }

    func noteStepTime(_ started: ContinuousClock.Instant) {
        guard interTokenLatencyBound != .none else { return }
        let seconds = started.duration(to: clock.now) / .seconds(1)
        stepTimes.record(plan.work, seconds: seconds, leavesAnswers: plan.leavesAnswers)
        answersWaited = plan.leavesAnswers ? seconds : 0
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
    /// Answers and prompts that the coming step could have.
    struct Outlook {
        var answers = StepTimes.Work()
        /// What is left of all prompts, those that wait and have a place included, as if none of it were known; nil: more than a step has
        /// rows.
        var prompts: StepTimes.Work? = StepTimes.Work()
        var promptCount = 0
        /// How many tokens the longest prompt under way has behind it.
        var promptDepth = 0
    }

    /// Nil if no step has both, answers and prompts.
    func outlook() -> Outlook? {
        var outlook = Outlook()
        var hasPrompt = false
        var places = limits.maxBatchSize
        for slot in running {
            guard let sequence = sequences[slot.rawValue], !sequence.isPaused else { continue }
            places -= 1
            if sequence.isDecoding {
                outlook.answers.decodeRows += 1
                outlook.answers.decodeContext += sequence.tokens.count
            } else {
                hasPrompt = true
                outlook.promptDepth = max(outlook.promptDepth, sequence.computed)
                add(sequence, to: &outlook)
            }
        }
        guard outlook.answers.decodeRows > 0, hasPrompt || !waiting.isEmpty else { return nil }
        for slot in waiting where places > 0 && outlook.prompts != nil {
            guard let sequence = sequences[slot.rawValue], !sequence.isPaused, !sequence.isFetching else { continue }
            places -= 1
            add(sequence, to: &outlook)
        }
        // One that comes first by its priority takes a place, whatever its length.
        if policy == .priority, places <= 0, !waiting.isEmpty { outlook.prompts = nil }
        return outlook
    }

    private func add(_ sequence: ScheduledSequence, to outlook: inout Outlook) {
        outlook.promptCount += 1
        outlook.prompts = outlook.prompts?.adding(promptRows: sequence.remaining, at: sequence.computed)
        if outlook.prompts?.promptRows ?? 0 > limits.maxBatchTokens { outlook.prompts = nil }
    }
}
