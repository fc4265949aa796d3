import DSSupport

/// DeepSeek-V3.2, which ships an encoding program instead of a template: tools and calls in DSML, thinking kept within
/// the current tool loop and dropped from earlier turns.
package struct DeepSeekV32Encoder: PromptEncoder {
    private typealias Token = DeepSeekTokens

    package let dialect = OutputDialect.deepSeekV32

    package init() {}

    package func render(_ conversation: Conversation) throws(PromptError) -> PromptText {
        var messages = conversation.messages
        if !conversation.tools.isEmpty || conversation.responseFormat != nil, messages.first?.role != .system {
            messages.insert(ConversationMessage(.system, ""), at: 0)
        }
        let thinking = conversation.thinking ?? false
        let lastUser = messages.lastIndex { $0.role == .user || $0.role == .developer } ?? -1
        var out = Token.begin
        for index in messages.indices {
            let isLast = index == messages.count - 1
            let turn = Turn(
                messages: messages, index: index, lastUser: lastUser, thinking: thinking,
                endsOpen: isLast && conversation.continuesFinalMessage)
            out.append(try turn.rendered(index == 0 ? conversation : nil))
        }
        guard conversation.continuesFinalMessage else { return PromptText(out) }
        guard messages.last?.role == .assistant else {
            throw .conversation("only an assistant's text can be continued")
        }
        return PromptText(out, continues: true)
    }

    /// One message in its place.
    private struct Turn {
        let messages: [ConversationMessage]
        let index: Int
        let lastUser: Int
        let thinking: Bool
        /// The message is to be continued: neither its calls nor its end are written.
        let endsOpen: Bool

        private var message: ConversationMessage { messages[index] }

        func rendered(_ conversation: Conversation?) throws(PromptError) -> JinjaString {
            switch message.role {
            case .system:
                var out = Token.foreign(message.content ?? "")
                if let tools = conversation?.tools, !tools.isEmpty {
                    out.append("\n\n")
                    out.append(DeepSeekV32Encoder.describe(tools))
                }
                if let format = conversation?.responseFormat {
                    out.append(
                        "\n\n## Response Format:\n\nYou MUST strictly adhere to the following schema to reply:\n")
                    out.append(Token.foreign(format.serializedString(.python)))
                }
                return out
            case .developer:
                guard let content = message.content, !content.isEmpty else {
                    throw .message(index: index, reason: "a developer message needs content")
                }
                return user("\n\n# The user's message is: " + Token.foreign(content))
            case .user: return user(Token.foreign(message.content ?? ""))
            case .tool: return try toolOutput()
            case .assistant: return try assistant()
            }
        }

        private func user(_ content: JinjaString) -> JinjaString {
            Token.user + content + Token.assistant
                + (index == lastUser && thinking ? Token.thinkStart : Token.thinkEnd)
        }

        private func toolOutput() throws(PromptError) -> JinjaString {
            guard let caller = messages[..<index].lastIndex(where: { $0.role != .tool }),
                messages[caller].role == .assistant, messages[caller].toolCalls.count >= index - caller
            else { throw .message(index: index, reason: "a tool result without a tool call before it") }
            var out = index - caller == 1 ? JinjaString("\n\n<function_results>") : JinjaString()
            out.append("\n<result>" + Token.foreign(message.content ?? "") + "</result>")
            if index - caller == messages[caller].toolCalls.count {
                out.append("\n</function_results>\n\n")
                out.append(index >= lastUser && thinking ? Token.thinkStart : Token.thinkEnd)
            }
            return out
        }

        private func assistant() throws(PromptError) -> JinjaString {
            var out = JinjaString()
            if thinking, index > lastUser {
                guard message.reasoning?.isEmpty == false || !message.toolCalls.isEmpty else {
                    throw .message(
                        index: index,
                        reason: "with thinking on, an answer after the last user message needs its reasoning")
                }
                out.append(Token.foreign(message.reasoning ?? "") + Token.thinkEnd)
            }
            out.append(Token.foreign(message.content ?? ""))
            if endsOpen { return out }
            if !message.toolCalls.isEmpty {
                var invocations: [JinjaString] = []
                for call in message.toolCalls { invocations.append(try invocation(call)) }
                out.append(DSMLCallWriter.v32.calls(invocations))
            }
            return out + Token.end
        }

        private func invocation(_ call: ConversationToolCall) throws(PromptError) -> JinjaString {
            guard let arguments = DSMLCallWriter.arguments(call) else {
                throw .message(index: index, reason: "the arguments of tool call '\(call.name)' are not a JSON object")
            }
            return DSMLCallWriter.v32.invocation(call.name, arguments)
        }
    }

    private static func describe(_ tools: [ToolDefinition]) -> JinjaString {
        let d = Token.dsml
        let head = """
            ## Tools

            You have access to a set of tools you can use to answer the user's question.
            You can invoke functions by writing a "<\(d)function_calls>" block like the following as part of your reply to the user:
            <\(d)function_calls>
            <\(d)invoke name="$FUNCTION_NAME">
            <\(d)parameter name="$PARAMETER_NAME" string="true|false">$PARAMETER_VALUE</\(d)parameter>
            ...
            </\(d)invoke>
            <\(d)invoke name="$FUNCTION_NAME2">
            ...
            </\(d)invoke>
            </\(d)function_calls>

            String and scalar parameters should be specified as is without any escaping or quotes, while lists and objects \
            should use JSON format. The "string" attribute should be set to "true" for string type parameters and "false" for \
            other types (numbers, booleans, arrays, objects).

            If the thinking_mode is enabled, then after function results you should strongly consider outputting a thinking \
            block. Here is an example:

            <\(d)function_calls>
            ...
            </\(d)function_calls>

            <function_results>
            ...
            </function_results>

            <think>...thinking about results</think>

            Here are the functions available in JSONSchema format:
            <functions>

            """
        let schemas = tools.map { DeepSeekTokens.foreign($0.function.serializedString(.python)) }
        return JinjaString(head) + JinjaString.joined(schemas, separator: "\n") + "\n</functions>\n"
    }
}
