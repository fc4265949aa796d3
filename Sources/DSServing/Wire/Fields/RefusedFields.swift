import DSSupport

/// Fields of other servers whose effect this one does not have. A request that asks for the effect is refused; one that
/// says it does not want it passes.
enum RefusedFields {
    struct Field {
        let name: String
        /// Values that ask for nothing.
        let harmless: [JSONValue]
        let reason: String

        init(_ name: String, _ harmless: [JSONValue] = [], _ reason: String) {
            self.name = name
            self.harmless = harmless
            self.reason = reason
        }
    }

    static let generation = [
        Field("use_beam_search", [false], "beam search is not supported"),
        Field("length_penalty", [1], "it belongs to beam search, which is not supported"),
        Field("skip_special_tokens", [true], "control tokens are never part of the text"),
        Field("logprob_token_ids", [[]], "log-probabilities are those of the most probable tokens"),
        Field("return_token_offsets", [false], "offsets are not supported"),
        Field("repetition_detection", [], "it is not supported"),
        Field("watermarking", [false], "it is not supported"),
        Field("kv_transfer_params", [], "caches are not transferred between servers"),
        Field("mirostat", [0], "it is not supported"),
        Field("dry_multiplier", [0], "it is not supported"),
        Field("xtc_probability", [0], "it is not supported"),
        Field("lora", [[]], "adapters are not supported"),
        Field("samplers", [[]], "the order of samplers is fixed"),
        Field("n_probs", [0], "use logprobs"),
        Field("dynatemp_range", [0], "it is not supported"),
        Field("top_n_sigma", [-1, 0], "it is not supported"),
        Field("repeat_last_n", [-1], "penalties count the whole context"),
        Field("guided_whitespace_pattern", [], "white space between JSON's tokens is fixed"),
    ]

    static let chat = [
        Field("echo", [false], "use continue_final_message"),
        Field("functions", [[]], "use tools"),
        Field("function_call", ["none"], "use tool_choice"),
        Field("audio", [], "this server writes text only"),
        Field("modalities", [["text"], []], "this server writes text only"),
        Field("web_search_options", [], "this server has no web search"),
        Field("chat_template", [], "the model's own template is used"),
        Field("add_special_tokens", [false], "the model's template writes them"),
        Field("documents", [[]], "put documents into a message"),
    ]

    static let response = [
        Field("conversation", [], "use previous_response_id"),
        Field("prompt", [], "prompt templates are not stored here"),
        Field("max_tool_calls", [], "this server runs no tools of its own"),
    ]

    static let completion = [
        Field("suffix", [""], "the models have no training for it")
    ]

    static func check(_ fields: FieldReader, _ lists: [Field]...) throws(APIError) {
        for field in lists.joined() {
            guard let value = fields.value(field.name), !field.harmless.contains(where: { isSame($0, value) }) else {
                continue
            }
            let allowed = field.harmless.map { $0.serializedString() } + ["nothing"]
            throw .invalid(
                "'\(fields.name(field.name))': expected \(allowed.joined(separator: " or ")) (\(field.reason))",
                parameter: fields.name(field.name))
        }
    }

    private static func isSame(_ left: JSONValue, _ right: JSONValue) -> Bool {
        if let left = left.doubleValue, let right = right.doubleValue { return left == right }
        return left == right
    }
}
