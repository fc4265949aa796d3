import DSSupport
import DSTestSupport
import DSTokenizers
import Testing

@Suite("Tokenizers against the reference libraries") struct TokenizerParityTests {
    @Test("encodes", arguments: TokenizerFixture.names) func encodes(name: String) throws {
        let fixture = try TokenizerFixture(name)
        let tokenizer = try fixture.tokenizer()
        let expected = fixture.idLists("ids")
        #expect(expected.count == fixture.texts.count && expected.count > 100)
        for (text, ids) in zip(fixture.texts, expected) {
            #expect(try tokenizer.encode(text, parseSpecial: true) == ids, "\(name): \(text.debugDescription)")
        }
    }

    @Test("decodes", arguments: TokenizerFixture.names) func decodes(name: String) throws {
        let fixture = try TokenizerFixture(name)
        let tokenizer = try fixture.tokenizer()
        for (key, skips) in [("decoded", false), ("decoded_skipping", true)] {
            for (ids, text) in zip(fixture.idLists("ids"), fixture.strings(key)) {
                let found = try tokenizer.decode(ids, skipSpecial: skips)
                if TokenizerFixture.isRespelled(found) { continue }
                #expect(sameBytes(found, text), "\(name): \(ids)")
            }
        }
    }

    @Test("adds its template", arguments: TokenizerFixture.names) func addsTemplate(name: String) throws {
        let fixture = try TokenizerFixture(name)
        let ids = try fixture.tokenizer().encode("Hello", addSpecialTokens: true, parseSpecial: true)
        #expect(ids == fixture.ids("with_template"))
    }

    /// Everything but the first byte-level tokens' spelling survives: decode(encode(x)) is x for a tokenizer without normaliser.
    @Test(
        "round-trips", arguments: ["llama3-style", "deepseek-v3-style", "deepseek-coder-style", "deepseek-llm-style"])
    func roundTrips(name: String) throws {
        let fixture = try TokenizerFixture(name)
        let tokenizer = try fixture.tokenizer()
        for text in fixture.texts {
            let ids = try tokenizer.encode(text, parseSpecial: false)
            #expect(sameBytes(try tokenizer.decode(ids, skipSpecial: false), text))
        }
    }

    @Test("streams what it decodes", arguments: ["qwen2-style", "deepseek-v3-style", "gpt2-style", "bert"])
    func streams(name: String) throws {
        let fixture = try TokenizerFixture(name)
        let tokenizer = try fixture.tokenizer()
        for (ids, text) in zip(fixture.idLists("ids"), fixture.strings("decoded")) {
            var detokenizer = IncrementalDetokenizer(tokenizer, skipsSpecial: false)
            var streamed = ""
            for id in ids {
                let part = try detokenizer.push(id)
                // The texts hold no U+FFFD, so one here would be half a character.
                #expect(!part.unicodeScalars.contains("\u{FFFD}") || text.unicodeScalars.contains("\u{FFFD}"))
                streamed += part
            }
            streamed += detokenizer.flush()
            #expect(sameBytes(streamed, text) || TokenizerFixture.isRespelled(streamed), "\(name): \(ids)")
        }
    }

    /// Scratch buffers and word caches must not leak from one text into the next.
    @Test(arguments: UInt64(1)...4) func anyOrderGivesTheSameIDs(seed: UInt64) throws {
        let fixture = try TokenizerFixture("deepseek-v3-style")
        let tokenizer = try fixture.tokenizer()
        let expected = fixture.idLists("ids")
        var random = SplitMix(seed: seed)
        for index in fixture.texts.indices.shuffled(using: &random) {
            #expect(try tokenizer.encode(fixture.texts[index], parseSpecial: true) == expected[index])
        }
    }

    @Test func concurrentCallersAgree() async throws {
        let fixture = try TokenizerFixture("qwen2-style")
        let tokenizer = try fixture.tokenizer()
        let texts = fixture.texts
        let expected = fixture.idLists("ids")
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 {
                group.addTask { try texts.map { try tokenizer.encode($0, parseSpecial: true) } == expected }
            }
            for try await agrees in group { #expect(agrees) }
        }
    }
}

