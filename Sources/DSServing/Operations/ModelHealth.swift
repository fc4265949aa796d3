import DSEngine
import DSSupport

/// What `/health` tells about one model.
enum ModelHealth {
    static func json(of model: ServedModel) -> JSONValue {
        let statistics = model.generator.engine.statistics()
        return [
            "state": "ready",
            "running_requests": .integer(Int64(statistics.runningRequests)),
            "waiting_requests": .integer(Int64(statistics.waitingRequests)),
            "kv_cache_usage": .number(statistics.cacheUsage),
            "steps": .integer(Int64(statistics.steps)),
            "generated_tokens": .integer(Int64(statistics.generatedTokens)),
            "copied_weight_bytes": .integer(Int64(statistics.copiedWeightBytes)),
            "weight_bytes_to_copy": .integer(Int64(statistics.weightBytesToCopy)),
            "draft_tokens": .integer(Int64(statistics.draftTokens)),
            "accepted_draft_tokens": .integer(Int64(statistics.acceptedDraftTokens)),
        ]
    }

    static func json(of absence: ModelCatalog.Absence) -> JSONValue {
        switch absence.reason {
        case .loading(let bytes, let total):
            [
                "state": "loading", "bytes_read": .integer(Int64(bytes)), "bytes_to_read": .integer(Int64(total)),
            ]
        case .failed(let reason): ["state": "unavailable", "reason": .text(reason)]
        }
    }
}
