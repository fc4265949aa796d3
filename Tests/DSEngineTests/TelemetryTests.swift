import DSEngine
import DSSupport
import Testing

@Suite("Telemetry", .serialized) struct TelemetryTests {
    @Test("Every request and every token is counted once")
    func counts() async throws {
        var hand = HandLoop()
        let lengths = [1, 2, 30]
        let channels = lengths.map { hand.submit(.greedy([1, 2, Int32($0)], $0)) }
        while hand.turn() {}
        let telemetry = hand.board.telemetry.snapshot
        #expect(telemetry.count(of: .length) == 3 && telemetry.count(of: .abort) == 0)
        #expect(telemetry.totalPromptTokens == 9 && telemetry.totalOutputTokens == 33)
        #expect(telemetry.firstToken.count == 3)
        // Each token but the first has a token before it.
        #expect(telemetry.betweenTokens.count == 30)
        #expect(telemetry.perOutputToken.count == 2)
        #expect(telemetry.promptTokens.sum == 9 && telemetry.outputTokens.sum == 33 && telemetry.maxTokens.sum == 33)
        #expect(telemetry.step.count == UInt64(hand.board.snapshot.steps))
        #expect(telemetry.iterationTokens.sum == 9 + 30)
        for histogram in [telemetry.endToEnd, telemetry.queue, telemetry.prefill, telemetry.inference] {
            #expect(histogram.count == 3)
        }
        var computed = 0.0
        for channel in channels { computed += try #require(try await channel.drain().result).timings.computeSeconds }
        #expect(abs(computed - telemetry.computeSeconds) < 1e-9 && computed > 0)
    }

    @Test("Times of a request follow each other")
    func order() async throws {
        var hand = HandLoop()
        let channel = hand.submit(.greedy([1, 2, 3], 5))
        while hand.turn() {}
        let timings = try #require(try await channel.drain().result).timings
        let times = [timings.scheduled, timings.firstToken, timings.lastToken, timings.finished].compactMap { $0 }
        #expect(times.count == 4 && times == times.sorted())
    }

    @Test("A cancelled request is counted and not measured, a failed one is an error")
    func ends() async throws {
        let runner = ScriptedModelRunner()
        runner.poison = 7
        var hand = HandLoop(runner)
        let dropped = hand.submit(.greedy([1, 2, 3], 30))
        hand.turn()
        dropped.abandon()
        hand.turn()
        let complete = hand.submit(.greedy([4, 5], 30))
        hand.turn()
        complete.abandon(isFinished: true)
        hand.turn()
        _ = hand.submit(.greedy([7], 3))
        while hand.turn() {}
        let telemetry = hand.board.telemetry.snapshot
        #expect(RequestOutcome.allCases.map { telemetry.count(of: $0) } == [1, 0, 1, 1])
        #expect(telemetry.endToEnd.count == 1)
        #expect(hand.board.snapshot.cancelledRequests == 1 && hand.board.snapshot.finishedRequests == 1)
    }

    @Test func ratesForgetOldSeconds() {
        var window = RateWindow()
        window.add(50, at: 100)
        #expect(window.rate(at: 100) == 0)
        #expect(window.rate(at: 101) == 5)
        #expect(window.rate(at: 110) == 5)
        #expect(window.rate(at: 111) == 0)
        window.add(10, at: 111)
        window.add(10, at: 112)
        #expect(window.rate(at: 113) == 2)
    }

    @Test func quantilesAreOfTheLastMinute() {
        var recent = RecentLatencies()
        recent.add(100, at: 0)
        for value in 1...100 { recent.add(Double(value), at: 50) }
        let values = recent.recent(at: 61)
        #expect(values == (1...100).map(Double.init))
        #expect(RecentLatencies.quantile(0.5, of: values) == 50)
        #expect(RecentLatencies.quantile(0.99, of: values) == 99)
        #expect(RecentLatencies.quantile(0.5, of: []) == nil)
        #expect(recent.count == 101)
        for _ in 0..<2000 { recent.add(1, at: 62) }
        #expect(recent.recent(at: 62).count == RecentLatencies.capacity)
    }
}
