package import DSTokenizers

/// What the text layer needs of a tokenizer.
package protocol TextTokenizer: Sendable {
    /// Token ids of `text`. Text that looks like a control token is only taken as one if `parsesControlTokens`.
    func encode(
        _ text: String, addsSpecialTokens: Bool, parsesControlTokens: Bool
    ) throws(EngineError) -> [Int32]
    /// Decodes a stream of ids to text; control tokens are left out, or written as their text for a parser to see.
    func makeDecoder(showsControlTokens: Bool) -> any TextDecoder
    /// The bytes that one token stands for; may be part of a character.
    func bytes(of token: Int32) -> [UInt8]
    /// Spellings of the tokens that are no text, by id.
    var controlTokens: [Int32: [UInt8]] { get }
}

extension TextTokenizer {
    package var controlTokens: [Int32: [UInt8]] { [:] }
}

/// Decodes ids one after the other, whole characters only.
package protocol TextDecoder: Sendable {
    /// UTF-8 of the characters that became complete.
    mutating func push(_ token: Int32) -> [UInt8]
    /// What is left when nothing follows; incomplete characters become U+FFFD.
    mutating func finish() -> [UInt8]
}

/// Splits a model's output text into its parts, whatever the dialect; fed in pieces.
package protocol OutputParser: Sendable {
    /// The text pushed next belongs to the reasoning, as far as is known.
    var isReasoning: Bool { get }
    mutating func push(_ text: [UInt8]) -> [OutputPiece]
    /// Releases what was held back as a possible beginning of markup.
    mutating func finish() -> [OutputPiece]
}

/// A part of a model's output.
package enum OutputPiece: Sendable, Equatable {
    case reasoning(String)
    case content(String)
    case toolCall(ToolCallDelta)
}

/// Output without structure: everything is content.
package struct PlainOutputParser: OutputParser {
    package init() {}
    package var isReasoning: Bool { false }
    package mutating func push(_ text: [UInt8]) -> [OutputPiece] {
        text.isEmpty ? [] : [.content(String(decoding: text, as: UTF8.self))]
    }
    package mutating func finish() -> [OutputPiece] { [] }
}

/// Turns conversations into prompts and knows how the model's answers are written.
package protocol ChatFormat: Sendable {
    /// Throws `EngineError.promptFailure` for conversations that the format cannot express.
    func prompt(_ request: ChatRequest) throws(EngineError) -> ChatPrompt
}

/// A rendered conversation.
package struct ChatPrompt: Sendable {
    package var tokens: [Int32]
    /// Reads the answer to this prompt.
    package var parser: any OutputParser
    /// How the model writes tool calls.
    package var dialect: OutputDialect

    package init(tokens: [Int32], parser: any OutputParser, dialect: OutputDialect = .plain) {
        self.tokens = tokens
        self.parser = parser
        self.dialect = dialect
    }
}
