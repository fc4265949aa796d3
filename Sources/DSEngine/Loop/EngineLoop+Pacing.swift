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
        return Pace(
            promptRows: rows, promptsAlone: promptsMayComeFirst && stepTimes.promptsPayAlone(outlook, within: limit))
    }

    /// Answers wait once, and not beside other things that take long: constraints that wait for their turn, weights that are copied. A drafter's
    /// guesses at the next tokens are made right before them.
    private var promptsMayComeFirst: Bool {
        answersWaited == 0 && !constraintsWait && copier.isDone && speculator?.hasDrafter != true
    }

    func noteStepTime(_ started: ContinuousClock.Instant) {
        guard interTokenLatencyBound != .none else { return }
        let seconds = started.duration(to: clock.now) / .seconds(1)
        stepTimes.record(plan.work, seconds: seconds, leavesAnswers: plan.leavesAnswers)
    }
}
