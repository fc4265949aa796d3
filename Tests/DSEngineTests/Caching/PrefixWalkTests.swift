import DSEngine
import DSTestSupport
import Testing

/// Random walks over the scheduler with shared blocks. Every row of the cache remembers the whole history that it was computed from
/// (tenant, tokens, forms); whoever reads a row with another history than its own would get another result than alone.
@Suite("Prefix cache random walks")
struct PrefixWalkTests {
    struct Shadow {
        var prompt: [Int32]
        var salt: String?
        var generated: [Int32] = []
        var isPaused = false
        var isFetching = false
        var priority = 0
    }

    struct World {
        var random: SplitMix
        var scheduler: Scheduler
        let hasher: BlockHasher
        var shadows: [RequestID: Shadow] = [:]
        /// By row of the cache: the history up to it.
        var cache: [Int32: UInt64] = [:]
        var nextID: UInt64 = 1
        /// Prompts with their answers, for those who continue them.
        var ended: [(tokens: [Int32], prompt: Int, salt: String?)] = []
        /// Prompts that found more than the prompt of the turn before them.
        var answerHits = 0
    }

    static func history(_ before: UInt64, _ token: Int32, isPrompt: Bool) -> UInt64 {
        var mix = SplitMix(seed: before ^ UInt64(UInt32(bitPattern: token)) &* 3 &+ (isPrompt ? 1 : 0))
        return mix.next()
    }

    static func start(_ salt: String?) -> UInt64 { UInt64(salt.map { 7 + $0.utf8.count } ?? 5) }

    /// The history at each token of a request.
    static func histories(_ shadow: Shadow, _ hasher: BlockHasher, _ draft: [Int32] = []) -> [UInt64] {
        var result: [UInt64] = []
        var before = start(shadow.salt)
        for (index, token) in (shadow.prompt + shadow.generated + draft).enumerated() {
            before = history(before, token, isPrompt: hasher.servesAnswers || index < shadow.prompt.count)
            result.append(before)
        }
        return result
    }

