"""Parameters that ask for what the server does not do: values that ask for nothing pass, others are refused."""

from parameters import QUESTION, TEXT, check

REFUSED = "Refused"
BODIES = {
    "/v1/chat/completions": {"messages": QUESTION}, "/v1/completions": {"prompt": TEXT}, "/v1/responses": {"input": "a"},
}
BOTH = ("/v1/chat/completions", "/v1/completions")
CHAT, COMPLETIONS, RESPONSES = BOTH[:1], BOTH[1:], ("/v1/responses",)

# name: endpoints, a value that is refused, a value that passes
VALUES = {
    "use_beam_search": (BOTH, True, False), "length_penalty": (BOTH, 2, 1), "skip_special_tokens": (BOTH, False, True),
    "logprob_token_ids": (BOTH, [1], []), "return_token_offsets": (BOTH, True, False),
    "repetition_detection": (BOTH, {"max": 1}, None), "watermarking": (BOTH, True, False),
    "kv_transfer_params": (BOTH, {}, None), "mirostat": (BOTH, 2, 0), "dry_multiplier": (BOTH, 0.5, 0),
    "xtc_probability": (BOTH, 0.5, 0), "samplers": (BOTH, ["top_k"], []), "n_probs": (BOTH, 3, 0),
    "dynatemp_range": (BOTH, 0.5, 0), "top_n_sigma": (BOTH, 2, -1), "repeat_last_n": (BOTH, 64, -1),
    "guided_whitespace_pattern": (BOTH, "[ ]", None), "lora": (BOTH, [{"id": 0}], []), "functions": (CHAT, [{"name": "f"}], []),
    "function_call": (CHAT, "auto", "none"), "audio": (CHAT, {}, None), "modalities": (CHAT, ["audio"], ["text"]),
    "web_search_options": (CHAT, {}, None), "chat_template": (CHAT, "x", None), "documents": (CHAT, [{}], []),
    "suffix": (COMPLETIONS, "end", ""), "conversation": (RESPONSES, "c", None), "prompt": (RESPONSES, {}, None),
    "max_tool_calls": (RESPONSES, 3, None),
}


def is_refused(name):
    def run(api):
        endpoints, wrong, harmless = VALUES[name]
        for path in endpoints:
            limit = "max_output_tokens" if path == "/v1/responses" else "max_tokens"
            api.refused(path, {**BODIES[path], name: wrong}, name)
            api.post(path, {**BODIES[path], limit: 1, name: harmless})
    return run


for parameter in VALUES:
    check(REFUSED, parameter)(is_refused(parameter))
