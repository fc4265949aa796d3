"""A tool agent of LangChain over deepseek-server, as people build it."""

import json

import pydantic
import pytest

from conftest import package

package("langchain")
package("langchain_openai")
from langchain.agents import create_agent  # noqa: E402
from langchain.agents.structured_output import ProviderStrategy  # noqa: E402
from langchain_core.tools import tool  # noqa: E402
from langchain_openai import ChatOpenAI  # noqa: E402


@tool
def get_weather(city: str) -> str:
    """Get the weather of a city"""
    return json.dumps({"sky": "sunny", "temperature": {"Paris": 21, "Rome": 30}[city]})


@tool
def get_time(city: str) -> str:
    """Get the time in a city"""
    return json.dumps({"time": "12:34"})


def chat(server, **options):
    return ChatOpenAI(
        base_url=server.url + "/v1", api_key="none", model="deepseek", temperature=0, max_retries=0,
        max_completion_tokens=200, extra_body={"chat_template_kwargs": {"thinking": False}}, **options)


@pytest.mark.parametrize("city, degrees", [("Paris", "21"), ("Rome", "30")])
def test_agent(server, city, degrees):
    agent = create_agent(chat(server), [get_weather, get_time])
    messages = agent.invoke({"messages": [("user", f"What is the weather in {city}?")]})["messages"]
    assert [message.type for message in messages] == ["human", "ai", "tool", "ai"]
    (call,) = messages[1].tool_calls
    assert call["name"] == "get_weather" and call["args"] == {"city": city}
    assert degrees in messages[-1].content and messages[-1].usage_metadata["output_tokens"] > 0


class Report(pydantic.BaseModel):
    """What the weather is"""
    model_config = pydantic.ConfigDict(extra="forbid")
    city: str = pydantic.Field(max_length=12)
    degrees: int = pydantic.Field(ge=-50, le=60)


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_agent_with_a_format(server, api):
    """Tools and the format go with every request of such an agent."""
    model = chat(server) if api == "chat" else ChatOpenAI(
        base_url=server.url + "/v1", api_key="none", model="deepseek", temperature=0, max_retries=0,
        use_responses_api=True, reasoning={"effort": "none"})
    agent = create_agent(model, [get_weather, get_time], response_format=ProviderStrategy(Report))
    result = agent.invoke({"messages": [("user", "What is the weather in Paris?")]}, {"recursion_limit": 20})
    messages = result["messages"]
    assert messages[1].tool_calls[0]["name"] == "get_weather"
    assert isinstance(result["structured_response"], Report)
    assert Report.model_validate_json(messages[-1].text) == result["structured_response"]


def test_streamed_calls(server):
    model = chat(server, stream_usage=True).bind_tools([get_weather, get_time])
    whole = None
    for chunk in model.stream("What is the weather in Paris?"):
        whole = chunk if whole is None else whole + chunk
    (call,) = whole.tool_calls
    assert call["name"] == "get_weather" and call["args"] == {"city": "Paris"}
    assert whole.usage_metadata["input_tokens"] > 0


def test_responses(server):
    model = ChatOpenAI(
        base_url=server.url + "/v1", api_key="none", model="deepseek", temperature=0, max_retries=0,
        use_responses_api=True, reasoning={"effort": "none"}).bind_tools([get_weather])
    first = model.invoke("What is the weather in Paris?")
    (call,) = first.tool_calls
    assert call["args"] == {"city": "Paris"}
    messages = [("user", "What is the weather in Paris?"), first, get_weather.invoke(call)]
    assert "21" in model.invoke(messages).text
