import DSSupport

/// The fields of the bodies, as `/openapi.json` lists them; `docs/api.md` has the same rows.
enum FieldLists {
    static let model = APIField("model", APISchema.string, "Name of the model; not needed where there is one.")

    static let sampling: [APIField] = [
        APIField("temperature", APISchema.number(0...2), "Divides the logits; 0 is greedy."),
        APIField("top_p", APISchema.number(0.01...1), "Keeps the most probable tokens up to this probability."),
        APIField("top_k", APISchema.integer(-1...1000), "Keeps so many tokens; 0 or -1: all."),
        APIField("min_p", APISchema.number(0...1), "Keeps tokens of this fraction of the largest probability."),
        APIField("typical_p", APISchema.number(0.01...1), "Locally typical sampling."),
        APIField("repetition_penalty", APISchema.number(0.1...10), "Divides logits of tokens that occurred."),
        APIField("repeat_penalty", APISchema.number(0.1...10), "The same, as llama-server calls it."),
        APIField("presence_penalty", APISchema.number(-2...2), "Subtracted from tokens of the output."),
        APIField("frequency_penalty", APISchema.number(-2...2), "Subtracted per occurrence in the output."),
        APIField("logit_bias", APISchema.object, "Token ids and values in -100...100 that are added."),
        APIField("allowed_token_ids", APISchema.integers, "Only these tokens."),
        APIField("bad_words", APISchema.strings, "Words that do not occur in the answer."),
        APIField("seed", APISchema.integer(), "Repeats a draw."),
        APIField("n", APISchema.integer(1...4), "Answers per prompt."),
    ]

    static let stopping: [APIField] = [
        APIField("max_tokens", APISchema.integer(0...64), "Tokens of the answer, at most."),
        APIField("n_predict", APISchema.integer(0...64), "The same, as llama-server calls it."),
        APIField("max_completion_tokens", APISchema.integer(0...64), "The newer name; it wins."),
        APIField("min_tokens", APISchema.integer(0...8), "Nothing ends the answer before."),
        APIField("stop", APISchema.either(APISchema.string, APISchema.strings), "Texts that end the answer."),
        APIField("stop_token_ids", APISchema.integers, "Tokens that end the answer."),
        APIField("ignore_eos", APISchema.boolean, "The model's end tokens are ordinary tokens."),
        APIField("include_stop_str_in_output", APISchema.boolean, "The stop string is part of the answer."),
        APIField("thinking_token_budget", APISchema.integer(0...64), "Tokens of thinking, at most."),
        APIField("truncate_prompt_tokens", APISchema.integer(-1...64), "Shortens the prompt; -1: to what fits."),
        APIField("truncation_side", APISchema.words("left", "right"), "Where tokens go."),
    ]

    static let reports: [APIField] = [
        APIField("stream", APISchema.boolean, "Server-sent events."),
        APIField("stream_options", APISchema.object, "include_usage, continuous_usage_stats."),
        APIField("prompt_logprobs", APISchema.integer(0...20), "Log-probabilities of the prompt."),
        APIField("return_token_ids", APISchema.boolean, "The answer has the ids of prompt and choices."),
        APIField("return_tokens_as_token_ids", APISchema.boolean, "Log-probabilities name tokens by id."),
        APIField("request_id", APISchema.string, "Part of the answer's id."),
    ]

    static let accepted: [APIField] = [
        APIField("user", APISchema.string, "Accepted; no effect."),
        APIField("metadata", APISchema.object, "Accepted; no effect."),
        APIField("store", APISchema.boolean, "Accepted; no effect."),
        APIField("service_tier", APISchema.string, "Accepted; no effect."),
        APIField("prompt_cache_key", APISchema.string, "Accepted; no effect."),
        APIField("safety_identifier", APISchema.string, "Accepted; no effect."),
        APIField("verbosity", APISchema.string, "Accepted; no effect."),
    ]

    /// The prompt of Anthropic's messages.
    static let messages: [APIField] = [
        APIField("model", APISchema.string, "Name of the model.", required: true),
        APIField("messages", APISchema.array(APISchema.object), "The conversation.", required: true),
        APIField("system", APISchema.either(APISchema.string, APISchema.array(APISchema.object)), "System text."),
        APIField("tools", APISchema.array(APISchema.object), "Tools with name, description and input_schema."),
        APIField("tool_choice", APISchema.object, "auto, any, tool or none; disable_parallel_tool_use."),
        APIField("thinking", APISchema.object, "enabled (with budget_tokens), adaptive or disabled; display."),
        APIField("output_config", APISchema.object, "effort; format: json_schema."),
    ]

    static let messageOptions: [APIField] = [
        APIField("max_tokens", APISchema.integer(1...64), "Tokens of the answer, at most.", required: true),
        APIField("temperature", APISchema.number(0...1), "Divides the logits; 0 is greedy."),
        APIField("top_p", APISchema.number(0.01...1), "Keeps the most probable tokens up to this probability."),
        APIField("top_k", APISchema.integer(-1...1000), "Keeps so many tokens; 0 or -1: all."),
        APIField("stop_sequences", APISchema.strings, "Texts that end the answer."),
        APIField("stream", APISchema.boolean, "Server-sent events."),
    ]

    static let scheduling: [APIField] = [
        APIField("priority", APISchema.integer(), "Lower runs first."),
        APIField("cache_salt", APISchema.string, "Separates cached prefixes."),
        APIField("timeout", APISchema.number(), "Seconds until the request fails."),
    ]

