package import DSEngine
import DSSupport

/// The body of `POST /v1/chat/completions`.
package struct ChatCompletionBody {
    package let model: ServedModel
    package let shared: SamplingFields
    let conversation: ConversationFields
    package let tools: ToolFields
    /// Alternatives per token; `nil`: no log-probabilities.
    package let logprobs: Int?
    package let constraint: AnswerConstraint?
    /// A name for the answer, where the client gives one.
    package let requestID: String?

    package init(_ fields: FieldReader, catalog: ModelCatalog) throws {
        try RefusedFields.check(fields, RefusedFields.generation, RefusedFields.chat)
        try AcceptedFields.check(fields)
        model = try catalog.model(named: try fields.string("model"))
        var shared = try SamplingFields(fields, defaults: model.defaults)
        try shared.resolve(for: model.generator)
        self.shared = shared
        conversation = try ConversationFields(fields)
        tools = try ToolFields(fields)
        logprobs = try Self.logprobs(fields)
        constraint = try AnswerConstraint(try OutputConstraint.requested(fields), tools, shared)
        requestID = try fields.requestID()
    }

    private static func logprobs(_ fields: FieldReader) throws(APIError) -> Int? {
        let wanted = try fields.bool("logprobs") ?? false
        let alternatives = try fields.integer("top_logprobs")
        if !wanted, let alternatives, alternatives > 0 {
            throw .field("logprobs", expected: "true, because top_logprobs is set", found: fields.value("logprobs"))
        }
        return wanted ? alternatives ?? 0 : nil
    }

    /// The engine's requests: `n` of them, with consecutive seeds, in the order of the choices' indices.
    package var requests: [ChatRequest] {
        (0..<shared.count).map { copy in
            var request = conversation.request
            request.options = shared.options(copy: copy, logprobs: logprobs)
            request.options.constraint = constraint
            return request
        }
    }
}

extension FieldReader {
    /// vLLM's `request_id`: a name that ends up in the answer's id.
    package func requestID() throws(APIError) -> String? {
        guard let id = try string("request_id") else { return nil }
        guard (1...128).contains(id.utf8.count), id.utf8.allSatisfy({ (33...126).contains($0) }) else {
            throw .field(name("request_id"), expected: "1...128 printable ASCII characters", found: value("request_id"))
        }
        return id
    }
}
