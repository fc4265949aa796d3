package import DSEngine
package import DSSupport

/// Why an answer ended, in Anthropic's words.
package struct AnthropicStop: Equatable {
    package let reason: String
    /// The stop sequence that was found.
    package let sequence: String?

    /// - Parameter maximumTokens: what the request allowed; the context may have held less.
    package init(_ result: GenerationResult, calledTools: Bool, maximumTokens: Int?) {
        switch result.reason {
        case .endOfSequence, .stopToken: (reason, sequence) = (calledTools ? "tool_use" : "end_turn", nil)
        case .stopString(let text): (reason, sequence) = ("stop_sequence", text)
        case .length:
            let isFull = result.usage.completionTokens < maximumTokens ?? 0
            (reason, sequence) = (isFull ? "model_context_window_exceeded" : "max_tokens", nil)
        // The one reason for which clients send the answer back to have it continued.
        case .cancelled: (reason, sequence) = ("pause_turn", nil)
        }
    }

    package var json: JSONObject {
        var object = JSONObject()
        object["stop_reason"] = .text(reason)
        object["stop_sequence"] = sequence.map(JSONValue.text) ?? .null
        return object
    }
}

extension TokenUsage {
    /// Tokens that came from a cache are counted apart.
    package var anthropicJSON: JSONValue {
        let counts: JSONValue = [
            "input_tokens": .integer(Int64(promptTokens - cachedPromptTokens)),
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": .integer(Int64(cachedPromptTokens)),
            "output_tokens": .integer(Int64(completionTokens)),
            "output_tokens_details": ["thinking_tokens": .integer(Int64(reasoningTokens))],
        ]
        return withCost(counts)
    }
}

/// The objects of one message.
package struct MessageObjects: Sendable {
    let identity: AnswerIdentity
    let showsThinking: Bool
    let callsOneTool: Bool

    package init(identity: AnswerIdentity, showsThinking: Bool, callsOneTool: Bool) {
        self.identity = identity
        self.showsThinking = showsThinking
        self.callsOneTool = callsOneTool
    }

    /// Clients want one and send it back; it proves nothing here.
    var signature: JSONValue { .text("unsigned_\(identity.id.dropFirst("msg_".count))") }

    func callID(_ index: Int) -> String { "toolu_\(identity.id.dropFirst("msg_".count))_\(index)" }

    package func message(content: [JSONValue], stop: AnthropicStop?, usage: TokenUsage) -> JSONValue {
        var object = JSONObject([
            ("id", .text(identity.id)), ("type", "message"), ("role", "assistant"), ("model", .text(identity.model)),
            ("content", .array(content)), ("stop_reason", nil), ("stop_sequence", nil),
        ])
        for member in stop?.json.members ?? [] { object[member.key] = member.value }
        object["usage"] = usage.anthropicJSON
        return .object(object)
    }

    /// The blocks of a whole answer.
    package func content(_ answer: GenerationDelta) -> [JSONValue] {
        var blocks: [JSONValue] = []
        if !answer.reasoning.isEmpty {
            let text = showsThinking ? answer.reasoning : ""
            blocks.append(["type": "thinking", "thinking": .text(text), "signature": signature])
        }
        if !answer.content.isEmpty { blocks.append(["type": "text", "text": .text(answer.content)]) }
        for call in answer.toolCalls where !callsOneTool || call.index == 0 {
            blocks.append([
                "type": "tool_use", "id": .text(callID(call.index)), "name": .text(call.name ?? ""),
                "input": Self.input(call.arguments),
            ])
        }
        return blocks
    }

    /// The arguments of a call as the object that they must be; text that is none stands under the name `arguments`.
    package static func input(_ arguments: String) -> JSONValue {
        guard let input = try? JSONValue.parse(arguments), input.objectValue != nil else {
            return arguments.isEmpty ? [:] : ["arguments": .text(arguments)]
        }
        return input
    }
}
