import DSEngine
import DSGrammar
import Testing

/// Whether prompts have a step of their own before the answers' one.
@Suite("Prompts before answers")
struct PacingTests {
    /// What a machine would have measured whose steps take `fixed` seconds and `row` for each row.
    static func measured(fixed: Double = 0, row: Double) -> StepTimes {
        var times = StepTimes()
        for step in 0..<64 {
            for (decodes, prompts) in [(1 + step % 8, 0), (1 + step % 8, 1 + step % 32), (0, 1 + step % 32)] {
                let work = Self.work(decodes: decodes, prompts: prompts)
                times.record(work, seconds: fixed + row * Double(decodes + prompts))
            }
        }
        return times
    }

    private static func work(decodes: Int, prompts: Int) -> StepTimes.Work {
        var work = StepTimes.Work()
        work.decodeRows = decodes
        return prompts > 0 ? work.adding(promptRows: prompts, at: 0) : work
    }

    /// One prompt and some answers.
    private static func outlook(prompt: Int, answers: Int, later: Int? = nil) -> Outlook {
        var outlook = Outlook()
        outlook.answers = work(decodes: answers, prompts: 0)
        outlook.answersAfterPrompts = work(decodes: later ?? answers + 1, prompts: 0)
        outlook.prompts = work(decodes: 0, prompts: prompt)
        return outlook
    }

    /// Two machines: one whose time is its rows', one whose time is the weights'.
    @Test("Prompts come first where that helps them as much as it holds up answers, and both fit", arguments: [4, 60])
    func promptsPayAlone(fixedMilliseconds: Int) {
        let fixed = Double(fixedMilliseconds) / 1000
        let outlook = Self.outlook(prompt: 20, answers: 7)
        #expect(!StepTimes().promptsPayAlone(outlook, within: 1), "nothing was measured")
        var times = Self.measured(fixed: fixed, row: 0.005)
        // 35 ms for seven answers against 4 or 60 for another step.
        let pays = fixedMilliseconds == 4
        #expect(times.promptsPayAlone(outlook, within: 1) == pays)
        // 104 + 44 ms: the prompt's request is one of eight that decode then.
        #expect(times.promptsPayAlone(outlook, within: 0.153) == pays)
        #expect(!times.promptsPayAlone(outlook, within: 0.143))
        // Nobody knows how long so many rows take.
        #expect(!times.promptsPayAlone(Self.outlook(prompt: 80, answers: 7), within: 10))
        #expect(!times.promptsPayAlone(Self.outlook(prompt: 0, answers: 7), within: 1))
        // One in seventeen is tried.
        for step in 1...16 {
            #expect(times.promptsPayAlone(outlook, within: 1) == pays, "\(step)")
            times.record(Self.work(decodes: 7, prompts: 20), seconds: fixed + 0.135)
        }
        #expect(times.promptsPayAlone(outlook, within: 1))
        #expect(!times.promptsPayAlone(outlook, within: 0.143))
        // Tried, also where a request was computed again in that step, or nothing else was.
        for (decodes, prompts) in [(1, 20), (3, 0), (0, 20)] {
            var tried = times
            let work = Self.work(decodes: decodes, prompts: prompts)
            tried.record(work, seconds: fixed + 0.005 * Double(decodes + prompts), leavesAnswers: true)
            #expect(tried.promptsPayAlone(outlook, within: 1) == pays, "\(decodes) \(prompts)")
        }
    }

    // MARK: What there is to compute

    @Test("Guesses count among answers, prompts count without what is known, and their requests are answers later")
    func outlook() throws {
        let hasher = BlockHasher(identity: [], blockSize: 4, readsNextToken: false)
        var scheduler = Scheduler(
            limits: .init(maxBatchTokens: 32, maxBatchSize: 3, blockSize: 4, blockCount: 64, maximumContext: 200),
            hasher: hasher)
        func add(_ id: UInt64, _ prompt: [Int32], maxTokens: Int = 50) {
            scheduler.add(
                SequenceRequest(
                    id: RequestID(id), promptTokens: prompt, stopping: StoppingConditions(maxTokens: maxTokens),
                    chain: hasher.chain(of: prompt, salt: nil)))
        }
        let prefix = (1...12).map(Int32.init)
        #expect(scheduler.outlook() == nil)
        add(1, prefix + [20, 21])
        #expect(scheduler.outlook() == nil, "nobody decodes")
        try SchedulerTests.step(&scheduler)
        #expect(scheduler.outlook() == nil, "nobody waits")
        let slot = try #require(scheduler.slot(of: RequestID(1)))
        #expect(scheduler.reserveDraft(2, for: slot) == 2)
        for token in [5, 6] { scheduler.appendDraft(Int32(token), to: slot) }
        add(2, prefix + [30, 31, 32])
        add(3, [40, 41])
        add(4, [50], maxTokens: 1)
        let outlook = try #require(scheduler.outlook())
        #expect(outlook.answers.decodeRows == 3 && outlook.answers.decodeContext == 17)
        // Three blocks of the second are known, and there is no place for the fourth.
        #expect(outlook.prompts == StepTimes.Work().adding(promptRows: 3, at: 12).adding(promptRows: 2, at: 0))
        #expect(outlook.answersAfterPrompts.decodeRows == 5)
        #expect(outlook.answersAfterPrompts.decodeContext == 17 + 15 + 2)
        #expect(outlook.promptDepth == 12)
        scheduler.cancel(RequestID(3))
        add(5, (60..<92).map(Int32.init))
        // With the fourth, whose place that was, the second fits a step; with the fifth no longer.
        #expect(scheduler.outlook()?.prompts?.promptRows == 4)
        #expect(scheduler.outlook()?.answersAfterPrompts.decodeRows == 4, "one token ends the fourth")
        scheduler.cancel(RequestID(4))
        #expect(try #require(scheduler.outlook()).prompts == nil)
    }

