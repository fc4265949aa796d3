/// What a run's records say, over the whole run or over a window of it. Times are seconds.
package struct RunFigures: Sendable {
    /// Where output tokens were counted.
    package enum TokenCount: String, Sendable {
        /// By the server, in `usage`.
        case usage
        /// By this client, one per event with text.
        case events
        /// By the server for some answers, by the client for the others.
        case mixed
    }

    package let window: ClosedRange<Double>
    package let completed: Int
    package let failed: Int
    /// Answers that ended well and had no text, so no first token.
    package let withoutText: Int
    /// Nil unless the server counted every prompt of the answers.
    package let inputTokens: Int?
    package let cachedTokens: Int?
    package let outputTokens: Double
    package let tokenCount: TokenCount
    package let tokensPerEvent: Double?
    package let promptLengths: Distribution

    package let timeToFirstToken: Distribution
    package let timePerOutputToken: Distribution
    package let interTokenLatency: Distribution
    package let latency: Distribution
    /// Nil if no service level was asked for.
    package let goodRequests: Int?

    package var seconds: Double { window.upperBound - window.lowerBound }
    package var requestsPerSecond: Double { rate(Double(completed)) }
    package var outputTokensPerSecond: Double { rate(outputTokens) }
    package var totalTokensPerSecond: Double? { inputTokens.map { rate(outputTokens + Double($0)) } }
    package var goodput: Double? { goodRequests.map { rate(Double($0)) } }
    /// Of all requests, failed ones too.
    package var goodFraction: Double? {
        goodRequests.flatMap { completed + failed > 0 ? Double($0) / Double(completed + failed) : nil }
    }

    private func rate(_ count: Double) -> Double { seconds > 0 ? count / seconds : 0 }

    /// Over a whole run: from its begin to the last end.
    package init(_ records: [RequestRecord], serviceLevel: ServiceLevel?) {
        let tokens = records.filter { $0.failure == nil }.reduce(0) { $0 + ($1.outputTokens ?? 0) }
        self.init(
            records, window: 0...max(0, records.map(\.end).max() ?? 0), outputTokens: Double(tokens),
            serviceLevel: serviceLevel)
    }

    /// Over a window: the requests that were due in it, and the tokens that arrived in it, also of requests that began
    /// before.
    package init(_ records: [RequestRecord], window: ClosedRange<Double>, serviceLevel: ServiceLevel?) {
        let tokens = records.filter { $0.failure == nil }.reduce(0) { $0 + $1.tokens(in: window) }
        self.init(
            records.filter { window.contains($0.due) }, window: window, outputTokens: tokens,
            serviceLevel: serviceLevel)
    }

    private init(
        _ records: [RequestRecord], window: ClosedRange<Double>, outputTokens: Double, serviceLevel: ServiceLevel?
    ) {
        let answers = records.filter { $0.failure == nil }
        self.window = window
        completed = answers.count
        failed = records.count - answers.count
        withoutText = answers.count { $0.isStreamed && $0.textTimes.isEmpty }
        let prompts = answers.compactMap(\.promptTokens)
        inputTokens = prompts.count == answers.count && !answers.isEmpty ? prompts.reduce(0, +) : nil
        promptLengths = Distribution(prompts.map(Double.init))
        let cached = answers.compactMap(\.cachedTokens)
        cachedTokens = cached.isEmpty ? nil : cached.reduce(0, +)
        self.outputTokens = outputTokens
        let counted = answers.count { $0.completionTokens != nil }
        tokenCount = counted == answers.count ? .usage : counted == 0 ? .events : .mixed
        let events = answers.reduce(0) { $0 + $1.textTimes.count }
        let tokens = answers.reduce(0) { $0 + ($1.isStreamed ? $1.outputTokens ?? 0 : 0) }
        tokensPerEvent = events > 0 ? Double(tokens) / Double(events) : nil
        timeToFirstToken = Distribution(answers.compactMap(\.timeToFirstToken))
        timePerOutputToken = Distribution(answers.compactMap(\.timePerOutputToken))
        interTokenLatency = Distribution(answers.flatMap(\.interTokenLatencies))
        latency = Distribution(answers.map(\.latency))
        goodRequests = serviceLevel.map { level in records.count { level.isMet(by: $0) } }
    }
}

extension RequestRecord {
    /// Output tokens that arrived in a window: each event stands for the same part of them.
    func tokens(in window: ClosedRange<Double>) -> Double {
        guard let outputTokens else { return 0 }
        guard isStreamed, !textTimes.isEmpty else { return window.contains(end) ? Double(outputTokens) : 0 }
        let inside = textTimes.count { window.contains($0) }
        return Double(outputTokens) * Double(inside) / Double(textTimes.count)
    }
}
