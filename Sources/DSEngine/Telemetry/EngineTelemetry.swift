package import DSSupport

/// What an engine's requests took and used, since it started. Adding to it allocates nothing.
package struct EngineTelemetry: Sendable, Equatable {
    /// Seconds from submission to the first token.
    package var firstToken = Histogram(bounds: MetricBuckets.firstToken)
    /// Seconds between two steps that gave a request tokens.
    package var betweenTokens = Histogram(bounds: MetricBuckets.betweenTokens)

    // Of requests that ended by themselves:
    /// Seconds per token after the first.
    package var perOutputToken = Histogram(bounds: MetricBuckets.betweenTokens)
    /// Seconds from submission to the end.
    package var endToEnd = Histogram(bounds: MetricBuckets.request)
    /// Seconds from submission to the first step; from there to the last token; to the first; from the first to the last.
    package var queue = Histogram(bounds: MetricBuckets.request)
    package var inference = Histogram(bounds: MetricBuckets.request)
    package var prefill = Histogram(bounds: MetricBuckets.request)
    package var decode = Histogram(bounds: MetricBuckets.request)
    package var promptTokens: Histogram
    package var outputTokens: Histogram
    /// Prompt tokens that no cache held.
    package var computedPromptTokens: Histogram
    /// Tokens that requests allowed themselves.
    package var maxTokens: Histogram
    package var preemptions = Histogram(bounds: MetricBuckets.preemptions)

    /// Rows per step, and seconds.
    package var iterationTokens = Histogram(bounds: MetricBuckets.iterationTokens)
    package var step = Histogram(bounds: MetricBuckets.step)
    /// Seconds of computation that were shared out to requests.
    package var computeSeconds = 0.0

    // Of steps without prompts that had a row whose token a constraint restricts:
    package var constrainedSteps = 0
    package var constrainedStepSeconds = 0.0
    /// Masks, and seconds for them and for the grammars.
    package var masks = 0
    package var constraintSeconds = 0.0

    /// Prompt tokens of requests that got a first token (each request's once), and those of them that a cache held.
    package var totalPromptTokens = 0
    package var totalCachedTokens = 0
    package var totalOutputTokens = 0
    /// In the order of `RequestOutcome.allCases`.
    package private(set) var outcomes = [UInt64](repeating: 0, count: RequestOutcome.allCases.count)
    /// Requests that were refused, by `Refusal`.
    package var refusals = [0, 0]

    package var outputRate = RateWindow()
    package var recent = RecentLatencies()

    /// - Parameter maximumContext: the largest number of tokens to tell apart.
    package init(maximumContext: Int) {
        let tokens = Histogram(bounds: Histogram.decades(upTo: maximumContext))
        promptTokens = tokens
        outputTokens = tokens
        computedPromptTokens = tokens
        maxTokens = tokens
    }

    package mutating func count(_ outcome: RequestOutcome) {
        for (index, other) in RequestOutcome.allCases.enumerated() where other == outcome { outcomes[index] += 1 }
    }

    package func count(of outcome: RequestOutcome) -> UInt64 {
        RequestOutcome.allCases.firstIndex(of: outcome).map { outcomes[$0] } ?? 0
    }
}
