"""Parameters of single endpoints."""

import json
import time

import requests

from parameters import QUESTION, TEXT, WEATHER, check

CHAT, COMPLETIONS, RESPONSES = "Chat completions", "Completions", "Responses"
CITY = [{"role": "user", "content": "What is the weather in Paris?"}]


@check(CHAT, "messages")
def messages(api):
    assert "42" in api.message()["content"]
    parts = [{"role": "user", "content": [{"type": "text", "text": "What is 12 + 30?"}]}]
    assert api.message(messages=parts) == api.message()
    assert api.message(messages=[{"role": "developer", "content": "x"}] + QUESTION) == (
        api.message(messages=[{"role": "system", "content": "x"}] + QUESTION))
    api.refused_chat("messages", [])
    image = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]
    api.refused_chat("messages", image, "messages[0].content[0].type")


@check(CHAT, "tools")
def tools(api):
    choice = api.chat(messages=CITY, tools=[WEATHER])["choices"][0]
    call = choice["message"]["tool_calls"][0]
    assert choice["finish_reason"] == "tool_calls" and call["function"]["name"] == "get_weather"
    assert json.loads(call["function"]["arguments"]) == {"city": "Paris"}
    api.refused_chat("tools", [{"type": "magic"}], "tools[0].type")
    for field, value in [("description", 5), ("parameters", "x"), ("parameters", [1])]:
        wrong = [{"type": "function", "function": {"name": "f", field: value}}]
        api.refused_chat("tools", wrong, f"tools[0].function.{field}")


@check(CHAT, "parallel_tool_calls")
def parallel_tool_calls(api):
    answer = api.message(messages=CITY, tools=[WEATHER], parallel_tool_calls=False)
    assert len(answer["tool_calls"]) == 1
    api.refused_chat("parallel_tool_calls", "no")


@check(CHAT, "thinking")
def thinking(api):
    assert api.message(thinking={"type": "enabled"}, max_tokens=20)["reasoning"]
    assert "reasoning" not in api.message(thinking={"type": "disabled"}, max_tokens=20)
    api.refused_chat("thinking", {"type": "maybe"}, "thinking.type")


@check(CHAT, "chat_template_kwargs")
def chat_template_kwargs(api):
    assert api.message(chat_template_kwargs={"thinking": True}, max_tokens=20)["reasoning"]
    assert "reasoning" not in api.message(chat_template_kwargs={"enable_thinking": False}, max_tokens=20)
    api.refused_chat("chat_template_kwargs", {"thinking": 1}, "chat_template_kwargs.thinking")


@check(CHAT, "reasoning_effort")
def reasoning_effort(api):
    body = {"chat_template_kwargs": {}, "max_tokens": 20}
    assert api.message(reasoning_effort="high", **body)["reasoning"]
    assert "reasoning" not in api.message(reasoning_effort="none", **body)
    api.refused_chat("chat_template_kwargs", 5)


@check(CHAT, "include_reasoning")
def include_reasoning(api):
    thinking = {"chat_template_kwargs": {"thinking": True}}
    assert "reasoning" in api.message(**thinking)
    whole = api.message(include_reasoning=False, **thinking)
    assert "reasoning" not in whole and "reasoning_content" not in whole and whole["content"]
    chunks = api.chunks("/v1/chat/completions", api.chat_body(include_reasoning=False, **thinking))
    assert not any("reasoning" in choice["delta"] for chunk in chunks for choice in chunk["choices"])
    api.refused_chat("include_reasoning", "no")


@check(CHAT, "add_generation_prompt")
def add_generation_prompt(api):
    without = api.post("/apply-template", {"messages": QUESTION, "add_generation_prompt": False})["prompt"]
    whole = api.post("/apply-template", {"messages": QUESTION})["prompt"]
    assert whole.startswith(without) and len(whole) > len(without)
    answer = api.chat(add_generation_prompt=False, return_token_ids=True, max_tokens=1)
    assert api.post("/detokenize", {"tokens": answer["prompt_token_ids"]})["prompt"] == without


