import DSSupport

/// Calls of DeepSeek-V3.2, V4 and V4.1: parameters in tags, passed on as the JSON object that they stand for. The three
/// differ in the names of their tags, which are read alike, because models mix them.
struct DSMLToolCallParser: ToolCallParser {
    fileprivate enum State {
        case block
        case invoke(Invocation)
        /// A parameter's text, escaped as it passes.
        case text(Invocation)
        /// A parameter's JSON, held until it is complete.
        case json(Invocation, [UInt8], JSONStringTracker)
        /// A JSON object in place of parameters.
        case object(Invocation, ToolArguments)
    }

    fileprivate struct Invocation {
        let index: Int
        var parameterCount = 0
        /// Text that belongs to nothing has begun.
        var isLoose = false
    }

    private var state = State.block

    /// The empty line before the block.
    let leadingNewlines = 2

    func begins(with lexeme: AnswerLexeme) -> Bool {
        guard case .tag(let tag) = lexeme else { return false }
        return !tag.isClosing && tag.element != .parameter
    }

    mutating func take(_ lexeme: AnswerLexeme, _ output: inout AnswerOutput) -> ToolCallProgress {
        switch lexeme {
        case .tag(let tag): return take(tag, &output)
        case .mark(_, let literal): return takeMark(literal, &output)
        case .text(let text): return take(text, &output)
        }
    }

    mutating func finish(_ output: inout AnswerOutput) {
        if case .json(let call, let value, _) = state { output.write(value, to: call.sink) }
        state = .block
    }

    // MARK: Text

    private mutating func take(_ text: ArraySlice<UInt8>, _ output: inout AnswerOutput) -> ToolCallProgress {
        let old = state
        state = .block  // so that what it holds has one owner
        switch consume old {
        case .block: return text.allSatisfy(\.isBlank) ? .goesOn : .overBefore
        case .invoke(let call): takeBetween(text, call, &output)
        case .text(let call):
            output.write(Self.escaped(text), to: call.sink)
            state = .text(call)
        case .json(let call, var value, var place):
            value += text
            for byte in text { place.push(byte) }
            state = .json(call, value, place)
        case .object(let call, var arguments):
            output.write(arguments.push(text), to: call.sink)
            state = .object(call, arguments)
        }
        return .goesOn
    }

    /// Between the tags of a call: blanks, an object, or text that belongs nowhere and stays visible.
    private mutating func takeBetween(
        _ text: ArraySlice<UInt8>, _ call: Invocation, _ output: inout AnswerOutput
    ) {
        var call = call
        let rest = call.isLoose ? text : text.drop { $0.isBlank }
        if !call.isLoose, call.parameterCount == 0, rest.first == UInt8(ascii: "{") {
            var arguments = ToolArguments()
            output.write(arguments.push(rest), to: call.sink)
            state = .object(call, arguments)
            return
        }
        if !rest.isEmpty {
            call.isLoose = true
            output.write(rest, to: .content)
        }
        state = .invoke(call)
    }

    /// A mark without a meaning here is text of a value, and nothing elsewhere.
    private mutating func takeMark(_ literal: [UInt8], _ output: inout AnswerOutput) -> ToolCallProgress {
        switch state {
        case .block, .invoke: .goesOn
        case .text, .json, .object: take(literal[...], &output)
        }
    }

    // MARK: Tags

    private mutating func take(_ tag: DSMLTag, _ output: inout AnswerOutput) -> ToolCallProgress {
        switch state {
        case .block: return takeInBlock(tag, &output)
        case .invoke(let call): return takeInCall(tag, call, &output)
        case .text(let call):
            guard tag.isClosing else { return take(tag.literal[...], &output) }
            output.write("\"", to: call.sink)
            state = .invoke(call)
        case .json(let call, let value, let place):
            // Outside of its strings JSON holds no tag: the value's own end is missing.
            guard tag.isClosing || !place.isInString else { return take(tag.literal[...], &output) }
            // What is no JSON after all is passed on as a string, so that the arguments stay an object.
            let isValid = (try? JSONValue.parse(value)) != nil
            output.write(isValid ? value : [0x22] + Self.escaped(value[...]) + [0x22], to: call.sink)
            state = .invoke(call)
        case .object(_, let arguments):
            let endsCall = !arguments.isInString && tag.element != .parameter
            guard endsCall || (tag.isClosing && tag.element == .invoke) else {
                return take(tag.literal[...], &output)
            }
            state = .block
            return tag.isClosing && tag.element == .invoke ? .goesOn : takeInBlock(tag, &output)
        }
        // The end of an outer element ends a value whose own end is missing.
        guard tag.element != .parameter || !tag.isClosing, case .invoke(let call) = state else { return .goesOn }
        return takeInCall(tag, call, &output)
    }

    private mutating func takeInBlock(_ tag: DSMLTag, _ output: inout AnswerOutput) -> ToolCallProgress {
        switch (tag.element, tag.isClosing) {
        case (.calls, true): return .over
        case (.parameter, false): return .overBefore
        case (.calls, false), (.invoke, true), (.parameter, true): return .goesOn
        case (.invoke, false):
            let call = Invocation(index: output.beginCall(tag.name))
            if tag.isSelfClosing { output.write("{}", to: call.sink) } else { state = .invoke(call) }
            return .goesOn
        }
    }

    private mutating func takeInCall(
        _ tag: DSMLTag, _ call: Invocation, _ output: inout AnswerOutput
    ) -> ToolCallProgress {
        var call = call
        call.isLoose = false
        switch (tag.element, tag.isClosing) {
        case (.parameter, false):
            let lead = call.parameterCount == 0 ? "{\"" : ", \""
            output.write(Array(lead.utf8) + Self.escaped(tag.name[...]) + Array("\": ".utf8), to: call.sink)
            call.parameterCount += 1
            if tag.isSelfClosing {
                output.write(tag.isText ? "\"\"" : "null", to: call.sink)
                state = .invoke(call)
            } else if tag.isText {
                output.write("\"", to: call.sink)
                state = .text(call)
            } else {
                state = .json(call, [], JSONStringTracker())
            }
            return .goesOn
        case (.parameter, true):
            state = .invoke(call)
            return .goesOn
        case (.invoke, _), (.calls, _):
            output.write(call.parameterCount == 0 ? "{}" : "}", to: call.sink)
            state = .block
            return tag.element == .invoke && tag.isClosing ? .goesOn : takeInBlock(tag, &output)
        }
    }

    /// The inside of a JSON string, as Python writes it without `ensure_ascii`.
    private static func escaped(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var writer = JSONWriter(format: .python)
        writer.write(string: Array(text))
        return Array(writer.output.dropFirst().dropLast())
    }
}

extension DSMLToolCallParser.Invocation {
    fileprivate var sink: AnswerOutput.Sink { .arguments(call: index) }
}
