internal import DSSupport
package import DSTokenizers

/// A model's own chat template, or the encoder of its family.
package struct TemplateChatFormat: ChatFormat {
    private let encoder: any PromptEncoder
    private let tokenizer: Tokenizer

    /// `nil` if the model has no template and its tokens name no family.
    package init?(template: String?, tokenizer: Tokenizer) throws(EngineError) {
        func spelling(_ id: Int32?) -> String? { id.flatMap { tokenizer.addedToken($0)?.content } }
        do {
            guard
                let encoder = try PromptEncoders.make(
                    template: template, controlTokens: tokenizer.addedTokens.map(\.content),
                    bos: spelling(tokenizer.bosID), eos: spelling(tokenizer.eosID))
            else { return nil }
            self.encoder = encoder
        } catch {
            throw .promptFailure("\(error)")
        }
        self.tokenizer = tokenizer
    }

    package func prompt(_ request: ChatRequest) throws(EngineError) -> ChatPrompt {
        do {
            let text = try encoder.render(conversation(request))
            return ChatPrompt(
                tokens: try text.encode(with: tokenizer),
                parser: AnswerOutputParser(
                    AnswerParser(dialect: encoder.dialect, inReasoning: text.endsInReasoning)), dialect: encoder.dialect
            )
        } catch {
            throw .promptFailure("\(error)")
        }
    }

    private func conversation(_ request: ChatRequest) throws(PromptError) -> Conversation {
        var messages: [ConversationMessage] = []
        for (index, json) in request.messages.enumerated() {
            messages.append(try ConversationMessage(json: json, index: index))
        }
        var conversation = Conversation(messages)
        for (index, json) in request.tools.enumerated() {
            conversation.tools.append(try ToolDefinition(json: json, index: index))
        }
        conversation.thinking = request.thinking
        conversation.arguments = request.templateArguments
        conversation.addsGenerationPrompt = request.addsGenerationPrompt && !request.continuesFinalMessage
        conversation.continuesFinalMessage = request.continuesFinalMessage
        return conversation
    }
}

/// The answer parser of the templates as the text layer sees it.
package struct AnswerOutputParser: OutputParser {
    private var parser: AnswerParser

    package init(_ parser: AnswerParser) { self.parser = parser }

    package var isReasoning: Bool { parser.isReasoning }

    package mutating func push(_ text: [UInt8]) -> [OutputPiece] { parser.push(text).map(Self.piece) }

    package mutating func finish() -> [OutputPiece] { parser.finish().map(Self.piece) }

    private static func piece(_ event: AnswerEvent) -> OutputPiece {
        switch event {
        case .reasoning(let text): .reasoning(text)
        case .content(let text): .content(text)
        case .toolCall(let index, let name, let arguments):
            .toolCall(ToolCallDelta(index: index, name: name, arguments: arguments))
        }
    }
}
