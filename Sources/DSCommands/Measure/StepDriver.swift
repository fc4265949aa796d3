import DSEngine
import DSGraph
import DSModels

/// Runs an engine's steps one by one, without sampling: scheduler, batch and model as in the engine's loop.
final class StepDriver {
    private var scheduler: Scheduler
    private let batch: Batch
    private let runner: GraphModelRunner
    private var plan = StepPlan()
    private var tokens: [Int32] = []
    private var progress: [Progress] = []
    private var nextID: UInt64 = 0
    private let clock = ContinuousClock()

    /// - Parameter context: tokens of each sequence, prompt and output together.
    init(model: LoadedModel, configuration: EngineConfiguration, sequences: Int, context: Int) throws {
        // Before the cache for it is allocated.
        guard context <= model.configuration.maximumContext else {
            throw EngineError.contextExceeded(
                promptTokens: context, requestedTokens: 0, limit: model.configuration.maximumContext)
        }
        try configuration.validate()
        var configuration = configuration
        configuration.speculation = .off
        configuration.copiesWeightsFirst = true
        configuration.maxBatchSize = max(sequences, 1)
        configuration.maxBatchTokens = max(configuration.maxBatchTokens, configuration.maxBatchSize)
        let blocks = (context + configuration.blockSize - 1) / configuration.blockSize * sequences
        let bytesPerToken = ModelSummary(model).cacheBytesPerToken(configuration.kvCacheType.dtype)
        configuration.kvCacheBytes = blocks * configuration.blockSize * bytesPerToken
        runner = try GraphModelRunner(model, configuration, onPageIn: PageInLine.report())
        let limits = Scheduler.Limits(
            maxBatchTokens: configuration.maxBatchTokens, maxBatchSize: configuration.maxBatchSize,
            blockSize: runner.blockSize, blockCount: runner.blockCount,
            maximumContext: min(runner.maximumContext, runner.blockCount * runner.blockSize))
        guard context <= limits.maximumContext else {
            throw EngineError.contextExceeded(
                promptTokens: context, requestedTokens: 0, limit: limits.maximumContext)
        }
        scheduler = Scheduler(limits: limits)
        batch = Batch(limits: limits)
    }

    /// Adds a sequence with a prompt of `prompt` tokens that generates `generate` more.
    func add(prompt: Int, generate: Int) {
        nextID += 1
        // Spread over the vocabulary, so that the embedding rows do not all sit in the cache.
        let stride = 7919
        let ids = (0..<prompt).map { Int32(($0 * stride + Int(nextID) * 101) % runner.vocabularySize) }
        scheduler.add(
            SequenceRequest(
                id: RequestID(nextID), promptTokens: ids, stopping: StoppingConditions(maxTokens: generate),
                wantsPromptLogprobs: false))
    }

    /// Adds sequences whose prompts are computed here, one after the other, so that the next `generate` steps decode all of
    /// them together. The token that a prompt's last row gives is the first one fed back.
    func addDecoding(_ count: Int, prompt: Int, generate: Int) throws {
        var added: [RequestID] = []
        for _ in 0..<count {
            add(prompt: prompt, generate: generate + 1)
            added.append(RequestID(nextID))
            var computed = 0
            while computed < prompt, let step = try step() { computed += step.promptRows }
            scheduler.setPaused(RequestID(nextID), true)
        }
        for id in added { scheduler.setPaused(id, false) }
    }

    /// What the user should know about how the model runs here.
    var note: String? { runner.note }

    /// Times of the operations of the steps to come; nil measures nothing.
    var profile: StepProfile? {
        get { runner.profile }
        set { runner.profile = newValue }
    }

    /// Bytes of scratch that the largest step so far needed.
    var arenaBytes: Int { runner.arenaBytes }

    /// Whether sequences are left.
    var isIdle: Bool { scheduler.isIdle }

    /// Computes one step; nil if there is nothing to compute. `cacheBytes`: of the cache, in use during the step.
    func step() throws -> (promptRows: Int, decodeRows: Int, time: Duration, cacheBytes: Int)? {
        scheduler.schedule(into: &plan)
        guard !plan.isEmpty else { return nil }
        let cacheBytes = scheduler.pool.usedCount * (runner.cacheBytes / runner.blockCount)
        let start = clock.now
        batch.build(plan, from: scheduler)
        _ = try runner.run(batch)
        let time = start.duration(to: clock.now)
        tokens.removeAll(keepingCapacity: true)
        for _ in plan.sampled { tokens.append(Int32((tokens.count * 31 + 17) % runner.vocabularySize)) }
        progress.removeAll(keepingCapacity: true)
        scheduler.commit(plan, tokens: tokens, into: &progress)
        return (plan.promptRows, plan.decodeRows, time, cacheBytes)
    }
}
