/// Guesses tokens between steps, and learns from steps which guesses pay.
///
/// A guess is verified by being computed: its row counts only if the row before it chooses just this token, with the
/// request's own sampler. So every token is the one that would have come without guesses, at any temperature. For a drafter that
/// names one token, this accepts exactly as often as rejection sampling does.
package final class Speculator {
    private let limit: Int
    /// Rows of a step.
    private let rowLimit: Int
    private let usesLookup: Bool
    /// Whether guesses are left out that are expected not to pay.
    private let adapts: Bool
    private var drafter: (any DraftRunner)?
    /// Whether guesses come from a model, too.
    var hasDrafter: Bool { drafter != nil }
    /// Why the drafter was given up.
    package private(set) var drafterError: EngineError?
    private let batch: Batch
    private let clock = ContinuousClock()

    private var budget = DrafterBudget()
    private var greedy = AcceptanceTable()
    private var sampled = AcceptanceTable()
    /// How often a drafter's guess was right lately, whatever it promised.
    private var drafterRate = 0.7
    /// Where the drafted tokens of a request come from, by slot.
    private var origins: [[Origin]] = []
    private var candidates: [Candidate] = []
    /// For each row of `batch`, the row that it continues.
    private var sources: RowBuffer<Int32>
    private var weights: UnsafeMutableBufferPointer<Float>
    private var outlook = Outlook()

    private struct Origin {
        let source: AcceptanceTable.Source
        let isGreedy: Bool
    }

    /// A request that decodes and may have guesses.
    private struct Candidate {
        let slot: SequenceSlot
        let isGreedy: Bool
        /// Guesses so far.
        var count = 0
        /// The chance that all of them are right.
        var chance = 1.0
        /// Its row in the drafter's last step; nil: it gets no guesses from there.
        var row: Int?
    }

    /// What the coming step is expected to cost and to give.
    private struct Outlook {
        var rows = 0
        var tokens = 0.0
        var draftingSeconds = 0.0
    }

    package init(
        limits: Scheduler.Limits, vocabularySize: Int, maxDraftTokens: Int, usesLookup: Bool,
        drafter: (any DraftRunner)?, adapts: Bool = true
    ) {
        limit = maxDraftTokens
        rowLimit = limits.maxBatchTokens
        self.adapts = adapts
        self.usesLookup = usesLookup
        self.drafter = drafter
        batch = Batch(limits: limits)
        sources = RowBuffer(capacity: limits.maxBatchTokens)
        weights = .allocate(capacity: vocabularySize)
        candidates.reserveCapacity(limits.maxBatchSize)
    }

    deinit { weights.deallocate() }

    // MARK: Learning

    /// What became of the guesses of one request in a step.
    package struct Outcome: Equatable, Sendable {
        package var drafted = 0
        package var accepted = 0
    }

    /// Learns from a step that was computed and before it is committed; calls `report` per request with guesses.
    /// - Parameter chosen: the token of each sampled row, `StepPlan.void` where its own token was wrong.
    package func learn(_ plan: StepPlan, chosen: [Int32], seconds: Double, report: (Outcome) -> Void) {
        if plan.promptRows == 0 { budget.model.record(rows: plan.rows, seconds: seconds) }
        var index = 0
        while index < plan.sampled.count {
            guard plan.sampled[index].draft != nil else {
                index += 1
                continue
            }
            let slot = plan.sampled[index].slot
            // Where a row before a guess was postponed, nobody knows whether it is right.
            var isKnown = true
            var outcome = Outcome()
            while index < plan.sampled.count, plan.sampled[index].slot == slot, plan.sampled[index].draft != nil {
                isKnown = isKnown && chosen[index - 1] != StepPlan.postponed
                let isRight = chosen[index - 1] == plan.sampled[index].draft
                if isKnown, outcome.accepted == outcome.drafted { record(slot, outcome.drafted, isRight) }
                outcome.drafted += 1
                if isRight { outcome.accepted += 1 }
                index += 1
            }
            report(outcome)
        }
    }

    private func record(_ slot: SequenceSlot, _ place: Int, _ isRight: Bool) {
        guard origins.indices.contains(slot.rawValue), place < origins[slot.rawValue].count else { return }
        let origin = origins[slot.rawValue][place]
        if origin.isGreedy {
            greedy.record(origin.source, isRight: isRight)
        } else {
            sampled.record(origin.source, isRight: isRight)
        }
        if case .drafter = origin.source { drafterRate += ((isRight ? 1 : 0) - drafterRate) / 64 }
    }

    /// Steps cost something else from now on.
    package func forgetCosts() { budget = DrafterBudget() }

    // MARK: Guessing

    /// Gives guesses to the requests that decode after a committed step, as far as they are expected to pay.
    /// - Parameter isGreedy: of the request in a slot; nil if it is gone.
    package func propose(
        after plan: StepPlan, _ scheduler: inout Scheduler, isGreedy: (SequenceSlot) -> Bool?
    ) {
        let guesses = candidates.reduce(0) { $0 + $1.count }
        candidates.removeAll(keepingCapacity: true)
        for chunk in plan.prompts { consider(chunk, scheduler, isGreedy) }
        for chunk in plan.decodes { consider(chunk, scheduler, isGreedy) }
        outlook = Outlook(rows: candidates.count, tokens: Double(candidates.count), draftingSeconds: 0)
        if adapts, !candidates.isEmpty {
            budget.note(requests: candidates.count, guesses: guesses, rate: drafterRate, limit: limit)
        }
        if usesLookup, !wantsPlainStep {
            for index in candidates.indices where pays(1) { lookUp(index, &scheduler) }
        }
        guard let drafter, !budget.isResting else { return }
        do throws(EngineError) {
            try draft(drafter, after: plan, &scheduler)
        } catch {
            // Guesses change the speed alone: the requests go on without.
            drafterError = error
            self.drafter = nil
        }
    }

    private func consider(
        _ chunk: StepPlan.Chunk, _ scheduler: borrowing Scheduler, _ isGreedy: (SequenceSlot) -> Bool?
    ) {
        guard scheduler.slot(of: chunk.id) == chunk.slot, scheduler.mayDraft(chunk.slot), isLast(chunk, scheduler),
            let isGreedy = isGreedy(chunk.slot),
            // A postponed row can leave a request with two chunks that reach its last computed token.
            !candidates.contains(where: { $0.slot == chunk.slot })
        else { return }
        while origins.count <= chunk.slot.rawValue { origins.append([]) }
        origins[chunk.slot.rawValue].removeAll(keepingCapacity: true)
        candidates.append(Candidate(slot: chunk.slot, isGreedy: isGreedy))
    }

    /// Whether a chunk reaches the last token that its request has computed; one of a request's chunks does.
    private func isLast(_ chunk: StepPlan.Chunk, _ scheduler: borrowing Scheduler) -> Bool {
        let known = scheduler.withSequence(chunk.slot) { tokens, _, _ in tokens.count } ?? 0
        return chunk.end >= known - 1
    }

    private func rate(_ source: AcceptanceTable.Source, of candidate: Candidate) -> Double {
        candidate.isGreedy ? greedy.rate(source) : sampled.rate(source)
    }

    private var wantsPlainStep: Bool { adapts && budget.wantsPlainStep }

    /// Whether one row more for a guess that is right with this chance pays: a token may not cost more than tokens do.
    private func pays(_ chance: Double, drafting: Double = 0) -> Bool {
        guard outlook.rows < rowLimit else { return false }
        guard adapts else { return true }
        if budget.wantsSample, outlook.rows == candidates.count { return true }
        guard let now = budget.model.seconds(rows: outlook.rows),
            let more = budget.model.seconds(rows: outlook.rows + 1)
        else { return false }
        return chance * (now + outlook.draftingSeconds) >= (more - now + drafting) * outlook.tokens
    }

    /// Adds a guess if it pays and there is room for it.
    private func add(
        _ token: Int32, _ source: AcceptanceTable.Source, to index: Int, _ scheduler: inout Scheduler
    ) -> Bool {
        let candidate = candidates[index]
        let chance = candidate.chance * rate(source, of: candidate)
        guard candidate.count < limit, pays(chance),
            scheduler.reserveDraft(candidate.count + 1, for: candidate.slot) > candidate.count
        else { return false }
        scheduler.appendDraft(token, to: candidate.slot)
        origins[candidate.slot.rawValue].append(.init(source: source, isGreedy: candidate.isGreedy))
        candidates[index].count += 1
        candidates[index].chance = chance
        outlook.rows += 1
        outlook.tokens += chance
        return true
    }

    private func lookUp(_ index: Int, _ scheduler: inout Scheduler) {
        let slot = candidates[index].slot
        guard
            let match = scheduler.withSequence(slot, { tokens, _, _ in PromptLookup.match(tokens) }) ?? nil
        else { return }
        let source = AcceptanceTable.Source.lookup(length: match.length)
        guard drafter == nil || budget.isResting || rate(source, of: candidates[index]) >= drafterRate else { return }
        for place in 0..<limit {
            let token = scheduler.withSequence(slot) { tokens, draft, _ in
                let next = match.next + place
                return next < tokens.count ? tokens[next] : draft[next - tokens.count]
            }
            guard let token, add(token, source, to: index, &scheduler) else { return }
        }
    }

    // MARK: The drafter

    private func draft(
        _ drafter: any DraftRunner, after plan: StepPlan, _ scheduler: inout Scheduler
    ) throws(EngineError) {
        batch.removeAll()
        sources.removeAll()
        // Every row that the model computed for good, so that the drafter's state has no holes.
        for chunk in plan.prompts { follow(chunk, isPrompt: true, &scheduler) }
        for chunk in plan.decodes { follow(chunk, isPrompt: false, &scheduler) }
        guard batch.rows > 0 else { return }
        var logits = try run(drafter, isContinuation: false)
        var width = batch.sampledRows.count == 0 ? 0 : logits.count / batch.sampledRows.count
        while width > 0 {
            guess(logits, width, &scheduler)
            guard prepareContinuation(scheduler) else { return }
            logits = try run(drafter, isContinuation: true)
            width = logits.count / batch.sampledRows.count
        }
    }

    private func run(
        _ drafter: any DraftRunner, isContinuation: Bool
    ) throws(EngineError) -> UnsafeBufferPointer<Float> {
        let start = clock.now
        let logits = try drafter.run(batch, sources: sources, isContinuation: isContinuation)
        let seconds = start.duration(to: clock.now) / .seconds(1)
        if batch.promptRows == 0 { budget.drafter.record(rows: batch.rows, seconds: seconds) }
        outlook.draftingSeconds += seconds
        return logits
    }

    /// Adds the rows of a chunk whose next token is known, and wants logits for the last one if guesses may pay. A request that
    /// the drafter does not know from the start gets none.
    private func follow(_ chunk: StepPlan.Chunk, isPrompt: Bool, _ scheduler: inout Scheduler) {
        guard scheduler.slot(of: chunk.id) == chunk.slot, scheduler.followed(chunk.slot) == chunk.start,
            let known = scheduler.withSequence(chunk.slot, { tokens, _, _ in tokens.count }), chunk.start < known - 1
        else { return }
        let end = min(chunk.end, known - 1)
        scheduler.setFollowed(chunk.slot, end)
        scheduler.withSequence(chunk.slot) { tokens, _, blocks in
            batch.append(chunk.start..<end, blocks: blocks, isPrompt: isPrompt) { tokens[$0 + 1] }
            for index in chunk.start..<end { sources.append(Int32(chunk.row + index - chunk.start)) }
            guard end == tokens.count - 1, !wantsPlainStep,
                let index = candidates.firstIndex(where: { $0.slot == chunk.slot }), candidates[index].count == 0,
                pays(drafterRate)
            else { return }
            candidates[index].row = batch.rows - 1
            batch.sample(row: batch.rows - 1)
        }
    }

    /// Takes the drafter's best token of each candidate in its last step.
    private func guess(_ logits: UnsafeBufferPointer<Float>, _ width: Int, _ scheduler: inout Scheduler) {
        guard let scratch = weights.baseAddress else { return }
        var next = 0
        for index in candidates.indices where candidates[index].row != nil {
            let row = UnsafeBufferPointer(rebasing: logits[next * width..<(next + 1) * width])
            next += 1
            let token = LogitScan.argmax(row)
            let total = LogitScan.exponentials(row, shift: row[token], scale: 1, into: scratch)
            let source = AcceptanceTable.Source.drafter(probability: Float(1 / total))
            if !add(Int32(token), source, to: index, &scheduler) { candidates[index].row = nil }
        }
    }

    /// Makes `batch` the step that guesses one token more; false if that pays for nobody.
    private func prepareContinuation(_ scheduler: borrowing Scheduler) -> Bool {
        batch.removeAll()
        sources.removeAll()
        for index in candidates.indices {
            guard let row = candidates[index].row else { continue }
            candidates[index].row = nil
            guard candidates[index].count < limit,
                pays(
                    candidates[index].chance * drafterRate, drafting: budget.drafter.seconds(rows: batch.rows + 1) ?? 0)
            else { continue }
            scheduler.withSequence(candidates[index].slot) { tokens, draft, blocks in
                // The row before the last guess; its own cache row was reserved with the guess.
                let position = tokens.count + draft.count - 2
                guard blocks.count * batch.blockSize > position, let last = draft.last else { return }
                batch.append(position..<position + 1, blocks: blocks, isPrompt: false) { _ in last }
                sources.append(Int32(row))
                candidates[index].row = batch.rows - 1
                batch.sample(row: batch.rows - 1)
            }
        }
        return batch.rows > 0
    }
}
