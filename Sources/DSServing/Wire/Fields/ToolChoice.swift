package import DSSupport

/// Whether an answer calls tools.
package enum ToolChoice: Sendable, Equatable {
    case none
    case auto
    /// At least one call of any tool.
    case required
    /// A call of this tool.
    case named(String)
}

/// `tools`, `tool_choice` and `parallel_tool_calls` of chat completions.
package struct ToolFields: Sendable {
    /// Tool objects that the model is told of.
    package let tools: [JSONValue]
    package let choice: ToolChoice
    /// More than one call per answer.
    package let isParallel: Bool
    /// A forced answer may have several calls: of a named function there is one.
    package var callsInParallel: Bool {
        if case .named = choice { false } else { isParallel }
    }

    package init(_ fields: FieldReader) throws(APIError) {
        let offered = try ChatMessages.tools(fields)
        var (choice, allowed) = try Self.choice(fields)
        isParallel = try fields.bool("parallel_tool_calls") ?? true
        if choice == .required || allowed != nil, offered.isEmpty {
            throw .field(fields.name("tools"), expected: "tools, because tool_choice asks for one", found: nil)
        }
        if case .named(let name) = choice { allowed = [name] }
        let names = offered.map { $0["function"]?["name"]?.stringValue ?? "" }
        for name in allowed ?? [] where !names.contains(name) {
            throw .field(
                fields.name("tool_choice"), expected: "the name of one of the tools", found: .text(name))
        }
        self.choice = choice
        tools =
            choice == .none
            ? []
            : offered.filter { tool in
                allowed.map { $0.contains(tool["function"]?["name"]?.stringValue ?? "") } ?? true
            }
    }

    private static func choice(_ fields: FieldReader) throws(APIError) -> (ToolChoice, allowed: [String]?) {
        guard let value = fields.value("tool_choice") else { return (.auto, nil) }
        switch value.stringValue {
        case "none": return (.none, nil)
        case "auto": return (.auto, nil)
        case "required": return (.required, nil)
        default: break
        }
        let expected = "\"none\", \"auto\", \"required\", a function or allowed_tools"
        guard let choice = value.objectValue.map({ FieldReader($0, path: fields.name("tool_choice") + ".") }) else {
            throw .field(fields.name("tool_choice"), expected: expected, found: value)
        }
        switch try choice.requiredString("type") {
        case "function":
            // The chat form has an object inside, the one of responses only the name.
            let name = try choice.reader("function")?.requiredString("name")
            if let name { return (.named(name), nil) }
            return (.named(try choice.requiredString("name")), nil)
        case "allowed_tools": return try allowedTools(try choice.reader("allowed_tools") ?? choice)
        default: throw .field(fields.name("tool_choice"), expected: expected, found: value)
        }
    }

    private static func allowedTools(_ fields: FieldReader) throws(APIError) -> (ToolChoice, allowed: [String]?) {
        let mode = try fields.string("mode") ?? "auto"
        guard mode == "auto" || mode == "required" else {
            throw .field(fields.name("mode"), expected: "\"auto\" or \"required\"", found: fields.value("mode"))
        }
        guard let list = try fields.array("tools") else {
            throw .field(fields.name("tools"), expected: "an array", found: nil)
        }
        var names: [String] = []
        for (index, tool) in list.enumerated() {
            guard let name = tool["function"]?["name"]?.stringValue ?? tool["name"]?.stringValue else {
                throw .field(fields.name("tools[\(index)]"), expected: "a function with a name", found: tool)
            }
            names.append(name)
        }
        return (mode == "required" ? .required : .auto, names)
    }
}
