"""The server's log: one JSON object per line, one line per request, and nothing of what people wrote."""

import datetime
import json
import subprocess
import time

import anthropic
import openai
import pytest
import requests

from conftest import Server, program

SECRET = "zanzibar-4711"


def lines_of(server, count, check=lambda line: "request_time" in line):
    """The first `count` lines that satisfy `check`; a line may come after its answer."""
    for _ in range(400):
        found = [line for line in map(json.loads, list(server.lines)) if check(line)]
        if len(found) >= count:
            return found
        time.sleep(0.05)
    pytest.fail(f"expected {count} lines, found:\n" + "".join(server.lines))


@pytest.fixture(scope="module")
def logged():
    server = Server("--port", "0", "--log-format", "json", "--disable-access-log-for-endpoints", "/health,/metrics",
                    "--price-per-million-prompt-tokens", "2", "--price-per-million-completion-tokens", "10")
    yield server
    assert server.stop() == 0


def ask(server, request_id, **body):
    return requests.post(
        server.url + "/v1/chat/completions", headers={"x-request-id": request_id},
        json={"messages": [{"role": "user", "content": SECRET}], "max_tokens": 5, "ignore_eos": True, **body})


def line_of(server, request_id):
    return lines_of(server, 1, lambda line: line.get("request_id") == request_id and "request_time" in line)[0]


