package import DSModels

extension TextGenerator {
    /// Starts an engine over a loaded model, with the model's own tokenizer and chat format.
    package convenience init(
        model: LoadedModel, configuration: EngineConfiguration, onPageIn: @escaping PageIn.Report = { _, _ in true }
    ) throws(EngineError) {
        let tokenizer = try ModelTokenizer.make(model.tokenizer)
        let format = try TemplateChatFormat(template: model.tokenizer.chatTemplate, tokenizer: tokenizer)
        self.init(
            engine: try Engine(model: model, configuration: configuration, onPageIn: onPageIn),
            tokenizer: ModelTextTokenizer(tokenizer), chatFormat: format)
    }
}
