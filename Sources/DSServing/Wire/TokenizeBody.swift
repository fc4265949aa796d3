import DSEngine
import DSSupport

/// The body of `POST /tokenize`: vLLM's text or conversation, or llama-server's `content`.
struct TokenizeBody {
    enum Style { case vllm, llama }

    let model: ServedModel
    let style: Style
    let tokens: [Int32]
    /// The answer has the text of every token.
    let wantsPieces: Bool

    init(_ fields: FieldReader, catalog: ModelCatalog) throws {
        model = try catalog.model(named: try fields.string("model"))
        if let content = try fields.string("content") {
            style = .llama
            wantsPieces = try fields.bool("with_pieces") ?? false
            let addsSpecial = try fields.bool("add_special") ?? false
            let parses = try fields.bool("parse_special") ?? true
            tokens =
                parses
                ? try model.generator.encodeParsingControlTokens(content, addsSpecialTokens: addsSpecial)
                : try model.generator.encode(content, addsSpecialTokens: addsSpecial)
            return
        }
        style = .vllm
        wantsPieces = try fields.bool("return_token_strs") ?? false
        if fields.value("messages") != nil {
            tokens = try model.generator.chatTokens(try ConversationFields(fields).request)
        } else if let prompt = try fields.string("prompt") {
            tokens = try model.generator.encode(
                prompt, addsSpecialTokens: try fields.bool("add_special_tokens") ?? true)
        } else {
            throw APIError.field("prompt", expected: "a string, or messages, or content", found: nil)
        }
    }
}
