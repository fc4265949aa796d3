package import DSEngine
package import DSSupport

extension TokenUsage {
    /// Sums the usage of answers to one prompt: the prompt counts once.
    package static func total(_ usages: [TokenUsage]) -> TokenUsage {
        var total = TokenUsage(promptTokens: usages.first?.promptTokens ?? 0)
        for usage in usages {
            total.completionTokens += usage.completionTokens
            total.reasoningTokens += usage.reasoningTokens
            total.draftTokens += usage.draftTokens
            total.acceptedDraftTokens += usage.acceptedDraftTokens
            if let cost = usage.cost { total.cost = (total.cost ?? 0) + cost }
            total.cachedPromptTokens = max(total.cachedPromptTokens, usage.cachedPromptTokens)
        }
        return total
    }

    /// OpenAI's `usage`, with DeepSeek's names for the cache's part.
    package var json: JSONValue {
        let counts: JSONValue = [
            "prompt_tokens": .integer(Int64(promptTokens)),
            "completion_tokens": .integer(Int64(completionTokens)),
            "total_tokens": .integer(Int64(promptTokens + completionTokens)),
            "prompt_tokens_details": ["cached_tokens": .integer(Int64(cachedPromptTokens))],
            "completion_tokens_details": [
                "reasoning_tokens": .integer(Int64(reasoningTokens)),
                "accepted_prediction_tokens": .integer(Int64(acceptedDraftTokens)),
                "rejected_prediction_tokens": .integer(Int64(draftTokens - acceptedDraftTokens)),
            ],
            "prompt_cache_hit_tokens": .integer(Int64(cachedPromptTokens)),
            "prompt_cache_miss_tokens": .integer(Int64(promptTokens - cachedPromptTokens)),
        ]
        return withCost(counts)
    }

    /// An API's counts, and the cost where prices are set.
    func withCost(_ counts: JSONValue) -> JSONValue {
        guard let cost, case .object(var object) = counts else { return counts }
        object.insert("cost", .number(cost))
        return .object(object)
    }

    /// The counts that are known while an answer runs.
    package var runningJSON: JSONValue {
        [
            "prompt_tokens": .integer(Int64(promptTokens)),
            "completion_tokens": .integer(Int64(completionTokens)),
            "total_tokens": .integer(Int64(promptTokens + completionTokens)),
        ]
    }
}

extension FinishReason {
    /// OpenAI's `finish_reason`.
    package func text(calledTools: Bool) -> String {
        switch self {
        case .endOfSequence, .stopToken, .stopString: calledTools ? "tool_calls" : "stop"
        case .length: "length"
        case .cancelled: "abort"
        }
    }

    /// vLLM's `stop_reason`: the stop string or token that ended the answer.
    package var stopReason: JSONValue {
        switch self {
        case .stopString(let text): .text(text)
        case .stopToken(let id): .integer(Int64(id))
        default: .null
        }
    }
}
