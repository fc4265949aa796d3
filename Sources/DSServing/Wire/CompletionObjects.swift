package import DSEngine
package import DSSupport

/// The identity that all objects of one answer share.
package struct AnswerIdentity: Sendable {
    package let id: String
    package let created: Int
    package let model: String

    package init(prefix: String, model: String, created: Int) {
        let random = UInt64.random(in: .min ... .max)
        let hexadecimal = String(random, radix: 16)
        id = prefix + String(repeating: "0", count: 16 - hexadecimal.count) + hexadecimal
        self.created = created
        self.model = model
    }

    /// The members that every object starts with.
    package func object(_ kind: String) -> JSONObject {
        JSONObject([
            ("id", .text(id)), ("object", .text(kind)), ("created", .integer(Int64(created))), ("model", .text(model)),
        ])
    }
}

extension TokenUsage {
    /// Sums the usage of answers to one prompt: the prompt counts once.
    package static func total(_ usages: [TokenUsage]) -> TokenUsage {
        var total = TokenUsage(promptTokens: usages.first?.promptTokens ?? 0)
        for usage in usages {
            total.completionTokens += usage.completionTokens
            total.reasoningTokens += usage.reasoningTokens
            total.draftTokens += usage.draftTokens
            total.acceptedDraftTokens += usage.acceptedDraftTokens
            total.cachedPromptTokens = max(total.cachedPromptTokens, usage.cachedPromptTokens)
        }
        return total
    }

    package var json: JSONValue {
        [
            "prompt_tokens": .integer(Int64(promptTokens)),
            "completion_tokens": .integer(Int64(completionTokens)),
            "total_tokens": .integer(Int64(promptTokens + completionTokens)),
            "prompt_tokens_details": ["cached_tokens": .integer(Int64(cachedPromptTokens))],
            "completion_tokens_details": [
                "reasoning_tokens": .integer(Int64(reasoningTokens)),
                "accepted_prediction_tokens": .integer(Int64(acceptedDraftTokens)),
                "rejected_prediction_tokens": .integer(Int64(draftTokens - acceptedDraftTokens)),
            ],
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
}

/// Log-probabilities in OpenAI's two forms. A token's text is its bytes read as UTF-8, `bytes` the bytes themselves.
package struct LogprobObjects {
    let generator: TextGenerator
    /// Alternatives per token that the request asked for.
    let alternatives: Int

    package init(generator: TextGenerator, alternatives: Int) {
        self.generator = generator
        self.alternatives = alternatives
    }

    /// `choices[].logprobs.content[]` of chat completions.
    package func chat(_ tokens: [GeneratedToken]) -> JSONValue {
        let content = tokens.filter { $0.logprob != nil }.map { token -> JSONValue in
            var object = entry(token.id, token.logprob ?? 0)
            let others = token.alternatives.prefix(alternatives).map { JSONValue.object(entry($0.id, $0.logprob)) }
            object.insert("top_logprobs", .array(others))
            return .object(object)
        }
        return ["content": .array(content), "refusal": nil]
    }

    private func entry(_ id: Int32, _ logprob: Float) -> JSONObject {
        let bytes = generator.bytes(of: id)
        return JSONObject([
            ("token", .text(String(decoding: bytes, as: UTF8.self))), ("logprob", .number(Double(logprob))),
            ("bytes", .array(bytes.map { .integer(Int64($0)) })),
        ])
    }

    /// `choices[].logprobs` of completions: parallel arrays. `offset` is the text's length before these tokens.
    package func completion(_ tokens: [GeneratedToken], offset: Int) -> JSONValue {
        var texts: [JSONValue] = []
        var logprobs: [JSONValue] = []
        var tops: [JSONValue] = []
        var offsets: [JSONValue] = []
        var position = offset
        for token in tokens {
            guard let logprob = token.logprob else { continue }
            let text = tokenText(token.id)
            texts.append(.text(text))
            logprobs.append(.number(Double(logprob)))
            var top = JSONObject()
            for alternative in token.alternatives.prefix(alternatives) {
                top.insert(JSONString(tokenText(alternative.id)), .number(Double(alternative.logprob)))
            }
            tops.append(.object(top))
            offsets.append(.integer(Int64(position)))
            position += text.unicodeScalars.count
        }
        return [
            "tokens": .array(texts), "token_logprobs": .array(logprobs), "top_logprobs": .array(tops),
            "text_offset": .array(offsets),
        ]
    }

    private func tokenText(_ id: Int32) -> String { String(decoding: generator.bytes(of: id), as: UTF8.self) }
}

extension GenerationDelta {
    /// The tokens that have text: without those that ended the answer.
    var textTokens: [GeneratedToken] { tokens.filter { !$0.isTerminator } }
}