@check(CHAT, "continue_final_message")
def continue_final_message(api):
    begun = QUESTION + [{"role": "assistant", "content": "The answer is "}]
    answer = api.chat(messages=begun, continue_final_message=True, return_token_ids=True, max_tokens=4)
    assert api.post("/detokenize", {"tokens": answer["prompt_token_ids"]})["prompt"].endswith("The answer is ")
    api.refused("/v1/chat/completions", api.chat_body(
        messages=begun, continue_final_message=True, add_generation_prompt=True), "add_generation_prompt")


@check(CHAT, "logprobs")
def chat_logprobs(api):
    content = api.chat(logprobs=True, max_tokens=4)["choices"][0]["logprobs"]["content"]
    assert len(content) == 4 and all(entry["logprob"] <= 0 and entry["top_logprobs"] == [] for entry in content)
    assert api.chat(max_tokens=1)["choices"][0]["logprobs"] is None
    api.refused_chat("logprobs", 5)


@check(CHAT, "top_logprobs")
def top_logprobs(api):
    content = api.chat(logprobs=True, top_logprobs=3, max_tokens=2)["choices"][0]["logprobs"]["content"]
    assert all(len(entry["top_logprobs"]) == 3 and entry["top_logprobs"][0]["token"] == entry["token"] for entry in content)
    api.refused_chat("top_logprobs", 3, "logprobs")


@check(COMPLETIONS, "prompt")
def prompt(api):
    ids = api.post("/tokenize", {"prompt": TEXT})["tokens"]
    assert api.text(prompt=ids) == api.text(prompt=TEXT)
    answer = api.complete(prompt=[ids, ids[1:]])
    assert len(answer["choices"]) == 2 and answer["usage"]["prompt_tokens"] == 2 * len(ids) - 1
    assert [choice["text"] for choice in api.complete(prompt=[TEXT, "12 +"])["choices"]] == (
        [api.text(prompt=TEXT), api.text(prompt="12 +")])
    api.refused_text("prompt", [])


@check(COMPLETIONS, "logprobs")
def completion_logprobs(api):
    choice = api.complete(logprobs=2)["choices"][0]
    logprobs = choice["logprobs"]
    assert "".join(logprobs["tokens"]) == choice["text"] and len(logprobs["top_logprobs"][0]) == 2
    for token, offset in zip(logprobs["tokens"], logprobs["text_offset"]):
        assert choice["text"][offset:].startswith(token)
    api.refused_text("logprobs", 21, "top_logprobs")


@check(COMPLETIONS, "echo")
def echo(api):
    ids = api.post("/tokenize", {"prompt": TEXT})["tokens"]
    plain = api.complete(logprobs=1)["choices"][0]
    choice = api.complete(logprobs=1, echo=True)["choices"][0]
    assert choice["text"] == TEXT + plain["text"]
    logprobs = choice["logprobs"]
    assert len(logprobs["tokens"]) == len(ids) + 8 and logprobs["token_logprobs"][0] is None
    assert logprobs["token_logprobs"][len(ids):] == plain["logprobs"]["token_logprobs"]
    # What harnesses for evaluations ask for: the prompt's log-probabilities and no text.
    scored = api.complete(prompt=ids, echo=True, logprobs=1, max_tokens=0)["choices"][0]
    assert scored["logprobs"]["token_logprobs"] == logprobs["token_logprobs"][:len(ids)]
    chunks = api.chunks("/v1/completions", {
        "prompt": TEXT, "max_tokens": 8, "temperature": 0, "echo": True, "logprobs": 1})
    assert "".join(chunk["choices"][0]["text"] for chunk in chunks) == choice["text"]
    found = [chunk["choices"][0]["logprobs"] for chunk in chunks if chunk["choices"][0]["logprobs"]]
    assert sum((part["token_logprobs"] for part in found), []) == logprobs["token_logprobs"]
    assert sum((part["text_offset"] for part in found), []) == logprobs["text_offset"]


