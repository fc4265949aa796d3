import DSLoadTest
import DSSupport
import Testing

@Suite struct ReportTests {
    private func report(
        label: String, scale: Double, loads: [Load], wantsSteadyState: Bool = true
    ) async -> LoadReport {
        let (_, health) = await ClientHealth.watching {}
        let runs = loads.map { load in
            let records = (0..<20).map { index in
                let start = Double(index) * 0.1
                return RequestRecord(
                    index: index, due: start, sent: start, textTimes: [start + scale, start + 2 * scale],
                    end: start + 2 * scale, promptTokens: 5, completionTokens: 2,
                    failure: index == 3 ? Failure(.status(503), "<full> & \"busy\"") : nil)
            }
            return RunResult(
                load: load, startedAt: 0, records: records, client: health, serviceLevel: nil,
                wantsSteadyState: wantsSteadyState, isInterrupted: false)
        }
        return LoadReport(
            version: "0", label: label, target: "http://h", model: "m<1>", settings: [.init("seed", "0")],
            serviceLevel: nil, runs: runs)
    }

    @Test func namesOfTheField() async throws {
        let json = await report(label: "a", scale: 0.5, loads: [.closed(concurrency: 4)]).json(isDetailed: true)
        let run = try #require(json["runs"]?[0])
        #expect(run["max_concurrency"]?.intValue == 4 && run["completed"]?.intValue == 19)
        #expect(run["failed"]?.intValue == 1 && run["failures"]?[0]?["count"]?.intValue == 1)
        for name in ["ttft", "tpot", "itl", "e2el"] {
            for figure in ["mean", "median", "std", "p90", "p95", "p99"] {
                let found = try #require(run["\(figure)_\(name)_ms"]?.doubleValue)
                let expected = figure == "std" ? 0.0 : name == "e2el" ? 1000 : 500
                #expect(abs(found - expected) < 1e-6, "\(figure)_\(name)_ms")
            }
        }
        #expect(run["total_output_tokens"]?.intValue == 38 && run["total_input_tokens"]?.intValue == 95)
        #expect(run["request_goodput"]?.isNull == true && run["steady_state"]?["duration"]?.doubleValue ?? 0 > 0)
        #expect(run["requests"]?.arrayValue?.count == 20)
        // What is written can be read.
        #expect(try JSONValue.parse(json.serialized(.pretty)) == json)
    }

    @Test func ratiosOfLikeAndLike() async throws {
        let fast = await report(label: "fast", scale: 0.1, loads: [.closed(concurrency: 1), .closed(concurrency: 8)])
        let slow = await report(
            label: "slow", scale: 0.4, loads: [.closed(concurrency: 8), .open(rate: 2, arrival: .poisson)])
        let comparison = try Comparison(fast.json(isDetailed: false), with: slow.json(isDetailed: false), path: "f")
        #expect(Set(comparison.rows.map(\.load)) == ["8 concurrent"])
        let row = try #require(comparison.rows.first { $0.name == "TTFT p99" })
        #expect(abs(try #require(row.ratio) - 0.25) < 1e-9 && !row.isRate)
        #expect(comparison.unmatched == ["1 concurrent: only in fast", "2.00 requests/s (poisson): only in slow"])
        #expect(throws: LoadTestError.self) { try Comparison(fast.json(isDetailed: false), with: ["a": 1], path: "f") }
        let page = ReportPage(fast, comparison: comparison).markup
        #expect(page.contains("fast beside slow") && page.contains("<svg") && !page.contains("<script"))
        #expect(page.contains("&lt;full&gt; &amp; &quot;busy&quot;") && !page.contains("<full>"))
    }

    /// Steady states are compared where both tests have one; else whole runs, and the row says so.
    @Test func steadyStatesAreComparedWithTheirLike() async throws {
        let loads: [Load] = [.closed(concurrency: 8)]
        let steady = await report(label: "a", scale: 0.1, loads: loads).json(isDetailed: false)
        let whole = await report(label: "b", scale: 0.4, loads: loads, wantsSteadyState: false).json(isDetailed: false)
        let key = "output_throughput"
        let run = try #require(steady["runs"]?[0])
        #expect(run[key]?.doubleValue != run["steady_state"]?[key]?.doubleValue)
        for (other, title, expected) in [
            (steady, "8 concurrent", run["steady_state"]?[key]), (whole, "8 concurrent, whole runs", run[key]),
        ] {
            let rows = try Comparison(steady, with: other, path: "f").rows
            #expect(Set(rows.map(\.load)) == [title])
            #expect(try #require(rows.first { $0.name == "output tokens" }).ours == expected?.doubleValue)
        }
    }

