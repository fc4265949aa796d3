"""Parameters of Anthropic's messages."""

import json

import requests

from parameters import QUESTION, check

MESSAGES = "Messages"
CITY = [{"role": "user", "content": "What is the weather in Paris?"}]
TOOL = {"name": "get_weather", "description": "Get the weather of a city", "input_schema": {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}


def body(**fields):
    return {"model": "deepseek", "max_tokens": 300, "temperature": 0, "messages": QUESTION, **fields}


def ask(api, **fields):
    return api.post("/v1/messages", body(**fields))


def kinds(message):
    return [block["type"] for block in message["content"]]


def text(api, **fields):
    return "".join(block.get("text", "") for block in ask(api, **fields)["content"])


def count(api, **fields):
    given = {"model": "deepseek", "messages": QUESTION, **fields}
    return api.post("/v1/messages/count_tokens", given)["input_tokens"]


def refused(api, field, value, param=None, status=400):
    error = api.post("/v1/messages", body(**{field: value}), status=status)
    assert error["type"] == "error" and f"'{param or field}'" in error["error"]["message"], error


@check(MESSAGES, "model")
def model(api):
    assert ask(api)["model"] == "deepseek"
    error = api.post("/v1/messages", body(model="absent"), status=404)["error"]
    assert error["type"] == "not_found_error" and "absent" in error["message"]
    refused(api, "model", None)


@check(MESSAGES, "max_tokens")
def max_tokens(api):
    answer = ask(api, max_tokens=3)
    assert answer["stop_reason"] == "max_tokens" and answer["usage"]["output_tokens"] == 3
    assert ask(api, max_tokens=1_000_000)["stop_reason"] == "end_turn"
    refused(api, "max_tokens", 0)
    refused(api, "max_tokens", None)


@check(MESSAGES, "messages")
def messages(api):
    assert "42" in text(api)
    blocks = [{"role": "user", "content": [{"type": "text", "text": QUESTION[0]["content"]}]}]
    assert text(api, messages=blocks) == text(api)
    neighbours = [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]
    assert count(api, messages=neighbours) == count(api, messages=[{"role": "user", "content": "a\n\nb"}])
    start = QUESTION + [{"role": "assistant", "content": "12 + 30 ="}]
    assert text(api, messages=start, max_tokens=20) == (
        api.message(messages=start, max_tokens=20, continue_final_message=True)["content"])
    refused(api, "messages", [])
    refused(api, "messages", [{"role": "user", "content": [{"type": "image", "source": {}}]}], "messages[0].content[0].type")


@check(MESSAGES, "system")
def system(api):
    assert count(api, system="Be brief.") > count(api)
    assert count(api, system=[{"type": "text", "text": "Be"}, {"type": "text", "text": "brief"}]) == (
        count(api, system="Be\n\nbrief"))
    refused(api, "system", 5)


@check(MESSAGES, "tools")
def tools(api):
    answer = ask(api, messages=CITY, tools=[TOOL])
    call = answer["content"][-1]
    assert answer["stop_reason"] == "tool_use" and (call["name"], call["input"]) == ("get_weather", {"city": "Paris"})
    refused(api, "tools", [{"type": "web_search_20250305", "name": "web_search"}], "tools[0].type")
    refused(api, "tools", [{"name": "x"}], "tools[0].input_schema")
    refused(api, "tools", [{"name": "x", "input_schema": "x"}], "tools[0].input_schema")
    refused(api, "stop_sequences", "x", "stop_sequences")


@check(MESSAGES, "tool_choice")
def tool_choice(api):
    assert "tool_use" not in kinds(ask(api, messages=CITY, tools=[TOOL], tool_choice={"type": "none"}))
    for choice in ({"type": "any"}, {"type": "tool", "name": "get_weather", "disable_parallel_tool_use": True}):
        # A question that needs no tool.
        answer = ask(api, tools=[TOOL], tool_choice=choice)
        assert answer["stop_reason"] == "tool_use" and set(kinds(answer)) == {"tool_use"}
    assert len(answer["content"]) == 1
    refused(api, "tool_choice", {"type": "some"}, "tool_choice.type")
    refused(api, "tool_choice", {"type": "any"}, "tools")


@check(MESSAGES, "thinking")
def thinking(api):
    assert kinds(ask(api)) == kinds(ask(api, thinking={"type": "disabled"})) == ["text"]
    answer = ask(api, thinking={"type": "enabled", "budget_tokens": 1024})
    assert kinds(answer) == ["thinking", "text"] and answer["content"][0]["thinking"]
    assert kinds(ask(api, thinking={"type": "adaptive"})) == ["thinking", "text"]
    short = ask(api, thinking={"type": "enabled", "budget_tokens": 5})["usage"]["output_tokens_details"]
    assert short["thinking_tokens"] < answer["usage"]["output_tokens_details"]["thinking_tokens"]
    assert ask(api, thinking={"type": "enabled", "display": "omitted"})["content"][0]["thinking"] == ""
    refused(api, "thinking", {"type": "sometimes"}, "thinking.type")


@check(MESSAGES, "output_config")
def output_config(api):
    schema = {
        "type": "object", "properties": {"answer": {"type": "integer"}}, "required": ["answer"],
        "additionalProperties": False}
    answer = text(api, output_config={"effort": "low", "format": {"type": "json_schema", "schema": schema}})
    assert isinstance(json.loads(answer)["answer"], int)
    refused(api, "output_config", {"format": {"type": "json_schema"}}, "output_config.format.schema")


@check(MESSAGES, "stop_sequences")
def stop_sequences(api):
    whole = text(api)
    stop = whole[len(whole) // 2:]
    answer = ask(api, stop_sequences=["never", stop])
    assert (answer["stop_reason"], answer["stop_sequence"]) == ("stop_sequence", stop)
    refused(api, "stop_sequences", [""])


@check(MESSAGES, "stream")
def stream(api):
    with requests.post(api.url + "/v1/messages", json=body(stream=True), stream=True) as response:
        lines = response.content.decode().splitlines()
    names = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    assert names[0] == "message_start" and names[-1] == "message_stop" and "content_block_delta" in names
    assert not any("[DONE]" in line for line in lines)
    refused(api, "stream", "yes")


@check(MESSAGES, "temperature")
def temperature(api):
    assert text(api) == text(api)
    drawn = {text(api, temperature=5, max_tokens=20) for _ in range(4)}
    assert len(drawn) > 1
    refused(api, "temperature", -1)


@check(MESSAGES, "top_p")
def top_p(api):
    assert text(api, temperature=1, top_p=1e-9) == text(api)
    refused(api, "top_p", 0)


@check(MESSAGES, "top_k")
def top_k(api):
    assert text(api, temperature=1, top_k=1) == text(api)
    refused(api, "top_k", "one")
