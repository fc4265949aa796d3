/// One sequence to be continued: tokens in, tokens out. `n > 1` is several requests (with seeds `seed`, `seed + 1`, …).
public struct GenerationRequest: Sendable {
    /// At least one id of the model's vocabulary.
    public var promptTokens: [Int32]
    public var sampling: SamplingParameters
    public var stopping: StoppingConditions
    /// `nil`: no log-probabilities. Otherwise each generated token carries its own and those of so many most probable
    /// tokens (0...`maximumLogprobs`).
    ///
    /// Log-probabilities are the log-softmax of the model's raw logits, before bias, penalties, temperature and
    /// truncation, as vLLM (`raw_logprobs`) and OpenAI report them.
    public var logprobs: Int?
    /// The same for the prompt's tokens, each given the tokens before it; `nil`: none.
    public var promptLogprobs: Int?

    /// Ends the model's thinking after so many tokens; `nil`: the model ends it.
    public var thinkingBudget: ThinkingBudget?
    /// What the tokens have to follow; `nil`: nothing.
    package var constraint: TokenConstraint?
    /// Asks for an embedding of the prompt instead of tokens: `TokenEvent.embedding` comes before the end, and
    /// `StoppingConditions.maxTokens` has to be 0. Needs `EngineConfiguration.computesEmbeddings`.
    public var pooling: Pooling?
    /// Requests with a lower value come first, where `EngineConfiguration.scheduling` is `.priority`; 0 is usual.
    public var priority = 0
    /// The request fails with `EngineError.deadlineExceeded` if it has not ended so long after it was submitted; `nil`: no limit.
    public var timeout: Duration?
    /// Only requests with the same salt share computed prompts; `nil` shares with all others without one. Keeps tenants apart,
    /// who could else tell by the time to the first token what others asked.
    public var cacheSalt: String?
    /// Whose request it is, where computed prompts are shared by the requests of one owner only; `nil`: with all others
    /// without one. It counts beside the salt, which requests choose themselves.
    public var cacheOwner: String?

    /// The largest number of alternatives that a request may ask for (OpenAI's limit).
    public static let maximumLogprobs = 20

    public init(
        promptTokens: [Int32], sampling: SamplingParameters = SamplingParameters(),
        stopping: StoppingConditions = StoppingConditions(), logprobs: Int? = nil, promptLogprobs: Int? = nil
    ) {
        self.promptTokens = promptTokens
        self.sampling = sampling
        self.stopping = stopping
        self.logprobs = logprobs
        self.promptLogprobs = promptLogprobs
    }

    /// Throws the first reason why an engine with this vocabulary and context cannot run the request.
    package func validate(vocabularySize: Int, maximumContext: Int) throws(EngineError) {
        guard !promptTokens.isEmpty else {
            throw .invalidParameter(field: "prompt", expected: "at least 1 token", found: "0")
        }
        for token in promptTokens where !(0..<vocabularySize).contains(Int(token)) {
            throw .invalidParameter(field: "prompt", expected: "token ids in 0..<\(vocabularySize)", found: "\(token)")
        }
        try sampling.validate(vocabularySize: vocabularySize)
        try stopping.validate(vocabularySize: vocabularySize)
        try thinkingBudget?.validate(vocabularySize: vocabularySize)
        for (field, count) in [("top_logprobs", logprobs), ("prompt_logprobs", promptLogprobs)] {
            if let count, !(0...Self.maximumLogprobs).contains(count) {
                throw .invalidParameter(field: field, expected: "0...\(Self.maximumLogprobs)", found: "\(count)")
            }
        }
        if let timeout, timeout <= .zero {
            throw .invalidParameter(field: "timeout", expected: "more than 0 seconds", found: "\(timeout)")
        }
        if pooling != nil, stopping.maxTokens != 0 {
            throw .invalidParameter(
                field: "max_tokens", expected: "0 for an embedding",
                found: stopping.maxTokens.map(String.init) ?? "no limit")
        }
        let requested = stopping.maxTokens ?? 1
        let (total, overflow) = promptTokens.count.addingReportingOverflow(requested)
        guard !overflow, total <= maximumContext else {
            throw .contextExceeded(promptTokens: promptTokens.count, requestedTokens: requested, limit: maximumContext)
        }
    }
}