@check(COMPLETIONS, "best_of")
def best_of(api):
    def mean(choice):
        values = choice["logprobs"]["token_logprobs"]
        return sum(values) / len(values)
    fields = {"temperature": 1.5, "seed": 1, "logprobs": 0, "ignore_eos": True}
    all_of_them = sorted(api.complete(n=4, **fields)["choices"], key=mean, reverse=True)
    best = api.complete(n=2, best_of=4, **fields)
    assert [choice["text"] for choice in best["choices"]] == [choice["text"] for choice in all_of_them[:2]]
    assert best["usage"]["completion_tokens"] == 32
    api.refused("/v1/completions", {"prompt": "a", "n": 2, "best_of": 1}, "best_of")


@check(COMPLETIONS, "add_special_tokens")
def add_special_tokens(api):
    with_them, without = (
        api.complete(add_special_tokens=value, return_token_ids=True)["choices"][0]["prompt_token_ids"]
        for value in [True, False])
    assert with_them[1:] == without


@check(RESPONSES, "input")
def response_input(api):
    assert "42" in api.respond()["output"][-1]["content"][0]["text"]
    items = [{"role": "user", "content": [{"type": "input_text", "text": "What is 12 + 30?"}]}]
    assert api.respond(input=items)["output"][-1]["content"] == api.respond()["output"][-1]["content"]
    api.refused("/v1/responses", {"input": []}, "input")


@check(RESPONSES, "instructions")
def instructions(api):
    def count(**fields):
        return api.post("/v1/responses/input_tokens", {"input": "a", **fields})["input_tokens"]
    assert count(instructions="Be brief.") > count()
    assert api.respond(instructions="Be brief.", max_output_tokens=1)["instructions"] == "Be brief."
    api.refused("/v1/responses", {"input": "a", "instructions": 1}, "instructions")


@check(RESPONSES, "previous_response_id")
def previous_response_id(api):
    first = api.respond()
    body = {"input": "And 1 + 1?", "previous_response_id": first["id"], "reasoning": {"effort": "none"}}
    longer = api.post("/v1/responses/input_tokens", body)["input_tokens"]
    assert longer > api.post("/v1/responses/input_tokens", {**body, "previous_response_id": None})["input_tokens"]
    assert api.respond(previous_response_id=first["id"], max_output_tokens=1)["previous_response_id"] == first["id"]
    error = api.post("/v1/responses", {**body, "previous_response_id": "resp_none"}, 404)["error"]
    assert error["code"] == "response_not_found"


@check(RESPONSES, "max_output_tokens")
def max_output_tokens(api):
    answer = api.respond(max_output_tokens=3)
    assert answer["status"] == "incomplete" and answer["incomplete_details"] == {"reason": "max_output_tokens"}
    assert answer["usage"]["output_tokens"] == 3
    api.refused("/v1/responses", {"input": "a", "max_output_tokens": "3"}, "max_output_tokens")


FLAT = {"type": "function", **WEATHER["function"]}


@check(RESPONSES, "tools")
def response_tools(api):
    answer = api.respond(input="What is the weather in Paris?", tools=[FLAT])
    (call,) = [item for item in answer["output"] if item["type"] == "function_call"]
    assert call["name"] == "get_weather" and json.loads(call["arguments"]) == {"city": "Paris"}
    # A tool of OpenAI's own servers is not offered to the model; a tool that nobody can run is refused.
    offered, plain = api.respond(tools=[{"type": "web_search"}]), api.respond()
    assert [item.get("content") for item in offered["output"]] == [item.get("content") for item in plain["output"]]
    assert offered["usage"]["input_tokens"] == plain["usage"]["input_tokens"]
    api.refused("/v1/responses", {"input": "a", "tools": [{"type": "code_interpreter"}]}, "tools[0].type")
    wrong = [{"type": "function", "name": "f", "parameters": "x"}]
    api.refused("/v1/responses", {"input": "a", "tools": wrong}, "tools[0].parameters")


@check(RESPONSES, "parallel_tool_calls")
def response_parallel(api):
    answer = api.respond(input="What is the weather in Paris?", tools=[FLAT], parallel_tool_calls=False)
    assert [item["type"] for item in answer["output"]].count("function_call") == 1
    assert answer["parallel_tool_calls"] is False


