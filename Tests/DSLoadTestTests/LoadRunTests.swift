import DSLoadTest
import Testing

/// The client against a server that answers at known times. Bounds are lower ones: nothing can arrive before it was sent.
@Suite struct LoadRunTests {
    private func run(
        _ script: ScriptedServer.Script, load: Load, requests: Int, timeout: Duration = .seconds(60),
        target: String? = nil
    ) async throws -> [RequestRecord] {
        let server = try await ScriptedServer.start(script)
        let client = LoadClient(target: try Target(url: target ?? server.url), timeout: timeout)
        let run = LoadRun(
            client: client, form: RequestForm(endpoint: .chat, model: "m", maxTokens: script.events),
            prompts: .list([PlannedRequest(prompt: .text("x"))]), load: load,
            limit: RunLimit(requests: requests, seconds: nil), firstPrompt: 0, seed: 1)
        let records = await run.run(RunProgress())
        await client.shutdown()
        await server.stop()
        return records
    }

    @Test(arguments: [1, 4, 300])
    func closedLoopsSendEveryRequestOnce(concurrency: Int) async throws {
        let records = try await run(
            .init(events: 5, interval: .milliseconds(2)), load: .closed(concurrency: concurrency),
            requests: 2 * concurrency)
        #expect(records.map(\.index) == Array(0..<2 * concurrency) && records.allSatisfy { $0.failure == nil })
        #expect(records.allSatisfy { $0.outputTokens == 5 && $0.promptTokens == 8 && $0.finishReason == "length" })
        #expect(records.allSatisfy { $0.timeToFirstToken ?? 0 >= 0.002 && $0.latency >= 0.010 })
        #expect(TimeSeries(records).maximumInFlight <= concurrency)
    }

    /// Clients begin one after the other, and each sends its next request at once.
    @Test func clientsBeginOneAfterTheOther() async throws {
        let records = try await run(
            .init(events: 1, interval: .milliseconds(10)), load: .closed(concurrency: 4, rampUp: 0.4), requests: 200)
        #expect(records.count == 200)
        // The second begins after 0.1 s at the earliest, the fourth after 0.3 s.
        for (time, most) in [(0.1, 1), (0.2, 2), (0.3, 3)] {
            #expect(TimeSeries(records.filter { $0.sent < time }).maximumInFlight <= most)
        }
        #expect((2...4).contains(TimeSeries(records).maximumInFlight))
    }

    /// The first client sends all requests before the second would begin, in an hour.
    @Test(.timeLimit(.minutes(10))) func runsEndWithTheirLastRequest() async throws {
        let records = try await run(
            .init(events: 1, interval: .zero), load: .closed(concurrency: 4, rampUp: 14_400), requests: 10)
        #expect(records.count == 10 && TimeSeries(records).maximumInFlight == 1)
    }

    /// A loop that waited would have one request under way.
    @Test func openLoopsDoNotWait() async throws {
        let records = try await run(
            .init(events: 1, interval: .seconds(1)), load: .open(rate: 50, arrival: .constant), requests: 20)
        #expect(records.count == 20 && TimeSeries(records).maximumInFlight >= 2)
        #expect(records.map(\.due) == (0..<20).map { Double($0) / 50 })
        #expect(records.allSatisfy { $0.sent >= $0.due && $0.timeToFirstToken ?? 0 >= 1 })
    }

    @Test func lateAnswersAreTimeouts() async throws {
        let records = try await run(
            .init(events: 100, interval: .milliseconds(100)), load: .closed(concurrency: 3), requests: 3,
            timeout: .milliseconds(250))
        #expect(records.allSatisfy { $0.failure?.kind == .timeout && $0.end >= 0.25 })
    }

    /// Port 1 of this machine: nothing listens there. A name takes another way through the library than an address.
    @Test(arguments: ["http://127.0.0.1:1", "http://localhost:1"])
    func noServerIsAFailedConnection(url: String) async throws {
        let records = try await run(
            .init(events: 1, interval: .zero), load: .closed(concurrency: 2), requests: 4, target: url)
        let expected = Failure(.connection, "no server there: connection refused")
        #expect(records.count == 4 && records.allSatisfy { $0.failure == expected })
        let client = LoadClient(target: try Target(url: url), timeout: .seconds(60))
        await #expect(
            throws: LoadTestError.server("\(url)/v1/models", expected: "a list of models", found: expected.message)
        ) { try await client.models() }
        await client.shutdown()
    }

    @Test func stoppedRunsStartNothingMore() async throws {
        let server = try await ScriptedServer.start(.init(events: 2, interval: .milliseconds(5)))
        let client = LoadClient(target: try Target(url: server.url), timeout: .seconds(60))
        let run = LoadRun(
            client: client, form: RequestForm(endpoint: .chat, model: "m", maxTokens: 2),
            prompts: .list([PlannedRequest(prompt: .text("x"))]), load: .closed(concurrency: 2),
            limit: RunLimit(requests: nil, seconds: 3600), firstPrompt: 0, seed: 1)
        let progress = RunProgress()
        async let records = run.run(progress)
        while progress.snapshot.done < 10 { try await Task.sleep(for: .milliseconds(5)) }
        progress.stop()
        let count = await records.count
        #expect(count >= 10 && count == progress.snapshot.started)
        await client.shutdown()
        await server.stop()
    }
}
