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

    var operations: [APIOperation] {
        [
            APIOperation(
                .post, "/v1/chat/completions", tag: "OpenAI", "Answers a conversation",
                body: APIObject(FieldLists.chat), answers: ["application/json", "text/event-stream"],
                failures: [400, 404, 413, 500, 503])
        ]
    }

    private func answer(_ request: Request, _ context: ServingContext) async throws -> Response {
        let body = try ChatCompletionBody(try await service.fields(of: request), catalog: service.catalog)
        let group = try await service.start(body.requests.map { .chat($0) }, on: body.model, for: context)
        let identity = AnswerIdentity(
            prefix: "chatcmpl-", model: body.model.name, created: Int(Date().timeIntervalSince1970),
            name: body.requestID ?? RequestNames.name(of: request), fingerprint: body.model.fingerprint)
        let objects = ChatObjects(
            identity: identity, isParallel: body.tools.isParallel, hasReasoning: body.shared.reports.reasoning)
        if body.shared.stream { return ChatStream(group: group, body: body, objects: objects).response() }
        return try await whole(group, body, objects)
    }

    private func whole(
        _ group: AnswerGroup, _ body: ChatCompletionBody, _ objects: ChatObjects
    ) async throws -> Response {
        let answers = try await group.collect()
        var object = objects.identity.object("chat.completion")
        let reports = body.shared.reports
        let choices = answers.enumerated().map { index, answer -> JSONValue in
            let output = objects.visible(answer.output)
            var choice = JSONObject([
                ("index", .integer(Int64(index))), ("message", objects.message(output)),
                ("logprobs", body.logprobObjects?.chat(output.textTokens) ?? .null),
                ("finish_reason", .text(answer.result.reason.text(calledTools: !output.toolCalls.isEmpty))),
                ("stop_reason", answer.result.reason.stopReason),
            ])
            if reports.tokenIDs { choice.insert("token_ids", output.tokenIDs) }
            return .object(choice)
        }
        object.insert("choices", .array(choices))
        object.insert("service_tier", "default")
        object.insert("usage", TokenUsage.total(answers.map(\.result.usage)).json)
        if reports.tokenIDs { object.insert("prompt_token_ids", .ids(group.streams.first?.promptIDs ?? [])) }
        if let count = reports.promptLogprobs, let first = answers.first {
            let logprobs = LogprobObjects(generator: body.model.generator, alternatives: count)
            object.insert("prompt_logprobs", logprobs.prompt(first.output.promptTokens))
        }
        return .json(.object(object))
    }
}

extension ChatCompletionBody {
    /// Writes log-probabilities, if the request asked for them.
    var logprobObjects: LogprobObjects? {
        logprobs.map {
            LogprobObjects(generator: model.generator, alternatives: $0, namesIDs: shared.reports.tokensAsIDs)
        }
    }
}