    static let structure: [APIField] = [
        APIField("response_format", APISchema.object, "text, json_object, json_schema, structural_tag."),
        APIField("structured_outputs", APISchema.object, "json, regex, choice, grammar, json_object, structural_tag."),
        APIField("guided_json", APISchema.any, "The older name of structured_outputs.json."),
        APIField("guided_regex", APISchema.string, "The older name of structured_outputs.regex."),
        APIField("guided_choice", APISchema.strings, "The older name of structured_outputs.choice."),
        APIField("guided_grammar", APISchema.string, "The older name of structured_outputs.grammar."),
        APIField("structural_tag", APISchema.any, "The older name of structured_outputs.structural_tag."),
        APIField("grammar", APISchema.string, "llama-server's grammar (GBNF)."),
        APIField("json_schema", APISchema.object, "llama-server's schema."),
    ]

    private static let shared = [model] + sampling + stopping + reports + structure + scheduling + accepted

    private static let message: JSONValue = APIObject([
        APIField("role", APISchema.words("system", "developer", "user", "assistant", "tool"), "", required: true),
        APIField("content", APISchema.either(APISchema.string, APISchema.array(APISchema.object)), ""),
        APIField("tool_calls", APISchema.array(APISchema.object), ""),
        APIField("tool_call_id", APISchema.string, ""),
        APIField("reasoning_content", APISchema.string, ""),
    ]).schema

    static let conversation: [APIField] = [
        APIField("messages", APISchema.array(message), "The conversation.", required: true),
        APIField("tools", APISchema.array(APISchema.object), "Functions that the model may call."),
        APIField("thinking", APISchema.object, "{type: enabled or disabled}."),
        APIField("chat_template_kwargs", APISchema.object, "Variables for the template."),
        APIField("reasoning_effort", APISchema.string, "none turns thinking off, all else on."),
        APIField("add_generation_prompt", APISchema.boolean, "The prompt ends where an answer begins."),
        APIField("continue_final_message", APISchema.boolean, "The answer continues the last message."),
    ]

    static let chat: [APIField] =
        conversation + [
            APIField("tool_choice", APISchema.any, "none, auto, required, a function or allowed_tools."),
            APIField("parallel_tool_calls", APISchema.boolean, "false: one call at most."),
            APIField("logprobs", APISchema.boolean, "Log-probabilities of the answer's tokens."),
            APIField("top_logprobs", APISchema.integer(0...20), "Alternatives per token."),
            APIField("include_reasoning", APISchema.boolean, "false leaves the reasoning out."),
        ] + shared

    static let response: [APIField] =
        [
            APIField(
                "input", APISchema.either(APISchema.string, APISchema.array(APISchema.object)), "", required: true),
            APIField("instructions", APISchema.string, "A system message before all others."),
            APIField("previous_response_id", APISchema.string, "The response that this one continues."),
            APIField("max_output_tokens", APISchema.integer(1...64), "Tokens of the answer, reasoning included."),
            APIField("tools", APISchema.array(APISchema.object), "Functions that the model may call."),
            APIField("tool_choice", APISchema.any, "none, auto, required, a function or allowed_tools."),
            APIField("parallel_tool_calls", APISchema.boolean, "false: one call at most."),
            APIField("text", APISchema.object, "format: text, json_object, json_schema."),
            APIField("reasoning", APISchema.object, "effort: none turns thinking off, all else on."),
            APIField("truncation", APISchema.words("auto", "disabled"), "auto leaves the earliest messages out."),
            APIField("include", APISchema.strings, "message.output_text.logprobs, reasoning.encrypted_content."),
            APIField("top_logprobs", APISchema.integer(0...20), "Alternatives per token."),
            APIField("background", APISchema.boolean, "The answer can be asked for later."),
            APIField("store", APISchema.boolean, "false: the response is not kept."),
            APIField("stream", APISchema.boolean, "Server-sent events."),
            APIField("temperature", APISchema.number(0...2), "Divides the logits; 0 is greedy."),
            APIField("top_p", APISchema.number(0.01...1), "Keeps the most probable tokens up to this probability."),
            APIField("metadata", APISchema.object, "Repeated in the response."),
            model,
        ]

    static let embedding: [APIField] = [
        model,
        APIField(
            "input",
            APISchema.either(
                APISchema.string, APISchema.strings, APISchema.integers, APISchema.array(APISchema.integers)),
            "Texts or token ids.", required: true),
        APIField("encoding_format", APISchema.words("float", "base64"), "How vectors are written."),
        APIField("dimensions", APISchema.integer(1...64), "Leading components that stay."),
        APIField("truncate_prompt_tokens", APISchema.integer(-1...64), "Shortens the input; -1: to what fits."),
        APIField("truncation_side", APISchema.words("left", "right"), "Where tokens go."),
        APIField("user", APISchema.string, "Accepted; no effect."),
    ]

    static let completion: [APIField] =
        [
            APIField(
                "prompt",
                APISchema.either(
                    APISchema.string, APISchema.strings, APISchema.integers, APISchema.array(APISchema.integers)),
                "Text or token ids.", required: true),
            APIField("logprobs", APISchema.integer(0...20), "Log-probabilities of the answer's tokens."),
            APIField("echo", APISchema.boolean, "The answer begins with its prompt."),
            APIField("best_of", APISchema.integer(1...4), "Computes so many answers, gives the n most probable."),
            APIField("add_special_tokens", APISchema.boolean, "A text prompt begins with the model's first token."),
        ] + shared
}
