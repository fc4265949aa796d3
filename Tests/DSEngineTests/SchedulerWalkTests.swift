import DSEngine
import DSTestSupport
import Testing

/// Random walks over the scheduler beside a model of what a request's tokens must become: token k of a request is a hash
/// of its id and all tokens before it, so that any row computed with a wrong position, token or order shows.
@Suite("Scheduler random walks")
struct SchedulerWalkTests {
    struct Shadow {
        var prompt: [Int32]
        var stopping: StoppingConditions
        var generated: [Int32] = []
        /// Token index -> (block, offset) holds this token, as far as computed.
        var isPaused = false
    }

    struct World {
        var random: SplitMix
        var scheduler: Scheduler
        var shadows: [RequestID: Shadow] = [:]
        /// What each row of the cache holds: the owner, the token index and the token.
        var cache: [Int32: (RequestID, Int, Int32)] = [:]
        var acceptedDrafts = 0
        var rejectedDrafts = 0
        var postponed = 0
        var promptSteps = 0
        var nextID: UInt64 = 1
        var finished: [RequestID: [Int32]] = [:]
        var preemptions = 0
        var steps = 0
    }

    static func token(_ id: RequestID, _ index: Int) -> Int32 {
        var mix = SplitMix(seed: id.rawValue &* 1_000_003 &+ UInt64(index))
        return Int32(mix.below(50))
    }

    @Test("Walk", arguments: UInt64(1)...60)
    func walk(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let blockSize = 1 + random.below(6)
        let blocks = 4 + random.below(24)
        let batchSize = 1 + random.below(6)
        let limits = Scheduler.Limits(
            maxBatchTokens: batchSize + random.below(20), maxBatchSize: batchSize, blockSize: blockSize,
            blockCount: blocks, maximumContext: min(blockSize * blocks, 20 + random.below(60)))
        var world = World(random: random, scheduler: Scheduler(limits: limits, endTokens: [49]))
        for _ in 0..<400 {
            try turn(&world, seed)
        }
        // Nothing may be left behind when everybody reads and nobody comes.
        for id in world.shadows.keys { world.scheduler.setPaused(id, false) }
        for key in world.shadows.keys { world.shadows[key]?.isPaused = false }
        for _ in 0..<20_000 where !world.scheduler.isIdle { try step(&world, seed) }
        #expect(world.scheduler.isIdle, "seed \(seed): requests that never end")
        #expect(world.scheduler.pool.usedCount == 0, "seed \(seed): blocks leaked")
        #expect(world.acceptedDrafts > 0 && world.rejectedDrafts > 0, "seed \(seed): no guess was tried")
        #expect(world.postponed > 0, "seed \(seed): no row was left to the next step")
        #expect(world.promptSteps > 0, "seed \(seed): no step was the prompts' alone")
    }

    private func turn(_ world: inout World, _ seed: UInt64) throws {
        let ids = world.shadows.keys.sorted()
        switch world.random.below(10) {
        case 0, 1: submit(&world)
        case 2 where !ids.isEmpty && world.random.chance(40):
            let id = ids[world.random.below(ids.count)]
            #expect(world.scheduler.cancel(id) != nil, "seed \(seed)")
            world.shadows[id] = nil
        case 3 where !ids.isEmpty:
            let id = ids[world.random.below(ids.count)]
            let isPaused = world.random.chance(50)
            world.scheduler.setPaused(id, isPaused)
            world.shadows[id]?.isPaused = isPaused
        default: try step(&world, seed)
        }
        try world.scheduler.checkInvariants()
    }

    private func submit(_ world: inout World) {
        let context = world.scheduler.limits.maximumContext
        let promptCount = 1 + world.random.below(context - 1)
        var stopping = StoppingConditions()
        stopping.maxTokens = world.random.chance(20) ? nil : world.random.below(context - promptCount + 1)
        stopping.ignoreEndOfSequence = world.random.chance(30)
        if world.random.chance(20) { stopping.stopTokens = [7] }
        let id = RequestID(world.nextID)
        world.nextID += 1
        let prompt = (0..<promptCount).map { Self.token(id, $0) }
        world.shadows[id] = Shadow(prompt: prompt, stopping: stopping)
        world.scheduler.add(
            SequenceRequest(
                id: id, promptTokens: prompt, stopping: stopping, wantsPromptLogprobs: world.random.chance(20)))
    }

