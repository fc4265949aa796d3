/// What the scheduler needs to know about a request.
package struct SequenceRequest: Sendable {
    package var id: RequestID
    package var promptTokens: [Int32]
    package var stopping: StoppingConditions
    /// Rows of the prompt need logits, too.
    package var wantsPromptLogprobs: Bool
    /// Requests with a lower value come first; counts where the scheduler's policy says so.
    package var priority: Int
    /// All rows of the prompt have to be computed, also those that are known.
    package var needsAllRows: Bool
    /// Keys of the blocks that the prompt fills; nil: no block is shared with other requests.
    package var chain: BlockChain?

    package init(
        id: RequestID, promptTokens: [Int32], stopping: StoppingConditions, wantsPromptLogprobs: Bool = false,
        priority: Int = 0, needsAllRows: Bool = false, chain: BlockChain? = nil
    ) {
        self.id = id
        self.promptTokens = promptTokens
        self.stopping = stopping
        self.wantsPromptLogprobs = wantsPromptLogprobs
        self.priority = priority
        self.needsAllRows = needsAllRows
        self.chain = chain
    }
}

/// A request inside the scheduler: known tokens, computed tokens, blocks.
struct ScheduledSequence: Sendable {
    let id: RequestID
    let promptCount: Int
    let stopping: StoppingConditions
    /// Known tokens may not exceed this: prompt + maxTokens, within the context.
    let tokenLimit: Int
    let wantsPromptLogprobs: Bool
    let priority: Int
    let needsAllRows: Bool
    /// Known tokens: prompt, then generated ones.
    var tokens: [Int32]
    /// Tokens [0, computed) have their keys and values in `blocks`.
    var computed = 0
    var blocks: [BlockID] = []
    /// Tokens to compute in the step being planned, drafted ones included.
    var scheduled = 0
    /// Guesses at the tokens that follow the known ones, for the next step alone.
    var draft: [Int32] = []
    /// Drafted tokens that were computed, and those of them that were right.
    var draftedCount = 0
    var acceptedCount = 0
    /// Prompt rows [0, reportedPromptRows) have had their log-probabilities reported.
    var reportedPromptRows = 0
    var isRunning = false
    var isPaused = false
    /// Blocks of its prefix are on their way from a store: it does not start before.
    var isFetching = false
    var preemptions = 0
    /// Keys of leading blocks; nil: it shares none.
    var chain: BlockChain?
    /// So many leading blocks are known by their keys; nil: the later ones stay its own.
    var keptBlocks: Int? = 0
    /// Tokens [0, followed) have their rows in the drafter's state, too.
    var followed = 0
    /// Prompt tokens that were found computed when it first ran.
    var cachedCount = 0
    /// Whether its prompt was counted as asked for in the cache.
    var wasLookedUp = false

    init(_ request: SequenceRequest, maximumContext: Int, blockSize: Int) {
        id = request.id
        promptCount = request.promptTokens.count
        stopping = request.stopping
        let room = maximumContext - promptCount
        tokenLimit = promptCount + min(request.stopping.maxTokens ?? room, room)
        wantsPromptLogprobs = request.wantsPromptLogprobs
        priority = request.priority
        needsAllRows = request.needsAllRows
        chain = request.chain
        tokens = request.promptTokens
        // A steady decode step appends without allocating; very long limits grow in a few doublings instead.
        let capacity = min(tokenLimit, promptCount + 4096)
        tokens.reserveCapacity(capacity)
        blocks.reserveCapacity(capacity / blockSize + 1)
    }

    var generatedCount: Int { tokens.count - promptCount }
    var remaining: Int { tokens.count - computed }
    /// One generated token to compute: the steady state.
    var isDecoding: Bool { remaining == 1 && computed >= promptCount }

    /// Rows whose log-probabilities are wanted have to be computed.
    var takesKnownBlocks: Bool {
        !needsAllRows && (!wantsPromptLogprobs || reportedPromptRows >= promptCount - 1)
    }

    var usage: TokenUsage {
        TokenUsage(
            promptTokens: promptCount, completionTokens: generatedCount, cachedPromptTokens: cachedCount,
            preemptions: preemptions,
            draftTokens: draftedCount, acceptedDraftTokens: acceptedCount)
    }

    /// Why a newly chosen token, already appended, ends the request; `nil` if it goes on.
    func ending(after token: Int32, endTokens: [Int32]) -> (reason: FinishReason, isTerminator: Bool)? {
        if !stopping.ignoreEndOfSequence, endTokens.contains(token) { return (.endOfSequence, true) }
        if stopping.stopTokens.contains(token) { return (.stopToken(token), true) }
        return tokens.count >= tokenLimit ? (.length, false) : nil
    }
}
