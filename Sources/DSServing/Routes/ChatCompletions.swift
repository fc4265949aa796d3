import DSEngine
import DSSupport
import Foundation
import Hummingbird

/// `POST /v1/chat/completions`: messages in, one or more answers out, plain or as a stream of server-sent events.
struct ChatCompletions: RouteGroup {
    let service: GenerationService

    func add(to router: Router<ServingContext>) {
        router.post("/v1/chat/completions") { request, context in try await answer(request, context) }
    }

    private func answer(_ request: Request, _ context: ServingContext) async throws -> Response {
        let body = try ChatCompletionBody(
            try await service.fields(of: request), catalog: service.catalog)
        let group = try service.start(body.requests.map { .chat($0) }, on: body.model, for: context)
        let identity = AnswerIdentity(
            prefix: "chatcmpl-", model: body.model.name, created: Int(Date().timeIntervalSince1970))
        let logprobs = body.logprobs.map { LogprobObjects(generator: body.model.generator, alternatives: $0) }
        return body.shared.stream
            ? stream(group, body, identity, logprobs)
            : try await whole(group, identity, logprobs)
    }

    // MARK: Plain

    private func whole(
        _ group: AnswerGroup, _ identity: AnswerIdentity, _ logprobs: LogprobObjects?
    ) async throws -> Response {
        let answers = try await group.collect()
        var object = identity.object("chat.completion")
        let choices = answers.enumerated().map { index, answer -> JSONValue in
            [
                "index": .integer(Int64(index)), "message": message(answer.output, identity),
                "logprobs": logprobs?.chat(answer.output.textTokens) ?? .null,
                "finish_reason": finishReason(answer.result.reason, calledTools: !answer.output.toolCalls.isEmpty),
            ]
        }
        object.insert("choices", .array(choices))
        object.insert("usage", TokenUsage.total(answers.map(\.result.usage)).json)
        return .json(.object(object))
    }

    private func message(_ answer: GenerationDelta, _ identity: AnswerIdentity) -> JSONValue {
        let hasCalls = !answer.toolCalls.isEmpty
        var message = JSONObject([
            ("role", "assistant"),
            ("content", answer.content.isEmpty && hasCalls ? .null : .text(answer.content)), ("refusal", nil),
        ])
        // SGLang, llama-server and DeepSeek call it reasoning_content, vLLM and Ollama reasoning: clients find either.
        if !answer.reasoning.isEmpty {
            message.insert("reasoning_content", .text(answer.reasoning))
            message.insert("reasoning", .text(answer.reasoning))
        }
        if hasCalls {
            let calls = answer.toolCalls.map { call -> JSONValue in
                [
                    "id": .text(callID(identity, call.index)), "type": "function",
                    "function": ["name": .text(call.name ?? ""), "arguments": .text(call.arguments)],
                ]
            }
            message.insert("tool_calls", .array(calls))
        }
        return .object(message)
    }

    // MARK: Streamed

    private func stream(
        _ group: AnswerGroup, _ body: ChatCompletionBody, _ identity: AnswerIdentity, _ logprobs: LogprobObjects?
    ) -> Response {
        ServerSentEvents.response { events in
            var usages: [TokenUsage] = []
            var calledTools = Array(repeating: false, count: group.streams.count)
            func chunk(_ index: Int, _ delta: JSONValue, _ reason: JSONValue, _ logprobs: JSONValue) -> JSONValue {
                var object = identity.object("chat.completion.chunk")
                object.insert(
                    "choices",
                    [["index": .integer(Int64(index)), "delta": delta, "logprobs": logprobs, "finish_reason": reason]])
                if body.shared.includeUsage { object.insert("usage", nil) }
                return .object(object)
            }
            try await events.guarded { events in
                for index in group.streams.indices {
                    try await events.send(chunk(index, ["role": "assistant", "content": ""], .null, .null))
                }
                try await group.forEach { index, event in
                    switch event {
                    case .delta(let delta):
                        let tokens = delta.textTokens
                        let object = self.delta(delta, identity, index)
                        let probabilities = tokens.isEmpty ? nil : logprobs?.chat(tokens)
                        guard !object.isEmpty || probabilities != nil else { return }
                        calledTools[index] = calledTools[index] || !delta.toolCalls.isEmpty
                        try await events.send(chunk(index, .object(object), .null, probabilities ?? .null))
                    case .finished(let result):
                        usages.append(result.usage)
                        let reason = finishReason(result.reason, calledTools: calledTools[index])
                        try await events.send(chunk(index, [:], reason, .null))
                    }
                }
                guard body.shared.includeUsage else { return }
                var last = identity.object("chat.completion.chunk")
                last.insert("choices", [])
                last.insert("usage", TokenUsage.total(usages).json)
                try await events.send(.object(last))
            }
            try await events.done()
        }
    }

    private func delta(_ delta: GenerationDelta, _ identity: AnswerIdentity, _ choice: Int) -> JSONObject {
        var object = JSONObject()
        if !delta.reasoning.isEmpty {
            object.insert("reasoning_content", .text(delta.reasoning))
            object.insert("reasoning", .text(delta.reasoning))
        }
        if !delta.content.isEmpty { object.insert("content", .text(delta.content)) }
        guard !delta.toolCalls.isEmpty else { return object }
        let calls = delta.toolCalls.map { call -> JSONValue in
            var function = JSONObject()
            if let name = call.name { function.insert("name", .text(name)) }
            function.insert("arguments", .text(call.arguments))
            var piece = JSONObject([("index", .integer(Int64(call.index)))])
            if call.name != nil {
                piece.insert("id", .text(callID(identity, call.index)))
                piece.insert("type", "function")
            }
            piece.insert("function", .object(function))
            return .object(piece)
        }
        object.insert("tool_calls", .array(calls))
        return object
    }

    private func callID(_ identity: AnswerIdentity, _ index: Int) -> String {
        "call_\(identity.id.dropFirst("chatcmpl-".count))_\(index)"
    }

    private func finishReason(_ reason: FinishReason, calledTools: Bool) -> JSONValue {
        .text(reason.text(calledTools: calledTools))
    }
}
