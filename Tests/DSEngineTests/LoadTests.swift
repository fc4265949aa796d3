import DSEngine
import DSTestSupport
import Dispatch
import Testing

/// What happens to requests when there is more work than time.
@Suite("Under load")
struct LoadTests {
    // MARK: Fairness

    @Test("A short prompt overtakes a long one, which gets half of the rows")
    func shortPromptsFirst() throws {
        var scheduler = SchedulerTests.scheduler(tokens: 8, requests: 4, blocks: 64, context: 200)
        scheduler.add(SchedulerTests.request(1, prompt: 100))
        try SchedulerTests.step(&scheduler)
        scheduler.add(SchedulerTests.request(2, prompt: 80))
        scheduler.add(SchedulerTests.request(3, prompt: 7))
        let (plan, _) = try SchedulerTests.step(&scheduler)
        #expect(plan.prompts.map { [Int($0.id.rawValue), $0.count] } == [[1, 4], [3, 4]])
        let (second, progress) = try SchedulerTests.step(&scheduler)
        #expect(second.prompts.map { [Int($0.id.rawValue), $0.count] } == [[1, 4], [2, 1], [3, 3]])
        #expect(progress.map(\.id.rawValue) == [3])
    }

    @Test("A prompt that half of the rows nearly cover ends in this step")
    func shortestWayFirst() throws {
        var scheduler = SchedulerTests.scheduler(tokens: 16, requests: 4, blocks: 64, context: 200)
        scheduler.add(SchedulerTests.request(1, prompt: 9))
        scheduler.add(SchedulerTests.request(2, prompt: 12))
        let (plan, progress) = try SchedulerTests.step(&scheduler)
        #expect(plan.prompts.map { [Int($0.id.rawValue), $0.count] } == [[1, 9], [2, 7]])
        #expect(progress.map(\.id.rawValue) == [1])
    }

    @Test("Beside requests that decode, prompts have the rows that they are given")
    func promptRows() throws {
        var scheduler = SchedulerTests.scheduler(tokens: 32, requests: 4, blocks: 64, context: 200)
        scheduler.add(SchedulerTests.request(1, prompt: 40))
        var plan = StepPlan()
        var progress: [Progress] = []
        // Nobody decodes: as many as there are.
        scheduler.schedule(into: &plan, promptRows: 8)
        #expect(plan.promptRows == 32)
        scheduler.commit(plan, tokens: plan.sampled.map { _ in 5 }, into: &progress)
        try SchedulerTests.step(&scheduler)
        scheduler.add(SchedulerTests.request(2, prompt: 100))
        for (rows, expected) in [(8, 8), (12, 12), (0, 0), (1, 1), (1000, 31)] {
            scheduler.schedule(into: &plan, promptRows: rows)
            #expect(plan.promptRows == expected && plan.decodeRows == 1)
            scheduler.commit(plan, tokens: plan.sampled.map { _ in 5 }, into: &progress)
        }
    }

    @Test("Prompts alone: requests that decode wait for a step, and their guesses, if there is a prompt to compute")
    func promptsAlone() throws {
        var scheduler = SchedulerTests.scheduler(tokens: 32, requests: 3, blocks: 64, context: 200)
        scheduler.add(SchedulerTests.request(1, prompt: 6))
        try SchedulerTests.step(&scheduler)
        let slot = try #require(scheduler.slot(of: RequestID(1)))
        #expect(scheduler.reserveDraft(1, for: slot) == 1)
        scheduler.appendDraft(5, to: slot)
        var plan = StepPlan()
        var progress: [Progress] = []
        // Nothing else to do.
        scheduler.schedule(into: &plan, promptsAlone: true)
        #expect(plan.decodes.map { [$0.count, $0.drafted] } == [[2, 1]] && !plan.leavesAnswers)
        scheduler.commit(plan, tokens: [5, 5], into: &progress)
        #expect(scheduler.reserveDraft(1, for: slot) == 1)
        scheduler.appendDraft(5, to: slot)
        for id in 2...4 { scheduler.add(SchedulerTests.request(UInt64(id), prompt: 9)) }
        scheduler.schedule(into: &plan, promptRows: 4, promptsAlone: true)
        #expect(plan.leavesAnswers && plan.decodes.isEmpty)
        // The limit of rows beside answers does not count, that of requests does.
        #expect(plan.prompts.map { [Int($0.id.rawValue), $0.count] } == [[2, 9], [3, 9]])
        scheduler.commit(plan, tokens: [5, 5], into: &progress)
        try scheduler.checkInvariants()
        // All three places are taken: the fourth request is no reason to leave answers again.
        scheduler.schedule(into: &plan, promptsAlone: true)
        #expect(!plan.leavesAnswers && plan.prompts.isEmpty)
        #expect(plan.decodes.map(\.id.rawValue) == [1, 2, 3] && plan.decodes.map(\.drafted) == [1, 0, 0])
        scheduler.commit(plan, tokens: [5, 5, 5, 5], into: &progress)
        try scheduler.checkInvariants()
    }

