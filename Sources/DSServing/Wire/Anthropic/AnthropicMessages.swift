package import DSSupport

/// Turns the conversation of a Messages request into OpenAI's message objects, which templates know: results of tools become
/// messages of their own, thinking goes beside the content, neighbours of one role become one message.
package enum AnthropicMessages {
    /// Claude Code puts a line about itself in front of its system prompt, different in every request. It means nothing to a
    /// model and would keep the prompt from being found in a cache.
    private static let billing = "x-anthropic-billing-header:"

    package static func read(_ fields: FieldReader) throws(APIError) -> [JSONValue] {
        guard let list = try fields.array("messages"), !list.isEmpty else {
            throw .field("messages", expected: "a non-empty array", found: fields.value("messages"))
        }
        var builder = Builder()
        if let system = try system(fields), !system.isEmpty { builder.add("system", system) }
        for (index, value) in list.enumerated() {
            guard let object = value.objectValue else {
                throw .field("messages[\(index)]", expected: "an object", found: value)
            }
            try builder.add(FieldReader(object, path: "messages[\(index)]."))
        }
        return builder.messages.map { .object($0) }
    }

    private static func system(_ fields: FieldReader) throws(APIError) -> String? {
        guard let value = fields.value("system") else { return nil }
        if let text = value.stringValue { return text.hasPrefix(billing) ? nil : text }
        guard let blocks = value.arrayValue else {
            throw .field("system", expected: "a string or an array of text blocks", found: value)
        }
        var texts: [String] = []
        for (index, block) in blocks.enumerated() {
            let text = try Self.text(block, path: "system[\(index)]")
            if !text.hasPrefix(billing) { texts.append(text) }
        }
        return texts.joined(separator: "\n\n")
    }

    /// The text of a block that must be one.
    static func text(_ block: JSONValue, path: String) throws(APIError) -> String {
        guard let object = block.objectValue else { throw .field(path, expected: "an object", found: block) }
        let fields = FieldReader(object, path: path + ".")
        let type = try fields.requiredString("type")
        switch type {
        case "text": return try fields.requiredString("text")
        case "document" where fields.value("source")?["type"]?.stringValue == "text":
            return try fields.reader("source")?.requiredString("data") ?? ""
        case "tool_reference": return try fields.requiredString("tool_name")
        case "image", "document":
            throw .field(fields.name("type"), expected: "\"text\" (the model reads text only)", found: .text(type))
        default: throw .field(fields.name("type"), expected: "\"text\"", found: .text(type))
        }
    }
}

extension AnthropicMessages {
    /// The messages so far.
    private struct Builder {
        var messages: [JSONObject] = []

        mutating func add(_ role: String, _ text: String) {
            // Templates want roles to alternate; the API joins neighbours.
            if let last = messages.last, last["role"]?.stringValue == role, last["tool_calls"] == nil {
                let before = last["content"]?.stringValue ?? ""
                let joined = before.isEmpty || text.isEmpty ? before + text : before + "\n\n" + text
                messages[messages.count - 1]["content"] = .text(joined)
            } else {
                messages.append(JSONObject([("role", .text(role)), ("content", .text(text))]))
            }
        }

        mutating func add(_ fields: FieldReader) throws(APIError) {
            let role = try fields.requiredString("role")
            guard ["user", "assistant", "system"].contains(role) else {
                throw .field(
                    fields.name("role"), expected: "\"user\", \"assistant\" or \"system\"", found: fields.value("role"))
            }
            let content = fields.value("content")
            if let text = content?.stringValue { return add(role, text) }
            guard let blocks = content?.arrayValue else {
                throw .field(fields.name("content"), expected: "a string or an array of blocks", found: content)
            }
            if role == "assistant" {
                try addAssistant(blocks, path: fields.name("content"))
            } else {
                try addUser(blocks, role: role, path: fields.name("content"))
            }
        }

        private mutating func addUser(_ blocks: [JSONValue], role: String, path: String) throws(APIError) {
            var texts: [String] = []
            for (index, block) in blocks.enumerated() {
                let place = "\(path)[\(index)]"
                guard block["type"]?.stringValue == "tool_result", let object = block.objectValue else {
                    texts.append(try AnthropicMessages.text(block, path: place))
                    continue
                }
                if !texts.isEmpty { add(role, texts.joined(separator: "\n")) }
                texts = []
                let fields = FieldReader(object, path: place + ".")
                let identity = try fields.requiredString("tool_use_id")
                let text = try result(fields)
                messages.append(
                    JSONObject([("role", "tool"), ("tool_call_id", .text(identity)), ("content", .text(text))]))
            }
            if !texts.isEmpty { add(role, texts.joined(separator: "\n")) }
        }

        private func result(_ fields: FieldReader) throws(APIError) -> String {
            guard let content = fields.value("content") else { return "" }
            if let text = content.stringValue { return text }
            guard let blocks = content.arrayValue else {
                throw .field(fields.name("content"), expected: "a string or an array of blocks", found: content)
            }
            var texts: [String] = []
            for (index, block) in blocks.enumerated() {
                texts.append(try AnthropicMessages.text(block, path: "\(fields.name("content"))[\(index)]"))
            }
            return texts.joined(separator: "\n")
        }

        private mutating func addAssistant(_ blocks: [JSONValue], path: String) throws(APIError) {
            var text = ""
            var thinking: [String] = []
            var calls: [JSONValue] = []
            for (index, block) in blocks.enumerated() {
                guard let object = block.objectValue else {
                    throw .field("\(path)[\(index)]", expected: "an object", found: block)
                }
                let fields = FieldReader(object, path: "\(path)[\(index)].")
                switch try fields.requiredString("type") {
                case "thinking": thinking.append(try fields.requiredString("thinking"))
                // Written by another model, for itself.
                case "redacted_thinking": break
                case "tool_use": calls.append(try call(fields))
                default: text += try AnthropicMessages.text(block, path: "\(path)[\(index)]")
                }
            }
            if calls.isEmpty, thinking.isEmpty { return add("assistant", text) }
            var message = JSONObject([("role", "assistant"), ("content", .text(text))])
            let reasoning = thinking.joined(separator: "\n")
            if !reasoning.isEmpty { message["reasoning_content"] = .text(reasoning) }
            if !calls.isEmpty { message["tool_calls"] = .array(calls) }
            messages.append(message)
        }

        private func call(_ fields: FieldReader) throws(APIError) -> JSONValue {
            guard let input = try fields.reader("input") else {
                throw .field(fields.name("input"), expected: "an object", found: nil)
            }
            let arguments = JSONValue.object(input.object).serializedString(.python)
            return [
                "id": .text(try fields.requiredString("id")), "type": "function",
                "function": ["name": .text(try fields.requiredString("name")), "arguments": .text(arguments)],
            ]
        }
    }
}
