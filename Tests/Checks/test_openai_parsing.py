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
