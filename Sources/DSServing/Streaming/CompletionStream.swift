import DSEngine
import DSSupport
import Hummingbird

/// A text completion as a stream of chunks.
struct CompletionStream: Sendable {
    let group: AnswerGroup
    let body: CompletionBody
    let identity: AnswerIdentity

    /// What one choice has said so far.
    private struct Progress: Sendable {
        /// Length of the text, echo included.
        var length = 0
        var promptLogprobs: [GeneratedToken] = []
        var isEchoed = false
    }

    func response() -> Response {
        ServerSentEvents.response(keepAlive: group.keepAlive) { events in
            var tally = StreamTally(group, body.shared.streaming)
            var progress = group.streams.map { _ in Progress() }
            try await events.guarded { events in
                try await group.forEach { index, event in
                    switch event {
                    case .delta(let delta):
                        guard !delta.isEmpty else { return try await events.keepAlive() }
                        progress[index].promptLogprobs += delta.promptTokens
                        guard !delta.tokens.isEmpty || !(delta.reasoning + delta.content).isEmpty else { return }
                        tally.add(delta, to: index)
                        if let echo = echo(index, &progress[index]) { try await events.send(wrap(echo, tally, index)) }
                        if let choice = choice(index, delta, &progress[index]) {
                            try await events.send(wrap(choice, tally, index))
                        }
                    case .finished(let result):
                        tally.finish(index, result)
                        if let echo = echo(index, &progress[index]) { try await events.send(wrap(echo, tally, index)) }
                        var choice = choice(index, "", .null)
                        choice["finish_reason"] = .text(result.reason.text(calledTools: false))
                        choice["stop_reason"] = result.reason.stopReason
                        try await events.send(wrap(choice, tally, index))
                    }
                }
                guard body.shared.includeUsage else { return }
                var last = identity.object("text_completion")
                last.insert("choices", [])
                last.insert("usage", body.usage(of: tally.usages).json)
                try await events.send(.object(last))
            }
            try await events.done()
        }
    }

    /// The prompt, once, when all that belongs to it is known.
    private func echo(_ index: Int, _ progress: inout Progress) -> JSONObject? {
        guard body.echo, !progress.isEchoed else { return nil }
        progress.isEchoed = true
        let prompt = group.streams[index].promptIDs
        let text = body.echoed(index, of: group)
        let logprobs = body.logprobObjects?.completion([], prompt: prompt, promptLogprobs: progress.promptLogprobs)
        progress.length = logprobs?.end ?? text.unicodeScalars.count
        var choice = choice(index, text, logprobs?.json ?? .null)
        if body.shared.reports.tokenIDs { choice["prompt_token_ids"] = .ids(prompt) }
        return choice
    }

    /// `nil` where nothing of the delta shows.
    private func choice(_ index: Int, _ delta: GenerationDelta, _ progress: inout Progress) -> JSONObject? {
        let text = delta.reasoning + delta.content
        let tokens = delta.textTokens
        let logprobs = body.logprobObjects?.completion(tokens, offset: progress.length)
        progress.length += text.unicodeScalars.count
        let showsIDs = body.shared.reports.tokenIDs && !delta.tokens.isEmpty
        guard !text.isEmpty || showsIDs || (logprobs != nil && !tokens.isEmpty) else { return nil }
        var choice = choice(index, text, logprobs ?? .null)
        if showsIDs { choice["token_ids"] = delta.tokenIDs }
        return choice
    }

    private func choice(_ index: Int, _ text: String, _ logprobs: JSONValue) -> JSONObject {
        let members: [(JSONString, JSONValue)] = [
            ("index", .integer(Int64(index))), ("text", .text(text)), ("logprobs", logprobs), ("finish_reason", .null),
        ]
        return JSONObject(members)
    }

    private func wrap(_ choice: JSONObject, _ tally: StreamTally, _ index: Int) -> JSONValue {
        var object = identity.object("text_completion")
        object.insert("choices", [.object(choice)])
        if let usage = tally.usageMember(index) { object.insert("usage", usage) }
        return .object(object)
    }
}
