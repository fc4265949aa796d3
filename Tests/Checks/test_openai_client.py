"""The official `openai` client against deepseek-server with the built-in model."""

import json
import math
import socket
import time

import openai
import pytest
import requests

from conftest import Server

QUESTION = [{"role": "user", "content": "What is 12 + 30?"}]


@pytest.fixture(scope="session")
def client(server):
    return openai.OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0)


THINKING = {"chat_template_kwargs": {"thinking": True}}


def ask(client, **options):
    options = {"extra_body": THINKING, **options}
    return client.chat.completions.create(
        model="deepseek", messages=QUESTION, **{"temperature": 0, "max_completion_tokens": 300, **options})


def test_models_and_health(client, server):
    assert [model.id for model in client.models.list()] == ["deepseek"]
    assert client.models.retrieve("deepseek").object == "model"
    assert requests.get(server.url + "/health").json()["status"] == "ok"


def test_plain_answer_has_reasoning_content_and_usage(client):
    answer = ask(client)
    message = answer.choices[0].message
    assert "42" in message.content
    assert message.reasoning_content == message.reasoning != ""
    assert "think>" not in message.content + message.reasoning_content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert 0 < answer.usage.completion_tokens_details.reasoning_tokens < answer.usage.completion_tokens


def test_thinking_off(client):
    answer = ask(client, extra_body={"chat_template_kwargs": {"thinking": False}})
    assert not getattr(answer.choices[0].message, "reasoning_content", None)
    assert answer.choices[0].message.content


def test_stream_equals_plain(client):
    plain = ask(client).choices[0].message
    reasoning = content = ""
    finish = usage = None
    with ask(client, stream=True, stream_options={"include_usage": True}) as stream:
        chunks = list(stream)
    assert chunks[0].choices[0].delta.role == "assistant"
    for chunk in chunks:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            reasoning += getattr(choice.delta, "reasoning_content", None) or ""
            content += choice.delta.content or ""
            finish = choice.finish_reason or finish
    assert (reasoning, content) == (plain.reasoning_content, plain.content)
    assert finish == "stop" and usage.completion_tokens > 0
    assert len({chunk.id for chunk in chunks}) == 1