    private func step(_ world: inout World, _ seed: UInt64) throws {
        var plan = StepPlan()
        let promptsAlone = world.random.chance(30)
        let decoding = world.shadows.keys.filter { id in
            world.scheduler.slot(of: id).map { world.scheduler.mayDraft($0) } ?? false
        }
        world.scheduler.schedule(into: &plan, promptsAlone: promptsAlone)
        try world.scheduler.checkInvariants()
        if plan.leavesAnswers {
            world.promptSteps += 1
            #expect(promptsAlone && !plan.isEmpty, "seed \(seed)")
            let left = Set((plan.prompts + plan.decodes).map(\.id)).isDisjoint(with: decoding)
            #expect(left && plan.decodes.allSatisfy { $0.drafted == 0 }, "seed \(seed): an answer among prompts alone")
        }
        world.steps += 1
        let limits = world.scheduler.limits
        #expect(plan.rows <= limits.maxBatchTokens, "seed \(seed)")
        #expect(Set((plan.prompts + plan.decodes).map(\.id)).count <= limits.maxBatchSize, "seed \(seed)")
        let runnable = world.shadows.values.contains { !$0.isPaused }
        #expect(!runnable || !plan.isEmpty || !plan.preempted.isEmpty, "seed \(seed): a runnable request starves")
        // Guesses take nobody's rows: a prompt is cut by the cache alone where a step has any.
        if plan.decodes.contains(where: { $0.drafted > 0 }), world.scheduler.pool.freeCount > 0 {
            for chunk in plan.prompts {
                #expect(chunk.end == world.shadows[chunk.id]?.prompt.count, "seed \(seed): \(chunk) waits for guesses")
            }
        }
        let batch = Batch(limits: limits)
        batch.build(plan, from: world.scheduler)
        try checkRows(batch, plan, &world, seed)
        var progress: [Progress] = []
        var tokens: [Int32] = []
        for row in plan.sampled {
            if let draft = row.draft, tokens.last != draft {
                tokens.append(StepPlan.void)
                world.rejectedDrafts += 1
            } else if row.draft == nil, row.purpose == .nextToken, world.random.chance(10) {
                tokens.append(StepPlan.postponed)
                world.postponed += 1
            } else {
                tokens.append(row.purpose == .nextToken ? Self.token(row.id, row.tokenIndex + 1) : 0)
                world.acceptedDrafts += row.draft == nil ? 0 : 1
            }
        }
        world.scheduler.commit(plan, tokens: tokens, into: &progress)
        try world.scheduler.checkInvariants()
        for entry in progress { try check(entry, tokens, &world, seed) }
        draft(&world)
        try world.scheduler.checkInvariants()
    }

    /// Guesses for some requests that decode, two of three of them right.
    private func draft(_ world: inout World) {
        for (id, shadow) in world.shadows.sorted(by: { $0.key < $1.key }) where world.random.chance(50) {
            guard let slot = world.scheduler.slot(of: id),
                world.scheduler.withSequence(slot, { _, draft, _ in draft.isEmpty }) == true
            else { continue }
            let known = shadow.prompt.count + shadow.generated.count
            for index in 0..<world.scheduler.reserveDraft(1 + world.random.below(4), for: slot) {
                let isRight = world.random.chance(67)
                world.scheduler.appendDraft(isRight ? Self.token(id, known + index) : 60, to: slot)
            }
        }
    }

    /// Plays the model: every row writes its cache row, then reads all rows before it.
    private func checkRows(_ batch: Batch, _ plan: StepPlan, _ world: inout World, _ seed: UInt64) throws {
        let chunks = plan.prompts + plan.decodes
        try #require(batch.rows == plan.rows && batch.sequences.count == chunks.count)
        #expect(batch.promptRows == plan.promptRows && batch.promptSequences == plan.prompts.count, "seed \(seed)")
        for row in 0..<batch.rows {
            guard let chunk = chunks.first(where: { ($0.row..<$0.row + $0.count).contains(row) }) else {
                Issue.record("seed \(seed): row \(row) belongs to nobody")
                continue
            }
            let index = Int(batch.positions[row])
            let promptCount = world.shadows[chunk.id]?.prompt.count ?? 0
            let token = Self.token(chunk.id, index)
            let isKnown = index < promptCount + (world.shadows[chunk.id]?.generated.count ?? 0)
            if index != chunk.start + row - chunk.row
                || batch.tokenIDs[row] != token && (isKnown || batch.tokenIDs[row] != 60)
                || isKnown != (row < chunk.row + chunk.count - chunk.drafted)
                || (row < batch.promptRows) != (index < promptCount)
            {
                Issue.record("seed \(seed): row \(row) of \(chunk) has position \(index), token \(batch.tokenIDs[row])")
            }
            world.cache[batch.slots[row]] = (chunk.id, index, batch.tokenIDs[row])
        }
        for (index, chunk) in chunks.enumerated() {
            let sequence = batch.sequences[index]
            #expect(sequence.contextLength == chunk.end && sequence.queryStart == chunk.row, "seed \(seed)")
            for token in 0..<sequence.contextLength {
                let block = batch.blockTables[sequence.tableStart + token / batch.blockSize]
                let held = world.cache[block * Int32(batch.blockSize) + Int32(token % batch.blockSize)]
                let isKnown = token < chunk.end - chunk.drafted
                if held?.0 != chunk.id || held?.1 != token || isKnown && held?.2 != Self.token(chunk.id, token) {
                    Issue.record(
                        "seed \(seed): \(chunk.id) reads token \(token), the cache holds \(String(describing: held))")
                }
            }
        }
    }

    private func check(_ entry: Progress, _ tokens: [Int32], _ world: inout World, _ seed: UInt64) throws {
        var shadow = try #require(world.shadows[entry.id], "seed \(seed): progress of an unknown request")
        if let index = entry.sampledIndex { shadow.generated.append(tokens[index]) }
        world.shadows[entry.id] = shadow
        let limit = min(
            shadow.stopping.maxTokens ?? .max, world.scheduler.limits.maximumContext - shadow.prompt.count)
        let last = shadow.generated.last
        let expected: FinishReason? =
            if last == 49, !shadow.stopping.ignoreEndOfSequence {
                .endOfSequence
            } else if let last,
                shadow.stopping.stopTokens.contains(last)
            { .stopToken(last) } else if shadow.generated.count >= limit { .length } else { nil }
        #expect(entry.finish?.reason == expected, "seed \(seed)")
        if let finish = entry.finish {
            #expect(finish.usage.completionTokens == shadow.generated.count, "seed \(seed)")
            #expect(finish.usage.promptTokens == shadow.prompt.count, "seed \(seed)")
            world.shadows[entry.id] = nil
        }
    }
}
