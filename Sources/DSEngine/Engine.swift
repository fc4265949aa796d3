/// Requests in, tokens out: many requests at once on one model, each as if it were alone.
///
/// The engine computes on a thread of its own (and the model's pool of threads); none of its methods blocks. At
/// temperature 0 a request's tokens are bit-identical whatever else runs beside it; with a temperature they depend on its
/// seed only. It lives until `shutdown()`, or until nobody refers to it or one of its streams.
public final class Engine: Sendable {
    public let configuration: EngineConfiguration
    /// Token ids are 0..<vocabularySize.
    public let vocabularySize: Int
    /// Tokens that a request may have, prompt and output together: what the model was made for, or what the key/value
    /// cache holds if that is less.
    public let maximumContext: Int
    /// Tokens with which the model ends its output.
    public let endTokens: [Int32]
    /// What the user should know about how the model runs here; nil: nothing.
    public let note: String?

    private let mailbox = Mailbox()
    private let board = StatisticsBoard()
    private let stopped = Completion()
    /// Names blocks that requests share; nil: they share none.
    private let hasher: BlockHasher?
    private let store: (any BlockStore)?

    /// Starts an engine over `runner`, which it owns from now on.
    /// - Parameter store: keeps computed prompts below memory; the engine closes it when it ends.
    package init(
        runner: sending any ModelRunner, endTokens: [Int32], configuration: EngineConfiguration,
        store: (any BlockStore)? = nil
    ) throws(EngineError) {
        try configuration.validate()
        guard runner.blockCount > 0, runner.blockSize > 0, runner.maximumContext > 0, runner.vocabularySize > 0 else {
            throw .modelFailure("the model has no vocabulary, no context or no room for a block of its cache")
        }
        guard store == nil || configuration.prefixCaching else {
            throw .invalidParameter(
                field: "prefix_caching", expected: "true where blocks are kept below memory", found: "false")
        }
        guard store == nil || runner.blockBytes != nil else {
            throw .modelFailure("its cache cannot be kept below memory")
        }
        self.configuration = configuration
        self.endTokens = endTokens
        note = runner.note
        vocabularySize = runner.vocabularySize
        maximumContext = min(runner.maximumContext, runner.blockCount * runner.blockSize)
        let limits = Scheduler.Limits(
            maxBatchTokens: configuration.maxBatchTokens, maxBatchSize: configuration.maxBatchSize,
            blockSize: runner.blockSize, blockCount: runner.blockCount, maximumContext: maximumContext)
        let speculator: Speculator? =
            switch configuration.speculation {
            case .off: nil
            case .auto, .drafter, .lookup:
                Speculator(
                    limits: limits, vocabularySize: runner.vocabularySize, maxDraftTokens: configuration.maxDraftTokens,
                    usesLookup: configuration.speculation != .drafter, drafter: runner.drafter,
                    adapts: !configuration.draftsAlways)
            }
        let hasher =
            configuration.prefixCaching
            ? BlockHasher(
                // Only where blocks outlive the process do others' meet them.
                identity: store == nil ? [] : runner.cacheIdentity, blockSize: runner.blockSize,
                readsNextToken: speculator != nil && runner.drafter != nil,
                servesAnswers: configuration.keepsAnswers) : nil
        self.hasher = hasher
        self.store = store
        let loop = Handover(
            EngineLoop(
                runner: runner, limits: limits, endTokens: endTokens, mailbox: mailbox, board: board,
                speculator: speculator, hasher: hasher, store: store, configuration: configuration))
        try startThread { [stopped] in
            loop.value.run()
            stopped.complete()
        }
    }

    deinit { mailbox.close() }

    /// Starts a request. Throws at once what is wrong with it: a field out of range, a prompt that does not fit, a full
    /// queue, or `shutDown`.
    public func submit(_ request: GenerationRequest) throws(EngineError) -> TokenStream {
        try request.validate(vocabularySize: vocabularySize, maximumContext: maximumContext)
        guard request.pooling == nil || configuration.computesEmbeddings else {
            throw .invalidParameter(
                field: "pooling", expected: "an engine that computes embeddings", found: "one that does not")
        }
        let seed = request.sampling.seed ?? UInt64.random(in: 0 ... .max)
        let chain = hasher?.chain(
            of: request.promptTokens, salt: request.cacheSalt, owner: request.cacheOwner)
        var opened: TokenChannel?
        try board.enter(
            tokens: request.promptTokens.count, limit: configuration.maximumQueuedRequests,
            tokenLimit: configuration.maximumQueuedTokens
        ) { id throws(EngineError) in
            let drafts = configuration.speculation == .off ? 0 : configuration.maxDraftTokens
            let channel = TokenChannel(
                id: id, capacity: configuration.streamCapacity, draftTokens: drafts, mailbox: mailbox)
            let submission = Submission(
                id: id, request: request, seed: seed, channel: channel, submitted: ContinuousClock.now,
                chain: chain)
            guard mailbox.post(.submit(submission)) else { throw .shutDown }
            opened = channel
        }
        guard let opened else { throw .shutDown }
        return TokenStream(
            id: opened.id, seed: seed, lifetime: StreamLifetime(channel: opened, engine: self))
    }

    /// Ends a request before the next step; its stream reports `FinishReason.cancelled`. Ids that ended are ignored.
    public func cancel(_ id: RequestID) { mailbox.post(.cancel(id)) }

    /// The state after the last step.
    public func statistics() -> EngineStatistics {
        var statistics = board.snapshot
        statistics.waitingTokens = board.queuedTokens
        statistics.blockStoreTiers = store?.statistics ?? []
        return statistics
    }

    /// What requests took and used so far, and the time in seconds on the clock of its windows.
    package func telemetry() -> (telemetry: EngineTelemetry, now: Double) {
        (board.telemetry.snapshot, board.telemetry.seconds(at: .now))
    }

    /// Ends every request with `EngineError.shutDown`, refuses new ones, and returns when the thread has ended.
    public func shutdown() async {
        mailbox.close()
        await stopped.wait()
    }
}

/// Carries the loop to its thread.
private struct Handover: @unchecked Sendable {
    // SAFETY: the loop is created by `Engine.init`, not referred to by it afterwards, and used by one thread only.
    let value: EngineLoop
    init(_ value: EngineLoop) { self.value = value }
}