    @Test("Prompt rows are chosen so that steps take as long as they may", arguments: [0.02, 0.05, 0.2])
    func learnsStepTimes(limit: Double) async {
        /// A machine: 4 ms for the weights, and something for every row and every token that one looks back on.
        func seconds(_ work: StepTimes.Work) -> Double {
            0.004 + 0.0004 * Double(work.decodeRows) + 0.0000001 * Double(work.decodeContext)
                + 0.0002 * Double(work.promptRows) + 0.00000005 * Double(work.promptPairs)
        }
        var times = StepTimes()
        var random = SplitMix(seed: 3)
        var decodes = StepTimes.Work()
        decodes.decodeRows = 4
        decodes.decodeContext = 4000
        var (overdue, least) = (0, Int.max)
        for step in 0..<600 {
            // Others share these threads.
            if step % 10 == 0 { await Task.yield() }
            let depth = step * 50 % 20_000
            let rows = times.promptRows(within: limit, beside: decodes, depth: depth, atLeast: 32, atMost: 2048)
            var work = decodes
            work = work.adding(promptRows: rows, at: depth)
            let taken = seconds(work) * (0.95 + Double(random.below(100)) / 1000)
            // A prompt has ended where the depth falls: the first step of the next one is a guess.
            if step > 50, step % 400 > 2 {
                overdue += taken > limit * 1.1 && rows > 32 ? 1 : 0
                // Another block would have been too much, too, or nearly so.
                let more = seconds(decodes.adding(promptRows: rows + 64, at: depth))
                least = min(least, rows)
                #expect(more > limit * 0.8 || rows > 1900, "step \(step): \(rows) rows are too few")
            }
            times.record(work, seconds: taken)
            times.record(decodes, seconds: seconds(decodes))
        }
        #expect(overdue < 10, "\(overdue) of 550 steps took too long")
        #expect(least >= 32)
    }

    @Test("The automatic bound is 200 ms, and four times what answers take alone where that is more")
    func automaticBound() {
        let automatic = InterTokenLatencyBound.automatic
        #expect(automatic.seconds(besideAnswersOf: nil) == 0.2)
        #expect(automatic.seconds(besideAnswersOf: 0.03) == 0.2)
        #expect(automatic.seconds(besideAnswersOf: 0.15) == 0.6)
        #expect(InterTokenLatencyBound.fixed(.milliseconds(50)).seconds(besideAnswersOf: 0.15) == 0.05)
        #expect(InterTokenLatencyBound.none.seconds(besideAnswersOf: 0.15) == nil)

        // Five milliseconds a row, as the machine that this was found on: with 32 answers, 200 ms leave prompts a quarter of a step.
        var times = StepTimes()
        for step in 0..<64 {
            var work = StepTimes.Work()
            work.decodeRows = step % 33
            times.record(work, seconds: 0.005 * Double(1 + work.decodeRows))
            work = work.adding(promptRows: 32 + step, at: 0)
            times.record(work, seconds: 0.005 * Double(1 + work.decodeRows + work.promptRows))
        }
        // Of prompts alone nobody learns what answers take.
        var prompts = StepTimes()
        for _ in 0..<20 { prompts.record(StepTimes.Work().adding(promptRows: 512, at: 0), seconds: 2.5) }
        #expect(prompts.seconds(StepTimes.Work()) != nil && prompts.plainSeconds(StepTimes.Work()) == nil)
        var answers = StepTimes.Work()
        func rows(_ bound: InterTokenLatencyBound) -> Int {
            let seconds = bound.seconds(besideAnswersOf: times.plainSeconds(answers)) ?? .infinity
            return times.promptRows(within: seconds, beside: answers, depth: 0, atLeast: 8, atMost: 512)
        }
        answers.decodeRows = 4
        #expect(rows(.automatic) == rows(.fixed(.milliseconds(200))))
        answers.decodeRows = 32
        #expect(rows(.fixed(.milliseconds(200))) < answers.decodeRows)
        #expect(rows(.automatic) > 2 * answers.decodeRows)
    }