    /// Eight clients that begin at once are another load than eight that do not.
    @Test func rampsAreCompared() async throws {
        let loads: [Load] = [
            .closed(concurrency: 8, rampUp: 4), .closed(concurrency: 8, rampUp: 2), .closed(concurrency: 8),
        ]
        let (ramp, burst) = (
            await report(label: "a", scale: 0.1, loads: loads), await report(label: "b", scale: 0.4, loads: [loads[0]])
        )
        let json = ramp.json(isDetailed: false)
        #expect(json["runs"]?[0]?["ramp_up"]?.doubleValue == 4 && json["runs"]?[2]?["ramp_up"]?.doubleValue == 0)
        let comparison = try Comparison(json, with: burst.json(isDetailed: false), path: "f")
        #expect(Set(comparison.rows.map(\.load)) == ["8 concurrent after 4.00 s"])
        #expect(comparison.unmatched == ["8 concurrent after 2.00 s: only in a", "8 concurrent: only in a"])
        // The last request begins after 1.9 s, the last client after 3.5, 1.75 and 0 s.
        let late = ramp.runs.map { run in run.notes.contains { $0.contains("before all clients had begun") } }
        #expect(late == [true, false, false] && ramp.runs[0].notes.contains { $0.contains("(3.50 s)") })
        #expect(ramp.runs.map { $0.steady?.window.lowerBound } == [nil, 1.75, 0.2])
    }

    private func notes(
        cached: Int?, failure: Failure? = nil, endpoint: Endpoint = .chat, sharesNothing: Bool
    ) async -> [String] {
        let (_, health) = await ClientHealth.watching {}
        let records = (0..<4).map { index in
            RequestRecord(
                index: index, due: 0, sent: 0, textTimes: [1], end: 1, promptTokens: 1000, cachedTokens: cached,
                completionTokens: 1, failure: failure)
        }
        return RunResult(
            load: .closed(concurrency: 4), startedAt: 0, records: records, client: health, serviceLevel: nil,
            wantsSteadyState: false, isInterrupted: false, endpoint: endpoint, sharesNothing: sharesNothing
        ).notes
    }

    @Test func promptsThatACacheKnewAreNoted() async {
        func isNoted(_ notes: [String]) -> Bool {
            notes.contains { $0.hasPrefix("input tokens: 3,996 of 4,000 came") && $0.contains("--seed") }
        }
        let synthetic = await notes(cached: 999, sharesNothing: true)
        let given = await notes(cached: 999, sharesNothing: false)
        #expect(isNoted(synthetic) && !isNoted(given))
        for cached in [0, nil] {
            let found = await notes(cached: cached, sharesNothing: true)
            #expect(!found.contains { $0.contains("prefix cache") })
        }
    }

    @Test func refusedChatsNameTheWayOut() async {
        let failure = Failure(.status(400), "the model has no chat template; use a plain prompt")
        let note = "status 400: try --endpoint completions"
        let chat = await notes(cached: nil, failure: failure, sharesNothing: true)
        let completions = await notes(cached: nil, failure: failure, endpoint: .completions, sharesNothing: true)
        #expect(chat.contains(note) && !completions.contains(note))
    }

    @Test func pagesOfRunsWithoutAnswers() async {
        let (_, health) = await ClientHealth.watching {}
        let failed = RequestRecord(index: 0, due: 0, sent: 0, end: 0, failure: Failure(.connection, "refused"))
        for records in [[], [failed]] {
            let run = RunResult(
                load: .closed(concurrency: 1), startedAt: 0, records: records, client: health, serviceLevel: nil,
                wantsSteadyState: true, isInterrupted: true)
            let report = LoadReport(
                version: "0", label: "l", target: "t", model: "m", settings: [], serviceLevel: nil, runs: [run, run])
            #expect(ReportPage(report, comparison: nil).markup.contains("interrupted"))
            #expect(report.json(isDetailed: true)["runs"]?[0]?["completed"]?.intValue == 0)
        }
    }
}
