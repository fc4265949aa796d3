/// Splits an answer into thinking, content and tool calls while it is generated: a pure state machine over pieces of text.
///
/// The joined events are the same however the text is cut, and no mark of the dialect passes into thinking or content.
/// Thinking ends at the first `</think>` (or where a tool call begins); a `<think>` at the very start of an answer opens it,
/// whether or not the prompt already did. Marks in places where they mean nothing are dropped, what stood around them is
/// not: a call that cannot be understood becomes content. In the arguments of a call, all text is passed on byte for byte.
package struct AnswerParser: Sendable {
    private enum State { case start, text, calls, afterCalls }

    private var state = State.start
    private var scanner: MarkScanner
    private var tagReader: DSMLTagReader?
    private var tools: (any ToolCallParser)?
    private var output = AnswerOutput()
    /// Blanks that are dropped if markup follows.
    private var waiting: [UInt8] = []
    /// The prompt or the answer opened thinking, and it has not ended yet.
    package private(set) var isReasoning: Bool
    /// How many bytes were looked at: the measure of the work.
    package var examinedBytes: Int { scanner.examinedBytes + readBytes }
    private var readBytes = 0

    /// - Parameter inReasoning: the prompt ended inside the model's thinking.
    package init(dialect: OutputDialect, inReasoning: Bool) {
        scanner = MarkScanner(dialect.marks)
        tools = dialect.makeToolParser()
        tagReader = dialect.hasTags ? DSMLTagReader() : nil
        isReasoning = inReasoning
    }

    /// The events that more text makes certain.
    package mutating func push(_ text: some Collection<UInt8>) -> [AnswerEvent] {
        for lexeme in scanner.push(text) { read(lexeme) }
        return output.take()
    }

    /// The answer is over: what was held back is what it looks like.
    package mutating func finish() -> [AnswerEvent] {
        for lexeme in scanner.finish() { read(lexeme) }
        for lexeme in tagReader?.finish() ?? [] { take(lexeme) }
        if state == .calls { tools?.finish(&output) } else if state != .afterCalls { emit(waiting[...]) }
        waiting = []
        return output.finish()
    }

    private mutating func read(_ lexeme: AnswerLexeme) {
        guard let lexemes = tagReader?.push(lexeme) else { return take(lexeme) }
        for lexeme in lexemes { take(lexeme) }
    }

    private mutating func take(_ lexeme: AnswerLexeme) {
        readBytes += lexeme.literal.count
        guard state == .calls else { return takeOutside(lexeme) }
        switch tools?.take(lexeme, &output) {
        case .goesOn: break
        case .over, nil: state = .afterCalls
        case .overBefore:
            state = .afterCalls
            takeOutside(lexeme)
        }
    }

    private mutating func takeOutside(_ lexeme: AnswerLexeme) {
        if let tools, tools.begins(with: lexeme) {
            enterCalls(lexeme)
            return
        }
        switch lexeme {
        case .text(let text): write(text)
        case .mark(let mark, _): pass(mark)
        case .tag(let tag):
            // A parameter outside of a call.
            if !tag.isClosing { write(tag.visible[...]) }
        }
    }

    private mutating func enterCalls(_ lexeme: AnswerLexeme) {
        let newlines = tools?.leadingNewlines ?? 0
        let isMarkup = waiting.count >= newlines && waiting.suffix(newlines).allSatisfy { $0 == 0x0A }
        emit(isMarkup ? waiting.dropLast(newlines) : waiting[...])
        waiting = []
        isReasoning = false
        state = .calls
        take(lexeme)
    }

    private mutating func pass(_ mark: AnswerMark) {
        switch (state, mark) {
        case (.start, .thinkOpen):
            // Blanks in front of it are no answer.
            waiting = []
            isReasoning = true
            state = .text
        case (_, .thinkClose) where isReasoning:
            emit(waiting[...])
            waiting = []
            isReasoning = false
            state = .text
        default: break
        }
    }

    private mutating func write(_ text: ArraySlice<UInt8>) {
        var text = text
        switch state {
        case .afterCalls:
            text = text.drop { $0.isBlank }
            if text.isEmpty { return }
            state = .text
        case .start:
            if text.allSatisfy(\.isBlank) {
                waiting += text
                return
            }
            emit(waiting[...])
            waiting = []
            state = .text
        case .text, .calls: break
        }
        hold(text)
    }

    /// Passes text on, but for newlines at its end that may belong to a call.
    private mutating func hold(_ text: ArraySlice<UInt8>) {
        let limit = tools?.leadingNewlines ?? 0
        let newlines = text.reversed().prefix(limit).prefix { $0 == 0x0A }.count
        if newlines < text.count {
            emit(waiting[...])
            waiting = []
        } else if waiting.count + newlines > limit {
            let certain = waiting.count + newlines - limit
            emit(waiting.prefix(certain))
            waiting.removeFirst(certain)
        }
        emit(text.dropLast(newlines))
        waiting += text.suffix(newlines)
    }

    private mutating func emit(_ text: ArraySlice<UInt8>) {
        output.write(text, to: isReasoning ? .reasoning : .content)
    }
}