    @Test func stepTimesNeverFallAsWorkGrows() {
        var times = StepTimes()
        var random = SplitMix(seed: 9)
        #expect(times.promptRows(within: 1, beside: .init(), depth: 0, atLeast: 32, atMost: 512) == 32)
        for _ in 0..<100 {
            var work = StepTimes.Work()
            work.decodeRows = random.below(5)
            work = work.adding(promptRows: 1 + random.below(500), at: random.below(1000))
            times.record(work, seconds: 0.001 + Double(random.below(1000)) / 1000)
        }
        var before = 0.0
        for rows in stride(from: 0, through: 600, by: 50) {
            let seconds = times.seconds(StepTimes.Work().adding(promptRows: rows, at: 100)) ?? -1
            #expect(seconds >= before)
            before = seconds
        }
        times.record(.init(), seconds: .nan)
        #expect(times.seconds(.init())?.isFinite == true)
    }

    // MARK: Priorities

    @Test("A lower value comes first, and takes the place of running ones")
    func priorities() throws {
        var scheduler = Scheduler(
            limits: .init(maxBatchTokens: 8, maxBatchSize: 2, blockSize: 4, blockCount: 16, maximumContext: 64),
            policy: .priority)
        func add(_ id: UInt64, _ priority: Int) {
            var request = SchedulerTests.request(id, prompt: 3, maxTokens: 4)
            request.priority = priority
            scheduler.add(request)
        }
        add(1, 5)
        add(2, 0)
        add(3, 0)
        #expect(try SchedulerTests.step(&scheduler).0.prompts.map(\.id.rawValue) == [2, 3])
        add(4, -1)
        let (plan, _) = try SchedulerTests.step(&scheduler)
        #expect(plan.preempted == [RequestID(3)])
        #expect(plan.prompts.map(\.id.rawValue) == [4])
        var order: [UInt64] = []
        for _ in 0..<20 where !scheduler.isIdle {
            order += try SchedulerTests.step(&scheduler).1.filter { $0.finish != nil }.map(\.id.rawValue)
        }
        #expect(order == [2, 4, 3, 1])
    }

    @Test func prioritiesCountOnlyWhereTheyAreAskedFor() throws {
        var scheduler = SchedulerTests.scheduler(requests: 1)
        for (id, priority) in [(1, 5), (2, 0)] {
            var request = SchedulerTests.request(UInt64(id), prompt: 3, maxTokens: 1)
            request.priority = priority
            scheduler.add(request)
        }
        #expect(try SchedulerTests.step(&scheduler).0.prompts.map(\.id.rawValue) == [1])
    }

    // MARK: Limits of time and of the queue

    /// An engine whose first step waits; one request at a time.
    private func busyEngine(_ change: (inout EngineConfiguration) -> Void) throws -> (Engine, DispatchSemaphore) {
        let runner = ScriptedModelRunner()
        let gate = DispatchSemaphore(value: 0)
        runner.gate = gate
        let engine = try EngineTests.engine(runner) {
            $0.maxBatchSize = 1
            change(&$0)
        }
        return (engine, gate)
    }

