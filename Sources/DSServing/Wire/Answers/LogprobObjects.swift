package import DSEngine
package import DSSupport

/// Log-probabilities in OpenAI's two forms. A token's text is its bytes read as UTF-8, `bytes` the bytes themselves.
package struct LogprobObjects {
    let generator: TextGenerator
    /// Alternatives per token that the request asked for.
    let alternatives: Int
    /// Tokens are named `token_id:N`.
    let namesIDs: Bool

    package init(generator: TextGenerator, alternatives: Int, namesIDs: Bool = false) {
        self.generator = generator
        self.alternatives = alternatives
        self.namesIDs = namesIDs
    }

    /// `choices[].logprobs.content[]` of chat completions.
    package func chat(_ tokens: [GeneratedToken]) -> JSONValue {
        ["content": .array(content(tokens)), "refusal": nil]
    }

    /// The entries alone, as responses have them.
    package func content(_ tokens: [GeneratedToken]) -> [JSONValue] {
        tokens.filter { $0.logprob != nil }.map { token in
            var object = entry(token.id, token.logprob ?? 0)
            let others = token.alternatives.prefix(alternatives).map { JSONValue.object(entry($0.id, $0.logprob)) }
            object.insert("top_logprobs", .array(others))
            return .object(object)
        }
    }

    private func entry(_ id: Int32, _ logprob: Float) -> JSONObject {
        JSONObject([
            ("token", .text(name(id))), ("logprob", .number(Double(logprob))),
            ("bytes", .array(generator.bytes(of: id).map { .integer(Int64($0)) })),
        ])
    }

    /// `choices[].logprobs` of completions: parallel arrays. `offset` is the text's length before these tokens.
    package func completion(_ tokens: [GeneratedToken], offset: Int) -> JSONValue {
        var arrays = LogprobArrays(offset: offset)
        append(tokens, to: &arrays)
        return arrays.json
    }

    /// The same for an answer that begins with its prompt, whose first token has no log-probability.
    package func completion(
        _ tokens: [GeneratedToken], prompt: [Int32], promptLogprobs: [GeneratedToken]
    ) -> (json: JSONValue, end: Int) {
        var arrays = LogprobArrays(offset: 0)
        if let first = prompt.first { arrays.append(name(first), length(first), logprob: .null, top: .null) }
        append(promptLogprobs, to: &arrays)
        append(tokens, to: &arrays)
        return (arrays.json, arrays.position)
    }

    private func append(_ tokens: [GeneratedToken], to arrays: inout LogprobArrays) {
        for token in tokens {
            guard let logprob = token.logprob else { continue }
            var top = JSONObject()
            for alternative in token.alternatives.prefix(alternatives) {
                top.insert(JSONString(name(alternative.id)), .number(Double(alternative.logprob)))
            }
            arrays.append(
                name(token.id), length(token.id), logprob: .number(Double(logprob)), top: .object(top))
        }
    }

    /// vLLM's `prompt_logprobs`: per token of the prompt an object of ids, nothing for the first.
    package func prompt(_ tokens: [GeneratedToken]) -> JSONValue {
        .array(
            [.null]
                + tokens.map { token in
                    var object = JSONObject()
                    for (index, other) in token.alternatives.enumerated() {
                        object[String(other.id)] = promptEntry(other.id, other.logprob, rank: index + 1)
                    }
                    if object[String(token.id)] == nil {
                        object[String(token.id)] = promptEntry(token.id, token.logprob ?? 0, rank: nil)
                    }
                    return .object(object)
                })
    }

    private func promptEntry(_ id: Int32, _ logprob: Float, rank: Int?) -> JSONValue {
        [
            "logprob": .number(Double(logprob)), "rank": rank.map { .integer(Int64($0)) } ?? .null,
            "decoded_token": .text(text(id)),
        ]
    }

    private func name(_ id: Int32) -> String { namesIDs ? "token_id:\(id)" : text(id) }
    private func text(_ id: Int32) -> String { String(decoding: generator.bytes(of: id), as: UTF8.self) }
    private func length(_ id: Int32) -> Int { text(id).unicodeScalars.count }
}

/// The arrays of a completion's `logprobs` while they grow.
struct LogprobArrays {
    private var texts: [JSONValue] = []
    private var logprobs: [JSONValue] = []
    private var tops: [JSONValue] = []
    private var offsets: [JSONValue] = []
    /// Length of the text so far.
    private(set) var position: Int

    init(offset: Int) { position = offset }

    mutating func append(_ text: String, _ length: Int, logprob: JSONValue, top: JSONValue) {
        texts.append(.text(text))
        logprobs.append(logprob)
        tops.append(top)
        offsets.append(.integer(Int64(position)))
        position += length
    }

    var json: JSONValue {
        [
            "tokens": .array(texts), "token_logprobs": .array(logprobs), "top_logprobs": .array(tops),
            "text_offset": .array(offsets),
        ]
    }
}

extension GenerationDelta {
    /// The tokens that have text: without those that ended the answer.
    var textTokens: [GeneratedToken] { tokens.filter { !$0.isTerminator } }

    /// Ids of all tokens, as JSON.
    var tokenIDs: JSONValue { .array(tokens.map { .integer(Int64($0.id)) }) }
}

extension JSONValue {
    static func ids(_ tokens: [Int32]) -> JSONValue { .array(tokens.map { .integer(Int64($0)) }) }
}
