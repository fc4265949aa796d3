/// The control tokens that the DeepSeek formats write.
enum DeepSeekTokens {
    static let begin: JinjaString = "<｜begin▁of▁sentence｜>"
    static let end: JinjaString = "<｜end▁of▁sentence｜>"
    static let user: JinjaString = "<｜User｜>"
    static let assistant: JinjaString = "<｜Assistant｜>"
    /// V4.1
    static let system: JinjaString = "<｜System｜>"
    static let thinkStart: JinjaString = "<think>"
    static let thinkEnd: JinjaString = "</think>"
    static let callsBegin: JinjaString = "<｜tool▁calls▁begin｜>"
    static let callsEnd: JinjaString = "<｜tool▁calls▁end｜>"
    static let callBegin: JinjaString = "<｜tool▁call▁begin｜>"
    static let callEnd: JinjaString = "<｜tool▁call▁end｜>"
    static let separator: JinjaString = "<｜tool▁sep｜>"
    static let outputBegin: JinjaString = "<｜tool▁output▁begin｜>"
    static let outputEnd: JinjaString = "<｜tool▁output▁end｜>"
    static let dsml = "｜DSML｜"

    /// Text of a message or tool.
    static func foreign(_ text: String) -> JinjaString { JinjaString(Array(text.utf8), foreign: true) }
}