    @Test("Walk", arguments: UInt64(1)...40)
    func walk(seed: UInt64) async throws {
        var random = SplitMix(seed: seed &* 77)
        let blockSize = 1 + random.below(5)
        let blocks = 6 + random.below(40)
        let batchSize = 1 + random.below(6)
        let limits = Scheduler.Limits(
            maxBatchTokens: batchSize + random.below(24), maxBatchSize: batchSize, blockSize: blockSize,
            blockCount: blocks, maximumContext: min(blockSize * blocks, 20 + random.below(60)))
        let hasher = BlockHasher(
            identity: [], blockSize: blockSize, readsNextToken: random.chance(50), servesAnswers: seed.isMultiple(of: 2)
        )
        let scheduler = Scheduler(
            limits: limits, endTokens: [19], policy: random.chance(50) ? .priority : .arrival, hasher: hasher)
        var world = World(random: random, scheduler: scheduler, hasher: hasher)
        for _ in 0..<200 {
            // Others share these threads.
            await Task.yield()
            try turn(&world, seed)
        }
        for id in world.shadows.keys {
            world.scheduler.setPaused(id, false)
            world.scheduler.setFetching(id, false)
            world.shadows[id]?.isPaused = false
            world.shadows[id]?.isFetching = false
        }
        for _ in 0..<20_000 where !world.scheduler.isIdle { try step(&world, seed) }
        #expect(world.scheduler.isIdle, "seed \(seed): requests that never end")
        #expect(world.scheduler.pool.usedCount == 0, "seed \(seed): blocks leaked")
        let counts = world.scheduler.prefixCounts
        #expect(counts.hitTokens > 0 && counts.hitTokens < counts.queriedTokens, "seed \(seed): \(counts)")
        if hasher.servesAnswers, blocks > 24, limits.maximumContext > 40 {
            #expect(world.answerHits > 0, "seed \(seed): no answer is found again")
        }
        if blocks < 12 { #expect(counts.evictedBlocks > 0, "seed \(seed)") }
    }

    private func turn(_ world: inout World, _ seed: UInt64) throws {
        let ids = world.shadows.keys.sorted()
        switch world.random.below(12) {
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
        case 4 where !ids.isEmpty: fetch(ids[world.random.below(ids.count)], &world)
        default: try step(&world, seed)
        }
        try world.scheduler.checkInvariants()
    }

    private func submit(_ world: inout World) {
        let context = world.scheduler.limits.maximumContext
        // Few prompts with common beginnings, so that most of them meet again.
        let family = Int32(world.random.below(3))
        let shared = world.random.below(context - 1)
        var prompt = (0..<shared).map { Int32($0) % 11 + family }
        while prompt.isEmpty || prompt.count < context - 1 && world.random.chance(60) {
            prompt.append(Int32(world.random.below(19)))
        }
        let id = RequestID(world.nextID)
        world.nextID += 1
        var salt = [nil, "", "x"][world.random.below(3)]
        if let turn = world.ended.last, turn.tokens.count < context - 1, world.random.chance(40) {
            prompt = turn.tokens + [Int32(world.random.below(19))]
            salt = turn.salt
        }
        let stopping = StoppingConditions(maxTokens: world.random.below(context - prompt.count + 1))
        let priority = world.random.below(3) - 1
        world.shadows[id] = Shadow(prompt: prompt, salt: salt, priority: priority)
        world.scheduler.add(
            SequenceRequest(
                id: id, promptTokens: prompt, stopping: stopping, wantsPromptLogprobs: world.random.chance(10),
                priority: priority, chain: world.hasher.chain(of: prompt, salt: salt)))
        if world.random.chance(20) {
            world.scheduler.setFetching(id, true)
            world.shadows[id]?.isFetching = true
        }
    }

    /// A store gives some of the blocks that a request misses, with the rows that belong there; then the request may start.
    private func fetch(_ id: RequestID, _ world: inout World) {
        guard let shadow = world.shadows[id] else { return }
        let missing = world.scheduler.missingKeys(of: id)
        let blockSize = world.scheduler.limits.blockSize
        let histories = Self.histories(shadow, world.hasher)
        var parent = missing.parent
        for (index, key) in zip(missing.keys.indices, missing.keys) where world.random.chance(80) {
            guard let block = world.scheduler.place(key, after: parent, isFollowed: world.random.chance(50)) else {
                break
            }
            for row in 0..<blockSize {
                world.cache[block.rawValue * Int32(blockSize) + Int32(row)] = histories[index * blockSize + row]
            }
            parent = key
        }
        world.scheduler.setFetching(id, false)
        world.shadows[id]?.isFetching = false
    }

    private func step(_ world: inout World, _ seed: UInt64) throws {
        var plan = StepPlan()
        let promptRows = world.random.chance(50) ? world.random.below(12) : nil
        let busy = world.shadows.keys.filter { id in
            world.scheduler.slot(of: id).map { world.scheduler.mayDraft($0) } ?? false
        }
        world.scheduler.schedule(into: &plan, promptRows: promptRows, promptsAlone: world.random.chance(30))
        try world.scheduler.checkInvariants()
        let limits = world.scheduler.limits
        #expect(plan.rows <= limits.maxBatchTokens, "seed \(seed)")
        #expect(Set((plan.prompts + plan.decodes).map(\.id)).count <= limits.maxBatchSize, "seed \(seed)")
        let runnable = world.shadows.values.contains { !$0.isPaused && !$0.isFetching }
        #expect(!runnable || !plan.isEmpty || !plan.preempted.isEmpty, "seed \(seed): a runnable request starves")
        // Of those that decoded, one at least still does.
        if let promptRows, plan.decodes.contains(where: { busy.contains($0.id) }) {
            #expect(plan.promptRows <= promptRows, "seed \(seed)")
        }
        let batch = Batch(limits: limits)
        batch.build(plan, from: world.scheduler)
        checkRows(batch, plan, &world, seed)
        var progress: [Progress] = []
        var tokens: [Int32] = []
        for row in plan.sampled {
            let next = next(row, world)
            if row.draft != nil, tokens.last != row.draft {
                tokens.append(StepPlan.void)
            } else {
                let isPostponed = row.draft == nil && row.purpose == .nextToken && world.random.chance(5)
                tokens.append(isPostponed ? StepPlan.postponed : next)
            }
        }
        world.scheduler.commit(plan, tokens: tokens, into: &progress)
        try world.scheduler.checkInvariants()
        for entry in progress {
            if let index = entry.sampledIndex { world.shadows[entry.id]?.generated.append(tokens[index]) }
            if let finish = entry.finish {
                let prompt = world.shadows[entry.id]?.prompt.count ?? 0
                #expect(finish.usage.cachedPromptTokens < prompt || prompt == 0, "seed \(seed)")
                #expect(finish.usage.cachedPromptTokens.isMultiple(of: limits.blockSize), "seed \(seed)")
                if let shadow = world.shadows.removeValue(forKey: entry.id) {
                    let known = world.ended.filter { shadow.prompt.starts(with: $0.tokens) && shadow.salt == $0.salt }
                    if let turn = known.last, finish.usage.cachedPromptTokens > turn.prompt { world.answerHits += 1 }
                    world.ended.append((shadow.prompt + shadow.generated, shadow.prompt.count, shadow.salt))
                }
            }
        }
        follow(plan, &world)
        for (id, _) in world.shadows.sorted(by: { $0.key < $1.key }) where world.random.chance(30) {
            guard let slot = world.scheduler.slot(of: id),
                world.scheduler.withSequence(slot, { _, draft, _ in draft.isEmpty }) == true
            else { continue }
            for _ in 0..<world.scheduler.reserveDraft(1 + world.random.below(3), for: slot) {
                world.scheduler.appendDraft(Int32(world.random.below(4)), to: slot)
            }
        }
        try world.scheduler.checkInvariants()
    }

    /// Four tokens, so that guesses are right now and then, and a rare end.
    private func next(_ row: StepPlan.Sampled, _ world: World) -> Int32 {
        var mix = SplitMix(seed: row.id.rawValue &* 31 &+ UInt64(row.tokenIndex))
        return mix.chance(4) ? 19 : Int32(mix.below(4))
    }

    /// Sometimes the drafter follows, as far as it knows a request from the start.
    private func follow(_ plan: StepPlan, _ world: inout World) {
        guard world.random.chance(70) else { return }
        for chunk in plan.prompts + plan.decodes where world.scheduler.slot(of: chunk.id) == chunk.slot {
            let known = world.scheduler.withSequence(chunk.slot) { tokens, _, _ in tokens.count } ?? 0
            guard world.scheduler.followed(chunk.slot) == chunk.start, chunk.start < known - 1 else { continue }
            world.scheduler.setFollowed(chunk.slot, min(chunk.end, known - 1))
        }
    }

    private func checkRows(_ batch: Batch, _ plan: StepPlan, _ world: inout World, _ seed: UInt64) {
        let chunks = plan.prompts + plan.decodes
        var own: [[UInt64]] = []
        for chunk in chunks {
            let draft = world.scheduler.withSequence(chunk.slot) { _, draft, _ in Array(draft) } ?? []
            own.append(world.shadows[chunk.id].map { Self.histories($0, world.hasher, draft) } ?? [])
        }
        for (index, chunk) in chunks.enumerated() {
            for row in chunk.row..<chunk.row + chunk.count {
                world.cache[batch.slots[row]] = own[index][Int(batch.positions[row])]
            }
        }
        for (index, chunk) in chunks.enumerated() {
            let sequence = batch.sequences[index]
            for token in 0..<sequence.contextLength {
                let block = batch.blockTables[sequence.tableStart + token / batch.blockSize]
                let held = world.cache[block * Int32(batch.blockSize) + Int32(token % batch.blockSize)]
                if held != own[index][token] {
                    Issue.record("seed \(seed): \(chunk.id) reads token \(token) from a row with another history")
                }
            }
        }
    }
}
