/// The engine's turn: drain commands, plan, build, forward, sample, commit, emit. Owned by one thread.
///
/// A step whose buffers have seen their size before allocates nothing (unless a request asks for alternatives of its
/// log-probabilities).
package final class EngineLoop {
    package internal(set) var scheduler: Scheduler
    let runner: any ModelRunner
    let batch: Batch
    let mailbox: Mailbox
    let board: StatisticsBoard
    var sampler: Sampler
    var reporter: LogprobReporter
    /// Nil: no tokens are guessed.
    let speculator: Speculator?
    var plan = StepPlan()
    /// Indexed by the scheduler's slots.
    var active: [ActiveRequest?] = []
    var commands: [Command] = []
    /// One per sampled row of the plan.
    var chosen: [Int32] = []
    var progress: [Progress] = []
    let clock = ContinuousClock()
    /// Tokens are handed to a consumer at most this often: waking one costs as much as a small model's layer, and its
    /// thread takes a worker's processor.
    static let wakingInterval = Duration.milliseconds(1)
    /// Whether any request `holdsEvents`.
    var holdsEvents = false
    let copier: WeightCopier
    /// Nil: computed blocks stay in memory.
    let traffic: BlockTraffic?
    let maximumQueueDelay: Duration?
    /// When the next request may have to end before it is done.
    var nextDeadline: ContinuousClock.Instant?
    let interTokenLatencyBound: InterTokenLatencyBound
    package var stepTimes = StepTimes()
    /// Seconds that the last step took, if it was the prompts' alone: requests that decode have waited for it.
    package internal(set) var answersWaited = 0.0
    /// Of the current step.
    var constraintWork = ConstraintWork()
    /// Whether any constraint had no turn in the last step.
    var constraintsWait = false
    /// Who has the first turn among requests with quick constraints, and among those with slow ones; nil: the first of them.
    var nextQuickConstraint: RequestID?
    var nextSlowConstraint: RequestID?

    /// - Parameters:
    ///   - hasher: names blocks that requests share; nil: they share none.
    ///   - store: keeps them below memory; nil: nobody does.
    package init(
        runner: any ModelRunner, limits: Scheduler.Limits, endTokens: [Int32], mailbox: Mailbox,
        board: StatisticsBoard, speculator: Speculator? = nil, hasher: BlockHasher? = nil,
        store: (any BlockStore)? = nil, configuration: EngineConfiguration = EngineConfiguration()
    ) {
        self.runner = runner
        self.mailbox = mailbox
        self.board = board
        self.speculator = speculator
        scheduler = Scheduler(
            limits: limits, endTokens: endTokens, policy: configuration.scheduling == .priority ? .priority : .arrival,
            hasher: hasher)
        traffic =
            if hasher != nil, let store, let bytes = runner.blockBytes {
                BlockTraffic(store, runner, blockBytes: bytes, mailbox, board)
            } else {
                nil
            }
        maximumQueueDelay = configuration.maximumQueueDelay
        interTokenLatencyBound = configuration.interTokenLatencyBound
        batch = Batch(limits: limits)
        sampler = Sampler(vocabularySize: runner.vocabularySize)
        reporter = LogprobReporter(vocabularySize: runner.vocabularySize)
        copier = WeightCopier(runner, board, speculator)
        chosen.reserveCapacity(limits.maxBatchTokens)
        progress.reserveCapacity(limits.maxBatchSize)
        board.telemetry.begin(maximumContext: limits.maximumContext)
        board.update { [limits, memory = runner.memory] in
            $0.memory = memory
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
        traffic?.close()
        board.update { $0.turnStarted = nil }
    }

    // MARK: One step

    /// Computes one step; false if nothing could run, so that the thread may park.
    @discardableResult
    package func step() -> Bool {
        let pace = pace()
        scheduler.schedule(into: &plan, promptRows: pace.promptRows, promptsAlone: pace.promptsAlone)
        // What follows may take long.
        if plan.isEmpty || plan.promptRows > 0 { wakeConsumers() }
        guard !plan.isEmpty else {
            if plan.preempted.isEmpty { answersWaited = 0 }
            noteTurn()
            return copier.copyWhileIdle() || !plan.preempted.isEmpty
        }
        copier.copy(before: plan) { mailbox.hasCommands }
        let started = clock.now
        noteScheduled(started)
        batch.build(plan, from: scheduler)
        progress.removeAll(keepingCapacity: true)
        do throws(EngineError) {
            let computing = clock.now
            let logits = try runner.run(batch)
            noteStepTime(computing)
            poolEmbeddings()
            sample(logits)
            attribute(since: started)
            learn(started)
            scheduler.commit(plan, tokens: chosen, into: &progress)
            emit(logits)
            // Answers that were left have their guesses; those that began get some behind their next token.
            if !plan.leavesAnswers { propose() }
        } catch {
            failPlanned(error)
        }
        handOverBlocks()
        finishStep(started)
        if !copier.isDone { wakeConsumers() }
        copier.copy(
            after: plan, took: started.duration(to: clock.now), gaveTokens: progress.contains { $0.sampledIndex != nil }
        )
        answersWaited = plan.leavesAnswers ? started.duration(to: clock.now) / .seconds(1) : 0
        return true
    }
}
