"""Parameters that say what an answer must look like. The oracle of schemas is the package jsonschema."""

import json
import re

import jsonschema

from parameters import QUESTION, TEXT, WEATHER, check

SCHEMA = {
    "type": "object", "required": ["name", "age", "tags"], "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "maxLength": 8}, "age": {"type": "integer", "minimum": 0, "maximum": 120},
        "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 2}}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "person", "strict": True, "schema": SCHEMA}}
LIST = 'root ::= item ("," item)? ("," item)?\nitem ::= [0-9] [0-9]?'


def follows(text, schema=SCHEMA):
    jsonschema.validate(json.loads(text), schema)


@check("Both", "response_format")
def response_format(api):
    follows(api.text(response_format=FORMAT, max_tokens=120))
    for thinking in [False, True]:
        answer = api.chat(
            response_format=FORMAT, max_tokens=600, thinking_token_budget=20,
            chat_template_kwargs={"thinking": thinking})["choices"][0]
        follows(answer["message"]["content"])
        assert answer["finish_reason"] == "stop" and ("reasoning" in answer["message"]) == thinking
    for seed in range(3):
        follows(api.text(response_format=FORMAT, max_tokens=200, temperature=1.5, seed=seed))
    text = api.text(response_format={"type": "json_object"}, max_tokens=300, logit_bias={})
    assert text.startswith("{")
    assert api.text(response_format={"type": "text"}) == api.text()
    api.refused_text("response_format", {"type": "yaml"}, "response_format.type")
    api.post("/v1/completions", {"prompt": "a", "response_format": {
        "type": "json_schema", "json_schema": {"schema": {"type": "magic"}}}}, 400)


def constrained(api, field, value, test, wrong):
    text = api.text(**{field: value}, max_tokens=120)
    test(text)
    test(api.message(**{field: value}, max_tokens=120)["content"])
    error = api.post("/v1/completions", {"prompt": TEXT, "max_tokens": 4, field: wrong}, 400)["error"]
    assert error["type"] == "invalid_request_error" and error["param"].startswith(field), error


def in_choice(text):
    assert text in ("red", "green")


def is_date(text):
    assert re.fullmatch(r"\d{4}-\d\d", text)


def is_list(text):
    assert re.fullmatch(r"\d\d?(,\d\d?){0,2}", text)


@check("Both", "structured_outputs")
def structured_outputs(api):
    name = "structured_outputs"
    constrained(api, name, {"json": SCHEMA}, follows, {"json": "{"})
    constrained(api, name, {"json": json.dumps(SCHEMA)}, follows, {"json": {"type": "magic"}})
    constrained(api, name, {"regex": r"\d{4}-\d\d"}, is_date, {"regex": "("})
    constrained(api, name, {"choice": ["red", "green"]}, in_choice, {"choice": []})
    constrained(api, name, {"grammar": LIST}, is_list, {"grammar": "root ::= missing"})
    assert api.text(structured_outputs={"json_object": True}, max_tokens=40).startswith("{")
    error = api.post("/v1/completions", {
        "prompt": TEXT, "structured_outputs": {"regex": "a", "choice": ["a"]}}, 400)["error"]
    assert error["param"] == "structured_outputs.choice"
    error = api.post("/v1/completions", {"prompt": TEXT, "guided_regex": "a", "bad_words": ["a"]}, 400)["error"]
    assert error["param"] == "bad_words"
    assert_tags(api.text(structured_outputs={"structural_tag": TAG}, max_tokens=120))
    api.post("/v1/completions", {"prompt": TEXT, "structured_outputs": {"structural_tag": {}}}, 400)


# Both forms that vLLM takes, of the same tag.
BEGIN, END = "<function=person>", "</function>"
OLDER = {"type": "structural_tag", "structures": [{"begin": BEGIN, "schema": SCHEMA, "end": END}], "triggers": ["<function="]}
TAG = {"type": "structural_tag", "format": {
    "type": "triggered_tags", "triggers": ["<function="], "at_least_one": True, "stop_after_first": True,
    "tags": [{"type": "tag", "begin": BEGIN, "content": {"type": "json_schema", "json_schema": SCHEMA}, "end": END}]}}


def assert_tags(text, least=1):
    pieces = text.split("<function=")[1:]
    assert len(pieces) >= least
    for piece in pieces:
        assert piece.startswith("person>")
        follows(piece.removeprefix("person>").split(END)[0])


@check("Both", "structural_tag")
def structural_tag(api):
    assert_tags(api.text(structural_tag=json.dumps(TAG), max_tokens=120))
    assert_tags(api.text(response_format=TAG, max_tokens=120))
    assert_tags(api.message(response_format=TAG, max_tokens=120)["content"])
    # A trigger in the mouth of a model that would rather say something else.
    for form in [OLDER, {**OLDER, "at_least_one": True}]:
        for seed in range(4):
            text = api.text(response_format=form, max_tokens=150, temperature=1.5, seed=seed, ignore_eos=False)
            assert_tags(text + ("" if END in text or "<function=" not in text else END), "at_least_one" in form)
    error = api.post("/v1/completions", {"prompt": TEXT, "response_format": {
        "type": "structural_tag", "format": {"type": "any_tokens"}}}, 400)["error"]
    assert error["param"] == "response_format" and "any_tokens" in error["message"]
    api.post("/v1/completions", {"prompt": TEXT, "structural_tag": {**OLDER, "triggers": ["<tool="]}}, 400)


@check("Both", "guided_json")
def guided_json(api):
    constrained(api, "guided_json", SCHEMA, follows, {"type": "magic"})


@check("Both", "guided_regex")
def guided_regex(api):
    constrained(api, "guided_regex", r"\d{4}-\d\d", is_date, "(")


@check("Both", "guided_choice")
def guided_choice(api):
    constrained(api, "guided_choice", ["red", "green"], in_choice, [1])


@check("Both", "guided_grammar", "grammar")
def grammar(api):
    constrained(api, "guided_grammar", LIST, is_list, "root ::= missing")
    constrained(api, "grammar", LIST, is_list, "root ::= missing")


@check("Both", "json_schema")
def json_schema(api):
    constrained(api, "json_schema", SCHEMA, follows, {"type": "magic"})


TIME = {"type": "function", "function": {
    "name": "get_time", "description": "Get the time in a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string", "maxLength": 12}}, "required": ["city"]}}}


