"""OpenAI's client against `/v1/responses`."""

import json

import openai
import pytest

from conftest import Server

QUESTION = "What is 12 + 30?"
WEATHER = {
    "type": "function", "name": "get_weather", "description": "Get the weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}


@pytest.fixture(scope="module")
def client(server):
    return openai.OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0)


def ask(client, **options):
    return client.responses.create(
        **{"model": "deepseek", "input": QUESTION, "temperature": 0, "max_output_tokens": 300, **options})


def test_plain(client):
    answer = ask(client, reasoning={"effort": "high"})
    assert answer.status == "completed" and answer.error is None and "42" in answer.output_text
    assert [item.type for item in answer.output] == ["reasoning", "message"]
    assert answer.output[0].content[0].text and "think>" not in answer.output_text
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens
    assert 0 < answer.usage.output_tokens_details.reasoning_tokens < answer.usage.output_tokens


def test_stream_equals_plain(client):
    whole = ask(client, reasoning={"effort": "high"})
    with client.responses.stream(
            model="deepseek", input=QUESTION, temperature=0, max_output_tokens=300,
            reasoning={"effort": "high"}) as stream:
        events = list(stream)
        final = stream.get_final_response()
    assert final.output_text == whole.output_text
    assert final.output[0].content[0].text == whole.output[0].content[0].text
    names = [event.type for event in events]
    order = [
        "response.created", "response.in_progress", "response.output_item.added", "response.reasoning_text.delta",
        "response.reasoning_text.done", "response.output_item.done", "response.content_part.added",
        "response.output_text.delta", "response.output_text.done", "response.content_part.done", "response.completed"]
    positions = [names.index(name) for name in order]
    assert positions == sorted(positions)
    assert [event.sequence_number for event in events] == list(range(len(events)))


def test_tools_streamed_and_answered(client):
    text = "What is the weather in Paris?"
    with client.responses.stream(
            model="deepseek", input=text, tools=[WEATHER], temperature=0, reasoning={"effort": "none"}) as stream:
        events = list(stream)
        answer = stream.get_final_response()
    (call,) = [item for item in answer.output if item.type == "function_call"]
    assert call.name == "get_weather" and json.loads(call.arguments) == {"city": "Paris"}
    pieces = [event.delta for event in events if event.type == "response.function_call_arguments.delta"]
    assert "".join(pieces) == call.arguments
    output = {"type": "function_call_output", "call_id": call.call_id, "output": json.dumps({"sky": "sunny", "temperature": 21})}
    # By id, and with the items sent back, as clients do that store nothing.
    stored = ask(client, input=[output], previous_response_id=answer.id, tools=[WEATHER], reasoning={"effort": "none"})
    sent = ask(
        client, input=[{"role": "user", "content": text}, *[item.model_dump(exclude_none=True) for item in answer.output], output],
        tools=[WEATHER], reasoning={"effort": "none"}, store=False)
    assert "21" in stored.output_text and stored.output_text == sent.output_text
    assert stored.usage.input_tokens == sent.usage.input_tokens


def test_kept_and_forgotten(client):
    answer = ask(client, max_output_tokens=4)
    assert answer.status == "incomplete" and answer.incomplete_details.reason == "max_output_tokens"
    assert client.responses.retrieve(answer.id).output == answer.output
    assert [item.role for item in client.responses.input_items.list(answer.id)] == ["user"]
    client.responses.delete(answer.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(answer.id)


def test_background(client):
    answer = ask(client, background=True, max_output_tokens=1900, extra_body={"ignore_eos": True})
    assert answer.status == "in_progress"
    assert client.responses.cancel(answer.id).status == "cancelled"
    assert client.responses.retrieve(answer.id).status == "cancelled"
    with pytest.raises(openai.BadRequestError):
        client.responses.cancel(ask(client, max_output_tokens=1).id)


def test_an_unknown_previous_response_is_named(client):
    with pytest.raises(openai.NotFoundError) as error:
        ask(client, previous_response_id="resp_nothing")
    assert error.value.param == "previous_response_id" and "resp_nothing" in error.value.message


def test_input_tokens(client):
    counted = client.responses.input_tokens.count(model="deepseek", input=QUESTION)
    assert counted.input_tokens == ask(client, max_output_tokens=1).usage.input_tokens


def test_failures_end_the_stream():
    server = Server("--port", "0")
    client = openai.OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0)
    stream = client.responses.create(
        model="deepseek", input=QUESTION, stream=True, max_output_tokens=1900, extra_body={"ignore_eos": True})
    names = []
    for event in stream:
        names.append(event.type)
        if len(names) == 5:
            server.process.terminate()
            server.process.terminate()
    # The answer may be faster than the signal.
    assert names[-1] in ("response.failed", "response.completed", "response.incomplete")
    server.process.wait(timeout=30)
