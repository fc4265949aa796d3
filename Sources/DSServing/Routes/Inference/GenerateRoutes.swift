import DSEngine
import DSSupport
import Hummingbird

/// `generate` and `generate_stream` of the V2 protocol.
struct GenerateRoutes: RouteGroup {
    let service: InferenceService
    let connections: ClientConnections
    let bodyLimit: Int

    private struct Call: Sendable {
        let model: ModelVersion
        let request: InferenceRequest
    }

    func add(to router: Router<ServingContext>) {
        for path in ["/v2/models/:model", "/v2/models/:model/versions/:version"] {
            router.post(RouterPath(path + "/generate")) { request, context in
                try await generate(try await call(request, context), context)
            }
            router.post(RouterPath(path + "/generate_stream")) { request, context in
                try await stream(try await call(request, context), context)
            }
        }
    }

    var operations: [APIOperation] {
        InferenceRoutes.modelPaths { path, parameters in
            [("/generate", "application/json"), ("/generate_stream", "text/event-stream")].map { name, type in
                APIOperation(
                    .post, path + name, tag: "V2",
                    "Members that name inputs are tensors, all others parameters", body: APIObject(FieldLists.generate),
                    pathParameters: parameters, answers: [type], failures: [400, 404, 413, 503])
            }
        }
    }

    private func call(_ request: Request, _ context: ServingContext) async throws -> Call {
        let fields = try FieldReader(body: try await request.bodyBytes(limit: bodyLimit))
        do {
            let (name, version) = try InferenceRoutes.model(context)
            let model = try service.repository.ready(name, version)
            context.record.update { $0.model = model.name }
            return Call(
                model: model,
                request: try GenerateBody(fields, configuration: model.model.configuration).request)
        } catch let error as InferenceError {
            throw APIError(error)
        }
    }

    private func generate(_ call: Call, _ context: ServingContext) async throws -> Response {
        do {
            let answer = try await connections.whileOpen(context.channel) {
                try await service.infer(
                    call.request, on: call.model, for: context.tenant, record: context.record)
            }
            return Response.json(try GenerateBody.object(answer, call.request, of: call.model))
        } catch let error as InferenceError {
            throw APIError(error)
        }
    }

    /// The first answer is awaited before the response begins, so that what is wrong with a request has its status.
    private func stream(_ call: Call, _ context: ServingContext) async throws -> Response {
        let answers = Rendezvous<JSONValue>()
        let task = Task {
            do {
                try await service.infer(
                    call.request, on: call.model, for: context.tenant, record: context.record
                ) { answer in
                    try await answers.send(try GenerateBody.object(answer, call.request, of: call.model))
                }
                await answers.finish(.success(()))
            } catch {
                await answers.finish(.failure(error))
            }
        }
        let registration = connections.onClose(of: context.channel) { task.cancel() }
        let end: @Sendable () async -> Void = {
            connections.remove(registration)
            task.cancel()
            await answers.abandon()
            // What was computed is booked before the request ends.
            await task.value
        }
        do {
            guard let first = try await answers.next() else {
                await end()
                return ServerSentEvents.response { try await $0.end() }
            }
            return ServerSentEvents.response { events in
                do {
                    try await events.send(first)
                    while let answer = try await next(answers, &events) { try await events.send(answer) }
                } catch {
                    await end()
                    throw error
                }
                await end()
                try await events.end()
            }
        } catch let error as InferenceError {
            await end()
            throw APIError(error)
        } catch {
            await end()
            throw error
        }
    }

    /// A failure is told inside the stream.
    @concurrent private func next(
        _ answers: Rendezvous<JSONValue>, _ events: inout ServerSentEvents
    ) async throws -> JSONValue? {
        do {
            return try await answers.next()
        } catch let error as InferenceError {
            try await events.send(["error": .text(error.message)])
        } catch let error as EngineError {
            try await events.send(APIError(error, promptField: "text_input").body(in: .openInference))
        }
        return nil
    }
}
