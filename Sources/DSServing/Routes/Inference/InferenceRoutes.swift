import DSEngine
import DSSupport
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// Health, metadata and inference of the V2 protocol, under `/v2`.
struct InferenceRoutes: RouteGroup {
    let service: InferenceService
    let connections: ClientConnections
    let bodyLimit: Int

    func add(to router: Router<ServingContext>) {
        router.get("/v2") { _, _ in Response.json(service.metadata) }
        router.get("/v2/health/live") { _, _ in Self.health("live", true) }
        router.get("/v2/health/ready") { _, _ in Self.health("ready", service.isReady) }
        router.get("/v2/models/stats") { _, _ in
            try Self.guarded { () throws(InferenceError) in Response.json(try service.statistics(nil, nil)) }
        }
        for path in ["/v2/models/:model", "/v2/models/:model/versions/:version"] {
            router.get(RouterPath(path)) { _, context in
                try Self.onModel(context) { name, version throws(InferenceError) in
                    Response.json(try service.metadata(name, version))
                }
            }
            router.get(RouterPath(path + "/ready")) { _, context in
                try Self.onModel(context) { name, version throws(InferenceError) in
                    Self.health("ready", service.isReady(name, version))
                }
            }
            router.get(RouterPath(path + "/config")) { _, context in
                try Self.onModel(context) { name, version throws(InferenceError) in
                    Response.json(try service.configuration(name, version))
                }
            }
            router.get(RouterPath(path + "/stats")) { _, context in
                try Self.onModel(context) { name, version throws(InferenceError) in
                    Response.json(try service.statistics(name, version))
                }
            }
            router.post(RouterPath(path + "/infer")) { request, context in try await infer(request, context) }
        }
    }

    var operations: [APIOperation] {
        let fixed = [
            APIOperation(.get, "/v2", tag: "V2", "The server's name, version and extensions"),
            APIOperation(.get, "/v2/health/live", tag: "V2", "Whether the server lives", failures: [400]),
            APIOperation(
                .get, "/v2/health/ready", tag: "V2", "Whether every model is loaded and requests are taken",
                failures: [400]),
            APIOperation(.get, "/v2/models/stats", tag: "V2", "What all models did"),
        ]
        return fixed
            + Self.modelPaths { path, parameters in
                func get(_ name: String, _ summary: String) -> APIOperation {
                    APIOperation(
                        .get, path + name, tag: "V2", summary, pathParameters: parameters, failures: [400, 404, 503])
                }
                var infer = APIOperation(
                    .post, path + "/infer", tag: "V2", "Tensors in, tensors out", body: APIObject(FieldLists.inference),
                    pathParameters: parameters, answers: ["application/json", "application/octet-stream"],
                    failures: [400, 404, 413, 503])
                infer.otherBodies = ["application/octet-stream"]
                infer.headerParameters = [
                    APIField(
                        HTTPField.Name.inferenceHeaderLength.canonicalName, APISchema.integer(0...4096),
                        "Bytes of JSON; binary tensors follow. 0: the body is one raw tensor.")
                ]
                return [
                    get("", "A model's inputs and outputs"), get("/ready", "Whether it is loaded"),
                    get("/config", "Its configuration"), get("/stats", "What it did"), infer,
                ]
            }
    }

    /// Operations on a model, and on one version of it.
    static func modelPaths(_ operations: (String, [APIField]) -> [APIOperation]) -> [APIOperation] {
        operations("/v2/models/{model}", [FieldLists.modelName])
            + operations(
                "/v2/models/{model}/versions/{version}", [FieldLists.modelName, FieldLists.modelVersion])
    }

    private func infer(_ request: Request, _ context: ServingContext) async throws -> Response {
        var headerLength: Int?
        if let text = request.headers[.inferenceHeaderLength] {
            guard let length = Int(text), length >= 0 else {
                throw APIError.invalid("Inference-Header-Content-Length: expected a count of bytes, found '\(text)'")
            }
            headerLength = length
        }
        let bytes = try await request.bodyBytes(limit: bodyLimit)
        do {
            let (name, version) = try Self.model(context)
            let model = try service.repository.ready(name, version)
            context.record.update { $0.model = model.name }
            let body = try InferBody(
                bytes, headerLength: headerLength, configuration: model.model.configuration,
                memory: service.sharedMemory)
            let answer = try await connections.whileOpen(context.channel) {
                try await service.infer(body.request, on: model, for: context.tenant, record: context.record)
            }
            return try InferAnswer(
                model: model, request: body.request, prefersBinary: body.prefersBinary, memory: service.sharedMemory
            ).response(answer)
        } catch let error as InferenceError {
            throw APIError(error)
        }
    }

    /// The status is the answer; KServe's client reads the body.
    private static func health(_ question: String, _ isTrue: Bool) -> Response {
        Response.json(.object(JSONObject([(JSONString(question), .bool(isTrue))])), status: isTrue ? .ok : .badRequest)
    }

    static func model(_ context: ServingContext) throws(InferenceError) -> (name: String, version: Int?) {
        let name = context.parameters.get("model") ?? ""
        return (
            name.removingPercentEncoding ?? name, try InferenceService.version(context.parameters.get("version") ?? "")
        )
    }

    static func onModel(
        _ context: ServingContext, _ body: (String, Int?) throws(InferenceError) -> Response
    ) throws -> Response {
        try guarded { () throws(InferenceError) in
            let (name, version) = try model(context)
            return try body(name, version)
        }
    }

    static func guarded(_ body: () throws(InferenceError) -> Response) throws(APIError) -> Response {
        do throws(InferenceError) {
            return try body()
        } catch {
            throw APIError(error)
        }
    }
}

extension APIError {
    /// The HTTP form of an error of the V2 protocol.
    init(_ error: InferenceError) {
        let status: HTTPResponse.Status =
            switch error.kind {
            // What is not there was asked for by the request: a second try cannot succeed.
            case .invalidArgument, .alreadyExists, .unsupported: .badRequest
            case .notFound: .notFound
            case .unavailable, .deadlineExceeded: .serviceUnavailable
            case .internalFailure: .internalServerError
            }
        self.init(status: status, message: error.message, type: "invalid_request_error")
    }
}

extension ClientConnections {
    /// Runs `body` until it ends or the client's connection does.
    func whileOpen<Result: Sendable>(
        _ channel: any Channel, _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let task = Task { try await body() }
        let registration = onClose(of: channel) { task.cancel() }
        defer { remove(registration) }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }
}
