import DSSupport

/// Calls of Qwen and Hermes models: one JSON object in each `<tool_call>`; a call is reported when it is complete.
struct HermesToolCallParser: ToolCallParser {
    /// The text of the open call, and what of it may be shown.
    private var body: [UInt8]?
    private var visible: [UInt8] = []
    private var place = JSONStringTracker()

    /// One newline before a call is markup.
    let leadingNewlines = 1

    func begins(with lexeme: AnswerLexeme) -> Bool {
        guard case .mark(.toolCallOpen, _) = lexeme else { return false }
        return true
    }

    mutating func take(_ lexeme: AnswerLexeme, _ output: inout AnswerOutput) -> ToolCallProgress {
        switch lexeme {
        case .mark(.toolCallOpen, let literal):
            // In a string it is text; elsewhere the end of the call before is missing.
            if place.isInString {
                append(literal[...])
            } else {
                finish(&output)
                body = []
            }
        case .mark(.toolCallClose, _): finish(&output)
        case .text(let text) where body == nil: return text.allSatisfy(\.isBlank) ? .goesOn : .overBefore
        case .text(let text):
            append(text)
            visible += text
        case .mark, .tag: append(lexeme.literal)
        }
        return .goesOn
    }

    private mutating func append(_ text: ArraySlice<UInt8>) {
        body?.append(contentsOf: text)
        for byte in text { place.push(byte) }
    }

    /// What is no call stays visible.
    mutating func finish(_ output: inout AnswerOutput) {
        guard let text = body else { return }
        defer {
            body = nil
            visible = []
            place = JSONStringTracker()
        }
        guard let (name, arguments) = Self.call(text) else {
            output.write(visible, to: .content)
            return
        }
        let call = output.beginCall(name)
        output.write(arguments, to: .arguments(call: call))
    }

    private static func call(_ text: [UInt8]) -> (name: [UInt8], arguments: [UInt8])? {
        guard let json = try? JSONValue.parse(text), let name = json["name"]?.bytesValue, !name.isEmpty else {
            return nil
        }
        guard let arguments = json["arguments"] ?? json["parameters"] else { return (name, Array("{}".utf8)) }
        let key = json["arguments"] == nil ? "parameters" : "arguments"
        let written = JSONMembers.text(of: key, in: text).map { Array($0) }
        return (name, arguments.bytesValue ?? written ?? arguments.serialized(.python))
    }
}
