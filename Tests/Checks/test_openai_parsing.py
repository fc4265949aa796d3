"""OpenAI's client with Pydantic models: answers that are parsed, and forced tools."""

import enum

import openai
import pydantic
import pytest


class Colour(str, enum.Enum):
    red = "red"
    green = "green"


class Car(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")
    name: str = pydantic.Field(max_length=10)
    colour: Colour
    wheels: list[int] = pydantic.Field(max_length=3)


class GetWeather(pydantic.BaseModel):
    """Get the weather of a city"""
    model_config = pydantic.ConfigDict(extra="forbid")
    city: str = pydantic.Field(max_length=12)


QUESTION = [{"role": "user", "content": "What is 12 + 30?"}]


@pytest.fixture(scope="module")
def client(server):
    return openai.OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0)


@pytest.mark.parametrize("thinking", [False, True])
@pytest.mark.parametrize("temperature", [0, 1.5])
def test_chat(client, thinking, temperature):
    answer = client.chat.completions.parse(
        model="deepseek", messages=QUESTION, response_format=Car, temperature=temperature, seed=1,
        max_completion_tokens=600,
        extra_body={"chat_template_kwargs": {"thinking": thinking}, "thinking_token_budget": 60})
    message = answer.choices[0].message
    assert isinstance(message.parsed, Car) and message.refusal is None
    assert bool(getattr(message, "reasoning", None)) == thinking


def test_chat_stream(client):
    with client.chat.completions.stream(
            model="deepseek", messages=QUESTION, response_format=Car, temperature=0, max_completion_tokens=300,
            extra_body={"chat_template_kwargs": {"thinking": False}}) as stream:
        for _ in stream:
            pass
        assert isinstance(stream.get_final_completion().choices[0].message.parsed, Car)


def test_tools(client):
    tool = openai.pydantic_function_tool(GetWeather)
    answer = client.chat.completions.parse(
        model="deepseek", messages=QUESTION, tools=[tool], tool_choice="required", temperature=0,
        max_completion_tokens=300, extra_body={"chat_template_kwargs": {"thinking": False}})
    (call, *_) = answer.choices[0].message.tool_calls
    assert isinstance(call.function.parsed_arguments, GetWeather)


def test_responses(client):
    answer = client.responses.parse(
        model="deepseek", input="What is 12 + 30?", text_format=Car, temperature=0, max_output_tokens=600,
        reasoning={"effort": "none"})
    assert isinstance(answer.output_parsed, Car)


class Report(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")
    city: str = pydantic.Field(max_length=12)
    degrees: int = pydantic.Field(ge=-50, le=60)


WEATHER = [{"role": "user", "content": "What is the weather in Paris?"}]
TOOL = openai.pydantic_function_tool(GetWeather, name="get_weather")


def both(client, messages, **options):
    """One request with tools and a format, as agents send it."""
    return client.chat.completions.parse(
        model="deepseek", messages=messages, response_format=Report, tools=[TOOL],
        **{"temperature": 0, "max_completion_tokens": 400, **options})


@pytest.mark.parametrize("thinking", [False, True])
def test_an_agent_calls_and_then_answers_in_its_format(client, thinking):
    extra = {"chat_template_kwargs": {"thinking": thinking}, "thinking_token_budget": 60}
    choice = both(client, WEATHER, extra_body=extra).choices[0]
    (call,) = choice.message.tool_calls
    assert choice.finish_reason == "tool_calls" and not choice.message.content
    assert call.function.parsed_arguments == GetWeather(city="Paris")
    result = {"role": "tool", "tool_call_id": call.id, "content": '{"sky": "sunny", "temperature": 21}'}
    messages = WEATHER + [choice.message.model_dump(exclude_none=True, include={"role", "content", "tool_calls"}), result]
    for tool_choice in ["auto", "none"]:
        choice = both(client, messages, tool_choice=tool_choice, extra_body=extra).choices[0]
        if choice.message.tool_calls:
            assert tool_choice == "auto" and all(c.function.parsed_arguments for c in choice.message.tool_calls)
        else:
            assert isinstance(choice.message.parsed, Report) and choice.finish_reason == "stop"


def test_prose_is_never_an_answer_beside_tools(client):
    """The question needs no tool, and its answer is no report: what comes is one of the two all the same."""
    kinds = set()
    for seed in range(6):
        message = both(
            client, QUESTION, temperature=1.5, seed=seed,
            extra_body={"chat_template_kwargs": {"thinking": False}}).choices[0].message
        assert (message.parsed is None) == bool(message.tool_calls)
        kinds.add("call" if message.tool_calls else "report")
        assert all(call.function.parsed_arguments for call in message.tool_calls or [])
    assert kinds


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "get_weather"}}])
def test_forced_calls_have_no_text(client, choice):
    message = both(
        client, QUESTION, tool_choice=choice, parallel_tool_calls=False,
        extra_body={"chat_template_kwargs": {"thinking": False}}).choices[0].message
    assert len(message.tool_calls) == 1 and message.parsed is None and not message.content


def test_either_is_streamed(client):
    with client.chat.completions.stream(
            model="deepseek", messages=WEATHER, response_format=Report, tools=[TOOL], temperature=0,
            max_completion_tokens=400, extra_body={"chat_template_kwargs": {"thinking": False}}) as stream:
        names = {event.type for event in stream}
        message = stream.get_final_completion().choices[0].message
    assert message.tool_calls[0].function.parsed_arguments == GetWeather(city="Paris")
    assert "tool_calls.function.arguments.delta" in names and not message.content


def test_responses_with_tools(client):
    answer = client.responses.parse(
        model="deepseek", input=WEATHER, text_format=Report, tools=[openai.pydantic_function_tool(GetWeather, name="get_weather")],
        temperature=0, max_output_tokens=600, reasoning={"effort": "none"})
    (call,) = [item for item in answer.output if item.type == "function_call"]
    assert GetWeather.model_validate_json(call.arguments) == GetWeather(city="Paris")
    items = WEATHER + [
        {"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": call.arguments},
        {"type": "function_call_output", "call_id": call.call_id, "output": '{"sky": "sunny", "temperature": 21}'}]
    answer = client.responses.parse(
        model="deepseek", input=items, text_format=Report, tools=[TOOL], tool_choice="none", temperature=0,
        max_output_tokens=600, reasoning={"effort": "none"})
    assert isinstance(answer.output_parsed, Report)


def test_a_schema_that_cannot_be_kept_names_the_tools(client):
    tool = {"type": "function", "function": {
        "name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "array", "uniqueItems": True}}}}}
    with pytest.raises(openai.BadRequestError) as error:
        client.chat.completions.create(
            model="deepseek", messages=QUESTION, tools=[tool], response_format={"type": "json_object"})
    assert error.value.param == "tools" and "uniqueItems" in error.value.message
