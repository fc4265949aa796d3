import DSEngine
import DSSupport
import Hummingbird

/// `GET /health`: 200 while every engine runs, with what it is doing.
struct HealthRoutes: RouteGroup {
    let catalog: ModelCatalog

    var operations: [APIOperation] {
        [APIOperation(.get, "/health", tag: "Server", "Whether the server works, and what it is doing")]
    }

    func add(to router: Router<ServingContext>) {
        router.get("/health") { _, _ in
            var models = JSONObject()
            for model in catalog.models {
                let statistics = model.generator.engine.statistics()
                models.insert(
                    JSONString(model.name),
                    [
                        "running_requests": .integer(Int64(statistics.runningRequests)),
                        "waiting_requests": .integer(Int64(statistics.waitingRequests)),
                        "kv_cache_usage": .number(statistics.cacheUsage),
                        "steps": .integer(Int64(statistics.steps)),
                        "generated_tokens": .integer(Int64(statistics.generatedTokens)),
                        "copied_weight_bytes": .integer(Int64(statistics.copiedWeightBytes)),
                        "weight_bytes_to_copy": .integer(Int64(statistics.weightBytesToCopy)),
                        "draft_tokens": .integer(Int64(statistics.draftTokens)),
                        "accepted_draft_tokens": .integer(Int64(statistics.acceptedDraftTokens)),
                    ])
            }
            return Response.json(["status": "ok", "models": .object(models)])
        }
    }
}
