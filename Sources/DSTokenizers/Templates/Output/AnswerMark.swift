/// A piece of markup that never is part of an answer's text.
enum AnswerMark: Sendable, Equatable {
    case thinkOpen, thinkClose
    /// DeepSeek-V3, R1 and V3.1.
    case callsBegin, callsEnd, callBegin, callEnd, separator
    /// The beginnings `<｜DSML｜` and `</｜DSML｜` of a tag, which `DSMLTagReader` reads to its end.
    case tagOpen, tagClose
    /// Qwen and Hermes.
    case toolCallOpen, toolCallClose
    /// Markup of a prompt, which means nothing in an answer.
    case stray

    /// A mark and its spelling.
    typealias Spelling = (mark: AnswerMark, bytes: [UInt8])

    static let thinking = spellings([(.thinkOpen, "<think>"), (.thinkClose, "</think>")])

    static let deepSeek: [Spelling] =
        thinking
        + [
            (.callsBegin, DeepSeekTokens.callsBegin.bytes), (.callsEnd, DeepSeekTokens.callsEnd.bytes),
            (.callBegin, DeepSeekTokens.callBegin.bytes), (.callEnd, DeepSeekTokens.callEnd.bytes),
            (.separator, DeepSeekTokens.separator.bytes), (.stray, DeepSeekTokens.outputBegin.bytes),
            (.stray, DeepSeekTokens.outputEnd.bytes),
        ] + spellings([(.stray, "<｜tool▁outputs▁begin｜>"), (.stray, "<｜tool▁outputs▁end｜>")])

    /// Hosted models were seen to write the bars twice, or as ASCII.
    static let dsml: [Spelling] =
        thinking
        + ["｜DSML｜", "|DSML|", "｜｜DSML｜｜", "||DSML||"].flatMap { token in
            spellings([(.tagOpen, "<" + token), (.tagClose, "</" + token), (.stray, token)])
        }

    static let hermes: [Spelling] =
        thinking
        + spellings([
            (.toolCallOpen, "<tool_call>"), (.toolCallClose, "</tool_call>"), (.stray, "<tool_response>"),
            (.stray, "</tool_response>"),
        ])

    private static func spellings(_ marks: [(AnswerMark, String)]) -> [Spelling] {
        marks.map { ($0.0, Array($0.1.utf8)) }
    }
}

/// What the scanners make of an answer's bytes.
enum AnswerLexeme: Sendable {
    /// Text that holds no mark; may end inside a character.
    case text(ArraySlice<UInt8>)
    case mark(AnswerMark, literal: [UInt8])
    case tag(DSMLTag)

    /// The bytes that it was made of, for places where markup is text.
    var literal: ArraySlice<UInt8> {
        switch self {
        case .text(let bytes): bytes
        case .mark(_, let literal): literal[...]
        case .tag(let tag): tag.literal[...]
        }
    }
}