@pytest.mark.parametrize("stream", [False, True])
def test_a_line_per_request(logged, stream):
    request_id = f"line-{stream}"
    response = ask(logged, request_id, stream=stream, n=2, stream_options={"include_usage": True} if stream else None)
    assert response.status_code == 200 and response.headers["x-request-id"] == request_id
    if stream:
        chunks = [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: {")]
        usage = chunks[-1]["usage"]
    else:
        usage = response.json()["usage"]
    line = line_of(logged, request_id)
    assert line["level"] == "info" and line["method"] == "POST" and line["path"] == "/v1/chat/completions"
    assert line["status"] == 200 and line["model"] == "deepseek" and line["n"] == 2
    assert line["bytes"] == len(response.content) and line["client"] == "127.0.0.1"
    for name in ["prompt_tokens", "completion_tokens"]:
        assert line[name] == usage[name], name
    assert line["cached_tokens"] == usage["prompt_tokens_details"]["cached_tokens"]
    assert line["finish_reason"] == "length"
    assert 0 <= line["queue_time"] <= line["ttft"] <= line["request_time"]
    assert 0 < line["compute_seconds"] <= line["request_time"]
    computed = usage["prompt_tokens"] - line["cached_tokens"]
    cost = (computed * 2 + line["cached_tokens"] * 2 + usage["completion_tokens"] * 10) / 1e6
    assert usage["cost"] == pytest.approx(cost) and line["cost"] == pytest.approx(cost)
    age = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(line["time"])
    assert datetime.timedelta(0) <= age < datetime.timedelta(minutes=1)


def expected_cost(usage):
    """Of OpenAI's or Anthropic's counts, by the prices of `logged`."""
    prompt = usage.input_tokens + (getattr(usage, "cache_read_input_tokens", None) or 0)
    return (prompt * 2 + usage.output_tokens * 10) / 1e6


@pytest.mark.parametrize("mode", ["whole", "stream", "background"])
def test_openais_client_reads_the_cost_of_a_response(logged, mode):
    client = openai.OpenAI(base_url=logged.url + "/v1", api_key="none", max_retries=0)
    options = dict(model="deepseek", input="a", max_output_tokens=16, extra_body={"ignore_eos": True})
    total = request_cost(logged)
    if mode == "stream":
        with client.responses.stream(**options) as stream:
            answer = list(stream)[-1].response
    else:
        answer = client.responses.create(**options, background=mode == "background")
    if mode == "background":
        assert answer.usage is None
        [line] = lines_of(logged, 1, lambda line: line["message"].startswith(answer.id))
        answer = client.responses.retrieve(answer.id)
        assert line["message"] == f"{answer.id} {answer.status}" and line["completion_tokens"] == 16
        assert line["cost"] == pytest.approx(answer.usage.cost)
    assert answer.usage.output_tokens == 16 and answer.usage.cost == pytest.approx(expected_cost(answer.usage))
    assert answer.model_dump()["usage"]["cost"] == answer.usage.cost
    # A stream is counted when its end was written, which its client may read first.
    for _ in range(400):
        if request_cost(logged) > total:
            break
        time.sleep(0.05)
    assert request_cost(logged) - total == pytest.approx(answer.usage.cost)


@pytest.mark.parametrize("stream", [False, True])
def test_anthropics_client_reads_the_cost_of_a_message(logged, stream):
    client = anthropic.Anthropic(base_url=logged.url, api_key="none", max_retries=0)
    options = dict(model="deepseek", max_tokens=5, messages=[{"role": "user", "content": "a"}])
    if stream:
        with client.messages.stream(**options) as events:
            [usage] = [event.usage for event in events if event.type == "message_delta"]
            assert events.get_final_message().usage.output_tokens == usage.output_tokens
    else:
        usage = client.messages.create(**options).usage
    assert usage.cost == pytest.approx(expected_cost(usage)) and usage.cost > 0


def request_cost(server):
    text = requests.get(server.url + "/metrics").text
    found = [line for line in text.splitlines() if line.startswith("deepseek_request_cost_total")]
    return sum(float(line.rsplit(" ", 1)[1]) for line in found)


def test_errors_have_lines_without_the_text_that_was_wrong(logged):
    response = ask(logged, "wrong", temperature=SECRET)
    assert response.status_code == 400 and SECRET in response.text
    line = line_of(logged, "wrong")
    assert line["status"] == 400 and line["error"] == "invalid_request_error" and "prompt_tokens" not in line
    assert requests.post(logged.url + "/nowhere", headers={"x-request-id": "lost"}).status_code == 404
    assert line_of(logged, "lost")["status"] == 404
    assert SECRET not in "".join(logged.lines)


def test_ids_are_made_where_clients_send_none_or_strange_ones(logged):
    made = set()
    for given in [None, "with space", "x" * 129, ""]:
        response = requests.get(logged.url + "/v1/models", headers={"x-request-id": given} if given else {})
        made.add(response.headers["x-request-id"])
    assert len(made) == 4 and all(len(value) == 16 for value in made)
    for value in made:
        assert line_of(logged, value)["path"] == "/v1/models"


def test_lines_carry_the_callers_trace(logged):
    trace = "0af7651916cd43dd8448eb211c80319c"
    requests.get(logged.url + "/v1/models", headers={
        "traceparent": f"00-{trace}-b7ad6b7169203331-01", "x-request-id": "traced"})
    assert line_of(logged, "traced")["trace_id"] == trace


def test_endpoints_can_be_left_out(logged):
    requests.get(logged.url + "/health")
    requests.get(logged.url + "/metrics")
    requests.get(logged.url + "/v1/models", headers={"x-request-id": "after"})
    line_of(logged, "after")
    assert not [line for line in lines_of(logged, 1) if line["path"] in ("/health", "/metrics")]


def test_every_line_is_an_object(logged):
    for line in map(json.loads, logged.lines):
        assert {"time", "level", "logger", "message"} <= set(line)


def test_text_and_levels():
    server = Server("--port", "0", "--log-format", "text", "--log-level", "notice")
    try:
        assert "cost" not in ask(server, "quiet").json()["usage"]
        for path, limit in (("/v1/responses", "max_output_tokens"), ("/v1/messages", "max_tokens")):
            body = {"model": "deepseek", limit: 16, "input": "a", "messages": [{"role": "user", "content": "a"}]}
            answer = requests.post(server.url + path, json=body).json()
            assert answer["usage"]["output_tokens"] > 0 and "cost" not in answer["usage"]
    finally:
        assert server.stop() == 0
    assert not any("request_time" in line for line in server.lines)
    assert any(" notice: listening on http://" in line for line in server.lines)


@pytest.mark.parametrize("arguments, expected", [
    (["--log-format", "xml"], "--log-format: expected json or text, found xml"),
    (["--log-level", "loud"], "--log-level: expected one of"),
    (["--disable-access-log-for-endpoints", "health"], "expected paths that begin with /, found health"),
    (["--otlp-traces-endpoint", "localhost:4318"], "expected an http:// or https:// address, found localhost:4318"),
    (["--otlp-protocol", "http/json"], "expected --otlp-traces-endpoint, too"),
    (["--otlp-traces-endpoint", "http://x", "--otlp-protocol", "grpc"], "expected http/protobuf or http/json, found grpc"),
    (["--otlp-traces-endpoint", "http://x", "--trace-sampling-ratio", "2"], "expected a number in 0...1, found 2.0"),
    (["--cost-per-hour=-1"], "expected a price of at least 0, found -1.0"),
    (["--cost-per-hour", "1", "--price-per-million-prompt-tokens", "1"], "found both"),
])
def test_wrong_options_are_named(arguments, expected):
    done = subprocess.run(
        [program("DEEPSEEK_SERVER"), "--port", "0", *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and expected in done.stderr, done.stderr
