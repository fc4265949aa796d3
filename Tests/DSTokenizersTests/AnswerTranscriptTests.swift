import DSSupport
import DSTestSupport
import DSTokenizers
import Testing

/// Golden transcripts of every dialect (`Tests/Goldens/transcripts`), cut in every way.
struct AnswerTranscriptTests {
    struct Transcript: Sendable, CustomTestStringConvertible {
        var dialect: OutputDialect
        var name: String
        var inReasoning: Bool
        var text: [UInt8]
        var stops: [String]
        var expected: [JoinedEvent]
        var testDescription: String { "\(dialect): \(name)" }
    }

    static let all: [Transcript] = OutputDialect.allCases.flatMap { dialect -> [Transcript] in
        let json = TemplateGoldens.load("../transcripts/\(dialect.rawValue).json")
        return (json["transcripts"]?.arrayValue ?? []).map { row in
            Transcript(
                dialect: dialect, name: "\(row["source"]?.stringValue ?? ""): \(row["name"]?.stringValue ?? "")",
                inReasoning: row["in_reasoning"]?.boolValue ?? false, text: row["text"]?.bytesValue ?? [],
                stops: (row["stops"]?.arrayValue ?? []).compactMap(\.stringValue),
                expected: (row["events"]?.arrayValue ?? []).compactMap { JoinedEvent($0.arrayValue ?? []) })
        }
    }
    /// Stop strings are found by the engine's text layer (`DSEngineTests`).
    static let unstopped = all.filter(\.stops.isEmpty)

    static func parse(_ transcript: Transcript, _ pieces: some Sequence<ArraySlice<UInt8>>) -> [JoinedEvent] {
        var parser = AnswerParser(dialect: transcript.dialect, inReasoning: transcript.inReasoning)
        var joined: [JoinedEvent] = []
        for piece in pieces { JoinedEvent.join(parser.push(piece), to: &joined) }
        JoinedEvent.join(parser.finish(), to: &joined)
        return joined
    }

    @Test func tablesAreThere() {
        for dialect in OutputDialect.allCases {
            #expect(Self.all.count { $0.dialect == dialect } > 20, "\(dialect)")
        }
    }

    @Test(arguments: unstopped) func whole(_ transcript: Transcript) {
        #expect(Self.parse(transcript, [transcript.text[...]]) == transcript.expected)
    }

    /// One cut at every byte (also inside characters), and pieces of every size.
    @Test(arguments: unstopped) func everyCut(_ transcript: Transcript) {
        let bytes = transcript.text
        for cut in 0...bytes.count {
            #expect(Self.parse(transcript, [bytes[..<cut], bytes[cut...]]) == transcript.expected, "cut at \(cut)")
        }
        for size in 1...max(1, bytes.count) {
            let pieces = stride(from: 0, to: bytes.count, by: size).map { bytes[$0..<min($0 + size, bytes.count)] }
            #expect(Self.parse(transcript, pieces) == transcript.expected, "pieces of \(size)")
        }
    }

    @Test(arguments: unstopped) func randomCuts(_ transcript: Transcript) {
        for seed in UInt64(1)...50 {
            var random = SplitMix(seed: seed)
            let pieces = random.pieces(of: transcript.text, upTo: 12)
            #expect(Self.parse(transcript, pieces) == transcript.expected, "seed \(seed)")
        }
    }

    /// As a model writes it: token by token, through a tokenizer of DeepSeek's kind and one of Llama's.
    @Test(arguments: ["deepseek-v3-style", "llama3-style"]) func tokenByToken(_ name: String) throws {
        let tokenizer = try TokenizerFixture(name).tokenizer()
        for transcript in Self.unstopped {
            let ids = try tokenizer.encode(transcript.text, parseSpecial: true)
            var detokenizer = IncrementalDetokenizer(tokenizer, skipsSpecial: false)
            var pieces = try ids.map { try detokenizer.pushBytes($0)[...] }
            pieces.append(Array(detokenizer.flush().utf8)[...])
            try #require(Array(pieces.joined()) == transcript.text, "\(transcript.testDescription)")
            #expect(Self.parse(transcript, pieces) == transcript.expected, "\(transcript.testDescription)")
        }
    }

    @Test(arguments: all) func expectationsHoldNoMarkup(_ transcript: Transcript) {
        #expect(AnswerMarks.visible(in: transcript.expected, of: transcript.dialect) == nil)
    }
}

/// Texts put together at random from marks, names, quotes and words.
struct AnswerFuzzTests {
    static let fragments: [OutputDialect: [String]] = [
        .plain: [],
        .deepSeekV3: ["function", "\n```json\n", "\n```", "f"],
        .deepSeekV31: ["function", "\n```json\n", "f"],
        .deepSeekV32: dsml, .deepSeekV4: dsml, .deepSeekV41: dsml,
        .hermes: ["{\"name\": \"f\", \"arguments\": {\"a\": 1}}", "{\"name\": "],
    ]
    private static let dsml = [
        "function_calls>", "tool_calls>", " calls>", "invoke name=\"f\">", " invoke name=\"f\">", "invoke>",
        "parameter name=\"p\" string=\"true\">", "parameter name=\"q\" string=\"false\">", "parameter>", "/>",
        "<｜DSML｜invoke name=\"g\">\n", "</｜DSML｜invoke>", "</｜DSML｜parameter>\n", "</｜DSML｜tool_calls>",
        "<｜DSML｜parameter name=\"r\" string=\"true\">", "{\"a\": [1]}",
    ]
    private static let common = ["\n", "\n\n", " ", "\"", "\\", "<", "</", "{", "}", "é", "😀", "<｜", ">", "1"]

    struct Case: Sendable { var dialect: OutputDialect, seed: UInt64 }
    static let cases = OutputDialect.allCases.flatMap { dialect in
        (UInt64(1)...150).map { Case(dialect: dialect, seed: $0) }
    }

    @Test(arguments: cases) func anyTextIsReadTheSameWayAndNothingIsLost(_ test: Case) {
        var random = SplitMix(seed: test.seed)
        let marks = AnswerMarks.all(test.dialect)
        let others = Self.common + (Self.fragments[test.dialect] ?? [])
        var text = ""
        var words: [String] = []
        for index in 0..<(1 + random.below(40)) {
            switch random.below(4) {
            case 0, 1: text += marks[random.below(marks.count)]
            case 2: text += others[random.below(others.count)]
            default:
                words.append("word\(index)z")
                text += words[words.count - 1]
            }
        }
        let transcript = AnswerTranscriptTests.Transcript(
            dialect: test.dialect, name: "", inReasoning: random.below(2) == 0, text: Array(text.utf8), stops: [],
            expected: [])
        let whole = AnswerTranscriptTests.parse(transcript, [transcript.text[...]])
        #expect(
            AnswerTranscriptTests.parse(transcript, transcript.text.indices.map { transcript.text[$0...$0] }) == whole)
        for _ in 0..<5 {
            #expect(AnswerTranscriptTests.parse(transcript, random.pieces(of: transcript.text, upTo: 9)) == whole)
        }
        let mark = AnswerMarks.visible(in: whole, of: test.dialect)
        #expect(mark == nil, "\(mark ?? "") in \(whole) of \(text)")
        let everything = whole.map(\.everything).joined(separator: " ")
        let lost = words.filter { !everything.contains($0) }
        #expect(lost.isEmpty, "\(lost) of \(text)")
    }
}
