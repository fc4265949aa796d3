"""The official `anthropic` client against deepseek-server with the built-in model."""

import concurrent.futures
import json

import anthropic
import pytest
import requests

QUESTION = [{"role": "user", "content": "What is 12 + 30?"}]
WEATHER = [{"role": "user", "content": "What is the weather in Paris?"}]
THINKING = {"type": "enabled", "budget_tokens": 1024}
TOOLS = [{
    "name": "get_weather", "description": "Get the weather of a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}]


@pytest.fixture(scope="session")
def client(server):
    return anthropic.Anthropic(base_url=server.url, api_key="none", max_retries=0)


def options(**changes):
    """Arguments of the client, which has no name for the temperature any more."""
    return {
        "model": "deepseek", "max_tokens": 300, "messages": QUESTION, "extra_body": {"temperature": 0}, **changes}


def over_openai(server, messages, **changes):
    """What the same conversation gives in OpenAI's form."""
    answer = requests.post(server.url + "/v1/chat/completions", json={
        "model": "deepseek", "messages": messages, "max_tokens": 300, "temperature": 0,
        "chat_template_kwargs": {"thinking": False}, **changes}).json()
    return answer["choices"][0]["message"]["content"]


def body(**changes):
    return {"model": "deepseek", "max_tokens": 300, "messages": QUESTION, "temperature": 0, **changes}


def test_message(client):
    message = client.messages.create(**options())
    assert message.type == "message" and message.role == "assistant" and message.model == "deepseek"
    assert message.id.startswith("msg_") and message._request_id == message.id
    (block,) = message.content
    assert block.type == "text" and "42" in block.text and "think>" not in block.text
    assert (message.stop_reason, message.stop_sequence) == ("end_turn", None)
    usage = message.usage
    assert usage.input_tokens > 0 and usage.output_tokens > 0 and usage.output_tokens_details.thinking_tokens == 0
    assert usage.cache_creation_input_tokens == 0
    # Blocks of 32 tokens, of prompts before this one; the prompt's last token is always computed.
    assert usage.cache_read_input_tokens in range(0, usage.input_tokens + usage.cache_read_input_tokens, 32)


@pytest.mark.parametrize("config", [THINKING, {"type": "adaptive"}])
def test_thinking(client, server, config):
    message = client.messages.create(**options(thinking=config))
    thinking, text = message.content
    assert thinking.type == "thinking" and thinking.thinking and thinking.signature
    assert text.type == "text" and "42" in text.text
    assert "think>" not in thinking.thinking + text.text
    assert 0 < message.usage.output_tokens_details.thinking_tokens < message.usage.output_tokens
    # The blocks go back as they came.
    messages = QUESTION + [message.to_param(), {"role": "user", "content": "What is 5 + 4?"}]
    assert client.messages.create(**options(messages=messages)).content[-1].text == over_openai(server, [
        QUESTION[0], {"role": "assistant", "content": text.text}, messages[-1]])


def test_thinking_disabled_or_omitted(client):
    assert [b.type for b in client.messages.create(**options(thinking={"type": "disabled"})).content] == ["text"]
    message = client.messages.create(**options(thinking={**THINKING, "display": "omitted"}))
    assert [b.type for b in message.content] == ["thinking", "text"]
    assert message.content[0].thinking == "" and message.content[0].signature


@pytest.mark.parametrize("changes", [
    {}, {"thinking": THINKING}, {"messages": WEATHER, "tools": TOOLS}, {"max_tokens": 4}, {"stop_sequences": ["2"]},
    {"thinking": {**THINKING, "display": "omitted"}},
])
def test_stream_equals_whole(client, changes):
    whole = client.messages.create(**options(**changes))
    events = []
    with client.messages.stream(**options(**changes)) as stream:
        for event in stream:
            events.append(event)
        final = stream.get_final_message()
    def content(message):
        # Identities are drawn for every answer.
        return [{k: v for k, v in b.model_dump(exclude_none=True).items() if k not in ("id", "signature")} for b in message.content]

    assert content(final) == content(whole)
    assert (final.stop_reason, final.stop_sequence) == (whole.stop_reason, whole.stop_sequence)
    # Whether a prompt was in a cache depends on who came before.
    assert final.usage.input_tokens + final.usage.cache_read_input_tokens == whole.usage.input_tokens + whole.usage.cache_read_input_tokens
    assert final.usage.output_tokens == whole.usage.output_tokens
    assert all(b.signature for b in final.content if b.type == "thinking")
    # Text comes in pieces.
    if not changes:
        assert sum(event.type == "text" for event in events) > 1


def test_the_stream_on_the_wire(server):
    with requests.post(
            server.url + "/v1/messages?beta=true", json=body(stream=True, thinking=THINKING), stream=True) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        blocks = response.content.decode().removesuffix("\n\n").split("\n\n")
    names = []
    for block in blocks:
        name, data = block.split("\n")
        names.append(name.removeprefix("event: "))
        assert json.loads(data.removeprefix("data: "))["type"] == names[-1]
    assert names[:3] == ["message_start", "ping", "content_block_start"]
    assert names[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert names.count("content_block_start") == names.count("content_block_stop") == 2


def test_tools(client):
    message = client.messages.create(**options(messages=WEATHER, tools=TOOLS, tool_choice={"type": "auto"}))
    assert message.stop_reason == "tool_use"
    call = message.content[-1]
    assert call.type == "tool_use" and call.id and call.name == "get_weather" and call.input == {"city": "Paris"}
    assert not any("tool▁" in getattr(block, "text", "") for block in message.content)
    # The result goes back, and the answer uses it.
    result = json.dumps({"sky": "sunny", "temperature": 21})
    for result in (result, [{"type": "text", "text": result}]):
        messages = WEATHER + [message.to_param(), {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": call.id, "content": result, "cache_control": {"type": "ephemeral"}}]}]
        answer = client.messages.create(**options(messages=messages, tools=TOOLS))
        assert answer.stop_reason == "end_turn" and "21" in answer.content[0].text


def test_tool_arguments_are_streamed(client):
    with client.messages.stream(**options(messages=WEATHER, tools=TOOLS)) as stream:
        pieces = [event.partial_json for event in stream if event.type == "input_json"]
        message = stream.get_final_message()
    assert len(pieces) > 1 and json.loads("".join(pieces)) == {"city": "Paris"} == message.content[-1].input
    assert message.stop_reason == "tool_use"


def test_tool_choice_none(client):
    message = client.messages.create(**options(messages=WEATHER, tools=TOOLS, tool_choice={"type": "none"}))
    assert all(block.type == "text" for block in message.content)


@pytest.mark.parametrize("choice", [
    {"type": "any"}, {"type": "tool", "name": "get_weather"}, {"type": "tool", "name": "get_weather", "disable_parallel_tool_use": True}])
@pytest.mark.parametrize("thinking", [{"type": "disabled"}, THINKING])
def test_a_tool_is_forced(client, choice, thinking):
    other = {"name": "count", "input_schema": {
        "type": "object", "properties": {"n": {"type": "integer", "maximum": 9}}, "required": ["n"], "additionalProperties": False}}
    message = client.messages.create(**options(tools=TOOLS + [other], tool_choice=choice, thinking=thinking, max_tokens=400))
    calls = [block for block in message.content if block.type == "tool_use"]
    assert message.stop_reason == "tool_use" and calls and not any(block.type == "text" for block in message.content)
    for call in calls:
        assert isinstance(call.input["city"], str) if call.name == "get_weather" else call.input["n"] <= 9
    if choice["type"] == "tool":
        assert {call.name for call in calls} == {"get_weather"}
    if choice.get("disable_parallel_tool_use"):
        assert len(calls) == 1


def test_an_output_format_is_kept(client):
    schema = {
        "type": "object", "properties": {"answer": {"type": "integer"}}, "required": ["answer"], "additionalProperties": False}
    message = client.messages.create(**options(output_config={"format": {"type": "json_schema", "schema": schema}}))
    assert isinstance(json.loads(message.content[-1].text)["answer"], int)


REPORT = {
    "type": "object", "properties": {"degrees": {"type": "integer", "maximum": 60}}, "required": ["degrees"],
    "additionalProperties": False}


@pytest.mark.parametrize("thinking", [{"type": "disabled"}, {"type": "enabled", "budget_tokens": 40}])
def test_an_output_format_beside_tools(client, thinking):
    config = {"format": {"type": "json_schema", "schema": REPORT}}
    first = client.messages.create(**options(messages=WEATHER, tools=TOOLS, output_config=config, thinking=thinking))
    call = first.content[-1]
    assert first.stop_reason == "tool_use" and call.input == {"city": "Paris"}
    assert not any(block.type == "text" for block in first.content)
    result = [{"type": "tool_result", "tool_use_id": call.id, "content": '{"sky": "sunny", "temperature": 21}'}]
    messages = WEATHER + [first.to_param(), {"role": "user", "content": result}]
    for choice in ["auto", "none"]:
        answer = client.messages.create(**options(
            messages=messages, tools=TOOLS, output_config=config, thinking=thinking, tool_choice={"type": choice}))
        if answer.stop_reason == "tool_use":
            assert choice == "auto" and not any(block.type == "text" for block in answer.content)
        else:
            assert isinstance(json.loads(answer.content[-1].text)["degrees"], int)
    forced = client.messages.create(**options(tools=TOOLS, output_config=config, tool_choice={"type": "any"}))
    assert forced.stop_reason == "tool_use" and not any(block.type == "text" for block in forced.content)


def test_the_thinking_budget_is_kept(client):
    message = client.messages.create(**options(thinking={"type": "enabled", "budget_tokens": 5}))
    assert [block.type for block in message.content][0] == "thinking"
    assert message.usage.output_tokens_details.thinking_tokens <= 8


def test_stop_sequences_and_max_tokens(client):
    whole = client.messages.create(**options()).content[0].text
    stop = whole[len(whole) // 2:]
    message = client.messages.create(**options(stop_sequences=["never written", stop]))
    assert (message.stop_reason, message.stop_sequence) == ("stop_sequence", stop)
    assert message.content[0].text == whole[:whole.index(stop)] if whole.index(stop) else message.content == []
    message = client.messages.create(**options(max_tokens=3, thinking=THINKING))
    assert message.stop_reason == "max_tokens" and message.usage.output_tokens == 3


def test_the_context_ends_before_max_tokens(client, server):
    limit = requests.get(server.url + "/v1/models/deepseek").json()["max_model_len"]
    message = client.messages.create(**options(max_tokens=64_000, timeout=600))
    assert message.stop_reason == "end_turn"
    # A question that asks for more than the context holds.
    with pytest.raises(anthropic.BadRequestError) as caught:
        client.messages.create(**options(messages=[{"role": "user", "content": "word " * (limit + 1)}]))
    assert "context" in str(caught.value)


def test_count_tokens(client):
    count = client.messages.count_tokens(model="deepseek", messages=QUESTION)
    usage = client.messages.create(**options(max_tokens=1)).usage
    assert count.input_tokens == usage.input_tokens + usage.cache_read_input_tokens
    longer = client.messages.count_tokens(model="deepseek", messages=QUESTION, system="Be brief.", tools=TOOLS)
    assert longer.input_tokens > count.input_tokens + 20


def test_system_text_and_blocks(client):
    def count(system):
        return client.messages.count_tokens(model="deepseek", messages=QUESTION, system=system).input_tokens

    cached = {"type": "ephemeral"}
    assert count([{"type": "text", "text": "Be brief.", "cache_control": cached}]) == count("Be brief.")
    # Claude Code's line about itself is not the model's business.
    line = {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.0.1; cch=abc12;"}
    assert count([line, {"type": "text", "text": "Be brief."}]) == count("Be brief.")


def test_prefill_is_continued(client, server):
    messages = QUESTION + [{"role": "assistant", "content": "12 + 30 ="}]
    text = client.messages.create(**options(messages=messages, max_tokens=20)).content[0].text
    assert not text.startswith("12 + 30")
    assert text == over_openai(server, messages, max_tokens=20, continue_final_message=True)


def test_a_request_as_claude_code_sends_it(server):
    """Long system blocks, many tools with whole schemas, betas and fields that this server does not know."""
    tools = [
        {"name": f"Tool{i}", "description": "Does a thing. " * 3, "input_schema": {
            "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "additionalProperties": False,
            "properties": {"path": {"type": "string"}, "edits": {"type": "array", "items": {"type": "object"}}}}}
        for i in range(6)]
    request = body(
        max_tokens=32_000, stream=True, tools=tools, metadata={"user_id": "user_1"}, context_management={"edits": []},
        system=[{"type": "text", "text": "You are Claude Code.", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
                {"type": "text", "text": "Rules. " * 20, "cache_control": {"type": "ephemeral"}}],
        messages=[{"role": "user", "content": [
            {"type": "text", "text": "<system-reminder>Be kind.</system-reminder>"},
            {"type": "text", "text": "What is 12 + 30?", "cache_control": {"type": "ephemeral"}}]}])
    headers = {
        "anthropic-version": "2023-06-01", "x-api-key": "sk", "x-app": "cli", "authorization": "Bearer sk",
        "anthropic-beta": "claude-code-20250219,interleaved-thinking-2025-05-14,never-heard-of-2031-01-01"}
    response = requests.post(server.url + "/v1/messages?beta=true", json=request, headers=headers)
    assert response.status_code == 200, response.text
    assert response.text.rstrip().endswith('data: {"type":"message_stop"}') and "event: error" not in response.text


IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}


@pytest.mark.parametrize("changes, field", [
    ({"messages": []}, "messages"),
    ({"messages": [{"role": "wizard", "content": "x"}]}, "messages[0].role"),
    ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": [IMAGE]}]}, "messages[0].content[0].type"),
    ({"messages": [{"role": "user", "content": [{"type": "tool_result", "content": "x"}]}]}, "messages[0].content[0].tool_use_id"),
    ({"system": [IMAGE]}, "system[0].type"),
    ({"max_tokens": 0}, "max_tokens"),
    ({"temperature": -1}, "temperature"),
    ({"thinking": {"type": "sometimes"}}, "thinking.type"),
    ({"tools": [{"name": "x"}]}, "tools[0].input_schema"),
    ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools[0].type"),
    ({"tools": TOOLS, "tool_choice": {"type": "some"}}, "tool_choice.type"),
    ({"tools": TOOLS, "tool_choice": {"type": "tool", "name": "absent"}}, "tool_choice.name"),
    ({"tool_choice": {"type": "any"}}, "tools"),
    ({"output_config": {"format": {"type": "json_schema"}}}, "output_config.format.schema"),
    ({"stop_sequences": [""]}, "stop_sequences"),
    ({"mcp_servers": [{"type": "url"}]}, "mcp_servers"),
])
def test_errors_name_the_field(server, changes, field):
    response = requests.post(server.url + "/v1/messages", json=body(**changes))
    assert response.status_code == 400
    error = response.json()
    assert error["type"] == "error" and error["error"]["type"] == "invalid_request_error"
    assert f"'{field}'" in error["error"]["message"]


def test_errors_as_the_client_raises_them(client, server):
    with pytest.raises(anthropic.NotFoundError) as caught:
        client.messages.create(**options(model="claude-unknown"))
    assert caught.value.type == "not_found_error" and "claude-unknown" in caught.value.message
    with pytest.raises(anthropic.BadRequestError) as caught:
        client.messages.create(**options(max_tokens=-5))
    assert caught.value.type == "invalid_request_error"
    with pytest.raises(anthropic.BadRequestError):
        client.messages.count_tokens(model="deepseek", messages=[])
    missing = requests.post(server.url + "/v1/messages", json={"model": "deepseek", "messages": QUESTION})
    assert missing.status_code == 400 and "max_tokens" in missing.json()["error"]["message"]
    broken = requests.post(server.url + "/v1/messages", data="{")
    assert broken.status_code == 400 and broken.json()["type"] == "error"
    assert requests.get(server.url + "/v1/messages").json()["type"] == "error"
    # Other APIs keep their own form.
    assert "param" in requests.post(server.url + "/v1/chat/completions", data="{").json()["error"]


def test_models(client):
    (model,) = client.models.list()
    assert (model.type, model.id, model.display_name) == ("model", "deepseek", "deepseek") and model.created_at.year >= 2026
    assert client.models.retrieve("deepseek").id == "deepseek"


def test_many_at_once(client):
    whole = client.messages.create(**options()).content[0].text

    def one(index):
        if index % 2:
            return client.messages.create(**options()).content[0].text
        with client.messages.stream(**options()) as stream:
            return "".join(stream.text_stream)

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        assert set(pool.map(one, range(24))) == {whole}


def test_async_client(server):
    import asyncio

    async def run():
        async with anthropic.AsyncAnthropic(base_url=server.url, api_key="none", max_retries=0) as client:
            return await asyncio.gather(*(client.messages.create(**options()) for _ in range(4)))

    assert len({message.content[0].text for message in asyncio.run(run())}) == 1