@Suite("GGUF vocabularies") struct GGUFVocabularyTests {
    /// The same vocabulary through GGUF arrays gives the ids of its tokenizer.json.
    @Test(arguments: [
        ("qwen2-style", "qwen2"), ("llama3-style", "llama-bpe"), ("deepseek-v3-style", "deepseek-v3"),
        ("deepseek-coder-style", "deepseek-coder"),
    ])
    func byteLevelEqualsTokenizerJSON(name: String, pre: String) throws {
        let fixture = try TokenizerFixture(name)
        let model = try #require(fixture.document["tokenizer"]?["model"])
        let added = fixture.document["tokenizer"]?["added_tokens"]?.arrayValue ?? []
        let vocabulary = try #require(model["vocab"]?.objectValue)
        var tokens = [[UInt8]](repeating: [], count: vocabulary.count + added.count)
        var types = [Int32](repeating: 1, count: tokens.count)
        for (key, value) in vocabulary { tokens[try #require(value.intValue)] = key.bytes }
        for token in added {
            let id = try #require(token["id"]?.intValue)
            tokens[id] = try #require(token["content"]?.bytesValue)
            types[id] = token["special"] == true ? 3 : 4
        }
        let merges: [[UInt8]] = (model["merges"]?.arrayValue ?? []).map { merge in
            let pair = (merge.arrayValue ?? []).compactMap(\.stringValue)
            return Array((merge.stringValue ?? pair.joined(separator: " ")).utf8)
        }
        let source = GGUFVocabulary(
            model: "gpt2", preTokenizer: pre, tokens: tokens, types: types, merges: merges, bosID: tokens.count - 1)
        let tokenizer = try Tokenizer(gguf: source)
        #expect(tokenizer.bosID == Int32(tokens.count - 1) && tokenizer.vocabularySize == tokens.count)
        for (text, ids) in zip(fixture.texts, fixture.idLists("ids")) where !Self.usesFlags(text) {
            #expect(try tokenizer.encode(text, parseSpecial: true) == ids, "\(text.debugDescription)")
        }
        let withTemplate = try tokenizer.encode("Hello", addSpecialTokens: true, parseSpecial: true)
        #expect((withTemplate.first == tokenizer.bosID) == (pre == "llama-bpe"))
    }

    /// GGUF has no flags for single-word and space-taking tokens.
    private static func usesFlags(_ text: String) -> Bool { text.contains("matrix") || text.contains("<mask>") }

    @Test func scoresEqualSentencePiece() throws {
        let fixture = try TokenizerFixture("sentencepiece-gguf")
        let gguf = try #require(fixture.document["gguf"])
        let source = GGUFVocabulary(
            model: "llama", tokens: (gguf["tokens"]?.arrayValue ?? []).compactMap(\.bytesValue),
            scores: (gguf["scores"]?.arrayValue ?? []).compactMap { $0.doubleValue.map(Float.init) },
            types: (gguf["types"]?.arrayValue ?? []).compactMap { $0.intValue.map(Int32.init) }, bosID: 1, eosID: 2,
            unknownID: 0)
        let tokenizer = try Tokenizer(gguf: source)
        let indices = fixture.ids("indices")
        #expect(indices.count > 80)
        for (position, index) in indices.enumerated() {
            let text = fixture.texts[Int(index)]
            let ids = fixture.idLists("ids")[position]
            #expect(try tokenizer.encode(text, parseSpecial: false) == ids, "\(text.debugDescription)")
            #expect(sameBytes(try tokenizer.decode(ids), fixture.strings("decoded")[position]))
        }
        #expect(try tokenizer.encode("Hello", addSpecialTokens: true, parseSpecial: false).first == 1)
    }

    static let malformed: [(GGUFVocabulary, TokenizerError)] = [
        (GGUFVocabulary(model: "bert", tokens: []), .unsupported(component: "GGUF model", name: "bert")),
        (
            GGUFVocabulary(model: "gpt2", preTokenizer: "new", tokens: []),
            .unsupported(component: "GGUF pre-tokenizer", name: "new")
        ),
        (GGUFVocabulary(model: "gpt2", tokens: []), .unsupported(component: "GGUF pre-tokenizer", name: "(none)")),
        (
            GGUFVocabulary(model: "gpt2", preTokenizer: "qwen2", tokens: [[0x61]], merges: [[0x61, 0x20, 0x62]]),
            .unknownToken("b", neededBy: "merge 0")
        ),
        (
            GGUFVocabulary(model: "llama", tokens: [[0x61]]),
            .malformed(path: "tokenizer.ggml.scores", expected: "1 entries", found: "0")
        ),
        (
            GGUFVocabulary(model: "gpt2", preTokenizer: "qwen2", tokens: [[0x61]], types: [1, 1]),
            .malformed(path: "tokenizer.ggml.token_type", expected: "1 entries", found: "2")
        ),
        (
            GGUFVocabulary(model: "gpt2", preTokenizer: "qwen2", tokens: [[0x61]], bosID: 7),
            .malformed(path: "tokenizer.ggml.bos_token_id", expected: "an id below 1", found: "7")
        ),
    ]

    @Test(arguments: malformed) func refusesMalformed(source: GGUFVocabulary, expected: TokenizerError) {
        #expect(throws: expected) { try Tokenizer(gguf: source) }
    }
}
