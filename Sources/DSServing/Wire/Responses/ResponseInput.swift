package import DSSupport
import FoundationEssentials

/// Turns the items of a response's input into messages of a conversation.
///
/// What one turn of the model wrote (reasoning, text, calls) comes as several items and becomes one message.
package struct ResponseInput {
    private(set) var messages: [JSONValue] = []
    /// The model's message that later items still belong to.
    private var open: JSONObject?

    /// Messages of `input`: a string, or items.
    package static func messages(_ fields: FieldReader) throws(APIError) -> [JSONValue] {
        let expected = "a string or a non-empty array of items"
        guard let value = fields.value("input") else {
            throw .field(fields.name("input"), expected: expected, found: nil)
        }
        if let text = value.stringValue { return [["role": "user", "content": .text(text)]] }
        guard let items = value.arrayValue, !items.isEmpty else {
            throw .field(fields.name("input"), expected: expected, found: value)
        }
        return try messages(of: items, path: fields.name("input"))
    }

    package static func messages(of items: [JSONValue], path: String) throws(APIError) -> [JSONValue] {
        var input = ResponseInput()
        for (index, item) in items.enumerated() {
            guard let object = item.objectValue else {
                throw .field("\(path)[\(index)]", expected: "an object", found: item)
            }
            try input.add(FieldReader(object, path: "\(path)[\(index)]."))
        }
        input.close()
        return input.messages
    }

    private mutating func add(_ item: FieldReader) throws(APIError) {
        switch try item.string("type") ?? "message" {
        case "message": try addMessage(item)
        case "reasoning": try addReasoning(item)
        case "function_call": try addCall(item)
        case "function_call_output": try addOutput(item)
        default:
            throw .field(
                item.name("type"), expected: "message, reasoning, function_call or function_call_output",
                found: item.value("type"))
        }
    }

    private mutating func addMessage(_ item: FieldReader) throws(APIError) {
        let role = try item.requiredString("role")
        let text = try Self.text(item, "content")
        switch role {
        case "assistant":
            if open?["content"]?.stringValue != nil || open?["tool_calls"] != nil { close() }
            var message = opened()
            message["content"] = .text(text)
            open = message
        case "user", "system", "developer":
            close()
            messages.append(["role": .text(role == "user" ? "user" : "system"), "content": .text(text)])
        default:
            throw .field(
                item.name("role"), expected: "user, assistant, system or developer", found: item.value("role"))
        }
    }

    private mutating func addReasoning(_ item: FieldReader) throws(APIError) {
        close()
        var message = opened()
        if let text = try Self.reasoning(item) { message["reasoning_content"] = .text(text) }
        open = message
    }

    private mutating func addCall(_ item: FieldReader) throws(APIError) {
        let call: JSONValue = [
            "id": .text(try item.requiredString("call_id")), "type": "function",
            "function": [
                "name": .text(try item.requiredString("name")),
                "arguments": .text(try item.requiredString("arguments")),
            ],
        ]
        var message = opened()
        message["tool_calls"] = .array((message["tool_calls"]?.arrayValue ?? []) + [call])
        open = message
    }

    private mutating func addOutput(_ item: FieldReader) throws(APIError) {
        close()
        messages.append([
            "role": "tool", "tool_call_id": .text(try item.requiredString("call_id")),
            "content": .text(try Self.text(item, "output")),
        ])
    }

    private func opened() -> JSONObject { open ?? JSONObject([("role", "assistant"), ("content", nil)]) }

    private mutating func close() {
        // Reasoning without an answer says nothing to the model.
        if let open, open["content"]?.stringValue != nil || open["tool_calls"] != nil { messages.append(.object(open)) }
        open = nil
    }

    /// A string, or parts that are text.
    private static func text(_ item: FieldReader, _ key: String) throws(APIError) -> String {
        guard let value = item.value(key) else {
            throw .field(item.name(key), expected: "a string or an array of text parts", found: nil)
        }
        if let text = value.stringValue { return text }
        guard let parts = value.arrayValue else {
            throw .field(item.name(key), expected: "a string or an array of text parts", found: value)
        }
        var text = ""
        for (index, part) in parts.enumerated() {
            let path = "\(item.name(key))[\(index)]"
            guard let object = part.objectValue else { throw .field(path, expected: "an object", found: part) }
            let fields = FieldReader(object, path: path + ".")
            switch try fields.requiredString("type") {
            case "input_text", "output_text", "reasoning_text", "text": text += try fields.requiredString("text")
            case "refusal": text += try fields.requiredString("refusal")
            default:
                throw .field(
                    fields.name("type"), expected: "input_text or output_text (this model reads text only)",
                    found: fields.value("type"))
            }
        }
        return text
    }

    private static func reasoning(_ item: FieldReader) throws(APIError) -> String? {
        if let parts = try item.array("content"), !parts.isEmpty { return try text(item, "content") }
        guard let sealed = try item.string("encrypted_content") else { return nil }
        guard let bytes = Data(base64Encoded: sealed), let text = String(validating: bytes, as: UTF8.self) else {
            throw .field(
                item.name("encrypted_content"), expected: "what this server gave",
                found: item.value("encrypted_content"))
        }
        return text
    }
}