def test_stop_strings(client):
    whole = ask(client).choices[0].message
    text = whole.reasoning_content
    middle = text[len(text) // 2:len(text) // 2 + 3]
    answer = ask(client, stop=[middle])
    assert answer.choices[0].finish_reason == "stop"
    assert answer.choices[0].message.reasoning_content == text[:text.index(middle)]


def test_max_tokens(client):
    answer = ask(client, max_completion_tokens=3)
    assert answer.choices[0].finish_reason == "length" and answer.usage.completion_tokens == 3


def test_logprobs(client):
    answer = ask(client, logprobs=True, top_logprobs=4, max_completion_tokens=8)
    content = answer.choices[0].logprobs.content
    assert len(content) == 8
    for entry in content:
        assert entry.logprob <= 0 and len(entry.top_logprobs) == 4
        # Greedy: the chosen token is the most probable one.
        assert entry.token == entry.top_logprobs[0].token
        values = [other.logprob for other in entry.top_logprobs]
        assert values == sorted(values, reverse=True)
        assert sum(math.exp(value) for value in values) <= 1.0001
        assert bytes(entry.bytes).decode(errors="replace") == entry.token


def test_seed_repeats_and_seeds_differ(client):
    def sample(seed):
        # A text that the model has not learnt to continue, so that its distribution is wide.
        return client.completions.create(
            model="deepseek", prompt="The weather", temperature=1.5, seed=seed, max_tokens=40).choices[0].text

    assert sample(7) == sample(7)
    assert len({sample(seed) for seed in range(6)}) > 1


def test_choices(client):
    answer = ask(client, n=3, temperature=1.0, seed=5, max_completion_tokens=20)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    alone = ask(client, n=1, temperature=1.0, seed=6, max_completion_tokens=20)
    assert alone.choices[0].message.reasoning_content == answer.choices[1].message.reasoning_content


TEXT = "The DeepSeek engine"


def test_completions(client):
    one = client.completions.create(model="deepseek", prompt=TEXT, max_tokens=5, temperature=0, logprobs=2)
    assert one.object == "text_completion" and one.usage.completion_tokens == 5
    assert "".join(one.choices[0].logprobs.tokens) == one.choices[0].text
    many = client.completions.create(model="deepseek", prompt=[TEXT, "12 +"], max_tokens=5, temperature=0)
    assert many.choices[0].text == one.choices[0].text and len(many.choices) == 2
    streamed = client.completions.create(model="deepseek", prompt=TEXT, max_tokens=5, temperature=0, stream=True)
    assert "".join(chunk.choices[0].text for chunk in streamed) == one.choices[0].text


def test_tool_call(client):
    tools = [{"type": "function", "function": {
        "name": "get_weather", "description": "Get the weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}]
    answer = client.chat.completions.create(
        model="deepseek", tools=tools, temperature=0, max_completion_tokens=200,
        messages=[{"role": "user", "content": "What is the weather in Paris?"}],
        extra_body={"chat_template_kwargs": {"thinking": False}})
    choice = answer.choices[0]
    assert choice.finish_reason == "tool_calls"
    (call,) = choice.message.tool_calls
    assert call.id and call.type == "function" and call.function.name == "get_weather"
    assert json.loads(call.function.arguments) == {"city": "Paris"}
    assert "tool▁call" not in (choice.message.content or "")
    # The result goes back, and the answer uses it.
    messages = [
        {"role": "user", "content": "What is the weather in Paris?"}, choice.message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": json.dumps({"sky": "sunny", "temperature": 21})}]
    answer = client.chat.completions.create(
        model="deepseek", tools=tools, temperature=0, max_completion_tokens=200, messages=messages,
        extra_body={"chat_template_kwargs": {"thinking": False}})
    assert "21" in answer.choices[0].message.content and not answer.choices[0].message.tool_calls


@pytest.mark.parametrize("body, field", [
    ({"messages": []}, "messages"),
    ({"messages": [{"role": "user"}]}, "messages[0].content"),
    ({"messages": [{"role": "wizard", "content": "x"}]}, "messages[0].role"),
    ({"messages": QUESTION, "temperature": -1}, "temperature"),
    ({"messages": QUESTION, "temperature": "warm"}, "temperature"),
    ({"messages": QUESTION, "top_p": 0}, "top_p"),
    ({"messages": QUESTION, "n": 0}, "n"),
    ({"messages": QUESTION, "max_tokens": 10_000_000}, "messages"),
    ({"messages": QUESTION, "logit_bias": {"x": 1}}, "logit_bias.x"),
    ({"messages": QUESTION, "top_logprobs": 3}, "logprobs"),
    ({"messages": QUESTION, "stop": 5}, "stop"),
    ({"messages": QUESTION, "response_format": {"type": "yaml"}}, "response_format.type"),
    ({"messages": QUESTION, "tool_choice": "required"}, "tools"),
])
def test_error_bodies_name_the_field(server, body, field):
    response = requests.post(server.url + "/v1/chat/completions", json={"model": "deepseek", **body})
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["param"] == field and error["type"] == "invalid_request_error" and error["message"]


def test_errors_as_the_client_raises_them(client, server):
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="absent", messages=QUESTION)
    assert caught.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError):
        ask(client, temperature=-3)
    assert requests.get(server.url + "/v1/nothing").status_code == 404
    broken = requests.post(server.url + "/v1/chat/completions", data="{", headers={"content-type": "application/json"})
    assert broken.status_code == 400 and "JSON" in broken.json()["error"]["message"]


def running(server):
    return requests.get(server.url + "/health").json()["models"]["deepseek"]


@pytest.mark.parametrize("stream", [True, False])
def test_a_dropped_client_frees_its_blocks(server, stream):
    body = json.dumps({
        "model": "deepseek", "messages": QUESTION, "stream": stream, "ignore_eos": True, "max_tokens": 1900})
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    connection = socket.create_connection(("127.0.0.1", server.port))
    connection.sendall((head + body).encode())
    deadline = time.monotonic() + 20
    while running(server)["running_requests"] == 0:
        assert time.monotonic() < deadline, "the request never ran"
        time.sleep(0.005)
    connection.close()
    while True:
        state = running(server)
        if state["running_requests"] == 0:
            break
        assert time.monotonic() < deadline, "the request went on without its client"
        time.sleep(0.005)
    assert state["kv_cache_usage"] == 0


def test_environment_variables_and_model_directory(ds_convert, tmp_path):
    server = Server("--max-batch-size", "4", environment={"PORT": "0", "MODEL_PATH": ""})
    try:
        assert requests.get(server.url + "/v1/models").json()["data"][0]["id"] == "deepseek"
    finally:
        assert server.stop() == 0
