import DSEngine
import DSSupport

/// The objects of a chat completion, whole and streamed.
struct ChatObjects: Sendable {
    let identity: AnswerIdentity
    /// More than one tool call per answer.
    let isParallel: Bool
    /// Reasoning is part of the answer.
    let hasReasoning: Bool

    /// What of an answer its client wants to see.
    func visible(_ delta: GenerationDelta) -> GenerationDelta {
        var delta = delta
        if !hasReasoning { delta.reasoning = "" }
        if !isParallel { delta.toolCalls.removeAll { $0.index > 0 } }
        return delta
    }

    func message(_ answer: GenerationDelta) -> JSONValue {
        let hasCalls = !answer.toolCalls.isEmpty
        var message = JSONObject([
            ("role", "assistant"),
            ("content", answer.content.isEmpty && hasCalls ? .null : .text(answer.content)), ("refusal", nil),
        ])
        insert(reasoning: answer.reasoning, into: &message)
        if hasCalls {
            let calls = answer.toolCalls.map { call -> JSONValue in
                [
                    "id": .text(callID(call.index)), "type": "function",
                    "function": ["name": .text(call.name ?? ""), "arguments": .text(call.arguments)],
                ]
            }
            message.insert("tool_calls", .array(calls))
        }
        return .object(message)
    }

    func delta(_ delta: GenerationDelta) -> JSONObject {
        var object = JSONObject()
        insert(reasoning: delta.reasoning, into: &object)
        if !delta.content.isEmpty { object.insert("content", .text(delta.content)) }
        if !delta.toolCalls.isEmpty { object.insert("tool_calls", .array(delta.toolCalls.map(piece))) }
        return object
    }

    /// SGLang, llama-server and DeepSeek call it reasoning_content, vLLM and Ollama reasoning: clients find either.
    private func insert(reasoning: String, into object: inout JSONObject) {
        guard !reasoning.isEmpty else { return }
        object.insert("reasoning_content", .text(reasoning))
        object.insert("reasoning", .text(reasoning))
    }

    private func piece(_ call: ToolCallDelta) -> JSONValue {
        var function = JSONObject()
        if let name = call.name { function.insert("name", .text(name)) }
        function.insert("arguments", .text(call.arguments))
        var piece = JSONObject([("index", .integer(Int64(call.index)))])
        if call.name != nil {
            piece.insert("id", .text(callID(call.index)))
            piece.insert("type", "function")
        }
        piece.insert("function", .object(function))
        return .object(piece)
    }

    private func callID(_ index: Int) -> String { "call_\(identity.name)_\(index)" }
}
