import DSSupport

/// DeepSeek-V4 and V4.1, which ship an encoding program instead of a template: results of tools stand in the user's turn, in
/// the order of the calls; thinking of earlier turns is dropped unless there are tools.
package struct DeepSeekV4Encoder: PromptEncoder {
    package enum Version: Sendable { case v4, v41 }

    private typealias Token = DeepSeekTokens

    private let version: Version
    private var writer: DSMLCallWriter { version == .v4 ? .v4 : .v41 }
    package var dialect: OutputDialect { version == .v4 ? .deepSeekV4 : .deepSeekV41 }

    package init(_ version: Version) { self.version = version }

    package func render(_ conversation: Conversation) throws(PromptError) -> PromptText {
        var messages = conversation.messages
        if !conversation.tools.isEmpty || conversation.responseFormat != nil, messages.first?.role != .system {
            messages.insert(ConversationMessage(.system, ""), at: 0)
        }
        let thinking = conversation.thinking ?? false
        let dropsThinking = conversation.tools.isEmpty
        var turns = try merged(messages)
        if thinking, dropsThinking { turns = withoutOldDevelopers(turns) }
        let lastUser = turns.indices.last { isUser(turns[$0], $0) } ?? -1
        var out = Token.begin
        let effort = thinking ? try effort(conversation) : ""
        if version == .v41, !effort.bytes.isEmpty || turns.first?.role == .system { out.append(Token.system) }
        out.append(effort)
        for (index, turn) in turns.enumerated() {
            let isKept = !dropsThinking || index > lastUser
            let endsOpen = index == turns.count - 1 && conversation.continuesFinalMessage
            out.append(
                body(turn, index == 0 ? conversation : nil, isFirst: index == 0, thinking: thinking && isKept, endsOpen)
            )
            guard isUser(turn, index), index + 1 == turns.count || turns[index + 1].role == .assistant else { continue }
            if index + 1 == turns.count, !conversation.addsGenerationPrompt { continue }
            let opens = thinking && (!dropsThinking || index >= lastUser)
            out.append(Token.assistant + (opens ? Token.thinkStart : Token.thinkEnd))
        }
        guard conversation.continuesFinalMessage else { return PromptText(out) }
        guard turns.last?.role == .assistant else { throw .conversation("only an assistant's text can be continued") }
        return PromptText(out, continues: true)
    }

    // MARK: Turns

    /// What the model sees as one turn.
    private struct Turn {
        var role: ConversationMessage.Role
        /// Of a user: texts and results of tools.
        var parts: [JinjaString]
        var message: ConversationMessage
        /// Where results of tools stand in `parts`, and which calls they answer.
        var results: [(part: Int, call: String?)] = []
    }

    private func merged(_ messages: [ConversationMessage]) throws(PromptError) -> [Turn] {
        var turns: [Turn] = []
        for (index, message) in messages.enumerated() {
            guard message.role == .user || message.role == .tool else {
                if message.role == .developer, message.content?.isEmpty ?? true {
                    throw .message(index: index, reason: "a developer message needs content")
                }
                turns.append(Turn(role: message.role, parts: [], message: message))
                continue
            }
            if turns.last?.role != .user { turns.append(Turn(role: .user, parts: [], message: message)) }
            var part = Token.foreign(message.content ?? "")
            if message.role == .tool { part = "<tool_result>" + part + "</tool_result>" }
            let last = turns.count - 1
            if message.role == .tool { turns[last].results.append((turns[last].parts.count, message.toolCallID)) }
            turns[last].parts.append(part)
        }
        sortResults(&turns)
        return turns
    }

    /// Results in the order of the calls that they answer; those of unknown calls count as the first's.
    private func sortResults(_ turns: inout [Turn]) {
        var order: [String: Int] = [:]
        for index in turns.indices {
            let calls = turns[index].message.toolCalls
            if turns[index].role == .assistant, !calls.isEmpty {
                order = [:]
                for (position, call) in calls.enumerated() { if let id = call.id { order[id] = position } }
            }
            let results = turns[index].results
            guard results.count > 1, !order.isEmpty else { continue }
            let positions = results.map { $0.call.flatMap { order[$0] } ?? 0 }
            let sorted = results.indices.sorted { (positions[$0], $0) < (positions[$1], $1) }
            let parts = sorted.map { turns[index].parts[results[$0].part] }
            for (result, part) in zip(results, parts) { turns[index].parts[result.part] = part }
        }
    }

    private func isUser(_ turn: Turn) -> Bool { turn.role == .user || turn.role == .developer }

    /// V4.1 answers a system message in the middle of a conversation as it does a user's.
    private func isUser(_ turn: Turn, _ index: Int) -> Bool {
        isUser(turn) || (version == .v41 && turn.role == .system && index > 0)
    }

    private func withoutOldDevelopers(_ turns: [Turn]) -> [Turn] {
        let last = turns.indices.last { isUser(turns[$0], $0) } ?? -1
        return turns.enumerated().filter { $0.offset >= last || $0.element.role != .developer }.map(\.element)
    }

    // MARK: Text

    private func body(
        _ turn: Turn, _ conversation: Conversation?, isFirst: Bool, thinking: Bool, _ endsOpen: Bool
    ) -> JinjaString {
        let content = Token.foreign(turn.message.content ?? "")
        switch turn.role {
        case .system:
            var out = version == .v41 && !isFirst ? Token.system + content : content
            if let tools = conversation?.tools, !tools.isEmpty { out.append("\n\n" + describe(tools)) }
            if let format = conversation?.responseFormat {
                out.append("\n\n## Response Format:\n\nYou MUST strictly adhere to the following schema to reply:\n")
                out.append(Token.foreign(format.serializedString(.python)))
            }
            return out
        case .developer: return Token.user + content
        case .user, .tool: return Token.user + JinjaString.joined(turn.parts, separator: "\n\n")
        case .assistant:
            var out = JinjaString()
            if thinking { out.append(Token.foreign(turn.message.reasoning ?? "") + Token.thinkEnd) }
            out.append(content)
            if endsOpen { return out }
            if !turn.message.toolCalls.isEmpty { out.append(writer.calls(turn.message.toolCalls.map(invocation))) }
            return out + Token.end
        }
    }

    /// Arguments that are no object stand as they are, under the name `arguments`.
    private func invocation(_ call: ConversationToolCall) -> JinjaString {
        let arguments = DSMLCallWriter.arguments(call) ?? JSONObject([("arguments", .text(call.arguments))])
        return writer.invocation(call.name, arguments)
    }

    /// How hard to think, from `chat_template_kwargs`. Words of the models' own encoders; V4's later revision reads them
    /// differently.
    private func effort(_ conversation: Conversation) throws(PromptError) -> JinjaString {
        let value = conversation.arguments["reasoning_effort"]
        if version == .v41 {
            let named = ["low": 25, "medium": 50, "high": 50, "xhigh": 75, "max": 100]
            let budget = value == nil ? 50 : value?.intValue ?? value?.stringValue.flatMap { named[$0] }
            guard let budget, (1...100).contains(budget) else {
                throw .conversation(
                    "'reasoning_effort': expected 1…100 or one of \(named.keys.sorted()), found "
                        + (value?.serializedString() ?? "nothing"))
            }
            return JinjaString(
                "Reasoning Effort: \(budget) (range 1-100, the higher the value, the more thorough the reasoning)\n\n")
        }
        guard value?.stringValue == "max" else { return "" }
        return JinjaString(
            """
            Reasoning Effort: Absolute maximum with no shortcuts permitted.
            You MUST be very thorough in your thinking and comprehensively decompose the problem to resolve the root cause, \
            rigorously stress-testing your logic against all potential paths, edge cases, and adversarial scenarios.
            Explicitly write out your entire deliberation process, documenting every intermediate step, considered \
            alternative, and rejected hypothesis to ensure absolutely no assumption is left unchecked.


            """)
    }

    private func describe(_ tools: [ToolDefinition]) -> JinjaString {
        let w = writer
        let head = """
            ## Tools

            You have access to a set of tools to help answer the user's question. You can invoke tools by writing a \
            "\(w.open(w.block))>" block like the following:

            \(w.open(w.block))>
            \(w.open(w.invoke)) name="$TOOL_NAME">
            \(w.open(w.parameter)) name="$PARAMETER_NAME" string="true|false">$PARAMETER_VALUE\(w.close(w.parameter))
            ...
            \(w.close(w.invoke))
            \(w.open(w.invoke)) name="$TOOL_NAME2">
            ...
            \(w.close(w.invoke))
            \(w.close(w.block))

            String parameters should be specified as is and set `string="true"`. For all other types (numbers, booleans, \
            arrays, objects), pass the value in JSON format and set `string="false"`.

            If thinking_mode is enabled (triggered by <think>), you MUST output your complete reasoning inside \
            <think>...</think> BEFORE any tool calls or final response.

            Otherwise, output directly after </think> with tool calls or final response.

            ### Available Tool Schemas


            """
        let schemas = tools.map { Token.foreign($0.function.serializedString(.python)) }
        return JinjaString(head) + JinjaString.joined(schemas, separator: "\n")
            + "\n\nYou MUST strictly follow the above defined tool name and parameter schemas to invoke tool calls.\n"
    }
}
