import DSEngine
import DSSupport

/// One item of a response's output: reasoning, a message or a call of a function.
struct ResponseItem: Sendable {
    enum Kind: Sendable {
        case reasoning, message, call

        var eventPrefix: String {
            switch self {
            case .reasoning: "response.reasoning_text"
            case .message: "response.output_text"
            case .call: "response.function_call_arguments"
            }
        }
    }

    let kind: Kind
    let id: String
    /// Text, or a call's arguments.
    var text = ""
    var logprobs: [JSONValue] = []
    var sealed: String?
    let callIndex: Int?
    let callName: String
    private let callID: String

    init(_ kind: Kind, name: String, index: Int, call: ToolCallDelta?) {
        self.kind = kind
        let prefix =
            switch kind {
            case .reasoning: "rs"
            case .message: "msg"
            case .call: "fc"
            }
        id = "\(prefix)_\(name)_\(index)"
        callIndex = call?.index
        callName = call?.name ?? ""
        callID = "call_\(name)_\(call?.index ?? 0)"
    }

    func object(_ status: ResponseTranscript.Status) -> JSONValue {
        let isOpen = status == .inProgress
        switch kind {
        case .reasoning:
            var object = JSONObject([
                ("id", .text(id)), ("type", "reasoning"), ("summary", []),
                ("content", isOpen ? [] : [["type": "reasoning_text", "text": .text(text)]]),
                ("status", .text(status.rawValue)),
            ])
            if let sealed { object.insert("encrypted_content", .text(sealed)) }
            return .object(object)
        case .message:
            let content: JSONValue = isOpen ? [] : part(ended: true).map { [$0] } ?? []
            return [
                "id": .text(id), "type": "message", "role": "assistant", "status": .text(status.rawValue),
                "content": content,
            ]
        case .call:
            return [
                "id": .text(id), "type": "function_call", "status": .text(status.rawValue), "call_id": .text(callID),
                "name": .text(callName), "arguments": .text(text),
            ]
        }
    }

    /// A message's part; nothing for other items.
    func part(ended: Bool) -> JSONValue? {
        guard kind == .message else { return nil }
        return [
            "type": "output_text", "text": .text(ended ? text : ""), "annotations": [],
            "logprobs": .array(ended ? logprobs : []),
        ]
    }
}
