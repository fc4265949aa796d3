import DSSupport

/// Tools of Anthropic's form, as the functions that templates know.
struct AnthropicTools {
    /// The tools that the model is shown.
    private(set) var tools: [JSONValue] = []
    /// At least one of them must be called.
    private(set) var isForced = false
    private(set) var callsOneTool = false

    init(_ fields: FieldReader) throws(APIError) {
        for (index, value) in (try fields.array("tools") ?? []).enumerated() {
            guard let object = value.objectValue else {
                throw .field("tools[\(index)]", expected: "an object", found: value)
            }
            tools.append(try Self.tool(FieldReader(object, path: "tools[\(index)].")))
        }
        guard let choice = try fields.reader("tool_choice") else { return }
        callsOneTool = try choice.bool("disable_parallel_tool_use") ?? false
        switch try choice.requiredString("type") {
        case "auto": return
        case "none": tools = []
        case "any": isForced = true
        case "tool":
            let name = try choice.requiredString("name")
            tools = tools.filter { $0["function"]?["name"]?.stringValue == name }
            guard !tools.isEmpty else {
                throw .field(
                    choice.name("name"), expected: "the name of one of the tools", found: choice.value("name"))
            }
            isForced = true
        default:
            throw .field(
                choice.name("type"), expected: "\"auto\", \"any\", \"tool\" or \"none\"", found: choice.value("type"))
        }
        guard !isForced || !tools.isEmpty else {
            throw .field("tools", expected: "tools, because tool_choice asks for one", found: fields.value("tools"))
        }
    }

    private static func tool(_ fields: FieldReader) throws(APIError) -> JSONValue {
        let type = try fields.string("type") ?? "custom"
        guard type == "custom" else {
            throw .field(
                fields.name("type"), expected: "\"custom\" (this server runs no tools itself, and knows no others)",
                found: fields.value("type"))
        }
        var function = JSONObject([("name", .text(try ToolName.read(fields)))])
        if let description = try fields.string("description") { function["description"] = .text(description) }
        guard let schema = try fields.reader("input_schema") else {
            throw .field(fields.name("input_schema"), expected: "an object", found: nil)
        }
        function["parameters"] = .object(schema.object)
        return ["type": "function", "function": .object(function)]
    }
}
