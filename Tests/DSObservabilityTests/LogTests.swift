import DSObservability
import DSSupport
import DSTestSupport
import Foundation
import Logging
import Synchronization
import Testing

@Suite("Log lines") struct LogTests {
    /// Lines as they were written.
    private final class Lines: Sendable {
        private let all = Mutex<[String]>([])
        var output: LogOutput {
            LogOutput { line in self.all.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }
        }
        var text: [String] { all.withLock { $0 } }
    }

    @Test func jsonLinesAreObjectsWithTypes() throws {
        let lines = Lines()
        var logger = LogFormat.json.logger("test", level: .debug, output: lines.output)
        logger[metadataKey: "request_id"] = "r1"
        logger.info(
            "a \"quoted\"\nline \u{1F30A}",
            metadata: [
                "status": .stringConvertible(200), "request_time": .stringConvertible(0.25),
                "ok": .stringConvertible(true),
                "list": ["a", .stringConvertible(1)], "inner": ["k": "v"], "level": "mine",
            ])
        logger.trace("below the level")
        #expect(lines.text.count == 1)
        let line = try #require(lines.text.first)
        #expect(line.hasSuffix("\n") && line.dropLast().contains("\n") == false)
        let value = try JSONValue.parse(line)
        #expect(value["message"] == .text("a \"quoted\"\nline \u{1F30A}"))
        #expect(value["level"] == "info" && value["metadata.level"] == "mine" && value["logger"] == "test")
        #expect(value["request_id"] == "r1" && value["status"] == 200 && value["request_time"] == 0.25)
        #expect(value["ok"] == true && value["list"] == ["a", 1] && value["inner"] == ["k": "v"])
    }

    @Test func textIsOneLine() {
        let lines = Lines()
        LogFormat.text.logger("test", level: .info, output: lines.output).warning("first\nsecond", metadata: ["a": "b"])
        #expect(lines.text.first?.hasSuffix(" warning: first\\nsecond a=b\n") == true)
    }

    @Test(arguments: UInt64(1)...4) func timesAreRFC3339(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        var seconds: [UInt64] = [0, 951_782_399, 951_782_400, 4_102_444_800, 1_709_164_800, 1_735_689_599]
        for _ in 0..<200 { seconds.append(UInt64.random(in: 0..<7_000_000_000, using: &random)) }
        for second in seconds {
            let expected = Date(timeIntervalSince1970: Double(second)).formatted(.iso8601)
            let text = Timestamp(nanosecondsSince1970: second * 1_000_000_000 + 7_999_999).text
            #expect(text == expected.dropLast() + ".007Z")
        }
    }
}
