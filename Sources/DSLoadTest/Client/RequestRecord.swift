/// What happened to one request. Times are seconds since the run began, read from a monotonic clock.
package struct RequestRecord: Sendable, Equatable {
    package let index: Int
    /// When it should be sent: in an open loop its arrival, so that a client that is late counts against the figures.
    package let due: Double
    package let sent: Double
    /// When each event that carried text arrived.
    package var textTimes: [Double]
    /// When the last byte of the answer, or the failure, arrived.
    package var end: Double
    package var promptTokens: Int?
    package var cachedTokens: Int?
    /// What the server counted; nil where it does not tell.
    package var completionTokens: Int?
    package var finishReason: String?
    package var isStreamed: Bool
    package var failure: Failure?

    package init(
        index: Int, due: Double, sent: Double, textTimes: [Double] = [], end: Double, promptTokens: Int? = nil,
        cachedTokens: Int? = nil, completionTokens: Int? = nil, finishReason: String? = nil, isStreamed: Bool = true,
        failure: Failure? = nil
    ) {
        self.index = index
        self.due = due
        self.sent = sent
        self.textTimes = textTimes
        self.end = end
        self.promptTokens = promptTokens
        self.cachedTokens = cachedTokens
        self.completionTokens = completionTokens
        self.finishReason = finishReason
        self.isStreamed = isStreamed
        self.failure = failure
    }
}

extension RequestRecord {
    /// The server's count, else one per event of a stream.
    package var outputTokens: Int? { completionTokens ?? (isStreamed ? textTimes.count : nil) }

    /// Nil for an answer without text, and without a stream.
    package var timeToFirstToken: Double? { isStreamed ? textTimes.first.map { $0 - due } : nil }

    package var latency: Double { end - due }

    /// (latency - time to first token) / (n - 1); nil for fewer than two tokens.
    package var timePerOutputToken: Double? {
        guard let timeToFirstToken, let outputTokens, outputTokens > 1 else { return nil }
        return (latency - timeToFirstToken) / Double(outputTokens - 1)
    }

    /// Gaps between neighbouring events with text, as `vllm bench serve` measures them: an event with several tokens is one
    /// gap.
    package var interTokenLatencies: [Double] {
        isStreamed ? zip(textTimes, textTimes.dropFirst()).map { $1 - $0 } : []
    }

    /// Tokens that one event with text stands for.
    package var tokensPerEvent: Double? {
        guard isStreamed, let outputTokens, !textTimes.isEmpty else { return nil }
        return Double(outputTokens) / Double(textTimes.count)
    }
}
