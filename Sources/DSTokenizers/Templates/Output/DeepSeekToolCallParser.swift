/// Calls of DeepSeek-V3 and R1 (`function<｜tool▁sep｜>NAME`, then fenced JSON) and of V3.1 (`NAME<｜tool▁sep｜>JSON`). Models
/// write the one where the other was asked for, and leave out marks: either form is read wherever it stands.
struct DeepSeekToolCallParser: ToolCallParser {
    private enum State {
        case between
        /// Before the separator: a name, or the word `function`.
        case header([UInt8])
        /// Behind `function` and the separator: the name up to the end of its line.
        case name(header: [UInt8], [UInt8])
        case arguments(call: Int, ToolArguments)
    }

    private static let function = Array("function".utf8)

    private var state = State.between

    let leadingNewlines = 0

    func begins(with lexeme: AnswerLexeme) -> Bool {
        // The outer mark is sometimes missing.
        guard case .mark(let mark, _) = lexeme else { return false }
        return mark == .callsBegin || mark == .callBegin
    }

    mutating func take(_ lexeme: AnswerLexeme, _ output: inout AnswerOutput) -> ToolCallProgress {
        switch lexeme {
        case .text(let text): return take(text, &output)
        case .mark(let mark, let literal): return take(mark, literal, &output)
        case .tag: return .goesOn
        }
    }

    mutating func finish(_ output: inout AnswerOutput) { leave(cutOff: true, &output) }

    private mutating func take(_ text: ArraySlice<UInt8>, _ output: inout AnswerOutput) -> ToolCallProgress {
        switch state {
        case .between: return text.allSatisfy(\.isBlank) ? .goesOn : .overBefore
        case .header(var header):
            state = .between
            header += text
            state = .header(header)
        case .name(let header, let name): readName(header, name, text, &output)
        case .arguments(let call, var arguments):
            state = .between
            output.write(arguments.push(text), to: .arguments(call: call))
            state = .arguments(call: call, arguments)
        }
        return .goesOn
    }

    private mutating func readName(
        _ header: [UInt8], _ before: [UInt8], _ text: ArraySlice<UInt8>, _ output: inout AnswerOutput
    ) {
        state = .between
        var name = before
        for index in text.indices {
            let byte = text[index]
            let isArgument = byte == UInt8(ascii: "{") || byte == UInt8(ascii: "`")
            if isArgument || (byte == 0x0A && !name.isEmpty) {
                // Arguments at once: `function` was the name.
                begin(name.isEmpty ? header : name, &output)
                _ = take(text[index...], &output)
                return
            }
            if !name.isEmpty || !byte.isBlank { name.append(byte) }
        }
        state = .name(header: header, name)
    }

    private mutating func take(
        _ mark: AnswerMark, _ literal: [UInt8], _ output: inout AnswerOutput
    ) -> ToolCallProgress {
        switch mark {
        case .separator:
            guard case .header(let header) = state else { return takeLiteral(literal, &output) }
            let name = Array(header.withoutBlanks)
            if name == Self.function {
                state = .name(header: name, [])
            } else if name.isEmpty {
                // Without a name there is no call: what follows is text.
                state = .between
            } else {
                begin(name, &output)
            }
        case .callBegin:
            if case .arguments(_, let arguments) = state, arguments.isInString { return takeLiteral(literal, &output) }
            leave(cutOff: false, &output)
            state = .header([])
        case .callEnd: leave(cutOff: false, &output)
        case .callsEnd:
            leave(cutOff: false, &output)
            return .over
        case .callsBegin, .thinkOpen, .thinkClose, .tagOpen, .tagClose, .toolCallOpen, .toolCallClose, .stray:
            return takeLiteral(literal, &output)
        }
        return .goesOn
    }

    /// A mark that has no meaning here: text of the arguments, and nothing elsewhere.
    private mutating func takeLiteral(_ literal: [UInt8], _ output: inout AnswerOutput) -> ToolCallProgress {
        guard case .arguments(let call, var arguments) = state else { return .goesOn }
        state = .between
        output.write(arguments.push(literal[...]), to: .arguments(call: call))
        state = .arguments(call: call, arguments)
        return .goesOn
    }

    private mutating func begin(_ name: [UInt8], _ output: inout AnswerOutput) {
        state = .arguments(call: output.beginCall(Array(name.withoutBlanks)), ToolArguments())
    }

    /// Ends what is open. A call without arguments has none, unless they were cut off.
    private mutating func leave(cutOff: Bool, _ output: inout AnswerOutput) {
        switch state {
        case .between: break
        case .header(let text): output.write(text, to: .content)
        case .name(_, let name) where cutOff: output.write(name, to: .content)
        case .name(let header, let name):
            let call = output.beginCall(Array((name.isEmpty ? header : name).withoutBlanks))
            output.write("{}", to: .arguments(call: call))
        case .arguments(let call, var arguments):
            let rest = arguments.end()
            output.write(rest, to: .arguments(call: call))
            if arguments.isEmpty, rest.isEmpty, !cutOff { output.write("{}", to: .arguments(call: call)) }
        }
        state = .between
    }
}
