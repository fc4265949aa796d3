/// A consistent picture of an engine between two steps. Counters only grow.
public struct EngineStatistics: Sendable, Equatable {
    /// Requests that hold blocks.
    public var runningRequests = 0
    /// Requests that wait for their first step, or to be computed again after a preemption.
    public var waitingRequests = 0
    /// Prompt tokens of the requests that wait for their first step.
    public var waitingTokens = 0
    /// Requests that wait for a slow consumer (counted in running or waiting, too).
    public var pausedRequests = 0
    /// Requests that were submitted and have not been in a step.
    public var queuedRequests = 0
    public var totalBlocks = 0
    public var usedBlocks = 0
    /// Tokens per block.
    public var blockSize = 0
    /// Steps computed.
    public var steps = 0
    /// Rows computed by the last step.
    public var lastStepTokens = 0
    /// Prompt tokens computed (again after a preemption).
    public var promptTokens = 0
    /// Tokens generated.
    public var generatedTokens = 0
    public var preemptions = 0
    /// Blocks that hold what a later request may need, in use or not.
    public var cachedBlocks = 0
    /// Prompt tokens that were looked up in the prefix cache, and those of them that were found.
    public var prefixCacheQueries = 0
    public var prefixCacheHits = 0
    /// Cached blocks that made room for others.
    public var prefixCacheEvictions = 0
    /// Blocks that were asked for in the store below memory, that came from there, and that did not although they were there.
    public var blockLoads = 0
    public var blockLoadHits = 0
    public var blockLoadFailures = 0
    /// Blocks that were handed to that store.
    public var blockStores = 0
    /// What the tiers of that store report, fastest first; empty without one.
    package var blockStoreTiers: [BlockStoreStatistics] = []
    /// Requests' steps that verified guesses.
    public var drafts = 0
    /// Guessed tokens that were computed.
    public var draftTokens = 0
    /// Guessed tokens that were right.
    public var acceptedDraftTokens = 0
    /// Those by their place in the guess, first to last.
    public var acceptedDraftTokensByPosition: [Int] = []
    /// Why the model's own layer for guesses was given up; nil: it was not.
    public var drafterError: String?
    /// Bytes of weights that were copied into a faster layout, and of those that are going to be (level 3).
    public var copiedWeightBytes = 0
    public var weightBytesToCopy = 0
    public var memory = EngineMemory()
    public var submittedRequests = 0
    /// Requests that ended by themselves (end of sequence, stop token or length).
    public var finishedRequests = 0
    public var cancelledRequests = 0
    /// Requests that were not done in time, or that waited longer for their first step than they may.
    public var expiredRequests = 0
    public var failedRequests = 0
    /// Time spent in steps.
    public var stepTime = Duration.zero
    /// When the last step ended, on the continuous clock, for liveness checks; `nil` before the first.
    public var lastStep: ContinuousClock.Instant?
    /// When the engine's thread began what it does now; `nil` while it waits because there is nothing to do.
    public var turnStarted: ContinuousClock.Instant?

    public init() {}

    mutating func record(_ outcome: Speculator.Outcome) {
        drafts += 1
        draftTokens += outcome.drafted
        acceptedDraftTokens += outcome.accepted
        while acceptedDraftTokensByPosition.count < outcome.accepted { acceptedDraftTokensByPosition.append(0) }
        for place in 0..<outcome.accepted { acceptedDraftTokensByPosition[place] += 1 }
    }

    /// How long the engine has been busy with one thing, a step above all: far longer than steps take means that it makes no progress.
    /// Zero while there is nothing to do.
    public func busyTime(at now: ContinuousClock.Instant = .now) -> Duration {
        turnStarted.map { $0.duration(to: now) } ?? .zero
    }

    /// Fraction of the key/value cache in use, 0...1.
    public var cacheUsage: Double { totalBlocks == 0 ? 0 : Double(usedBlocks) / Double(totalBlocks) }
}
