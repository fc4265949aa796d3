import DSEngine
import DSGrammar

extension AnswerConstraint {
    /// What a request's fields ask of the answer; `nil`: nothing.
    /// - Parameter output: what the text shall be, and the field that says so.
    init?(
        _ output: OutputConstraint.Requested?, _ tools: ToolFields? = nil, _ shared: SamplingFields
    ) throws(APIError) {
        let isParallel = tools?.callsInParallel ?? true
        switch (output, tools?.choice) {
        // Where calls are forced there is no text that could follow a format.
        case (_, .required), (_, .named): self.init(.toolCalls(isParallel: isParallel), field: "tool_choice")
        case (let output?, .auto) where tools?.tools.isEmpty == false:
            self.init(
                .textOrToolCalls(output.constraint.source, isParallel: isParallel), field: output.field)
        case (let output?, _): self.init(.text(output.constraint.source), field: output.field)
        case (nil, _): return nil
        }
        // Both at once may leave no token at all.
        for (field, isUsed) in [
            ("allowed_token_ids", shared.sampling.allowedTokens != nil),
            ("bad_words", !shared.sampling.bannedSequences.isEmpty),
        ] where isUsed {
            throw .invalid("'\(field)': expected nothing beside '\(self.field)', found tokens", parameter: field)
        }
    }
}

extension OutputConstraint {
    fileprivate var source: GrammarSource {
        switch self {
        case .jsonObject: .jsonObject()
        case .jsonSchema(let schema): .jsonSchema(JSONSchemaSource(schema))
        case .regex(let pattern): .regex(pattern)
        case .choice(let texts): .choice(texts)
        case .grammar(let text): .gbnf(text)
        case .structuralTag(let tag): .structuralTag(StructuralTagSource(tag))
        }
    }
}
