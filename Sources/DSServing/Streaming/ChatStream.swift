import DSEngine
import DSSupport
import Hummingbird

/// A chat completion as a stream of chunks.
struct ChatStream: Sendable {
    let group: AnswerGroup
    let body: ChatCompletionBody
    let objects: ChatObjects

    func response() -> Response {
        ServerSentEvents.response(keepAlive: group.keepAlive) { events in
            var tally = StreamTally(group, body.shared.streaming)
            try await events.guarded { events in
                for index in group.streams.indices { try await events.send(role(index, tally)) }
                try await group.forEach { index, event in
                    switch event {
                    case .delta(let delta):
                        guard !delta.isEmpty else { return try await events.keepAlive() }
                        let delta = objects.visible(delta)
                        tally.add(delta, to: index)
                        if let chunk = chunk(index, delta, tally) { try await events.send(chunk) }
                    case .finished(let result):
                        tally.finish(index, result)
                        try await events.send(last(index, result, tally))
                    }
                }
                guard body.shared.includeUsage else { return }
                var end = objects.identity.object("chat.completion.chunk")
                end.insert("choices", [])
                end.insert("usage", tally.total.json)
                try await events.send(.object(end))
            }
            try await events.done()
        }
    }

    private func role(_ index: Int, _ tally: StreamTally) -> JSONValue {
        var chunk = wrap(choice(index, ["role": "assistant", "content": ""]), tally, index)
        if body.shared.reports.tokenIDs { chunk["prompt_token_ids"] = .ids(group.streams[index].promptIDs) }
        return .object(chunk)
    }

    /// `nil` where nothing of the delta shows.
    private func chunk(_ index: Int, _ delta: GenerationDelta, _ tally: StreamTally) -> JSONValue? {
        let object = objects.delta(delta)
        let tokens = delta.textTokens
        let logprobs = tokens.isEmpty ? nil : body.logprobObjects?.chat(tokens)
        let showsIDs = body.shared.reports.tokenIDs && !delta.tokens.isEmpty
        guard !object.isEmpty || logprobs != nil || showsIDs else { return nil }
        var choice = choice(index, .object(object), logprobs: logprobs ?? .null)
        if showsIDs { choice.insert("token_ids", delta.tokenIDs) }
        return .object(wrap(choice, tally, index))
    }

    private func last(_ index: Int, _ result: GenerationResult, _ tally: StreamTally) -> JSONValue {
        let reason = JSONValue.text(result.reason.text(calledTools: tally.calledTools(index)))
        var choice = choice(index, [:], reason: reason)
        choice.insert("stop_reason", result.reason.stopReason)
        return .object(wrap(choice, tally, index))
    }

    private func choice(
        _ index: Int, _ delta: JSONValue, reason: JSONValue = .null, logprobs: JSONValue = .null
    ) -> JSONObject {
        let members: [(JSONString, JSONValue)] = [
            ("index", .integer(Int64(index))), ("delta", delta), ("logprobs", logprobs), ("finish_reason", reason),
        ]
        return JSONObject(members)
    }

    private func wrap(_ choice: JSONObject, _ tally: StreamTally, _ index: Int) -> JSONObject {
        var object = objects.identity.object("chat.completion.chunk")
        object.insert("choices", [.object(choice)])
        if let usage = tally.usageMember(index) { object.insert("usage", usage) }
        return object
    }
}
