package import DSSupport

/// What the client itself costs, against a server that computes nothing and runs in the same process.
package struct SelfTest: Sendable {
    package let concurrency: Int
    /// Answers of one token, as fast as they come.
    package let requestsPerSecond: Double
    /// Events of long answers, as fast as they come.
    package let eventsPerSecond: Double
    /// Processor time per event of client and server together, at that rate.
    package let processorSecondsPerEvent: Double
    /// Gaps between events that the server sends `pace` apart.
    package let pacedGaps: Distribution
    package let failed: Int

    package static let pace = Duration.milliseconds(20)
    private static let events = 256
    private static let pacedEvents = 50

    package static func run(concurrency: Int) async throws -> SelfTest {
        let short = try await measure(concurrency, events: 1, interval: .zero, requests: max(1000, 4 * concurrency))
        let long = try await measure(
            concurrency, events: events, interval: .zero, requests: max(100, 2 * concurrency))
        let paced = try await measure(concurrency, events: pacedEvents, interval: pace, requests: concurrency)
        let count = Double(long.records.reduce(0) { $0 + $1.textTimes.count })
        return SelfTest(
            concurrency: concurrency, requestsPerSecond: short.whole.requestsPerSecond,
            eventsPerSecond: long.whole.outputTokensPerSecond,
            processorSecondsPerEvent: count > 0 ? long.client.processorSeconds / count : 0,
            pacedGaps: paced.whole.interTokenLatency,
            failed: [short, long, paced].reduce(0) { $0 + $1.whole.failed })
    }

    private static func measure(
        _ concurrency: Int, events: Int, interval: Duration, requests: Int
    ) async throws -> RunResult {
        let server = try await ScriptedServer.start(.init(events: events, interval: interval))
        let client = LoadClient(target: try Target(url: server.url), timeout: .seconds(120))
        let run = LoadRun(
            client: client, form: RequestForm(endpoint: .chat, model: "scripted", maxTokens: events),
            prompts: .list([PlannedRequest(prompt: .text("self-test"))]), load: .closed(concurrency: concurrency),
            limit: RunLimit(requests: requests, seconds: nil), firstPrompt: 0, seed: 0)
        let (records, health) = await ClientHealth.watching { await run.run(RunProgress()) }
        await client.shutdown()
        await server.stop()
        return RunResult(
            load: run.load, startedAt: 0, records: records, client: health, serviceLevel: nil, wantsSteadyState: false,
            isInterrupted: false)
    }

    package var json: JSONValue {
        [
            "concurrency": .integer(Int64(concurrency)), "requests_per_second": .number(requestsPerSecond),
            "events_per_second": .number(eventsPerSecond),
            "cpu_us_per_event": .number(processorSecondsPerEvent * 1e6),
            "paced_gap_ms": .number(Self.pace / .milliseconds(1)),
            "median_itl_ms": .number((pacedGaps.median ?? 0) * 1000),
            "p99_itl_ms": .number((pacedGaps.percentile(99) ?? 0) * 1000), "failed": .integer(Int64(failed)),
        ]
    }
}
