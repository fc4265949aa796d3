/// Turns conversations into the text that a model was trained on, and knows how it writes its answers.
package protocol PromptEncoder: Sendable {
    func render(_ conversation: Conversation) throws(PromptError) -> PromptText
    /// How answers mark thinking and tool calls.
    var dialect: OutputDialect { get }
}

/// Chooses the encoder of a model.
package enum PromptEncoders {
    /// - Parameters:
    ///   - template: the model's chat template, if it ships one.
    ///   - controlTokens: spellings of the tokenizer's added tokens, which tell apart the formats without a template.
    ///   - bos, eos: spellings of the tokens around a sequence, for templates.
    package static func make(
        template: String?, controlTokens: some Sequence<String>, bos: String?, eos: String?
    ) throws(PromptError) -> (any PromptEncoder)? {
        if let template {
            let isV31 =
                template.contains("<｜tool▁sep｜>") && template.contains("thinking") && !template.contains("```json")
            if isV31 && !ChatTemplate.readsTools(template) { return DeepSeekV31Encoder() }
            return try ChatTemplate(template, bos: bos, eos: eos)
        }
        let tokens = Set(controlTokens)
        guard tokens.contains("<｜User｜>"), tokens.contains("<｜Assistant｜>") else { return nil }
        // V4.1 has a token for the system's turn, V4 one for reminders; both names are new with them.
        if tokens.contains("<｜System｜>") { return DeepSeekV4Encoder(.v41) }
        if tokens.contains("<｜latest_reminder｜>") { return DeepSeekV4Encoder(.v4) }
        if tokens.contains("｜DSML｜") { return DeepSeekV32Encoder() }
        return tokens.contains("<think>") ? DeepSeekV31Encoder() : nil
    }
}
