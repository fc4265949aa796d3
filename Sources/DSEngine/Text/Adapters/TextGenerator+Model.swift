package import DSModels

extension TextGenerator {
    /// Starts an engine over a loaded model, with the model's own tokenizer and chat format.
    /// - Parameters:
    ///   - store: keeps computed prompts below memory; see `BlockStore`.
    ///   - chatTemplate: used instead of the model's own.
    package convenience init(
        model: LoadedModel, configuration: EngineConfiguration, store: (any BlockStore)? = nil,
        chatTemplate: String? = nil,
        onPageIn: @escaping PageIn.Report = { _, _ in true }
    ) throws(EngineError) {
        let tokenizer = try ModelTokenizer.make(model.tokenizer)
        let format = try TemplateChatFormat(
            template: chatTemplate ?? model.tokenizer.chatTemplate, tokenizer: tokenizer)
        self.init(
            engine: try Engine(model: model, configuration: configuration, store: store, onPageIn: onPageIn),
            tokenizer: ModelTextTokenizer(tokenizer), chatFormat: format)
    }
}
