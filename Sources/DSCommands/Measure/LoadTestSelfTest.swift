import DSLoadTest
import DSSupport

/// `--self-test`.
enum LoadTestSelfTest {
    static func run(_ levels: [Int], json: String?) async throws {
        var tests: [SelfTest] = []
        for level in levels { tests.append(try await SelfTest.run(concurrency: level)) }
        if json == "-" {
            Terminal.line(JSONValue.array(tests.map(\.json)).serializedString(.pretty))
            return
        }
        let pace = Figure.text(SelfTest.pace / .milliseconds(1))
        var table = TextTable([
            ("concurrent", .right), ("requests/s", .right), ("events/s", .right), ("CPU µs/event", .right),
            ("ITL p50 at \(pace) ms", .right), ("ITL p99", .right), ("failed", .right),
        ])
        for test in tests {
            table.add([
                "\(test.concurrency)", Figure.text(test.requestsPerSecond), Figure.text(test.eventsPerSecond),
                Figure.text(test.processorSecondsPerEvent * 1e6), Figure.milliseconds(test.pacedGaps.median),
                Figure.milliseconds(test.pacedGaps.percentile(99)), "\(test.failed)",
            ])
        }
        Terminal.line(table.text)
    }
}
