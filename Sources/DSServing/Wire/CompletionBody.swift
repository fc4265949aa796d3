package import DSEngine
import DSSupport

/// The body of `POST /v1/completions`.
package struct CompletionBody {
    package let model: ServedModel
    package let prompts: [TextRequest.Prompt]
    package let shared: SamplingFields
    /// Alternatives per token; `nil`: no log-probabilities.
    package let logprobs: Int?
    /// The answer begins with its prompt.
    package let echo: Bool
    /// Answers that are computed per prompt; the `n` most probable of them are given.
    package let candidates: Int
    package let addsSpecialTokens: Bool
    package let constraint: AnswerConstraint?
    package let requestID: String?

    /// Prompts that one request may carry.
    static let maximumPrompts = 256

    package init(_ fields: FieldReader, catalog: ModelCatalog) throws {
        try RefusedFields.check(fields, RefusedFields.generation, RefusedFields.completion)
        try AcceptedFields.check(fields)
        model = try catalog.model(named: try fields.string("model"))
        var shared = try SamplingFields(fields, defaults: model.defaults)
        // OpenAI's default for this endpoint.
        if shared.stopping.maxTokens == nil { shared.stopping.maxTokens = 16 }
        try shared.resolve(for: model.generator)
        self.shared = shared
        prompts = try Self.prompts(fields)
        logprobs = try fields.integer("logprobs")
        echo = try fields.bool("echo") ?? false
        addsSpecialTokens = try fields.bool("add_special_tokens") ?? true
        constraint = try AnswerConstraint(try OutputConstraint.requested(fields), nil, shared)
        requestID = try fields.requestID()
        candidates = try fields.integer("best_of") ?? shared.count
        guard (shared.count...SamplingFields.maximumCount).contains(candidates) else {
            throw APIError.field(
                "best_of", expected: "an integer in \(shared.count) (n)...\(SamplingFields.maximumCount)",
                found: fields.value("best_of"))
        }
        if shared.stream, candidates > shared.count {
            throw APIError.field("best_of", expected: "n, because stream is true", found: fields.value("best_of"))
        }
    }

    /// A string, an array of strings, an array of token ids, or an array of such arrays.
    static func prompts(_ fields: FieldReader, key: String = "prompt") throws(APIError) -> [TextRequest.Prompt] {
        let expected = "a string, an array of strings, an array of token ids or an array of arrays of token ids"
        guard let value = fields.value(key) else { throw .field(key, expected: expected, found: nil) }
        if let text = value.stringValue { return [.text(text)] }
        guard let items = value.arrayValue, let first = items.first, items.count > 0 else {
            throw .field(key, expected: expected, found: value)
        }
        if first.intValue != nil { return [.tokens(try SamplingFields.tokens(items, path: key))] }
        guard items.count <= maximumPrompts else {
            throw .invalid("'\(key)': expected at most \(maximumPrompts) prompts, found \(items.count)", parameter: key)
        }
        var prompts: [TextRequest.Prompt] = []
        for (index, item) in items.enumerated() {
            if let text = item.stringValue {
                prompts.append(.text(text))
            } else if let ids = item.arrayValue {
                prompts.append(.tokens(try SamplingFields.tokens(ids, path: "\(key)[\(index)]")))
            } else {
                throw .field("\(key)[\(index)]", expected: "a string or an array of token ids", found: item)
            }
        }
        return prompts
    }

    /// The engine's requests: the candidates of each prompt, with consecutive seeds, in the order of the choices.
    package var requests: [TextRequest] {
        prompts.flatMap { prompt in
            (0..<candidates).map { copy in
                var options = shared.options(copy: copy, logprobs: logprobs)
                options.constraint = constraint
                // Candidates are compared by probability.
                if candidates > shared.count, logprobs == nil { options.logprobs = 0 }
                if echo, let logprobs { options.promptLogprobs = max(logprobs, options.promptLogprobs ?? 0) }
                var request = TextRequest(prompt, options: options)
                request.addsSpecialTokens = addsSpecialTokens
                return request
            }
        }
    }

    /// Writes log-probabilities, if the request asked for them.
    var logprobObjects: LogprobObjects? {
        logprobs.map {
            LogprobObjects(generator: model.generator, alternatives: $0, namesIDs: shared.reports.tokensAsIDs)
        }
    }

    /// The prompt of choice number `index` as text, as `echo` shows it.
    func echoed(_ index: Int, of group: AnswerGroup) -> String {
        switch prompts[index / candidates] {
        case .text(let text) where shared.truncation == nil: text
        default: model.generator.decode(group.streams[index].promptIDs)
        }
    }
}