@check(RESPONSES, "reasoning")
def response_reasoning(api):
    answer = api.respond(reasoning={"effort": "high"})
    assert [item["type"] for item in answer["output"]] == ["reasoning", "message"]
    assert answer["output"][0]["content"][0]["text"]
    assert 0 < answer["usage"]["output_tokens_details"]["reasoning_tokens"] < answer["usage"]["output_tokens"]
    assert [item["type"] for item in api.respond()["output"]] == ["message"]


@check(RESPONSES, "truncation")
def truncation(api):
    long = [{"role": "user", "content": f"{number} is a number. " * 20} for number in range(60)]
    body = {"input": long + QUESTION, "max_output_tokens": 300}
    error = api.post("/v1/responses", body, 400)["error"]
    assert error["code"] == "context_length_exceeded"
    body["truncation"] = "auto"
    assert 1000 < api.post("/v1/responses/input_tokens", body)["input_tokens"] <= 2048 - 300
    api.refused("/v1/responses", {"input": "a", "truncation": "middle"}, "truncation")


@check(RESPONSES, "include", "top_logprobs")
def include(api):
    answer = api.respond(include=["message.output_text.logprobs"], top_logprobs=2)
    part = answer["output"][-1]["content"][0]
    assert "".join(entry["token"] for entry in part["logprobs"]) == part["text"]
    assert all(len(entry["top_logprobs"]) == 2 for entry in part["logprobs"])
    answer = api.respond(include=["reasoning.encrypted_content"], reasoning={"effort": "high"}, store=False)
    reasoning, message = answer["output"]
    body = {"input": QUESTION + [{**reasoning, "content": None}, message] + QUESTION}
    assert reasoning["encrypted_content"]
    assert api.post("/v1/responses/input_tokens", body)["input_tokens"] > 20


@check(RESPONSES, "background")
def background(api):
    answer = api.respond(background=True)
    assert answer["status"] == "in_progress"
    deadline = time.monotonic() + 30
    while answer["status"] == "in_progress" and time.monotonic() < deadline:
        answer = requests.get(f"{api.url}/v1/responses/{answer['id']}").json()
        time.sleep(0.02)
    assert answer["status"] == "completed" and "42" in answer["output"][-1]["content"][0]["text"]
    endless = api.respond(background=True, ignore_eos=True, max_output_tokens=1900)
    assert api.post(f"/v1/responses/{endless['id']}/cancel", {})["status"] == "cancelled"
    api.refused("/v1/responses", {"input": "a", "background": True, "stream": True}, "stream")


@check(RESPONSES, "store")
def response_store(api):
    kept, dropped = api.respond(max_output_tokens=1), api.respond(max_output_tokens=1, store=False)
    url = api.url + "/v1/responses/"
    assert requests.get(url + kept["id"]).json() == kept
    assert requests.get(url + kept["id"] + "/input_items").json()["data"][0]["role"] == "user"
    assert requests.get(url + dropped["id"]).status_code == 404
    assert requests.delete(url + kept["id"]).json()["deleted"] is True
    assert requests.get(url + kept["id"]).status_code == 404


@check(RESPONSES, "stream")
def response_stream(api):
    events, _ = api.stream("/v1/responses", {
        "input": "What is 12 + 30?", "temperature": 0, "reasoning": {"effort": "high"}, "max_output_tokens": 300})
    events = [json.loads(event) for event in events]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert events[0]["type"] == "response.created" and events[-1]["type"] == "response.completed"
    whole = api.respond(reasoning={"effort": "high"})
    text = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
    assert text == whole["output"][-1]["content"][0]["text"]
    assert events[-1]["response"]["usage"] == whole["usage"]


@check(RESPONSES, "model", "temperature", "top_p", "metadata")
def response_echo(api):
    answer = api.respond(temperature=0.5, top_p=0.0001, metadata={"a": "b"}, max_output_tokens=2)
    assert (answer["model"], answer["temperature"], answer["top_p"]) == ("deepseek", 0.5, 0.0001)
    assert answer["metadata"] == {"a": "b"}
    api.refused("/v1/responses", {"input": "a", "temperature": -1}, "temperature")
