import DSEngine
import DSSupport
import Foundation
import HTTPTypes
import Hummingbird

/// `POST /v1/messages` and `POST /v1/messages/count_tokens`: Anthropic's API over the models that are served.
struct Messages: RouteGroup {
    let service: GenerationService

    func add(to router: Router<ServingContext>) {
        router.post("/v1/messages") { request, context in try await answer(request, context) }
        router.post("/v1/messages/count_tokens") { request, _ in try await count(request) }
    }

    var operations: [APIOperation] {
        func post(_ path: String, _ summary: String, _ fields: [APIField], answers: [String]) -> APIOperation {
            APIOperation(
                .post, path, tag: "Messages", summary, body: APIObject(fields), answers: answers,
                failures: [400, 404, 413, 500, 503])
        }
        return [
            post(
                "/v1/messages", "Answers a conversation, in Anthropic's form",
                FieldLists.messages + FieldLists.messageOptions, answers: ["application/json", "text/event-stream"]),
            post(
                "/v1/messages/count_tokens", "The length of its prompt", FieldLists.messages,
                answers: ["application/json"]),
        ]
    }

    private func count(_ request: Request) async throws -> Response {
        let body = try MessagesBody(
            try await service.fields(of: request), catalog: service.catalog, countsOnly: true)
        let tokens = try body.model.generator.chatTokens(body.chat)
        return .json(["input_tokens": .integer(Int64(tokens.count))])
    }

    private func answer(_ request: Request, _ context: ServingContext) async throws -> Response {
        let body = try MessagesBody(try await service.fields(of: request), catalog: service.catalog)
        let group = try await start(body, context)
        let objects = MessageObjects(
            identity: AnswerIdentity(
                prefix: "msg_", model: body.model.name, created: Int(Date().timeIntervalSince1970)),
            showsThinking: body.showsThinking, callsOneTool: body.callsOneTool)
        var response = body.stream ? stream(group, body, objects) : try await whole(group, body, objects)
        // Where Anthropic's clients look for it.
        response.headers[.anthropicRequestID] = objects.identity.id
        return response
    }

    /// Clients ask for more tokens than they expect; the answer ends where the context does, and says so.
    private func start(_ body: MessagesBody, _ context: ServingContext) async throws -> AnswerGroup {
        do {
            return try await service.start([.chat(body.chat)], on: body.model, for: context)
        } catch EngineError.contextExceeded {
            var chat = body.chat
            chat.options.stopping.maxTokens = nil
            return try await service.start([.chat(chat)], on: body.model, for: context)
        }
    }

    private func whole(_ group: AnswerGroup, _ body: MessagesBody, _ objects: MessageObjects) async throws -> Response {
        guard let answer = try await group.collect().first else { throw EngineError.shutDown }
        let stop = AnthropicStop(
            answer.result, calledTools: !answer.output.toolCalls.isEmpty, maximumTokens: body.maximumTokens)
        return .json(
            objects.message(content: objects.content(answer.output), stop: stop, usage: answer.result.usage))
    }

    private func stream(_ group: AnswerGroup, _ body: MessagesBody, _ objects: MessageObjects) -> Response {
        ServerSentEvents.response(keepAlive: group.keepAlive) { events in
            var message = MessageEvents(objects)
            do {
                for event in MessageEvents.start(objects, promptTokens: group.streams[0].promptTokens) {
                    try await events.send(event.data, name: event.name)
                }
                try await group.forEach { _, event in
                    let next: [MessageEvents.Event]
                    switch event {
                    case .delta(let delta) where delta.isEmpty: next = [MessageEvents.ping]
                    case .delta(let delta): next = message.push(delta)
                    case .finished(let result): next = message.finish(result, maximumTokens: body.maximumTokens)
                    }
                    for event in next { try await events.send(event.data, name: event.name) }
                }
            } catch let error as EngineError {
                try await events.send(APIError(error).body(in: .anthropic), name: "error")
            }
            try await events.end()
        }
    }
}

extension HTTPField.Name {
    fileprivate static let anthropicRequestID = HTTPField.Name("request-id")!
}
