import DSEngine
import DSSupport
import Foundation
import Hummingbird
import NIOCore

/// `POST /v1/completions`: text in, text out, no template.
struct Completions: RouteGroup {
    let service: GenerationService

    func add(to router: Router<ServingContext>) {
        router.post("/v1/completions") { request, context in try await answer(request, context) }
    }

    private func answer(_ request: Request, _ context: ServingContext) async throws -> Response {
        let body = try CompletionBody(
            try await service.fields(of: request), catalog: service.catalog)
        let group = try service.start(body.requests.map { .text($0) }, on: body.model, for: context)
        let identity = AnswerIdentity(
            prefix: "cmpl-", model: body.model.name, created: Int(Date().timeIntervalSince1970))
        let logprobs = body.logprobs.map { LogprobObjects(generator: body.model.generator, alternatives: $0) }
        return body.shared.stream
            ? stream(group, body, identity, logprobs)
            : try await whole(group, body, identity, logprobs)
    }

    private func whole(
        _ group: AnswerGroup, _ body: CompletionBody, _ identity: AnswerIdentity, _ logprobs: LogprobObjects?
    ) async throws -> Response {
        let answers = try await group.collect()
        var object = identity.object("text_completion")
        object.insert(
            "choices",
            .array(
                answers.enumerated().map { index, answer in
                    choice(
                        index, text: answer.output.reasoning + answer.output.content, reason: answer.result.reason,
                        logprobs: logprobs?.completion(answer.output.textTokens, offset: 0))
                }))
        object.insert("usage", body.usage(of: answers.map(\.result.usage)).json)
        return .json(.object(object))
    }

    private func stream(
        _ group: AnswerGroup, _ body: CompletionBody, _ identity: AnswerIdentity, _ logprobs: LogprobObjects?
    ) -> Response {
        ServerSentEvents.response { events in
            var usages: [TokenUsage] = []
            var lengths = Array(repeating: 0, count: group.streams.count)
            try await events.guarded { events in
                try await group.forEach { index, event in
                    switch event {
                    case .delta(let delta):
                        let text = delta.reasoning + delta.content
                        let tokens = delta.textTokens
                        let probabilities = logprobs?.completion(tokens, offset: lengths[index])
                        lengths[index] += text.unicodeScalars.count
                        guard !text.isEmpty || (logprobs != nil && !tokens.isEmpty) else { return }
                        try await events.send(
                            chunk(identity, choice(index, text: text, reason: nil, logprobs: probabilities), body))
                    case .finished(let result):
                        usages.append(result.usage)
                        try await events.send(
                            chunk(identity, choice(index, text: "", reason: result.reason, logprobs: nil), body))
                    }
                }
                guard body.shared.includeUsage else { return }
                var last = identity.object("text_completion")
                last.insert("choices", [])
                last.insert("usage", body.usage(of: usages).json)
                try await events.send(.object(last))
            }
            try await events.done()
        }
    }

    private func chunk(_ identity: AnswerIdentity, _ choice: JSONValue, _ body: CompletionBody) -> JSONValue {
        var object = identity.object("text_completion")
        object.insert("choices", [choice])
        if body.shared.includeUsage { object.insert("usage", nil) }
        return .object(object)
    }

    private func choice(_ index: Int, text: String, reason: FinishReason?, logprobs: JSONValue?) -> JSONValue {
        [
            "index": .integer(Int64(index)), "text": .text(text), "logprobs": logprobs ?? .null,
            "finish_reason": reason.map { .text($0.text(calledTools: false)) } ?? .null,
        ]
    }
}

extension CompletionBody {
    /// The usage of all choices: each prompt counts once.
    func usage(of usages: [TokenUsage]) -> TokenUsage {
        var total = TokenUsage.total(usages)
        total.promptTokens = usages.reduce(0) { $0 + $1.promptTokens } / shared.count
        return total
    }
}

extension Request {
    /// The whole body; larger ones are refused.
    func bodyBytes(limit: Int) async throws -> [UInt8] {
        // Refused before it is sent.
        if let length = headers[.contentLength].flatMap({ Int($0) }), length > limit {
            throw NIOTooManyBytesError(maxBytes: limit)
        }
        do {
            let buffer = try await body.collect(upTo: limit)
            return Array(buffer.readableBytesView)
        } catch let error as NIOTooManyBytesError {
            throw error
        } catch let error as CancellationError {
            throw error
        } catch {
            // A client that went away or broke the framing: nothing failed here.
            throw APIError.invalid("The body: expected a complete HTTP message, found a failure: \(error)")
        }
    }
}

extension ServerSentEvents {
    /// Runs `body`; what fails after the answer began can only be told inside the stream, as an event with `error`.
    @concurrent mutating func guarded(_ body: @concurrent (inout ServerSentEvents) async throws -> Void) async throws {
        do {
            try await body(&self)
        } catch let error as EngineError {
            try await send(APIError(error).body)
        }
    }
}
