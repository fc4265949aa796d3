/// One run, measured.
package struct RunResult: Sendable {
    package let load: Load
    /// When the run began, in seconds since 1970: tests that ran side by side can be laid over each other.
    package let startedAt: Double
    package let records: [RequestRecord]
    package let whole: RunFigures
    /// Nil unless it was asked for and there was one.
    package let steady: RunFigures?
    package let series: TimeSeries
    package let failures: [FailureCount]
    package let client: ClientHealth
    /// What a reader must know to read the figures rightly.
    package let notes: [String]

    /// - Parameters:
    ///   - endpoint: What was asked, where a failure's remedy depends on it.
    ///   - sharesNothing: Whether no prompt has a beginning that a prefix cache could know.
    package init(
        load: Load, startedAt: Double, records: [RequestRecord], client: ClientHealth, serviceLevel: ServiceLevel?,
        wantsSteadyState: Bool, isInterrupted: Bool, endpoint: Endpoint? = nil, sharesNothing: Bool = false
    ) {
        self.load = load
        self.startedAt = startedAt
        self.records = records
        self.client = client
        whole = RunFigures(records, serviceLevel: serviceLevel)
        let window = wantsSteadyState ? SteadyState.window(of: records, lastBegin: load.lastBegin) : nil
        steady = window.map { RunFigures(records, window: $0, serviceLevel: serviceLevel) }
        series = TimeSeries(records)
        failures = FailureCount.counts(of: records)
        var notes = Self.notes(whole, client: client, sendLateness: Distribution(records.map { $0.sent - $0.due }))
        if sharesNothing, let note = Self.cacheNote(whole) { notes.append(note) }
        if let endpoint {
            notes += failures.compactMap { failure in
                failure.remedy(on: endpoint).map { "\(failure.kind.label): \($0)" }
            }
        }
        let lastStart = records.map(\.due).max() ?? 0
        if load.lastBegin > lastStart {
            notes.append(
                "the last request began \(Figure.text(lastStart)) s after the first, before all clients had begun "
                    + "(\(Figure.text(load.lastBegin)) s); send more requests")
        } else if wantsSteadyState, window == nil {
            notes.append("no steady state: no request ended before the last one began; send more requests")
        }
        if let steady, steady.seconds < whole.seconds / 2 {
            notes.append(
                "steady state: \(Figure.text(steady.seconds)) of \(Figure.text(whole.seconds)) s; latencies of its last requests "
                    + "are those of a load that falls; send more requests")
        }
        if isInterrupted { notes.append("interrupted: the requests until then") }
        self.notes = notes
    }

    /// The steady state's where it was asked for, else the whole run's.
    package var figures: RunFigures { steady ?? whole }

    /// Prompts that share nothing are in a cache if the same ones were sent before.
    private static func cacheNote(_ figures: RunFigures) -> String? {
        guard let cached = figures.cachedTokens, cached > 0 else { return nil }
        let whole = figures.inputTokens.map { " of \(Figure.grouped($0))" } ?? ""
        return "input tokens: \(Figure.grouped(cached))\(whole) came from the server's prefix cache, though no prompt "
            + "begins as another: the same --seed was sent to it before, and these figures measure the cache; without "
            + "--seed every test has new prompts (a few tokens per request are a chat template's)"
    }

    private static func notes(_ figures: RunFigures, client: ClientHealth, sendLateness: Distribution) -> [String] {
        var notes: [String] = []
        if figures.completed > 0, figures.tokenCount != .usage {
            notes.append("output tokens: the server does not count them in every answer; one per event there")
        }
        if figures.completed > 0, figures.inputTokens == nil {
            notes.append("input tokens: the server does not count them in every answer")
        }
        if figures.withoutText > 0 {
            notes.append("\(figures.withoutText) answers had no text, so no time to first token")
        }
        if let perEvent = figures.tokensPerEvent, perEvent > 1.02 {
            notes.append(
                "\(Figure.text(perEvent)) tokens per event: inter-token latency is per event, time per output token per token"
            )
        }
        if let late = client.lateness.percentile(99), late > 0.005 {
            notes.append(
                "client: woke up \(Figure.milliseconds(late)) ms late (p99): latencies may include that; this machine or "
                    + "this client was short of processors")
        }
        if let late = sendLateness.percentile(99), late > 0.005 {
            notes.append(
                "client: requests were sent \(Figure.milliseconds(late)) ms late (p99); the delay counts as the server's"
            )
        }
        return notes
    }
}
