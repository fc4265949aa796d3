import DSEngine
import DSSupport

/// The body of `POST /v1/responses`.
struct CreateResponseBody {
    let model: ServedModel
    let shared: SamplingFields
    let tools: ToolFields
    let constraint: AnswerConstraint?
    let stores: Bool
    let isBackground: Bool
    /// Alternatives per token; `nil`: no log-probabilities.
    let logprobs: Int?
    /// Reasoning items carry their text in a form that a client sends back without reading it.
    let sealsReasoning: Bool
    let previousID: String?
    /// Whether the answer starts with reasoning; `nil` leaves it to the model's template.
    let thinking: Bool?
    /// Earlier messages are left out where the conversation is too long.
    let truncates: Bool
    let instructions: String?
    /// Messages of this request alone.
    let input: [JSONValue]
    /// The items of the input as they came.
    let inputItems: [JSONValue]
    /// Members of the response that repeat the request.
    let echo: JSONObject

    init(_ fields: FieldReader, catalog: ModelCatalog) throws {
        try RefusedFields.check(fields, RefusedFields.generation, RefusedFields.response)
        try AcceptedFields.check(fields)
        model = try catalog.model(named: try fields.string("model"))
        var shared = try SamplingFields(fields, defaults: model.defaults)
        shared.stopping.maxTokens = try fields.integer("max_output_tokens") ?? shared.stopping.maxTokens
        guard shared.count == 1 else { throw APIError.field("n", expected: "1", found: fields.value("n")) }
        try shared.resolve(for: model.generator)
        self.shared = shared
        tools = try ResponseTools.fields(fields)
        constraint = try AnswerConstraint(try Self.format(fields), tools, shared)
        stores = try fields.bool("store") ?? true
        isBackground = try fields.bool("background") ?? false
        let include = try fields.strings("include", limit: 64)
        sealsReasoning = include.contains("reasoning.encrypted_content")
        let alternatives = try fields.integer("top_logprobs")
        logprobs = include.contains("message.output_text.logprobs") ? alternatives ?? 0 : nil
        previousID = try fields.string("previous_response_id")
        let effort = try fields.reader("reasoning")?.string("effort")
        thinking = effort.map { $0 != "none" }
        truncates = try Self.truncates(fields)
        instructions = try fields.string("instructions")
        input = try ResponseInput.messages(fields)
        inputItems = Self.items(fields)
        echo = Self.echo(fields, shared)
        try checkCombinations(fields)
    }

    private func checkCombinations(_ fields: FieldReader) throws(APIError) {
        if isBackground, shared.stream {
            throw .field("stream", expected: "false, because background is true", found: fields.value("stream"))
        }
        if isBackground, !stores {
            throw .field("store", expected: "true, because background is true", found: fields.value("store"))
        }
    }

    private static func format(_ fields: FieldReader) throws(APIError) -> OutputConstraint.Requested? {
        let other = try OutputConstraint.requested(fields)
        guard let format = try fields.reader("text")?.reader("format"),
            let found = try OutputConstraint.format(format, name: "text.format").first
        else { return other }
        return OutputConstraint.Requested(constraint: found.constraint, field: found.name)
    }

    private static func truncates(_ fields: FieldReader) throws(APIError) -> Bool {
        switch try fields.string("truncation") ?? "disabled" {
        case "auto": true
        case "disabled": false
        default:
            throw .field("truncation", expected: "\"auto\" or \"disabled\"", found: fields.value("truncation"))
        }
    }

    private static func items(_ fields: FieldReader) -> [JSONValue] {
        if let items = fields.value("input")?.arrayValue { return items }
        let text = fields.value("input") ?? .null
        return [["type": "message", "role": "user", "content": [["type": "input_text", "text": text]]]]
    }

    private static func echo(_ fields: FieldReader, _ shared: SamplingFields) -> JSONObject {
        let defaults: [(String, JSONValue)] = [
            ("background", false), ("instructions", nil), ("max_output_tokens", nil), ("max_tool_calls", nil),
            ("metadata", [:]), ("parallel_tool_calls", true), ("previous_response_id", nil),
            ("prompt_cache_key", nil), ("reasoning", ["effort": nil, "summary": nil]), ("safety_identifier", nil),
            ("store", true), ("text", ["format": ["type": "text"]]), ("tool_choice", "auto"), ("tools", []),
            ("top_logprobs", 0), ("truncation", "disabled"), ("user", nil),
        ]
        var object = JSONObject(defaults.map { (JSONString($0.0), fields.value($0.0) ?? $0.1) })
        object["service_tier"] = "default"
        object["temperature"] = .number(shared.sampling.temperature)
        object["top_p"] = .number(shared.sampling.topP)
        return object
    }

    /// The conversation: instructions, what `previous` ends with, and the input.
    func request(after previous: [JSONValue]) throws -> (request: ChatRequest, messages: [JSONValue]) {
        let messages = previous + input
        let head: [JSONValue] = instructions.map { [["role": "system", "content": .text($0)]] } ?? []
        var request = ChatRequest(
            messageObjects: head + messages, tools: tools.tools, thinking: thinking,
            options: shared.options(copy: 0, logprobs: logprobs))
        request.options.constraint = constraint
        if truncates { try fit(&request, keeping: head.count) }
        return (request, messages)
    }

    /// Leaves out as few of the earliest messages as make the conversation fit, never the last one.
    private func fit(_ request: inout ChatRequest, keeping head: Int) throws {
        let limit = model.generator.engine.maximumContext - (shared.stopping.maxTokens ?? 1)
        let all = request.messages
        func without(_ count: Int) -> [JSONValue] {
            // A tool's answer without its call means nothing.
            let rest = all[(head + count)...]
            let dropped = rest.prefix { $0["role"]?.stringValue == "tool" }.count
            return Array(all[..<head]) + (dropped == rest.count ? Array(rest) : Array(rest.dropFirst(dropped)))
        }
        func fits(_ count: Int) throws -> Bool {
            request.messages = without(count)
            return try model.generator.chatTokens(request).count <= limit
        }
        var low = 0
        var high = max(0, all.count - head - 1)
        while low < high {
            let middle = (low + high) / 2
            if try fits(middle) { high = middle } else { low = middle + 1 }
        }
        request.messages = without(low)
    }
}
