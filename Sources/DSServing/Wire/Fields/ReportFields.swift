import DSEngine

/// What an answer tells about tokens beside its text.
package struct ReportFields: Sendable {
    /// Alternatives per token of the prompt; `nil`: no log-probabilities of the prompt.
    package var promptLogprobs: Int?
    /// The answer has the ids of the prompt and of every choice.
    package var tokenIDs: Bool
    /// Log-probabilities name tokens as `token_id:N`, which every token has, rather than by text.
    package var tokensAsIDs: Bool
    /// Reasoning is part of the answer.
    package var reasoning: Bool

    package init(_ fields: FieldReader, streams: Bool) throws(APIError) {
        promptLogprobs = try fields.integer("prompt_logprobs")
        tokenIDs = try fields.bool("return_token_ids") ?? false
        tokensAsIDs = try fields.bool("return_tokens_as_token_ids") ?? false
        reasoning = try fields.bool("include_reasoning") ?? true
        if streams, promptLogprobs != nil {
            throw .invalid(
                "'prompt_logprobs': expected nothing, because stream is true, found a number",
                parameter: "prompt_logprobs")
        }
    }
}
