import DSEngine
import DSSupport
import Foundation
import Hummingbird

/// `GET /v1/models` and `GET /v1/models/{name}`.
struct ModelRoutes: RouteGroup {
    let catalog: ModelCatalog

    func add(to router: Router<ServingContext>) {
        router.get("/v1/models") { _, _ in
            let models = catalog.models.flatMap { model in catalog.names(of: model).map { object(model, $0) } }
            // The last three are Anthropic's: there is one page.
            return Response.json([
                "object": "list", "data": .array(models), "has_more": false,
                "first_id": models.first?["id"] ?? .null, "last_id": models.last?["id"] ?? .null,
            ])
        }
        // Names as `deepseek-ai/DeepSeek-R1` come with their slashes from OpenAI's client.
        for path in ["/v1/models/:name", "/v1/models/:name/**"] {
            router.get(RouterPath(path)) { _, context in
                let rest = context.parameters.getCatchAll().map(String.init)
                let written = ([try context.parameters.require("name")] + rest).joined(separator: "/")
                let name = written.removingPercentEncoding ?? written
                return Response.json(object(try catalog.model(named: name), name))
            }
        }
    }

    var operations: [APIOperation] {
        [
            APIOperation(.get, "/v1/models", tag: "OpenAI", "The models"),
            APIOperation(
                .get, "/v1/models/{name}", tag: "OpenAI", "One model",
                pathParameters: [APIField("name", APISchema.string, "A model's name.")], failures: [404]),
            APIOperation(
                .get, "/v1/models/{name}/{rest}", tag: "OpenAI", "One model whose name has a slash",
                pathParameters: [
                    APIField("name", APISchema.string, "What stands before the slash."),
                    APIField("rest", APISchema.string, "What stands behind it, further slashes included."),
                ], failures: [404]),
        ]
    }

    private func object(_ model: ServedModel, _ name: String) -> JSONValue {
        [
            "id": .text(name), "object": "model", "created": .integer(Int64(model.created)),
            "owned_by": "deepseek", "root": .text(model.name),
            "max_model_len": .integer(Int64(model.generator.engine.maximumContext)),
            // As Anthropic's clients have it.
            "type": "model", "display_name": .text(name),
            "created_at": .text(Date(timeIntervalSince1970: TimeInterval(model.created)).ISO8601Format()),
        ]
    }
}
