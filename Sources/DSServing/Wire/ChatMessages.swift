package import DSSupport

/// Checks the messages and tools of a request for what every template relies on, so that a mistake is reported by its
/// place in the request rather than by a template.
package enum ChatMessages {
    private static let roles: Set<String> = ["system", "developer", "user", "assistant", "tool"]

    package static func read(_ fields: FieldReader) throws(APIError) -> [JSONValue] {
        guard let list = try fields.array("messages"), !list.isEmpty else {
            throw .field(fields.name("messages"), expected: "a non-empty array", found: fields.value("messages"))
        }
        var messages: [JSONValue] = []
        for (index, value) in list.enumerated() {
            guard let object = value.objectValue else {
                throw .field("messages[\(index)]", expected: "an object", found: value)
            }
            messages.append(try message(FieldReader(object, path: "messages[\(index)].")))
        }
        return messages
    }

    private static func message(_ fields: FieldReader) throws(APIError) -> JSONValue {
        let role = try fields.requiredString("role")
        guard roles.contains(role) else {
            throw .field(
                fields.name("role"), expected: "one of \(roles.sorted().joined(separator: ", "))",
                found: fields.value("role"))
        }
        var object = fields.object
        // OpenAI's newer name for system messages; no template knows it.
        if role == "developer" { object["role"] = "system" }
        let calls = try fields.array("tool_calls")
        if let parts = fields.value("content")?.arrayValue {
            object["content"] = .text(try text(of: parts, path: fields.name("content")))
        } else if try fields.string("content") == nil, role != "assistant" || calls == nil {
            throw .field(fields.name("content"), expected: "a string or an array of text parts", found: nil)
        }
        if role == "tool", try fields.string("tool_call_id") == nil {
            throw .field(fields.name("tool_call_id"), expected: "a string", found: nil)
        }
        // Clients send back either name of the reasoning.
        if let reasoning = try fields.string("reasoning"), fields.value("reasoning_content") == nil {
            object["reasoning_content"] = .text(reasoning)
        }
        return .object(object)
    }

    private static func text(of parts: [JSONValue], path: String) throws(APIError) -> String {
        var text = ""
        for (index, part) in parts.enumerated() {
            guard let object = part.objectValue else {
                throw .field("\(path)[\(index)]", expected: "an object", found: part)
            }
            let fields = FieldReader(object, path: "\(path)[\(index)].")
            guard try fields.requiredString("type") == "text" else {
                throw .field(
                    fields.name("type"), expected: "\"text\" (this model reads text only)", found: fields.value("type"))
            }
            text += try fields.requiredString("text")
        }
        return text
    }

    package static func tools(_ fields: FieldReader) throws(APIError) -> [JSONValue] {
        guard let list = try fields.array("tools") else { return [] }
        for (index, value) in list.enumerated() {
            guard let object = value.objectValue else {
                throw .field("tools[\(index)]", expected: "an object", found: value)
            }
            let tool = FieldReader(object, path: "tools[\(index)].")
            guard try tool.requiredString("type") == "function" else {
                throw .field(tool.name("type"), expected: "\"function\"", found: tool.value("type"))
            }
            guard let function = try tool.reader("function") else {
                throw .field(tool.name("function"), expected: "an object", found: nil)
            }
            _ = try ToolName.read(function)
            _ = try function.string("description")
            _ = try function.reader("parameters")
        }
        return list
    }
}
