"""Parameters that chat completions and completions share."""

import json

from parameters import QUESTION, check

BOTH = "Both"


@check(BOTH, "model")
def model(api):
    assert api.complete(model="deepseek")["model"] == "deepseek"
    assert api.complete()["model"] == "deepseek"
    assert api.post("/v1/completions", {"model": "absent", "prompt": "a"}, 404)["error"]["code"] == "model_not_found"


@check(BOTH, "temperature")
def temperature(api):
    assert len({api.text(temperature=0) for _ in range(3)}) == 1
    assert len({api.text(temperature=2, seed=seed) for seed in range(4)}) > 1
    api.refused_text("temperature", -1)


def is_greedy(api, **fields):
    return {api.text(temperature=2, seed=seed, **fields) for seed in range(3)} == {api.text()}


@check(BOTH, "top_p")
def top_p(api):
    assert is_greedy(api, top_p=0.0001) and not is_greedy(api)
    api.refused_text("top_p", 0)


@check(BOTH, "top_k")
def top_k(api):
    assert is_greedy(api, top_k=1) and not is_greedy(api, top_k=-1) and not is_greedy(api, top_k=0)
    api.refused_text("top_k", -2)


@check(BOTH, "min_p")
def min_p(api):
    assert is_greedy(api, min_p=1)
    api.refused_text("min_p", 2)


@check(BOTH, "typical_p")
def typical_p(api):
    def draws(**fields):
        return [api.text(temperature=2, seed=seed, **fields) for seed in range(6)]
    assert draws(typical_p=0.05) != draws()
    api.refused_text("typical_p", 0)


@check(BOTH, "repetition_penalty", "presence_penalty", "frequency_penalty")
def penalties(api):
    def most_frequent(**fields):
        ids = api.ids(max_tokens=80, ignore_eos=True, **fields)
        return max(ids.count(token) for token in ids)
    plain = most_frequent()
    assert most_frequent(frequency_penalty=2) < plain
    assert most_frequent(repetition_penalty=3) < plain
    assert api.ids(max_tokens=80, ignore_eos=True, presence_penalty=2) != api.ids(max_tokens=80, ignore_eos=True)
    for name in ["presence_penalty", "frequency_penalty"]:
        api.refused_text(name, 3)
    api.refused_text("repetition_penalty", 0)


@check(BOTH, "repeat_penalty", "n_predict")
def llama_servers_names(api):
    ids = api.ids(n_predict=40, ignore_eos=True, max_tokens=None)
    assert len(ids) == 40
    assert api.ids(n_predict=40, ignore_eos=True, max_tokens=7) == ids[:7]
    assert api.ids(n_predict=-1, ignore_eos=True, max_tokens=7) == ids[:7]
    heavy = api.ids(n_predict=40, ignore_eos=True, max_tokens=None, repeat_penalty=3)
    assert heavy != ids
    assert heavy == api.ids(n_predict=40, ignore_eos=True, max_tokens=None, repetition_penalty=3, repeat_penalty=1)
    api.refused_text("repeat_penalty", "abc")
    api.refused_text("n_predict", "abc")
    api.refused_text("n_predict", -2)


@check(BOTH, "logit_bias")
def logit_bias(api):
    assert set(api.ids(logit_bias={"300": 100})) == {300}
    api.refused_text("logit_bias", {"x": 1}, "logit_bias.x")


@check(BOTH, "allowed_token_ids")
def allowed_token_ids(api):
    assert set(api.ids(allowed_token_ids=[300, 301])) <= {300, 301}
    api.refused_text("allowed_token_ids", [])
    api.refused_text("allowed_token_ids", [10_000_000])


@check(BOTH, "bad_words")
def bad_words(api):
    word = next(word for word in api.text(max_tokens=20).split() if word.isalpha())
    assert word not in api.text(max_tokens=20, bad_words=[word])
    api.refused_text("bad_words", [1])


@check(BOTH, "seed")
def seed(api):
    assert api.text(temperature=2, seed=3) == api.text(temperature=2, seed=3)
    assert len({api.text(temperature=2, seed=seed) for seed in range(4)}) > 1
    api.refused_text("seed", 1.5)


@check(BOTH, "n")
def n(api):
    choices = api.complete(n=3, temperature=2, seed=1)["choices"]
    assert [choice["index"] for choice in choices] == [0, 1, 2]
    assert choices[1]["text"] == api.text(temperature=2, seed=2)
    api.refused_text("n", 0)


