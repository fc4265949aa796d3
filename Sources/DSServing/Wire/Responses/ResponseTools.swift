import DSSupport

/// The tools of a response in the form of chat completions.
enum ResponseTools {
    /// Tools that the server of the API's maker runs itself. The model is not told of them, so that it does not call them.
    private static let hosted: Set<String> = ["web_search", "web_search_preview", "web_search_2025_08_26"]

    static func fields(_ fields: FieldReader) throws(APIError) -> ToolFields {
        var object = JSONObject()
        object["tool_choice"] = fields.value("tool_choice")
        object["parallel_tool_calls"] = fields.value("parallel_tool_calls")
        var tools: [JSONValue] = []
        for (index, value) in (try fields.array("tools") ?? []).enumerated() {
            let path = fields.name("tools[\(index)]")
            guard let tool = value.objectValue else { throw .field(path, expected: "an object", found: value) }
            if let converted = try convert(FieldReader(tool, path: path + ".")) { tools.append(converted) }
        }
        if !tools.isEmpty { object["tools"] = .array(tools) }
        return try ToolFields(FieldReader(object))
    }

    private static func convert(_ tool: FieldReader) throws(APIError) -> JSONValue? {
        let type = try tool.requiredString("type")
        if hosted.contains(type) { return nil }
        guard type == "function" else {
            throw .field(
                tool.name("type"), expected: "\"function\" (this server runs no tools of its own)",
                found: tool.value("type"))
        }
        // Some clients nest the function as chat completions do.
        if let function = try tool.reader("function") {
            _ = try ToolName.read(function)
            return ["type": "function", "function": .object(function.object)]
        }
        var function = JSONObject([("name", .text(try ToolName.read(tool)))])
        function["description"] = try tool.string("description").map(JSONValue.text)
        function["parameters"] = try tool.reader("parameters").map { .object($0.object) }
        function["strict"] = try tool.bool("strict").map(JSONValue.bool)
        return ["type": "function", "function": .object(function)]
    }
}
