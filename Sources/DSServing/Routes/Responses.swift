import DSEngine
import DSObservability
import DSSupport
import Foundation
import HTTPTypes
import Hummingbird
import Logging

/// `/v1/responses`: OpenAI's newer form of a conversation, with responses that can be continued and asked for again.
struct Responses: RouteGroup {
    let service: GenerationService
    let store: ResponseStore
    let state: ServerState
    let metrics: ServingMetrics

    func add(to router: Router<ServingContext>) {
        router.post("/v1/responses") { request, context in try await create(request, context) }
        router.post("/v1/responses/input_tokens") { request, context in try await count(request, context) }
        router.get("/v1/responses/{id}") { _, context in Response.json(try entry(context).response) }
        router.delete("/v1/responses/{id}") { _, context in
            let entry = try store.remove(try context.parameters.require("id"), of: context.tenant?.name)
            await entry.cancel?()
            return Response.json(["id": entry.response["id"] ?? .null, "object": "response", "deleted": true])
        }
        router.post("/v1/responses/{id}/cancel") { _, context in try await cancel(context) }
        router.get("/v1/responses/{id}/input_items") { _, context in
            let items = try entry(context).inputItems
            return Response.json(["object": "list", "data": .array(items), "has_more": false])
        }
    }

    private func entry(_ context: ServingContext) throws -> ResponseStore.Entry {
        try store.entry(try context.parameters.require("id"), of: context.tenant?.name)
    }

    // MARK: Creating

    private func create(_ request: Request, _ context: ServingContext) async throws -> Response {
        let body = try CreateResponseBody(try await service.fields(of: request), catalog: service.catalog)
        let previous = try previousMessages(body, context)
        let (chat, messages) = try body.request(after: previous)
        let identity = AnswerIdentity(
            prefix: "resp_", model: body.model.name, created: Int(Date().timeIntervalSince1970),
            name: AnswerIdentity.randomName() + AnswerIdentity.randomName())
        let work = ResponseWork(
            transcript: ResponseTranscript(identity, body), messages: messages, body: body, store: store,
            owner: context.tenant?.name)
        if body.isBackground { return .json(try await inBackground(work, .chat(chat), on: body.model, context)) }
        let group = try await service.start([.chat(chat)], on: body.model, for: context)
        return body.shared.stream ? work.stream(group) : .json(try await work.whole(group))
    }

    /// What goes on counts as the request did, for the tenant's limit and for a drain, until it ends.
    private func inBackground(
        _ work: ResponseWork, _ prompt: GenerationService.Prompt, on model: ServedModel, _ context: ServingContext
    ) async throws -> JSONValue {
        let (group, record) = try await service.startDetached([prompt], on: model, for: context)
        state.join()
        context.tenant?.join()
        let departure = Departure { [state, tenant = context.tenant] in
            tenant?.leave()
            state.leave()
        }
        let (id, logger) = (work.transcript.identity.id, context.logger)
        return work.inBackground(group) { [metrics] status in
            metrics.answered(record.state)
            logger.info("\(id) \(status.rawValue)", metadata: AccessLog.answers(of: record.state))
            departure.leave()
        }
    }

    /// The conversation that the request goes on with.
    private func previousMessages(_ body: CreateResponseBody, _ context: ServingContext) throws -> [JSONValue] {
        guard let id = body.previousID else { return [] }
        return try store.entry(id, of: context.tenant?.name, parameter: "previous_response_id").messages
    }

    private func count(_ request: Request, _ context: ServingContext) async throws -> Response {
        let body = try CreateResponseBody(try await service.fields(of: request), catalog: service.catalog)
        let previous = try previousMessages(body, context)
        let tokens = try body.model.generator.chatTokens(try body.request(after: previous).request)
        return .json(["object": "response.input_tokens", "input_tokens": .integer(Int64(tokens.count))])
    }

    /// Answers with its final state, which it may have reached by itself.
    private func cancel(_ context: ServingContext) async throws -> Response {
        guard let cancel = try entry(context).cancel else {
            throw APIError.invalid(
                "'background': expected a response that runs in the background, found one that does not",
                parameter: "background")
        }
        await cancel()
        return .json(try entry(context).response)
    }

    var operations: [APIOperation] {
        let body = APIObject(FieldLists.response)
        let id = [APIField("id", APISchema.string, "A response's id.")]
        func one(_ method: HTTPRequest.Method, _ suffix: String, _ summary: String) -> APIOperation {
            APIOperation(
                method, "/v1/responses/{id}" + suffix, tag: "OpenAI", summary, pathParameters: id,
                failures: suffix == "/cancel" ? [400, 404] : [404])
        }
        return [
            APIOperation(
                .post, "/v1/responses", tag: "OpenAI", "Answers a conversation, as responses", body: body,
                answers: ["application/json", "text/event-stream"], failures: [400, 404, 413, 500, 503]),
            APIOperation(
                .post, "/v1/responses/input_tokens", tag: "OpenAI", "The length of a response's prompt", body: body,
                failures: [400, 404, 413]),
            one(.get, "", "A stored response"), one(.delete, "", "Forgets a response"),
            one(.post, "/cancel", "Stops a response in the background"),
            one(.get, "/input_items", "What a response was asked"),
        ]
    }
}