@check(BOTH, "max_tokens", "max_completion_tokens")
def max_tokens(api):
    answer = api.complete(max_tokens=3, ignore_eos=True)
    assert answer["usage"]["completion_tokens"] == 3 and answer["choices"][0]["finish_reason"] == "length"
    assert api.complete(max_tokens=3, max_completion_tokens=5, ignore_eos=True)["usage"]["completion_tokens"] == 5
    api.refused_text("max_tokens", -1)
    api.refused_text("max_completion_tokens", -1)
    assert api.post("/v1/completions", {"prompt": "a", "max_tokens": 10_000_000}, 400)["error"]["code"] == (
        "context_length_exceeded")


@check(BOTH, "min_tokens")
def min_tokens(api):
    first = api.ids()[0]
    assert api.complete(stop_token_ids=[first])["usage"]["completion_tokens"] == 1
    assert api.complete(stop_token_ids=[first], min_tokens=4)["usage"]["completion_tokens"] >= 4
    api.refused_text("min_tokens", 5)


@check(BOTH, "stop")
def stop(api):
    whole = api.text(max_tokens=20)
    middle = whole[len(whole) // 2:len(whole) // 2 + 2]
    for value in [middle, ["never to be found", middle]]:
        choice = api.complete(max_tokens=20, stop=value)["choices"][0]
        assert choice["text"] == whole[:whole.index(middle)] and choice["finish_reason"] == "stop"
        assert choice["stop_reason"] == middle
    api.refused_text("stop", 5)


@check(BOTH, "stop_token_ids")
def stop_token_ids(api):
    ids = api.ids()
    choice = api.complete(stop_token_ids=[ids[2]])["choices"][0]
    assert choice["finish_reason"] == "stop" and choice["stop_reason"] == ids[2]
    api.refused_text("stop_token_ids", ["a"], "stop_token_ids[0]")


@check(BOTH, "ignore_eos")
def ignore_eos(api):
    assert api.chat(max_tokens=290)["choices"][0]["finish_reason"] == "stop"
    assert api.chat(max_tokens=290, ignore_eos=True)["usage"]["completion_tokens"] == 290
    api.refused_text("ignore_eos", "yes")


@check(BOTH, "include_stop_str_in_output")
def include_stop(api):
    whole = api.text(max_tokens=20)
    middle = whole[len(whole) // 2:len(whole) // 2 + 2]
    text = api.text(max_tokens=20, stop=middle, include_stop_str_in_output=True)
    assert text == whole[:whole.index(middle) + len(middle)]
    api.refused_text("include_stop_str_in_output", 1)


@check(BOTH, "thinking_token_budget")
def thinking_token_budget(api):
    thinking = {"chat_template_kwargs": {"thinking": True}}

    def reasoning(**fields):
        answer = api.chat(**thinking, **fields)
        message = answer["choices"][0]["message"]
        return answer["usage"]["completion_tokens_details"]["reasoning_tokens"], message
    free, _ = reasoning()
    assert free > 10
    for budget in [0, 4]:
        used, message = reasoning(thinking_token_budget=budget)
        # The mark of the end counts as reasoning.
        assert budget <= used <= budget + 1 and message["content"] and "think>" not in json.dumps(message)
    assert reasoning(thinking_token_budget=290)[0] == free
    api.refused_chat("thinking_token_budget", -1)


@check(BOTH, "truncate_prompt_tokens", "truncation_side")
def truncate_prompt_tokens(api):
    prompt = api.post("/tokenize", {"prompt": "one two three four five six"})["tokens"]

    def read(**fields):
        return api.complete(prompt=prompt, return_token_ids=True, **fields)["choices"][0]["prompt_token_ids"]
    assert read(truncate_prompt_tokens=2) == prompt[-2:]
    assert read(truncate_prompt_tokens=2, truncation_side="right") == prompt[:2]
    long = prompt * 1000
    api.refused_text("truncate_prompt_tokens", 0)
    api.refused_text("truncation_side", "middle")
    assert api.complete(prompt=long, truncate_prompt_tokens=-1)["usage"]["prompt_tokens"] == (
        api.post("/tokenize", {"prompt": ""})["max_model_len"] - 8)


@check(BOTH, "stream")
def stream(api):
    chunks = api.chunks("/v1/completions", {"prompt": "The weather", "max_tokens": 8, "temperature": 0})
    assert "".join(chunk["choices"][0]["text"] for chunk in chunks) == api.text()
    assert chunks[-1]["choices"][0]["finish_reason"] == "length" and len({chunk["id"] for chunk in chunks}) == 1
    api.refused_text("stream", 1)


@check(BOTH, "stream_options")
def stream_options(api):
    body = {"prompt": "The weather", "max_tokens": 4, "temperature": 0, "ignore_eos": True}
    for path, body in [("/v1/completions", body), ("/v1/chat/completions", {**body, "messages": QUESTION})]:
        chunks = api.chunks(path, {**body, "stream_options": {"include_usage": True}})
        assert all(chunk["usage"] is None for chunk in chunks[:-1])
        assert chunks[-1]["choices"] == [] and chunks[-1]["usage"]["completion_tokens"] == 4
        chunks = api.chunks(path, {
            **body, "stream_options": {"include_usage": True, "continuous_usage_stats": True}})
        counts = [chunk["usage"]["completion_tokens"] for chunk in chunks]
        assert counts == sorted(counts) and counts[-1] == 4 and len(set(counts)) > 2
        assert "usage" not in api.chunks(path, body)[0]
    api.refused_text("stream_options", True)


@check(BOTH, "prompt_logprobs")
def prompt_logprobs(api):
    ids = api.post("/tokenize", {"prompt": "The weather"})["tokens"]
    entries = api.complete(prompt_logprobs=2)["choices"][0]["prompt_logprobs"]
    assert entries[0] is None and len(entries) == len(ids)
    for token, entry in zip(ids[1:], entries[1:]):
        assert entry[str(token)]["logprob"] <= 0 and len(entry) in (2, 3)
    answer = api.chat(prompt_logprobs=0, max_tokens=1)
    assert len(answer["prompt_logprobs"]) == answer["usage"]["prompt_tokens"]
    api.refused_text("prompt_logprobs", 21)
    api.refused("/v1/completions", {"prompt": "a", "stream": True, "prompt_logprobs": 1}, "prompt_logprobs")


@check(BOTH, "return_token_ids")
def return_token_ids(api):
    choice = api.complete(return_token_ids=True)["choices"][0]
    assert choice["prompt_token_ids"] == api.post("/tokenize", {"prompt": "The weather"})["tokens"]
    assert api.post("/detokenize", {"tokens": choice["token_ids"]})["prompt"] == choice["text"]
    answer = api.chat(return_token_ids=True, max_tokens=4)
    assert len(answer["prompt_token_ids"]) == answer["usage"]["prompt_tokens"]
    assert len(answer["choices"][0]["token_ids"]) == 4
    chunks = api.chunks("/v1/completions", {
        "prompt": "The weather", "max_tokens": 8, "temperature": 0, "return_token_ids": True})
    assert sum((chunk["choices"][0].get("token_ids", []) for chunk in chunks), []) == choice["token_ids"]


@check(BOTH, "return_tokens_as_token_ids")
def return_tokens_as_token_ids(api):
    choice = api.complete(return_tokens_as_token_ids=True, return_token_ids=True, logprobs=0)["choices"][0]
    assert choice["logprobs"]["tokens"] == [f"token_id:{token}" for token in choice["token_ids"]]


@check(BOTH, "request_id")
def request_id(api):
    assert api.complete(request_id="mine-1")["id"] == "cmpl-mine-1"
    assert api.chat(request_id="mine-2", max_tokens=1)["id"] == "chatcmpl-mine-2"
    api.refused_text("request_id", "with space")


@check(BOTH, "priority")
def priority(api):
    assert api.text(priority=-5) == api.text()
    api.refused_text("priority", "high")


@check(BOTH, "timeout")
def timeout(api):
    assert api.text(timeout=60) == api.text()
    api.refused_text("timeout", 0)
    api.refused_text("timeout", "soon")


@check(BOTH, "cache_salt", "user", "service_tier", "prompt_cache_key", "safety_identifier", "verbosity")
def accepted_texts(api):
    for name in ["cache_salt", "user", "service_tier", "prompt_cache_key", "safety_identifier", "verbosity"]:
        assert api.text(**{name: "x"}) == api.text()
        api.refused_text(name, 5)


@check(BOTH, "metadata")
def metadata(api):
    assert api.text(metadata={"a": "b"}) == api.text()
    api.refused_text("metadata", {"a": 1}, "metadata.a")


@check(BOTH, "store")
def store(api):
    assert api.text(store=True) == api.text()
    api.refused_text("store", "yes")
