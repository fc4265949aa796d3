import DSLoadTest
import DSSupport
import Testing

@Suite struct RequestTests {
    private func read(_ text: String) throws(LoadTestError) -> [PlannedRequest] {
        try DatasetReader.requests(in: Array(text.utf8), path: "file")
    }

    @Test func datasets() throws {
        let lines = """
            {"prompt": "one"}

            {"messages": [{"role": "user", "content": "two"}], "max_tokens": 7}
            {"conversations": [{"from": "system", "value": "s"}, {"from": "human", "value": "three"}, {"from": "gpt", "value": "a"}]}
            """
        let requests = try read(lines)
        #expect(requests.map(\.maxTokens) == [nil, 7, nil])
        #expect(requests[0].prompt == .text("one") && requests[2].prompt == .text("three"))
        #expect(requests[1].prompt == .messages([["role": "user", "content": "two"]]))
        #expect(try read(#" [{"prompt": "a"}, {"prompt": "b"}]"#).count == 2)
    }

    @Test(arguments: [
        ("", "found none"), ("[]", "found none"), ("{\"prompt\": \"a\"}\n{\"promt\": \"b\"}", "line 2"),
        (#"{"prompt": 5}"#, "prompt"), (#"{"messages": []}"#, "messages"), ("{", "line 1"), ("7", "integer"),
        (#"{"prompt": "a", "max_tokens": 0}"#, "max_tokens"), (#"{"prompt": "a", "max_tokens": "x"}"#, "string"),
        (#"[{"prompt": "a"}, 3]"#, "file[1]"),
        (#"{"conversations": [{"from": "gpt", "value": "x"}]}"#, "conversations"),
    ])
    func wrongDatasetsAreNamed(text: String, part: String) {
        do {
            _ = try read(text)
            Issue.record("expected an error")
        } catch {
            #expect(error.description.contains(part), "\(error)")
        }
    }

    @Test func messagesNeedTheChatEndpoint() throws {
        let source = PromptSource.list(try read(#"{"messages": [{"role": "user", "content": "two"}]}"#))
        try source.check(for: .chat)
        #expect(throws: LoadTestError.self) { try source.check(for: .completions) }
    }

    @Test func forms() throws {
        var form = RequestForm(endpoint: .chat, model: "m", maxTokens: 5)
        form.ignoresEnd = true
        form.temperature = 0
        form.extra = JSONObject([("seed", 3), ("max_tokens", 6)])
        let body = form.body(for: PlannedRequest(prompt: .text("hi"), sharedPrefix: "be brief"))
        #expect(
            try JSONValue.parse(body) == [
                "model": "m", "max_tokens": 6, "temperature": 0.0, "ignore_eos": true, "stream": true, "seed": 3,
                "stream_options": ["include_usage": true],
                "messages": [["role": "system", "content": "be brief"], ["role": "user", "content": "hi"]],
            ])
        var plain = RequestForm(endpoint: .completions, model: "m", maxTokens: 5)
        plain.isStreamed = false
        let request = PlannedRequest(prompt: .text(" b"), sharedPrefix: "a", maxTokens: 2)
        #expect(
            try JSONValue.parse(plain.body(for: request)) == [
                "model": "m", "max_tokens": 2, "stream": false, "prompt": "a b",
            ])
    }

    @Test func wordsFollowWhatTheServerCounted() throws {
        let fit = try WordFit(words: 16, tokens: 29, words: 128, tokens: 197)
        #expect(fit == WordFit(base: 5, perWord: 1.5))
        #expect(fit.words(forPrompt: 305) == 200 && fit.words(adding: 300) == 200 && fit.words(forPrompt: 1) == 1)
        #expect(throws: LoadTestError.self) { try WordFit(words: 1, tokens: 9, words: 2, tokens: 9) }
    }

    @Test func syntheticPromptsAreRepeatableAndDistinct() {
        let prompts = SyntheticPrompts(tokens: 100, sharedPrefixTokens: 50, seed: 4)
        let requests = (0..<50).map(prompts.request)
        #expect(Set(requests.map { "\($0.prompt)" }).count == 50 && Set(requests.map(\.sharedPrefix)).count == 1)
        #expect(requests[7] == prompts.request(7))
        #expect(requests[0].sharedPrefix?.split(separator: " ").count == 50)
        #expect(prompts.request(0) != SyntheticPrompts(tokens: 100, sharedPrefixTokens: 50, seed: 5).request(0))
        let varied = SyntheticPrompts(tokens: 100, spread: 0.5, seed: 4)
        let lengths = (0..<500).map { index -> Int in
            guard case .text(let text) = varied.request(index).prompt else { return 0 }
            return text.split(separator: " ").count
        }
        #expect(lengths.allSatisfy((50...150).contains) && Set(lengths).count > 60)
        #expect(varied.request(3).maxTokens == nil)
        // Limits of answers vary, too, and change no prompt.
        let answered = SyntheticPrompts(tokens: 100, answerTokens: 40, spread: 0.5, seed: 4)
        let limits = (0..<500).compactMap { answered.request($0).maxTokens }
        #expect(limits.count == 500 && limits.allSatisfy((20...60).contains) && Set(limits).count > 30)
        #expect((0..<50).allSatisfy { answered.request($0).prompt == varied.request($0).prompt })
        let short = SyntheticPrompts(tokens: 9, answerTokens: 1, spread: 1, seed: 4)
        #expect((0..<50).allSatisfy { short.request($0).maxTokens ?? 0 >= 1 })
    }

    /// Whatever differs between two tests of one seed, the second finds nothing of the first in a prefix cache; nor does a
    /// prompt find one of the same test.
    @Test func noPromptBeginsAsAnother() {
        var texts: [String] = []
        for tokens in [16, 100, 101, 128, 1000] {
            for spread in [0, 0.5] {
                let prompts = SyntheticPrompts(tokens: tokens, spread: spread, seed: 4)
                texts += (0..<20).map { text(prompts.request($0)) }
            }
        }
        texts += [50, 51, 200].compactMap {
            SyntheticPrompts(tokens: 1, sharedPrefixTokens: $0, seed: 4).request(0).sharedPrefix
        }
        // Seven words in their order out of more than a hundred: chance does not make them meet.
        let heads = texts.map { $0.split(separator: " ").prefix(7).joined(separator: " ") }
        #expect(heads.count == 203 && Set(heads).count == heads.count)
    }

    /// Two servers are compared with the same words, but for as many as their templates differ by.
    @Test func wordsDoNotDependOnTheServer() {
        let texts = [0.0, 9].map { base in
            let fit = WordFit(base: base, perWord: 1)
            return text(SyntheticPrompts(fit: fit, tokens: 100, spread: 0.5, seed: 4).request(3))
        }
        #expect(texts[0] != texts[1] && texts[0].hasPrefix(texts[1]))
    }

    /// Else a shared prefix would be none from one test to the next.
    @Test func sharedPrefixesDoNotDependOnPrompts() {
        let requests = [10, 100].map { SyntheticPrompts(tokens: $0, sharedPrefixTokens: 50, seed: 4).request($0) }
        #expect(requests[0].sharedPrefix == requests[1].sharedPrefix && requests[0].sharedPrefix != nil)
    }

    @Test func onlySyntheticPromptsWithoutPrefixShareNothing() {
        #expect(PromptSource.synthetic(SyntheticPrompts(tokens: 5, seed: 1)).sharesNothing)
        #expect(!PromptSource.synthetic(SyntheticPrompts(tokens: 5, sharedPrefixTokens: 5, seed: 1)).sharesNothing)
        #expect(!PromptSource.list([PlannedRequest(prompt: .text("x"))]).sharesNothing)
    }

    private func text(_ request: PlannedRequest) -> String {
        guard case .text(let text) = request.prompt else { return "" }
        return text
    }

    @Test func everyWordComesBeforeAnyComesAgain() throws {
        let count = SyntheticPrompts.probes[0]
        #expect(SyntheticPrompts.probes[1] == 2 * count)
        let prompts = SyntheticPrompts(tokens: 2 * count, seed: 1)
        guard case .text(let text) = prompts.request(0).prompt else { throw LoadTestError.calibration("no text") }
        let words = text.split(separator: " ")
        #expect(Set(words[..<count]).count == count && Set(words[count...]).count == count)
        #expect(Array(words[..<count]) != Array(words[count...]))
    }

    @Test func listsGoRound() throws {
        let source = PromptSource.list(try read("{\"prompt\":\"a\"}\n{\"prompt\":\"b\"}\n{\"prompt\":\"c\"}"))
        #expect(source.request(4).prompt == .text("b"))
        let shuffled = source.shuffled(seed: 1)
        #expect(Set((0..<3).map { "\(shuffled.request($0).prompt)" }).count == 3)
    }

    @Test(arguments: [
        ("http://h:1", "http://h:1"), ("http://h:1/", "http://h:1"), ("https://h/v1", "https://h"),
        ("http://h/proxy/v1/", "http://h/proxy"),
    ])
    func addresses(url: String, base: String) throws { #expect(try Target(url: url).base == base) }

    @Test(arguments: [
        ("http://h/v1/chat/completions", "http://h"), ("http://h:1/v1/completions/", "http://h:1"),
        ("http://h/v1/models", "http://h"), ("https://h/p/chat/completions", "https://h/p"),
    ])
    func endpointsAreNoAddresses(url: String, base: String) {
        #expect(throws: LoadTestError.invalidURL(url, "an address without an endpoint, '\(base)' or '\(base)/v1'")) {
            try Target(url: url)
        }
    }

    @Test(
        arguments: [
            (.status(400), "the model has no chat template", .chat, true),
            (.status(400), "Default chat template is no longer allowed", .chat, true),
            (.status(422), "Template error: template not found", .chat, true),
            (.status(400), "the model has no chat template", .completions, false),
            (.status(400), "the context is too short", .chat, false),
            (.status(500), "no chat template", .chat, false), (.connection, "no chat template", .chat, false),
        ] as [(Failure.Kind, String, Endpoint, Bool)])
    func chatsWithoutTemplateNameTheWayOut(kind: Failure.Kind, message: String, endpoint: Endpoint, helps: Bool) {
        let failure = Failure(kind, message)
        let text = "\(kind.label): \(message)"
        #expect(failure.text(on: endpoint) == (helps ? text + "; try --endpoint completions" : text))
    }

    @Test(arguments: ["", "h:1", "ftp://h", "http://", "http:///v1", "http://h?x=1", "http://a b"])
    func wrongAddresses(url: String) { #expect(throws: LoadTestError.self) { try Target(url: url) } }
}
