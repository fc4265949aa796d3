"""A table of parameters and the checks that show their effect, one per row of `docs/api.md`."""

import json
import re

import requests

from conftest import ROOT

CHECKS = {}
QUESTION = [{"role": "user", "content": "What is 12 + 30?"}]
TEXT = "The weather"
WEATHER = {"type": "function", "function": {
    "name": "get_weather", "description": "Get the weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}


def check(section, *names):
    """Registers the check of parameters of a section."""
    def register(function):
        for name in names:
            assert (section, name) not in CHECKS, (section, name)
            CHECKS[section, name] = function
        return function
    return register


def documented():
    """Sections of docs/api.md and the parameters in the first column of their tables."""
    sections, section = {}, None
    for line in (ROOT / "docs/api.md").read_text().splitlines():
        if line.startswith("## "):
            section = line[3:].strip()
            # Its rows are endpoints.
            section = None if section == "Endpoints" else section
        elif section and (found := re.match(r"\| `([^`]+)`", line)):
            rows = sections.setdefault(section, [])
            assert found.group(1) not in rows, f"{section}: {found.group(1)} twice"
            rows.append(found.group(1))
    return sections


class API:
    """Requests to a server, greedy and short unless they say something else."""

    def __init__(self, url):
        self.url = url

    def post(self, path, body, status=200):
        response = requests.post(self.url + path, json=body)
        assert response.status_code == status, response.text
        return response.json()

    def complete(self, **fields):
        return self.post("/v1/completions", {"prompt": TEXT, "max_tokens": 8, "temperature": 0, **fields})

    def text(self, **fields):
        return self.complete(**fields)["choices"][0]["text"]

    def ids(self, **fields):
        return self.complete(return_token_ids=True, **fields)["choices"][0]["token_ids"]

    def chat(self, **fields):
        return self.post("/v1/chat/completions", self.chat_body(**fields))

    def chat_body(self, **fields):
        return {
            "messages": QUESTION, "max_tokens": 300, "temperature": 0, "chat_template_kwargs": {"thinking": False},
            **fields}

    def message(self, **fields):
        return self.chat(**fields)["choices"][0]["message"]

    def respond(self, **fields):
        return self.post("/v1/responses", {
            "input": "What is 12 + 30?", "max_output_tokens": 300, "temperature": 0, "reasoning": {"effort": "none"},
            **fields})

    def stream(self, path, body):
        """The data of a stream's events, and its comments."""
        events, comments = [], []
        with requests.post(self.url + path, json={"stream": True, **body}, stream=True) as response:
            assert response.status_code == 200, response.text
            assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
            for line in response.iter_lines():
                if line.startswith(b"data: "):
                    events.append(line[6:].decode())
                elif line.startswith(b":"):
                    comments.append(line)
        return events, comments

    def chunks(self, path, body):
        events, _ = self.stream(path, body)
        assert events.pop() == "[DONE]"
        return [json.loads(event) for event in events]

    def refused(self, path, body, field):
        error = self.post(path, body, status=400)["error"]
        assert error["param"] == field and error["type"] == "invalid_request_error", error
        assert "expected" in error["message"], error

    def refused_text(self, field, value, param=None):
        self.refused("/v1/completions", {"prompt": TEXT, "max_tokens": 2, field: value}, param or field)

    def refused_chat(self, field, value, param=None):
        self.refused("/v1/chat/completions", self.chat_body(**{"max_tokens": 2, field: value}), param or field)
