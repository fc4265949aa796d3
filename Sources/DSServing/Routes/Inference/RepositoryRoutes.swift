package import DSSupport
import Foundation
import Hummingbird

/// The model repository of the V2 protocol: index, load, unload.
struct RepositoryRoutes: RouteGroup {
    let service: InferenceService
    let bodyLimit: Int

    func add(to router: Router<ServingContext>) {
        for root in ["/v2/repository", "/v2/repository/:repository"] {
            router.post(RouterPath(root + "/index")) { request, _ in
                let fields = try await fields(request)
                return Response.json(service.repository.index(onlyReady: try fields.bool("ready") ?? false))
            }
            router.post(RouterPath(root + "/models/:model/load")) { request, context in
                try await load(try await fields(request), Self.name(context))
            }
            router.post(RouterPath(root + "/models/:model/unload")) { _, context in
                do throws(InferenceError) {
                    try await service.repository.requestUnload(Self.name(context))
                } catch {
                    throw APIError(error)
                }
                return Response(status: .ok)
            }
        }
    }

    var operations: [APIOperation] {
        let repository = APIField("repository", APISchema.string, "Any name: there is one repository.")
        return [("/v2/repository", []), ("/v2/repository/{repository}", [repository])].flatMap { root, parameters in
            func post(_ path: String, _ summary: String, _ body: [APIField], _ answers: [String]) -> APIOperation {
                let model = path == "/index" ? [] : [FieldLists.modelName]
                var operation = APIOperation(
                    .post, root + path, tag: "V2", summary, body: APIObject(body), pathParameters: parameters + model,
                    answers: answers, failures: [400, 404, 413, 503])
                operation.bodyIsOptional = true
                return operation
            }
            return [
                post("/index", "The models of the repository", FieldLists.repositoryIndex, ["application/json"]),
                post("/models/{model}/load", "Loads a model", FieldLists.repositoryLoad, []),
                post("/models/{model}/unload", "Gives its memory back", [], []),
            ]
        }
    }

    private func load(_ fields: FieldReader, _ name: String) async throws -> Response {
        let parameters = try fields.reader("parameters")
        if let file = parameters?.object.keys.first(where: { $0.string.hasPrefix("file:") }) {
            throw APIError(
                InferenceError(.unsupported, "parameter '\(file)': expected models in the repository's folder"))
        }
        do {
            try await service.repository.requestLoad(
                name, configuration: try RepositoryLoad.configuration(try parameters?.string("config")))
            return Response(status: .ok)
        } catch let error as InferenceError {
            throw APIError(error)
        } catch let error as APIError {
            throw error
        } catch {
            // What a model's files have wrong is the answer: whoever may load models may know it.
            throw APIError.invalid("failed to load '\(name)': \(error)")
        }
    }

    /// An empty body is an empty object.
    private func fields(_ request: Request) async throws -> FieldReader {
        let bytes = try await request.bodyBytes(limit: bodyLimit)
        return bytes.isEmpty ? FieldReader(JSONObject()) : try FieldReader(body: bytes)
    }

    private static func name(_ context: ServingContext) -> String {
        let name = context.parameters.get("model") ?? ""
        return name.removingPercentEncoding ?? name
    }
}

/// The parameters of a request to load a model.
package enum RepositoryLoad {
    /// The configuration that a request gives instead of the folder's.
    package static func configuration(_ text: String?) throws(InferenceError) -> JSONValue? {
        guard let text else { return nil }
        do {
            return try JSONValue.parse(text)
        } catch {
            throw .invalid("parameter 'config': \(error.description)")
        }
    }
}
