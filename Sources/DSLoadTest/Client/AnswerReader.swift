import DSSupport

/// Puts an answer's events, or its body, into a record.
package struct AnswerReader: Sendable {
    package private(set) var record: RequestRecord
    private var isDone = false

    package init(_ record: RequestRecord) { self.record = record }

    /// Reads one event that arrived at `time`.
    package mutating func read(_ event: ServerSentEvent, at time: Double) {
        guard !isDone else { return }
        record.end = time
        if event.data.elementsEqual("[DONE]".utf8) {
            isDone = true
            return
        }
        guard let object = parse(event.data) else { return }
        if let message = Self.errorMessage(object) {
            fail(Failure(.error, message))
            return
        }
        readUsage(object)
        // Usage comes in an event without choices.
        for choice in object["choices"]?.arrayValue ?? [] {
            if Self.hasText(choice) { record.textTimes.append(time) }
            if let reason = choice["finish_reason"]?.stringValue { record.finishReason = reason }
        }
    }

    /// Reads a whole answer, not streamed, that arrived at `time`.
    package mutating func read(body: [UInt8], at time: Double) {
        record.end = time
        record.isStreamed = false
        guard let object = parse(body) else { return }
        if let message = Self.errorMessage(object) {
            fail(Failure(.error, message))
            return
        }
        readUsage(object)
        guard let choice = object["choices"]?[0] else {
            fail(Failure(.malformed, "no choices in \(Self.excerpt(body))"))
            return
        }
        record.finishReason = choice["finish_reason"]?.stringValue
        isDone = true
    }

    package mutating func fail(_ failure: Failure) {
        if record.failure == nil { record.failure = failure }
    }

    /// The answer has ended: without a reason to finish and without `[DONE]`, it was cut.
    package mutating func finish(at time: Double) -> RequestRecord {
        if !isDone, record.finishReason == nil {
            fail(Failure(.endedEarly, "the stream ended after \(record.textTimes.count) events with text"))
        }
        // A failure lasts until it is known, not until the last good event.
        if record.failure != nil { record.end = time }
        return record
    }

    private mutating func parse(_ bytes: [UInt8]) -> JSONValue? {
        // Peers may repeat a key; what they mean is theirs.
        let limits = JSONLimits(duplicateKeys: .lastWins)
        do throws(JSONError) {
            return try JSONValue.parse(bytes, limits: limits)
        } catch {
            fail(Failure(.malformed, "\(error): \(Self.excerpt(bytes))"))
            return nil
        }
    }

    private mutating func readUsage(_ object: JSONValue) {
        guard let usage = object["usage"], usage.objectValue != nil else { return }
        record.promptTokens = usage["prompt_tokens"]?.intValue ?? record.promptTokens
        record.completionTokens = usage["completion_tokens"]?.intValue ?? record.completionTokens
        record.cachedTokens = usage["prompt_tokens_details"]?["cached_tokens"]?.intValue ?? record.cachedTokens
    }

    /// Whether a choice carries generated text of any kind: the first chunk of a chat names a role only.
    private static func hasText(_ choice: JSONValue) -> Bool {
        if let text = choice["text"]?.bytesValue { return !text.isEmpty }
        guard let delta = choice["delta"] else { return false }
        for name in ["content", "reasoning_content", "reasoning", "refusal"] {
            if let text = delta[name]?.bytesValue, !text.isEmpty { return true }
        }
        return delta["tool_calls"]?.arrayValue?.isEmpty == false
    }

    /// `{"error": {"message": …}}`, and forms of it that servers send.
    static func errorMessage(_ object: JSONValue) -> String? {
        guard let error = object["error"], !error.isNull else { return nil }
        return error["message"]?.stringValue ?? error.stringValue ?? error.serializedString()
    }

    static func excerpt(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.prefix(200), as: UTF8.self) + (bytes.count > 200 ? "…" : "")
    }
}