    @Test("Where a waiting request takes the place of one that decodes, answers are not left", arguments: [3, 4, 5])
    func urgent(priority: Int) throws {
        for policy in [Scheduler.Policy.arrival, .priority] {
            var scheduler = Scheduler(
                limits: .init(maxBatchTokens: 32, maxBatchSize: 2, blockSize: 4, blockCount: 64, maximumContext: 200),
                policy: policy)
            func add(_ id: UInt64, _ prompt: Int, _ priority: Int) {
                var request = SchedulerTests.request(id, prompt: prompt, maxTokens: 50)
                request.priority = priority
                scheduler.add(request)
            }
            add(1, 3, 4)
            try SchedulerTests.step(&scheduler)
            add(2, 3, 4)
            // The last place is taken: that alone is no reason.
            #expect(scheduler.outlook()?.prompts?.promptRows == 3)
            try SchedulerTests.step(&scheduler)
            add(3, 30, priority)
            let prompts = try #require(scheduler.outlook()).prompts
            #expect((prompts == nil) == (policy == .priority && priority < 4))
        }
    }

    // MARK: In the loop

    @Test(
        "What prompts took alone is taken off the bound of the answers' step: who came meanwhile waits, once",
        arguments: [false, true])
    func answersWaitOnce(hasDrafter: Bool) throws {
        let runner = ScriptedModelRunner()
        var speculator: Speculator?
        if hasDrafter {
            let drafter = ScriptedDrafter(runner, errorEvery: 0, holes: Counter())
            runner.drafter = drafter
            speculator = Speculator(
                limits: runner.limits, vocabularySize: 61, maxDraftTokens: 2, usesLookup: false, drafter: drafter)
        }
        var configuration = EngineConfiguration()
        configuration.interTokenLatencyBound = .fixed(.milliseconds(60))
        var hand = HandLoop(runner, speculator: speculator, configuration: configuration)
        _ = hand.submit(.greedy([1, 2], 50))
        hand.turn()
        runner.rowTime = .milliseconds(5)
        hand.loop.stepTimes = Self.measured(row: 0.005)
        #expect(hand.loop.answersWaited == 0)
        _ = hand.submit(.greedy([3, 4, 5, 6, 7, 8, 9, 10], 50))
        hand.turn()
        if hasDrafter {
            // Its guesses at the next tokens are made right before them.
            #expect(runner.lastStep.decodeRows > 0 && runner.lastStep.promptRows > 0)
            #expect(hand.loop.answersWaited == 0)
            return
        }
        #expect(runner.lastStep == .init(promptRows: 8, decodeRows: 0))
        // At least 40 of 60 ms are over.
        #expect(hand.loop.answersWaited >= 0.04)
        _ = hand.submit(.greedy([11, 12, 13, 14, 15], 50))
        hand.turn()
        #expect(runner.lastStep == .init(promptRows: 0, decodeRows: 2))
        #expect(hand.loop.answersWaited == 0)
        hand.turn()
        #expect(runner.lastStep.promptRows >= 4)
    }

    @Test("Answers wait for one step, also where the model failed in it")
    func failedSteps() {
        let runner = ScriptedModelRunner()
        runner.poison = 60
        var configuration = EngineConfiguration()
        configuration.interTokenLatencyBound = .fixed(.seconds(60))
        var hand = HandLoop(runner, configuration: configuration)
        let answer = hand.submit(.greedy([1, 2], 50))
        hand.turn()
        for count in 2...9 {
            hand.loop.stepTimes = Self.measured(row: 0.005)
            _ = hand.submit(.greedy([60, 60, 60], 50))
            hand.turn()
            #expect(runner.lastStep == .init(promptRows: 3, decodeRows: 0))
            _ = hand.submit(.greedy([3], 0))
            hand.turn()
            #expect(runner.lastStep.decodeRows == 1 && answer.bufferedCount == count)
        }
    }

    @Test("Where constraints wait for their turn, answers do not wait for prompts, too")
    func turns() throws {
        let runner = ScriptedModelRunner()
        var configuration = EngineConfiguration()
        configuration.interTokenLatencyBound = .fixed(.nanoseconds(2))
        var hand = HandLoop(runner, configuration: configuration)
        let grammar = try CompiledGrammar(.regex("[a-h]{50}"), vocabulary: ConstraintTests.vocabulary())
        let constrained = (1...3).map { token in
            var request = GenerationRequest.greedy([Int32(token)], 40)
            request.constraint = token > 1 ? TokenConstraint(grammar) : nil
            return hand.submit(request)
        }
        hand.turn()
        for turn in 1...12 {
            // So fast that even this bound holds both steps.
            hand.loop.stepTimes = Self.measured(row: 1e-12)
            _ = hand.submit(.greedy([4, 5], 1))
            hand.turn()
            #expect(runner.lastStep.decodeRows > 0 && runner.lastStep.promptRows >= 2, "turn \(turn)")
            #expect(constrained[0].bufferedCount == 1 + turn)
        }
        // With one constraint alone nobody waits for a turn.
        hand.mailbox.post(.cancel(constrained[2].id))
        hand.turn()
        hand.loop.stepTimes = Self.measured(row: 1e-12)
        _ = hand.submit(.greedy([4, 5], 1))
        hand.turn()
        #expect(runner.lastStep == .init(promptRows: 2, decodeRows: 0))
    }
}