def calls(message):
    return [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in message["tool_calls"]]


@check("Chat completions", "tool_choice")
def tool_choice(api):
    # Nothing in the question needs a tool.
    body = {"messages": QUESTION, "tools": [WEATHER, TIME], "max_tokens": 200}
    assert "tool_calls" not in api.message(**body, tool_choice="none")
    for choice in ["required", {"type": "allowed_tools", "allowed_tools": {
            "mode": "required", "tools": [{"type": "function", "function": {"name": "get_time"}}]}}]:
        found = calls(api.message(**body, tool_choice=choice, parallel_tool_calls=False))
        assert len(found) == 1 and set(found[0][1]) == {"city"}
    named = {"type": "function", "function": {"name": "get_time"}}
    answer = api.message(**body, tool_choice=named)
    assert [name for name, _ in calls(answer)] == ["get_time"] and not answer["content"]
    chunks = api.chunks("/v1/chat/completions", api.chat_body(**body, tool_choice=named))
    pieces = [call for chunk in chunks for choice in chunk["choices"] for call in choice["delta"].get("tool_calls", [])]
    arguments = "".join(piece["function"]["arguments"] for piece in pieces)
    assert json.loads(arguments) == calls(answer)[0][1]
    # Beside a format: forced calls have no text, without tools there is only the text, else the model chooses.
    assert "tool_calls" in api.message(**body, tool_choice="required", response_format=FORMAT)
    follows(api.message(**body, tool_choice="none", response_format=FORMAT)["content"])
    for extra in [{"response_format": FORMAT}, {"guided_json": SCHEMA}, {"structured_outputs": {"json": SCHEMA}}]:
        message = api.message(**body, **extra, temperature=1.5, seed=7)
        if "tool_calls" in message:
            assert not message["content"] and calls(message)
        else:
            follows(message["content"])
    api.refused("/v1/chat/completions", {"messages": QUESTION, "tool_choice": "required"}, "tools")
    api.refused("/v1/chat/completions", {**body, "tool_choice": "always"}, "tool_choice")
    named["function"]["name"] = "absent"
    api.refused("/v1/chat/completions", {**body, "tool_choice": named}, "tool_choice")


@check("Responses", "tool_choice")
def response_tool_choice(api):
    tools = [{"type": "function", **tool["function"]} for tool in [WEATHER, TIME]]
    both = api.respond(tools=tools, tool_choice="required", text={"format": {"type": "json_object"}})
    assert {item["type"] for item in both["output"]} == {"function_call"}
    answer = api.respond(tools=tools, tool_choice={"type": "function", "name": "get_time"})
    assert [item["name"] for item in answer["output"] if item["type"] == "function_call"] == ["get_time"]
    assert not any(item["type"] == "function_call" for item in api.respond(tools=tools, tool_choice="none")["output"])
    api.refused("/v1/responses", {"input": "a", "tool_choice": "required"}, "tools")


@check("Responses", "text")
def text(api):
    schema_format = {"type": "json_schema", "name": "person", "strict": True, "schema": SCHEMA}
    follows(api.respond(text={"format": schema_format})["output"][-1]["content"][0]["text"])
    api.refused("/v1/responses", {"input": "a", "text": {"format": {"type": "yaml"}}}, "text.format.type")
