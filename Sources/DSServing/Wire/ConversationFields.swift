import DSEngine
import DSSupport

/// The fields that make a conversation's prompt.
struct ConversationFields {
    let messages: [JSONValue]
    let tools: [JSONValue]
    /// Whether the answer starts with reasoning; `nil` leaves it to the model's template.
    let thinking: Bool?
    /// More variables for the template.
    let templateArguments: JSONObject
    let addsGenerationPrompt: Bool
    let continuesFinalMessage: Bool

    init(_ fields: FieldReader) throws(APIError) {
        messages = try ChatMessages.read(fields)
        tools = try ToolFields(fields).tools
        thinking = try Self.thinking(fields)
        var arguments = try fields.reader("chat_template_kwargs")?.object ?? JSONObject()
        if fields.value("thinking") != nil {
            // The field wins; the template must not hear both.
            for key in ["thinking", "enable_thinking"] { arguments[key] = nil }
        }
        templateArguments = arguments
        continuesFinalMessage = try fields.bool("continue_final_message") ?? false
        let adds = try fields.bool("add_generation_prompt")
        guard !(continuesFinalMessage && adds == true) else {
            throw .invalid(
                "'add_generation_prompt': expected false, because continue_final_message is true, found true",
                parameter: "add_generation_prompt")
        }
        addsGenerationPrompt = adds ?? !continuesFinalMessage
    }

    /// DeepSeek's `thinking: {type}`, vLLM's `chat_template_kwargs`, OpenAI's `reasoning_effort: "none"`.
    private static func thinking(_ fields: FieldReader) throws(APIError) -> Bool? {
        if let thinking = try fields.reader("thinking") {
            let type = try thinking.requiredString("type")
            guard type == "enabled" || type == "disabled" else {
                throw .field("thinking.type", expected: "\"enabled\" or \"disabled\"", found: thinking.value("type"))
            }
            return type == "enabled"
        }
        if let arguments = try fields.reader("chat_template_kwargs") {
            let other = try arguments.bool("enable_thinking")
            if let thinking = try arguments.bool("thinking") ?? other { return thinking }
        }
        return try fields.string("reasoning_effort").map { $0 != "none" }
    }

    /// The conversation without options.
    var request: ChatRequest {
        var request = ChatRequest(
            messageObjects: messages, tools: tools, thinking: thinking, templateArguments: templateArguments)
        request.addsGenerationPrompt = addsGenerationPrompt
        request.continuesFinalMessage = continuesFinalMessage
        return request
    }
}
