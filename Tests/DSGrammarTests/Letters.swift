import DSGrammar
import DSSupport

/// Vocabularies and shortcuts of these tests.
enum Letters {
    /// Every byte as a token, and pieces that cross what grammars tell apart. Control tokens and the end behind them.
    static let pieces: [[UInt8]] =
        (0..<256).map { [UInt8($0)] }
        + [
            "{\"", "\":", "\": ", "\",", "\", \"", "\"}", "}}", "\"]", "[]", "{}", ", ", "true", "false", "null", "12",
            "3.5",
            "e-", "name", "age", "ab", "abc", "  ", "\n\n", "你", "好你", "\\\"", "\\u", "```", "</", "0", "00", "-1",
        ].map { Array($0.utf8) } + [[0xE4, 0xBD], [0xA0, 0x22], [0x22, 0xF0, 0x9F]]
    static let end = Int32(pieces.count)
    static let marker = end + 1
    static let vocabulary = GrammarVocabulary(
        texts: pieces + [Array("<end>".utf8), Array("<call>".utf8), []],
        controlTokens: [marker: Array("<call>".utf8)], endTokens: [end])

    static func compile(_ source: GrammarSource) throws -> CompiledGrammar {
        try CompiledGrammar(source, vocabulary: vocabulary)
    }

    static func schema(
        _ text: String, whitespace: JSONWhitespace = .optionalSpace, closesObjects: Bool = true
    ) throws -> GrammarSource {
        .jsonSchema(
            JSONSchemaSource(try JSONValue.parse(text), whitespace: whitespace, closesObjects: closesObjects))
    }

    static func accepts(_ grammar: CompiledGrammar, _ text: String) throws -> Bool {
        var matcher = GrammarMatcher(grammar)
        return try matcher.accept(bytes: text.utf8) && matcher.isComplete
    }
}
