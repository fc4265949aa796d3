/// The tool calls of one dialect, read as a state machine over lexemes. A call that cannot be understood becomes content,
/// without its marks; a call that the answer's end cuts off keeps its arguments as far as they came, so that they are not
/// taken for complete.
protocol ToolCallParser: Sendable {
    /// Newlines in front of a call that belong to its markup.
    var leadingNewlines: Int { get }
    /// Whether calls begin with this lexeme, which `take` then reads.
    func begins(with lexeme: AnswerLexeme) -> Bool
    mutating func take(_ lexeme: AnswerLexeme, _ output: inout AnswerOutput) -> ToolCallProgress
    /// The answer is over.
    mutating func finish(_ output: inout AnswerOutput)
}

enum ToolCallProgress {
    /// The lexeme was read; the calls go on.
    case goesOn
    /// The lexeme was read and ended the calls.
    case over
    /// The calls were over before this lexeme.
    case overBefore
}

extension UInt8 {
    /// White space as JSON and Python's `strip` see it in ASCII.
    var isBlank: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
}

extension Collection<UInt8> where SubSequence == ArraySlice<UInt8> {
    /// Without blanks at both ends.
    var withoutBlanks: ArraySlice<UInt8> {
        var rest = self[...].drop { $0.isBlank }
        while let last = rest.last, last.isBlank { rest.removeLast() }
        return rest
    }
}
