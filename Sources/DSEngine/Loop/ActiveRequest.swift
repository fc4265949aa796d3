/// A request in the loop: what sampling and emitting need. The scheduler keeps the tokens.
final class ActiveRequest {
    let id: RequestID
    let channel: TokenChannel
    let logprobs: Int?
    let promptLogprobs: Int?
    private let promptTokens: [Int32]
    let submitted: ContinuousClock.Instant
    let promptCount: Int
    let timeout: Duration?
    var embedding: EmbeddingPool?
    /// How many tokens it was given.
    var tokenCount = 0
    var sampling: SamplingState
    /// Nil: every token is allowed.
    var constraint: ConstraintState?
    /// What the constraint took in the last step in which it was asked, until that was looked at.
    var constraintTime = Duration.zero
    /// Nobody knows what one takes that was never asked.
    var hasSlowConstraint: Bool
    /// Tokens that the request allows itself; nil: what the context holds.
    let maxTokens: Int?
    var timings = RequestTimings()
    /// After its last token, or the last piece of its prompt.
    var usage = TokenUsage()
    /// When its consumer was last woken, and whether events were sent since that it was not told of.
    var woken: ContinuousClock.Instant?
    var holdsEvents = false

    init(_ submission: Submission, endTokens: [Int32]) {
        id = submission.id
        channel = submission.channel
        logprobs = submission.request.logprobs
        promptLogprobs = submission.request.promptLogprobs
        // Kept only where log-probabilities of the prompt are reported.
        promptTokens = submission.request.promptLogprobs == nil ? [] : submission.request.promptTokens
        submitted = submission.submitted
        constraint = submission.request.constraint.map { ConstraintState($0) }
        hasSlowConstraint = constraint != nil
        promptCount = submission.request.promptTokens.count
        timeout = submission.request.timeout
        embedding = submission.request.pooling.map {
            EmbeddingPool($0, promptCount: submission.request.promptTokens.count)
        }
        maxTokens = submission.request.stopping.maxTokens
        sampling = SamplingState(
            submission.request.sampling, seed: submission.seed, promptTokens: submission.request.promptTokens,
            stopping: submission.request.stopping, endTokens: endTokens, thinking: submission.request.thinkingBudget)
    }

    func promptToken(at index: Int) -> Int32 { promptTokens[index] }
}
