import DSEngine
import DSServing
import DSSupport
import HTTPTypes
import Testing

@Suite struct WireTests {
    private func reader(_ json: String) throws -> FieldReader { try FieldReader(body: Array(json.utf8)) }

    /// The field that an error names, or nil if there is none.
    private func faultyField(_ json: String) throws -> String? {
        do {
            _ = try SamplingFields(try reader(json), defaults: SamplingParameters())
            return nil
        } catch let error as APIError {
            #expect(error.status.code == 400 && error.message.contains("expected"))
            return error.parameter
        }
    }

    @Test(arguments: [
        (#"{"temperature":"hot"}"#, "temperature"), (#"{"top_p":[]}"#, "top_p"), (#"{"top_k":1.5}"#, "top_k"),
        (#"{"max_tokens":"9"}"#, "max_tokens"), (#"{"seed":1.5}"#, "seed"), (#"{"stop":[1]}"#, "stop"),
        (#"{"stop":{}}"#, "stop"), (#"{"n":0}"#, "n"), (#"{"n":1000}"#, "n"), (#"{"stream":1}"#, "stream"),
        (#"{"stream_options":true}"#, "stream_options"), (#"{"logit_bias":{"a":1}}"#, "logit_bias.a"),
        (#"{"logit_bias":{"5":"x"}}"#, "logit_bias.5"), (#"{"stop_token_ids":[1,"x"]}"#, "stop_token_ids[1]"),
        (#"{"ignore_eos":"yes"}"#, "ignore_eos"),
    ])
    func wrongTypesNameTheField(json: String, field: String) throws {
        #expect(try faultyField(json) == field)
    }

    @Test func readsEveryField() throws {
        let json = """
            {"temperature":0.5,"top_p":0.9,"top_k":7,"min_p":0.1,"typical_p":0.8,"repetition_penalty":1.1,
             "presence_penalty":0.2,"frequency_penalty":-0.3,"logit_bias":{"5":-100},"seed":-1,"max_tokens":9,
             "min_tokens":2,"stop":["a","b"],"stop_token_ids":[3],"ignore_eos":true,"n":2,"stream":true,
             "include_stop_str_in_output":true,"stream_options":{"include_usage":true},"user":"unknown fields pass"}
            """
        let fields = try SamplingFields(try reader(json), defaults: SamplingParameters())
        var expected = SamplingParameters()
        expected.temperature = 0.5
        expected.topP = 0.9
        expected.topK = 7
        expected.minP = 0.1
        expected.typicalP = 0.8
        expected.repetitionPenalty = 1.1
        expected.presencePenalty = 0.2
        expected.frequencyPenalty = -0.3
        expected.logitBias = [5: -100]
        expected.seed = .max
        #expect(fields.sampling == expected)
        #expect(fields.stopping.maxTokens == 9 && fields.stopping.minTokens == 2)
        #expect(fields.stopping.stopTokens == [3] && fields.stopping.ignoreEndOfSequence)
        #expect(fields.stopStrings == ["a", "b"] && fields.includeStopString)
        #expect(fields.count == 2 && fields.stream && fields.includeUsage)
    }

    @Test func absentAndNullFieldsKeepTheDefaults() throws {
        var defaults = SamplingParameters()
        defaults.temperature = 0.6
        let fields = try SamplingFields(
            try reader(#"{"temperature":null,"stop":null,"n":null,"top_k":-1}"#), defaults: defaults)
        #expect(fields.sampling == defaults && fields.stopStrings.isEmpty && fields.count == 1 && !fields.stream)
    }

    @Test func newerTokenLimitWins() throws {
        let fields = try SamplingFields(
            try reader(#"{"max_tokens":1,"max_completion_tokens":2}"#), defaults: SamplingParameters())
        #expect(fields.stopping.maxTokens == 2)
    }

    @Test(arguments: ["", "[]", "{", "nul", #"{"a":1}x"#, #"{"a":1,"a":2}"#])
    func bodiesThatAreNoObjectsAreRefused(body: String) {
        #expect(throws: APIError.self) { try FieldReader(body: Array(body.utf8)) }
    }

    @Test(arguments: [
        (#"{}"#, "messages"), (#"{"messages":[]}"#, "messages"), (#"{"messages":[1]}"#, "messages[0]"),
        (#"{"messages":[{"content":"x"}]}"#, "messages[0].role"),
        (#"{"messages":[{"role":"king","content":"x"}]}"#, "messages[0].role"),
        (#"{"messages":[{"role":"user","content":5}]}"#, "messages[0].content"),
        (#"{"messages":[{"role":"assistant"}]}"#, "messages[0].content"),
        (#"{"messages":[{"role":"tool","content":"x"}]}"#, "messages[0].tool_call_id"),
        (#"{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}"#, "messages[0].content[0].type"),
    ])
    func wrongMessagesNameTheirPlace(json: String, field: String) throws {
        let error = #expect(throws: APIError.self) { try ChatMessages.read(try reader(json)) }
        #expect(error?.parameter == field)
    }

    @Test func messagesAreMadeFitForTemplates() throws {
        let json = """
            {"messages":[{"role":"developer","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},
             {"role":"assistant","content":null,"reasoning":"why","tool_calls":[]}]}
            """
        let messages = try ChatMessages.read(try reader(json))
        #expect(messages[0]["role"]?.stringValue == "system" && messages[0]["content"]?.stringValue == "ab")
        #expect(messages[1]["reasoning_content"]?.stringValue == "why")
    }

    @Test func engineErrorsBecomeTheirStatus() {
        #expect(APIError(EngineError.queueFull(limit: 3)).status.code == 503)
        #expect(APIError(EngineError.queueFull(limit: 3)).retryAfter == 1)
        #expect(APIError(EngineError.modelFailure("x")).status.code == 500)
        let late = APIError(EngineError.queueTimeout(limit: .seconds(1)))
        #expect(late.status.code == 503 && late.code == "queue_timeout" && late.retryAfter == 1)
        let tokens = APIError(EngineError.queueTokensExceeded(limit: 5, queued: 4, requested: 3))
        #expect(tokens.status.code == 503 && tokens.code == "queue_full" && tokens.message.contains("4 + 3"))
        let over = APIError(EngineError.deadlineExceeded(timeout: .seconds(2), completionTokens: 7))
        #expect(over.status.code == 504 && over.code == "deadline_exceeded" && over.message.contains("7 tokens"))
        let long = APIError(EngineError.contextExceeded(promptTokens: 9, requestedTokens: 1, limit: 8))
        #expect(long.status.code == 400 && long.code == "context_length_exceeded")
        #expect(long.body["error"]?["message"]?.stringValue?.contains("at most 8") == true)
    }

    @Test func usageCountsAPromptOnce() {
        let one = TokenUsage(promptTokens: 5, completionTokens: 3, reasoningTokens: 1)
        let total = TokenUsage.total([one, one])
        #expect(total.promptTokens == 5 && total.completionTokens == 6 && total.reasoningTokens == 2)
        #expect(total.json["total_tokens"]?.intValue == 11)
    }
}