    private func error(_ stream: TokenStream) async -> EngineError? {
        do {
            _ = try await stream.drain()
            return nil
        } catch { return error as? EngineError }
    }

    @Test("A request ends when its time is over, waiting or running")
    func timeouts() async throws {
        let (engine, gate) = try busyEngine { _ in }
        var request = GenerationRequest.greedy([1, 2], 200)
        request.timeout = .milliseconds(30)
        let running = try engine.submit(request)
        let waiting = try engine.submit(request)
        let patient = try engine.submit(.greedy([1, 2], 3))
        try await Task.sleep(for: .milliseconds(60))
        gate.signal()
        let first = await error(running)
        guard case .deadlineExceeded(.milliseconds(30), _)? = first else {
            Issue.record("expected a passed deadline, found \(String(describing: first))")
            return
        }
        #expect(await error(waiting) == .deadlineExceeded(timeout: .milliseconds(30), completionTokens: 0))
        #expect(try await patient.drain().tokens.count == 3)
        await engine.shutdown()
        #expect(engine.statistics().expiredRequests == 2 && engine.statistics().failedRequests == 0)
    }

    @Test("A deadline passes also while the engine has nothing to compute")
    func timeoutOfAPausedRequest() async throws {
        let engine = try EngineTests.engine { $0.streamCapacity = 4 }
        var request = GenerationRequest.greedy([1, 2], 200)
        request.timeout = .milliseconds(50)
        let stream = try engine.submit(request)
        while engine.statistics().expiredRequests == 0 { try await Task.sleep(for: .milliseconds(5)) }
        #expect(await error(stream) != nil)
        await engine.shutdown()
    }

    @Test("Waiting has a limit of its own; a request that runs keeps running")
    func queueDelay() async throws {
        let (engine, gate) = try busyEngine { $0.maximumQueueDelay = .milliseconds(40) }
        let running = try engine.submit(.greedy([1, 2], 20))
        while engine.statistics().waitingTokens > 0 { try await Task.sleep(for: .milliseconds(1)) }
        let waiting = try engine.submit(.greedy([1, 2], 200))
        try await Task.sleep(for: .milliseconds(80))
        gate.signal()
        #expect(await error(waiting) == .queueTimeout(limit: .milliseconds(40)))
        #expect(try await running.drain().tokens.count == 20)
        await engine.shutdown()
    }

    @Test("Waiting prompts have a limit of tokens, which one alone may exceed")
    func queuedTokens() async throws {
        let (engine, gate) = try busyEngine { $0.maximumQueuedTokens = 10 }
        let running = try engine.submit(.greedy(Array(1...20), 2))
        while engine.statistics().waitingTokens > 0 { try await Task.sleep(for: .milliseconds(1)) }
        let one = try engine.submit(.greedy(Array(1...6), 2))
        #expect(throws: EngineError.queueTokensExceeded(limit: 10, queued: 6, requested: 5)) {
            try engine.submit(.greedy(Array(1...5), 2))
        }
        let two = try engine.submit(.greedy(Array(1...4), 2))
        gate.signal()
        for stream in [running, one, two] { #expect(try await stream.drain().tokens.count == 2) }
        await engine.shutdown()
        #expect(engine.statistics().waitingTokens == 0)
    }

    @Test("Others can see that a step does not end")
    func heartbeat() async throws {
        let (engine, gate) = try busyEngine { _ in }
        while engine.statistics().busyTime() > .zero { try await Task.sleep(for: .milliseconds(1)) }
        let stream = try engine.submit(.greedy([1, 2], 2))
        while engine.statistics().busyTime() < .milliseconds(50) { try await Task.sleep(for: .milliseconds(5)) }
        #expect(engine.statistics().steps == 0)
        gate.signal()
        _ = try await stream.drain()
        while engine.statistics().busyTime() > .zero { try await Task.sleep(for: .milliseconds(1)) }
        await engine.shutdown()
        #expect(engine.statistics().busyTime() == .zero)
    }
}
