/// How a family of models marks thinking and tool calls in its answers.
package enum OutputDialect: String, Sendable, CaseIterable {
    /// `<think>` and `</think>` only.
    case plain
    /// DeepSeek-V3 and R1: `function<｜tool▁sep｜>NAME`, then the arguments in a fenced JSON block.
    case deepSeekV3
    /// DeepSeek-V3.1: `NAME<｜tool▁sep｜>JSON`.
    case deepSeekV31
    /// DeepSeek-V3.2: DSML, the calls in `<｜DSML｜function_calls>`.
    case deepSeekV32
    /// DeepSeek-V4: DSML, the calls in `<｜DSML｜tool_calls>`.
    case deepSeekV4
    /// DeepSeek-V4.1: DSML with a space in front of the tags' names, the calls in `<｜DSML｜ calls>`.
    case deepSeekV41
    /// Qwen and Hermes: `<tool_call>{"name": …, "arguments": …}</tool_call>`.
    case hermes

    /// The dialect that a chat template shows its model.
    package static func detect(template: String) -> OutputDialect {
        if template.contains("｜DSML｜") {
            if template.contains("｜ invoke") || template.contains("｜ calls") { return .deepSeekV41 }
            // Templates write the name of the block behind the token or behind a variable that holds it.
            return template.contains("tool_calls>") ? .deepSeekV4 : .deepSeekV32
        }
        if template.contains("<｜tool▁sep｜>") { return template.contains("```json") ? .deepSeekV3 : .deepSeekV31 }
        return template.contains("<tool_call>") ? .hermes : .plain
    }

    /// Tags follow the marks.
    var hasTags: Bool { self == .deepSeekV32 || self == .deepSeekV4 || self == .deepSeekV41 }

    var marks: [AnswerMark.Spelling] {
        switch self {
        case .plain: AnswerMark.thinking
        case .deepSeekV3, .deepSeekV31: AnswerMark.deepSeek
        case .deepSeekV32, .deepSeekV4, .deepSeekV41: AnswerMark.dsml
        case .hermes: AnswerMark.hermes
        }
    }

    func makeToolParser() -> (any ToolCallParser)? {
        switch self {
        case .plain: nil
        case .deepSeekV3, .deepSeekV31: DeepSeekToolCallParser()
        case .deepSeekV32, .deepSeekV4, .deepSeekV41: DSMLToolCallParser()
        case .hermes: HermesToolCallParser()
        }
    }
}
