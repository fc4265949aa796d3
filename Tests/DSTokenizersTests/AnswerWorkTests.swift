import DSTokenizers
import Testing

/// Reading an answer takes work in proportion to its length, wherever in it the parser waits for a mark.
struct AnswerWorkTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var dialect: OutputDialect
        var opening: String
        var filling: String
        var closing: String
    }

    static let cases = [
        Case(
            testDescription: "arguments of V3.1", dialect: .deepSeekV31,
            opening: "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{\"a\": \"", filling: "text < more `` \n ",
            closing: "\"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>"),
        Case(
            testDescription: "blanks that may be the end", dialect: .deepSeekV3,
            opening: "<｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n{", filling: "  `\n",
            closing: "}\n```<｜tool▁call▁end｜>"),
        Case(
            testDescription: "a name without end", dialect: .deepSeekV31, opening: "<｜tool▁call▁begin｜>",
            filling: "name ", closing: ""),
        Case(
            testDescription: "text of DSML", dialect: .deepSeekV4,
            opening: "<｜DSML｜tool_calls><｜DSML｜invoke name=\"f\"><｜DSML｜parameter name=\"a\" string=\"true\">",
            filling: "</｜DSM <｜DSML｜", closing: "</｜DSML｜parameter></｜DSML｜invoke></｜DSML｜tool_calls>"),
        Case(
            testDescription: "JSON of DSML", dialect: .deepSeekV41,
            opening: "<｜DSML｜ calls><｜DSML｜ invoke name=\"f\"><｜DSML｜ parameter name=\"a\" string=\"false\">[0",
            filling: ",  12", closing: "]</｜DSML｜ parameter></｜DSML｜ invoke></｜DSML｜ calls>"),
        Case(
            testDescription: "a call of Hermes", dialect: .hermes,
            opening: "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": \"", filling: "<tool_call> </tool_cal ",
            closing: "\"}}</tool_call>"),
        Case(
            testDescription: "tags without end", dialect: .deepSeekV32, opening: "",
            filling: "<｜DSML｜invoke name=\"x", closing: ""),
        Case(
            testDescription: "beginnings of marks", dialect: .deepSeekV4, opening: "",
            filling: "<<｜DSML<｜DS</th</thin", closing: ""),
    ]

    /// Bytes looked at, for a text of about `length` bytes that arrives in pieces of a token's size.
    static func work(_ test: Case, _ length: Int) -> (bytes: Int, examined: Int, output: Int) {
        var parser = AnswerParser(dialect: test.dialect, inReasoning: false)
        var bytes = Array(test.opening.utf8)
        let filling = Array(test.filling.utf8)
        while bytes.count < length { bytes += filling }
        bytes += test.closing.utf8
        var output = 0
        func count(_ events: [AnswerEvent]) {
            for event in events {
                switch event {
                case .reasoning(let text), .content(let text), .toolCall(_, _, let text): output += text.utf8.count
                }
            }
        }
        for start in stride(from: 0, to: bytes.count, by: 5) {
            count(parser.push(bytes[start..<min(start + 5, bytes.count)]))
        }
        count(parser.finish())
        return (bytes.count, parser.examinedBytes, output)
    }

    @Test(arguments: cases) func growsWithTheLength(_ test: Case) {
        let small = Self.work(test, 1 << 14)
        let large = Self.work(test, 1 << 20)
        #expect(large.output > large.bytes / 4, "the text came out")
        let perByte = (
            small: Double(small.examined) / Double(small.bytes), large: Double(large.examined) / Double(large.bytes)
        )
        #expect(perByte.large < 1.05 * perByte.small)
        #expect(perByte.large < 60)
    }
}
