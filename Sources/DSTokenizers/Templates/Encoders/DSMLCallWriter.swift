import DSSupport

/// Writes tool calls in DSML; the versions differ in the names of their tags.
struct DSMLCallWriter: Sendable {
    let block: String
    let invoke: String
    let parameter: String

    static let v32 = DSMLCallWriter(block: "function_calls", invoke: "invoke", parameter: "parameter")
    static let v4 = DSMLCallWriter(block: "tool_calls", invoke: "invoke", parameter: "parameter")
    static let v41 = DSMLCallWriter(block: " calls", invoke: " invoke", parameter: " parameter")

    func open(_ name: String) -> String { "<\(DeepSeekTokens.dsml)\(name)" }
    func close(_ name: String) -> String { "</\(DeepSeekTokens.dsml)\(name)>" }

    /// The calls of one message.
    func calls(_ invocations: [JinjaString]) -> JinjaString {
        JinjaString("\n\n\(open(block))>\n") + JinjaString.joined(invocations, separator: "\n")
            + JinjaString("\n\(close(block))")
    }

    func invocation(_ name: String, _ arguments: JSONObject) -> JinjaString {
        let parameters = arguments.members.map { member in
            let text = member.value.bytesValue
            return JinjaString("\(open(parameter)) name=\"") + JinjaString(member.key.bytes, foreign: true)
                + JinjaString("\" string=\"\(text != nil)\">")
                + JinjaString(text ?? member.value.serialized(.python), foreign: true)
                + JinjaString(close(parameter))
        }
        return JinjaString("\(open(invoke)) name=\"") + DeepSeekTokens.foreign(name) + "\">\n"
            + JinjaString.joined(parameters, separator: "\n") + JinjaString("\n\(close(invoke))")
    }

    /// The arguments of a call if they are an object, as Python reads it.
    static func arguments(_ call: ConversationToolCall) -> JSONObject? {
        var limits = JSONLimits.default
        limits.duplicateKeys = .lastWins
        return (try? JSONValue.parse(call.arguments, limits: limits))?.objectValue
    }
}
