import DSEngine
import DSGrammar

extension AnswerConstraint {
    /// What a request's fields ask of the answer; `nil`: nothing.
    /// - Parameter output: what the text shall be, and the field that says so.
    init?(
        _ output: OutputConstraint.Requested?, _ tools: ToolFields? = nil, _ shared: SamplingFields
    ) throws(APIError) {
        switch (output, tools?.choice) {
        case (nil, .required), (nil, .named):
            self.init(.toolCalls(isParallel: tools?.callsInParallel ?? true), field: "tool_choice")
        case (let output?, .required), (let output?, .named):
            throw .invalid(
                "'tool_choice': expected \"auto\" or \"none\", because '\(output.field)' says what the text shall be",
                parameter: "tool_choice")
        case (let output?, _): self.init(.text(try output.constraint.source(output.field)), field: output.field)
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
    fileprivate func source(_ field: String) throws(APIError) -> GrammarSource {
        switch self {
        case .jsonObject: .jsonObject()
        case .jsonSchema(let schema): .jsonSchema(JSONSchemaSource(schema))
        case .regex(let pattern): .regex(pattern)
        case .choice(let texts): .choice(texts)
        case .grammar(let text): .gbnf(text)
        case .structuralTag:
            throw .invalid("'\(field)': structural tags are not supported; use a grammar", parameter: field)
        }
    }
}
