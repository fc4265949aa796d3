import DSSupport
import DSTokenizers
import Testing

@Suite("Tokenizer behaviour") struct TokenizerBehaviorTests {
    @Test func controlTokensInUserTextStayText() throws {
        let fixture = try TokenizerFixture("deepseek-v3-style")
        let tokenizer = try fixture.tokenizer()
        for control in ["<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<mask>"] {
            let id = try #require(tokenizer.id(ofToken: control))
            #expect(try tokenizer.encode(control, parseSpecial: true) == [id])
            let asText = try tokenizer.encode("a \(control) b", parseSpecial: false)
            #expect(!asText.contains(id) && asText.count > 4)
            #expect(try tokenizer.decode(asText) == "a \(control) b")
        }
        // A plain added word is no control token.
        let word = try #require(tokenizer.id(ofToken: "ø"))
        #expect(try tokenizer.encode("ø", parseSpecial: false) == [word])
        #expect(try tokenizer.decode([word]) == "ø")
    }

    @Test func configurationNamesTokens() throws {
        let configuration: JSONValue = [
            "bos_token": ["content": "<｜begin▁of▁sentence｜>", "lstrip": false], "eos_token": "<｜end▁of▁sentence｜>",
            "pad_token": nil,
            "add_bos_token": true, "add_eos_token": false,
        ]
        let fixture = try TokenizerFixture("deepseek-v3-style")
        let tokenizer = try fixture.tokenizer(configuration: configuration)
        let bos = try #require(tokenizer.bosID)
        #expect(tokenizer.eosID == tokenizer.id(ofToken: "<｜end▁of▁sentence｜>") && tokenizer.padID == nil)
        #expect(tokenizer.isSpecial(bos) && tokenizer.addedToken(bos)?.content == "<｜begin▁of▁sentence｜>")
        let plain = try tokenizer.encode("Hello", parseSpecial: false)
        #expect(try tokenizer.encode("Hello", addSpecialTokens: true, parseSpecial: false) == [bos] + plain)
        #expect(throws: TokenizerError.unknownToken("<nope>", neededBy: "tokenizer_config.eos_token")) {
            try fixture.tokenizer(configuration: ["eos_token": "<nope>"])
        }
    }

    @Test func detokenizerWaitsForWholeCharacters() throws {
        let tokenizer = try TokenizerFixture("deepseek-v3-style").tokenizer()
        let ids = try "\u{1F9E0}".utf8.map { byte in
            try #require(tokenizer.id(ofToken: String(decoding: Self.spelling(byte), as: UTF8.self)))
        }
        var detokenizer = IncrementalDetokenizer(tokenizer)
        #expect(try ids.map { try detokenizer.push($0) } == ["", "", "", "\u{1F9E0}"])
        _ = try detokenizer.push(ids[0])
        #expect(detokenizer.pendingByteCount == 1 && detokenizer.flush() == "\u{FFFD}" && detokenizer.flush().isEmpty)
        // A lead byte that is followed by another character can no longer become one.
        let letter = try #require(tokenizer.id(ofToken: "a"))
        #expect(try detokenizer.push(ids[0]).isEmpty)
        #expect(try detokenizer.push(letter) == "\u{FFFD}a")
    }

    /// GPT-2's spelling of a byte above 0x7E.
    private static func spelling(_ byte: UInt8) -> [UInt8] {
        let missing = (0x7F...0xA0).contains(byte) || byte == 0xAD
        let scalar = !missing ? UInt32(byte) : byte == 0xAD ? 0x143 : UInt32(byte) - 0x7F + 0x121
        return Array(String(Unicode.Scalar(scalar) ?? "?").utf8)
    }

    @Test func malformedUTF8ReadsAsReplacement() throws {
        let tokenizer = try TokenizerFixture("llama3-style").tokenizer()
        let bytes: [UInt8] = [0x61, 0xFF, 0xE4, 0xB8, 0x62, 0xC0, 0x80]
        let repaired = String(decoding: bytes, as: UTF8.self)
        #expect(try tokenizer.encode(bytes, parseSpecial: true) == tokenizer.encode(repaired, parseSpecial: true))
    }

    @Test func unknownIDsAreErrors() throws {
        let tokenizer = try TokenizerFixture("llama3-style").tokenizer()
        for id in [-1, Int32(tokenizer.vocabularySize), .max] {
            #expect(throws: TokenizerError.unknownID(Int(id))) { try tokenizer.decode([id]) }
        }
        #expect(tokenizer.id(ofToken: "no such token") == nil)
    }

    /// Quadratic behaviour would take minutes here.
    @Test(arguments: ["a", " ", "\n", "中", "\u{301}", "ab", "'", "=\u{1F9E0}", " \n"]) func longLinesEncode(
        unit: String
    ) throws {
        let text = String(repeating: unit, count: 40_000)
        for name in ["deepseek-v3-style", "deepseek-llm-style", "qwen2-style", "sentencepiece-bpe"] {
            let tokenizer = try TokenizerFixture(name).tokenizer()
            let ids = try tokenizer.encode(text + "x", parseSpecial: true)
            if name.hasPrefix("deepseek") {
                #expect(sameBytes(try tokenizer.decode(ids, skipSpecial: false), text + "x"))
            }
        }
    }

    @Test func bulkEncodesAndDecodesLines() throws {
        let fixture = try TokenizerFixture("deepseek-v3-style")
        let tokenizer = try fixture.tokenizer()
        let lines = fixture.texts.map { JSONValue.text($0).serializedString() }.joined(separator: "\n")
        var encoded: [UInt8] = []
        try Array(lines.utf8).withUnsafeBytes { input in
            try BulkTokenizer(tokenizer).encode(lines: input) { encoded += $0 }
        }
        let rows = try encoded.split(separator: 0x0A).map { try JSONValue.parse(Array($0)) }
        #expect(rows.map { ($0.arrayValue ?? []).compactMap { $0.intValue.map(Int32.init) } } == fixture.idLists("ids"))
        var decoded: [UInt8] = []
        try encoded.withUnsafeBytes { input in try BulkTokenizer(tokenizer).decode(lines: input) { decoded += $0 } }
        let texts = try decoded.split(separator: 0x0A).map { try JSONValue.parse(Array($0)).stringValue ?? "" }
        let expected = fixture.strings("decoded")
        #expect(texts.count == expected.count)
        for (found, text) in zip(texts, expected) where !TokenizerFixture.isRespelled(found) {
            #expect(sameBytes(found, text))
        }
    }

    @Test(arguments: [("\"a\"\n[1]\n", 2), ("\"a\"\n\n\"b\"", 2), ("\"a\"\n\"b", 2), ("{}", 1)]) func bulkNamesTheLine(
        input: String, line: Int
    ) throws {
        let tokenizer = try TokenizerFixture("llama3-style").tokenizer()
        let error = #expect(throws: TokenizerError.self) {
            try Array(input.utf8).withUnsafeBytes { try BulkTokenizer(tokenizer).encode(lines: $0) { _ in } }
        }
        guard case .line(let found, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(found == line)
    }

    @Test func bulkNamesWhatIsNoID() throws {
        let tokenizer = try TokenizerFixture("llama3-style").tokenizer()
        for (input, message) in [
            ("[1,2.5]", "line 1: expected an id in the array, found 2.5"),
            ("[1,[2]]", "line 1: expected an id in the array, found array"),
            ("[1]\n[4294967296]", "line 2: expected an id in the array, found 4294967296"),
            ("7", "line 1: expected an array of ids, found integer"),
        ] {
            let error = #expect(throws: TokenizerError.self) {
                try Array(input.utf8).withUnsafeBytes { try BulkTokenizer(tokenizer).decode(lines: $0) { _ in } }
            }
            #expect(error?.description == message)
        }
    }
}
