import DSLoadTest
import Testing

@Suite struct AnswerReaderTests {
    /// Reads events that arrive one second apart, from second 1 on.
    private func record(_ events: [String]) -> RequestRecord {
        var reader = AnswerReader(RequestRecord(index: 0, due: 0, sent: 0, end: 0))
        for (index, event) in events.enumerated() {
            reader.read(ServerSentEvent(data: Array(event.utf8)), at: Double(index + 1))
        }
        return reader.finish(at: Double(events.count + 1))
    }

    @Test func roleIsNoToken() {
        let record = record([
            #"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#,
            #"{"choices":[{"delta":{"role":"assistant","content":null}}]}"#,
            #"{"choices":[{"delta":{"content":"Hi"}}]}"#,
            #"{"choices":[{"delta":{"content":" you"}}]}"#,
            #"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
            #"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":4}}}"#,
            "[DONE]",
        ])
        #expect(record.failure == nil && record.textTimes == [3, 4] && record.end == 7)
        #expect(record.timeToFirstToken == 3 && record.interTokenLatencies == [1] && record.finishReason == "stop")
        #expect(record.promptTokens == 7 && record.completionTokens == 3 && record.cachedTokens == 4)
        // (7 - 3) / (3 - 1)
        #expect(record.timePerOutputToken == 2 && record.tokensPerEvent == 1.5)
    }

    @Test(arguments: [
        #"{"choices":[{"text":"x"}]}"#, #"{"choices":[{"delta":{"reasoning_content":"x"}}]}"#,
        #"{"choices":[{"delta":{"reasoning":"x","reasoning_content":"x"}}]}"#,
        #"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}}]}"#,
    ])
    func textOfEveryKindIsAToken(event: String) {
        let record = record([event, #"{"choices":[{"delta":{},"text":"","finish_reason":"length"}]}"#, "[DONE]"])
        #expect(record.textTimes == [1] && record.failure == nil && record.outputTokens == 1)
    }

    @Test func errorsInAStreamAreFailures() {
        let record = record([
            #"{"choices":[{"delta":{"content":"x"}}]}"#, #"{"error":{"message":"out of memory","code":500}}"#, "[DONE]",
        ])
        #expect(record.failure == Failure(.error, "out of memory") && record.end == 4)
    }

    @Test(arguments: [[], [#"{"choices":[{"delta":{"content":"x"}}]}"#]])
    func streamsThatStopAreFailures(events: [String]) {
        #expect(record(events).failure?.kind == .endedEarly)
    }

    @Test func aReasonToFinishEndsAnAnswerToo() {
        let record = record([#"{"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}"#])
        #expect(record.failure == nil && record.end == 1)
    }

    @Test func textThatIsNoJSONIsAFailure() {
        let failure = record(["<html>", "[DONE]"]).failure
        #expect(failure?.kind == .malformed && failure?.message.contains("<html>") == true)
    }

    @Test func nothingCountsAfterTheEnd() {
        let record = record(["[DONE]", #"{"choices":[{"delta":{"content":"x"}}]}"#])
        #expect(record.textTimes.isEmpty && record.end == 1 && record.timeToFirstToken == nil)
    }

    @Test func wholeBodies() {
        var reader = AnswerReader(RequestRecord(index: 0, due: 1, sent: 1, end: 1))
        let body =
            #"{"choices":[{"text":"x","finish_reason":"length"}],"usage":{"prompt_tokens":2,"completion_tokens":9}}"#
        reader.read(body: Array(body.utf8), at: 4)
        let record = reader.finish(at: 5)
        #expect(record.failure == nil && record.end == 4 && record.latency == 3 && record.outputTokens == 9)
        // Nothing was streamed: there is no first token.
        #expect(
            record.timeToFirstToken == nil && record.timePerOutputToken == nil && record.interTokenLatencies.isEmpty)
    }

    @Test(arguments: [#"{"object":"list"}"#, "[]", #"{"choices":[]}"#])
    func bodiesWithoutChoicesAreFailures(body: String) {
        var reader = AnswerReader(RequestRecord(index: 0, due: 0, sent: 0, end: 0))
        reader.read(body: Array(body.utf8), at: 1)
        #expect(reader.finish(at: 2).failure?.kind == .malformed)
    }
}
