import DSLoadTest
import Testing

@Suite struct RunFiguresTests {
    /// Two answers and a failure, made by hand.
    private let records = [
        // First token after 0.5 s, four tokens in 2 s.
        RequestRecord(
            index: 0, due: 0, sent: 0.1, textTimes: [0.5, 1, 1.5, 2], end: 2, promptTokens: 10, completionTokens: 4),
        // First token after 1 s, three tokens in two events, 3 s.
        RequestRecord(
            index: 1, due: 1, sent: 1, textTimes: [2, 3.5], end: 4, promptTokens: 20, cachedTokens: 8,
            completionTokens: 3),
        RequestRecord(index: 2, due: 2, sent: 2, end: 2.5, failure: Failure(.status(503), "full")),
    ]

    @Test func definitions() {
        let figures = RunFigures(records, serviceLevel: nil)
        #expect(figures.completed == 2 && figures.failed == 1 && figures.seconds == 4 && figures.withoutText == 0)
        // From the moment it was due, not sent.
        #expect(figures.timeToFirstToken.sorted == [0.5, 1])
        // (2 - 0.5) / 3 and (3 - 1) / 2: `vllm bench serve`'s definition.
        #expect(figures.timePerOutputToken.sorted == [0.5, 1])
        #expect(figures.interTokenLatency.sorted == [0.5, 0.5, 0.5, 1.5])
        #expect(figures.latency.sorted == [2, 3])
        #expect(figures.inputTokens == 30 && figures.cachedTokens == 8 && figures.outputTokens == 7)
        #expect(figures.requestsPerSecond == 0.5 && figures.outputTokensPerSecond == 1.75)
        #expect(figures.totalTokensPerSecond == 9.25 && figures.tokenCount == .usage)
        #expect(figures.tokensPerEvent == 7.0 / 6 && figures.goodput == nil)
    }

    @Test(arguments: [
        (["ttft:1000"], 2), (["ttft:999"], 1), (["ttft:499"], 0), (["tpot:500"], 1), (["tpot:1000", "e2el:3000"], 2),
        (["tpot:1000", "e2el:2999"], 1), (["e2el:1e6"], 2),
    ])
    func goodputCountsAnswersWithinEveryLimit(limits: [String], good: Int) throws {
        let figures = RunFigures(records, serviceLevel: try ServiceLevel(parsing: limits))
        #expect(figures.goodRequests == good && figures.goodput == Double(good) / 4)
        #expect(figures.goodFraction == Double(good) / 3)
    }

    /// vLLM: an answer of one token has a time per output token of 0. Ours: one without text misses every bound on its first.
    @Test func goodputOfShortAnswers() throws {
        let one = RequestRecord(index: 0, due: 0, sent: 0, textTimes: [5], end: 6, completionTokens: 1)
        let none = RequestRecord(index: 0, due: 0, sent: 0, end: 1, completionTokens: 1, finishReason: "stop")
        let strict = try ServiceLevel(parsing: ["tpot:1"])
        #expect(one.timePerOutputToken == nil && strict.isMet(by: one) && strict.isMet(by: none))
        let first = try ServiceLevel(parsing: ["ttft:1000000"])
        #expect(first.isMet(by: one) && !first.isMet(by: none))
        let figures = RunFigures([none], serviceLevel: first)
        #expect(figures.withoutText == 1 && figures.timeToFirstToken.isEmpty && figures.goodRequests == 0)
    }

    @Test(arguments: ["ttft", "ttft:", "ttft:x", "latency:5", "ttft:-1", "ttft:nan", "ttft:1:2", ""])
    func wrongGoodputIsNamed(text: String) {
        #expect(throws: LoadTestError.self) { try ServiceLevel(parsing: [text]) }
        #expect(throws: LoadTestError.self) { try ServiceLevel(parsing: ["e2el:1", "e2el:2"]) }
    }

    @Test func windowsTakeWhatHappenedInThem() {
        let figures = RunFigures(records, window: 1...3, serviceLevel: nil)
        // Due in it: the second and the failure. Arrived in it: three quarters of the first's four tokens, half of the
        // second's three.
        #expect(figures.completed == 1 && figures.failed == 1 && figures.outputTokens == 4.5 && figures.seconds == 2)
        #expect(figures.timeToFirstToken.sorted == [1])
    }

    @Test func steadyStateIsFromTheFirstEndToTheLastBegin() {
        #expect(SteadyState.window(of: records) == nil)
        let more = records + [RequestRecord(index: 3, due: 3.5, sent: 3.5, textTimes: [4], end: 5)]
        #expect(SteadyState.window(of: more) == 2...3.5)
        #expect(SteadyState.window(of: more, lastBegin: 1) == 2...3.5)
        #expect(SteadyState.window(of: more, lastBegin: 3) == 3...3.5)
        #expect(SteadyState.window(of: more, lastBegin: 3.5) == nil)
        #expect(SteadyState.window(of: []) == nil)
    }

    @Test func tokensThatNobodyCountedAreEvents() {
        let uncounted = RequestRecord(index: 0, due: 0, sent: 0, textTimes: [1, 2, 3], end: 3)
        let figures = RunFigures([uncounted], serviceLevel: nil)
        #expect(figures.outputTokens == 3 && figures.tokenCount == .events && figures.inputTokens == nil)
        #expect(RunFigures(records + [uncounted], serviceLevel: nil).tokenCount == .mixed)
    }

    @Test func nothingAtAll() {
        let figures = RunFigures([], serviceLevel: nil)
        #expect(figures.requestsPerSecond == 0 && figures.outputTokensPerSecond == 0 && figures.inputTokens == nil)
    }

    @Test func timeSeriesKeepEveryToken() {
        let series = TimeSeries(records, slices: 8)
        #expect(series.width == 0.5 && series.maximumInFlight == 2)
        #expect(series.outputTokensPerSecond.reduce(0, +) * series.width == 7)
        // The second slice: the first request alone, which sends its first token at its begin.
        #expect(series.inFlight[1] == 1 && series.outputTokensPerSecond[1] == 2)
    }

    @Test func failuresAreCountedByKind() {
        let counts = FailureCount.counts(
            of: records + [
                RequestRecord(index: 3, due: 0, sent: 0, end: 1, failure: Failure(.status(503), "later")),
                RequestRecord(index: 4, due: 0, sent: 0, end: 1, failure: Failure(.timeout, "slow")),
            ])
        #expect(counts.map(\.count) == [2, 1] && counts[0].message == "full" && counts[0].kind == .status(503))
    }
}
