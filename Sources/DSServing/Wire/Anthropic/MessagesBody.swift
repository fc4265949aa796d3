package import DSEngine
import DSGrammar
import DSSupport

/// The body of `POST /v1/messages` and of `POST /v1/messages/count_tokens`.
package struct MessagesBody {
    package let model: ServedModel
    /// The engine's request; its message and tool objects are OpenAI's.
    package let chat: ChatRequest
    package let stream: Bool
    /// What `max_tokens` says; nil in a body whose tokens are only counted.
    package let maximumTokens: Int?
    /// Thinking is shown, not only its blocks' signatures.
    package let showsThinking: Bool
    /// No second call of a tool is passed on.
    package let callsOneTool: Bool

    /// - Parameter countsOnly: the body asks for the length of its prompt, so that `max_tokens` may be absent.
    package init(_ fields: FieldReader, catalog: ModelCatalog, countsOnly: Bool = false) throws(APIError) {
        model = try catalog.model(named: try fields.requiredString("model"))
        stream = try fields.bool("stream") ?? false
        maximumTokens = countsOnly ? nil : try Self.maximumTokens(fields)
        try Self.refuseWhatIsNotThere(fields)
        let tools = try AnthropicTools(fields)
        callsOneTool = tools.callsOneTool
        let thinking = try fields.reader("thinking")
        showsThinking = try thinking?.string("display") != "omitted"
        let messages = try AnthropicMessages.read(fields)
        var chat = ChatRequest(
            messageObjects: messages, tools: tools.tools, thinking: try Self.thinks(thinking),
            templateArguments: try Self.effort(fields))
        chat.continuesFinalMessage = messages.last?["role"]?.stringValue == "assistant"
        chat.options = try Self.options(fields, defaults: model.defaults)
        chat.options.stopping.maxTokens = maximumTokens
        chat.options.thinkingTokens = try thinking?.integer("budget_tokens")
        chat.options.constraint = try Self.constraint(fields, tools)
        self.chat = chat
    }

    private static func maximumTokens(_ fields: FieldReader) throws(APIError) -> Int {
        guard let count = try fields.integer("max_tokens"), count >= 1 else {
            throw .field("max_tokens", expected: "an integer of at least 1", found: fields.value("max_tokens"))
        }
        return count
    }

    private static func refuseWhatIsNotThere(_ fields: FieldReader) throws(APIError) {
        if let servers = try fields.array("mcp_servers"), !servers.isEmpty {
            throw .field(
                "mcp_servers", expected: "none (this server calls no other servers)", found: fields.value("mcp_servers")
            )
        }
    }

    private static func constraint(
        _ fields: FieldReader, _ tools: AnthropicTools
    ) throws(APIError) -> AnswerConstraint? {
        let older = try fields.reader("output_format")
        let format = try fields.reader("output_config")?.reader("format") ?? older
        let field = format?.name("schema") ?? ""
        let text = try format.map { format throws(APIError) in try Self.schema(format) }
        if tools.isForced {
            // There is no text that could follow a format.
            return AnswerConstraint(.toolCalls(isParallel: !tools.callsOneTool), field: "tool_choice")
        }
        guard let text else { return nil }
        guard !tools.tools.isEmpty else { return AnswerConstraint(.text(text), field: field) }
        return AnswerConstraint(.textOrToolCalls(text, isParallel: !tools.callsOneTool), field: field)
    }

    private static func schema(_ format: FieldReader) throws(APIError) -> GrammarSource {
        guard try format.requiredString("type") == "json_schema", let schema = try format.reader("schema") else {
            throw .field(format.name("schema"), expected: "a JSON schema, and \"json_schema\" as type", found: nil)
        }
        return .jsonSchema(JSONSchemaSource(.object(schema.object)))
    }

    /// Off unless asked for, as clients of this API expect.
    private static func thinks(_ thinking: FieldReader?) throws(APIError) -> Bool {
        guard let thinking else { return false }
        switch try thinking.requiredString("type") {
        case "enabled", "adaptive", "between_tools": return true
        case "disabled": return false
        default:
            throw .field(
                thinking.name("type"), expected: "\"enabled\", \"disabled\" or \"adaptive\"",
                found: thinking.value("type"))
        }
    }

    /// For templates that know levels of effort.
    private static func effort(_ fields: FieldReader) throws(APIError) -> JSONObject {
        var arguments = JSONObject()
        if let effort = try fields.reader("output_config")?.string("effort") {
            arguments["reasoning_effort"] = .text(effort)
        }
        return arguments
    }

    private static func options(_ fields: FieldReader, defaults: SamplingParameters) throws(APIError) -> TextOptions {
        var options = TextOptions()
        options.sampling = defaults
        options.sampling.temperature = try fields.number("temperature") ?? defaults.temperature
        options.sampling.topP = try fields.number("top_p") ?? defaults.topP
        if let topK = try fields.integer("top_k") { options.sampling.topK = topK == 0 || topK == -1 ? nil : topK }
        _ = try fields.array("stop_sequences")
        options.stopStrings = try fields.strings("stop_sequences", limit: TextOptions.maximumStopStrings)
        guard options.stopStrings.allSatisfy({ !$0.isEmpty }) else {
            throw .field(
                "stop_sequences", expected: "strings that are not empty", found: fields.value("stop_sequences"))
        }
        return options
    }
}
