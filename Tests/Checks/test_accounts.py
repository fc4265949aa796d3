"""What requests are charged, what they cost and what their lines say, over every API and however they end."""

import json
import queue
import time

import pytest
import requests
import tritonclient.grpc as grpcclient
from tritonclient.utils import InferenceServerException

from conftest import Server
from test_triton_client import grpc_port, text_inputs

CALLS = ["infer", "generate", "generate_stream", "ModelInfer", "ModelStreamInfer"]
ENDS = ["timeout", "disconnected", "disconnected stream", "background"]
LONG = {"prompt": "a", "max_tokens": 1900, "ignore_eos": True, "temperature": 1}


@pytest.fixture(scope="module")
def accounts(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "keys"
    names = [name.replace(" ", "-") for name in CALLS + ENDS + ["embeddings", "embeddings-off"]]
    path.write_text("free:sk-free\nops:sk-ops:metrics\n" + "".join(f"{name}:sk-{name}:inference::20\n" for name in names))
    server = Server(
        "--port", "0", "--grpc-port", "0", "--api-key-file", str(path), "--log-format", "json",
        "--embeddings", "--price-per-million-prompt-tokens", "2", "--price-per-million-completion-tokens", "10")
    yield server
    assert server.stop() == 0


def headers(key, request_id):
    return {"authorization": f"Bearer {key}", "x-request-id": request_id}


def wait_for(find):
    for _ in range(600):
        if found := find():
            return found
        time.sleep(0.05)
    pytest.fail("expected something within 30 s, found nothing")


def line_of(server, check):
    """The line with the figures of a request's answers."""
    def find():
        lines = [json.loads(line) for line in list(server.lines) if line.startswith("{")]
        return [line for line in lines if "completion_tokens" in line and check(line)]

    [line] = wait_for(find)
    return line


def cost_of(server, tenant):
    text = requests.get(server.url + "/metrics", headers={"authorization": "Bearer sk-ops"}).text
    return sum(
        float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
        if line.startswith("deepseek_request_cost_total") and f'tenant="{tenant}"' in line)


def check_cost(server, tenant, line, before=0):
    expected = (line["prompt_tokens"] * 2 + line["completion_tokens"] * 10) / 1e6
    assert expected > 0 and line["cost"] == pytest.approx(expected)
    wait_for(lambda: cost_of(server, tenant) > before)
    assert cost_of(server, tenant) - before == pytest.approx(expected)


def call(server, how, key, request_id, tokens):
    """One V2 request; the error's text if it was refused."""
    if how in ("ModelInfer", "ModelStreamInfer"):
        return call_grpc(server, how, headers(key, request_id), tokens)
    if how == "infer":
        body = {
            "inputs": [{"name": "text_input", "datatype": "BYTES", "shape": [1], "data": ["a"]}],
            "parameters": {"max_tokens": tokens, "ignore_eos": True}}
    else:
        body = {"text_input": "a", "max_tokens": tokens, "ignore_eos": True, "stream": how == "generate_stream"}
    answer = requests.post(f"{server.url}/v2/models/deepseek/{how}", json=body, headers=headers(key, request_id))
    assert answer.status_code in (200, 429), answer.text
    return answer.text if answer.status_code == 429 else None


def call_grpc(server, how, metadata, tokens):
    client = grpcclient.InferenceServerClient(f"127.0.0.1:{grpc_port(server)}")
    if how == "ModelInfer":
        try:
            client.infer("deepseek", text_inputs(grpcclient, "a", max_tokens=tokens, ignore_eos=True), headers=metadata)
        except InferenceServerException as error:
            assert error.status() == "StatusCode.RESOURCE_EXHAUSTED"
            return error.message()
        return None
    found = queue.Queue()
    client.start_stream(callback=lambda result, error: found.put(error), headers=metadata)
    client.async_stream_infer("deepseek", text_inputs(grpcclient, "a", max_tokens=tokens, ignore_eos=True))
    error = found.get(timeout=120)
    client.stop_stream()
    return error.message() if error else None


@pytest.mark.parametrize("how", CALLS)
def test_v2_requests_count_for_the_limit_of_tokens(accounts, how):
    assert call(accounts, how, f"sk-{how}", f"limit-{how}", 300) is None
    line_of(accounts, lambda line: line.get("request_id") == f"limit-{how}")
    assert "20 tokens per minute" in call(accounts, how, f"sk-{how}", f"beyond-{how}", 300)


@pytest.mark.parametrize("how", CALLS)
def test_v2_requests_cost_and_have_their_figures_in_the_log(accounts, how):
    before = cost_of(accounts, "free")
    assert call(accounts, how, "sk-free", f"line-{how}", 12) is None
    line = line_of(accounts, lambda line: line.get("request_id") == f"line-{how}")
    assert line["model"] == "deepseek" and line["tenant"] == "free" and line["finish_reason"] == "length"
    assert line["completion_tokens"] == 12 and line["prompt_tokens"] > 0 and line["ttft"] > 0
    check_cost(accounts, "free", line, before)


def end_early(server, how, key):
    """Begins an answer of a key that ends before it is complete; returns what tells its line."""
    metadata = headers(key, f"end-{key}")
    if how == "background":
        body = {"input": "a", "background": True, "max_output_tokens": 1900, "ignore_eos": True}
        name = requests.post(server.url + "/v1/responses", json=body, headers=metadata).json()["id"]
        time.sleep(0.3)
        answer = requests.post(f"{server.url}/v1/responses/{name}/cancel", headers=metadata).json()
        assert answer["status"] == "cancelled" and answer["usage"]["output_tokens"] > 0
        return lambda line: line["message"].startswith(name)
    url = server.url + "/v1/completions"
    if how == "timeout":
        assert requests.post(url, json={**LONG, "timeout": 0.3}, headers=metadata).status_code == 504
    elif how == "disconnected":
        with pytest.raises(requests.exceptions.ReadTimeout):
            requests.post(url, json={**LONG, "n": 8}, headers=metadata, timeout=0.5)
    else:
        with requests.post(url, json={**LONG, "n": 8, "stream": True}, headers=metadata, stream=True) as answer:
            lines = answer.iter_lines()
            for _ in range(100):
                next(lines)
    return lambda line: line.get("request_id") == f"end-{key}"


@pytest.mark.parametrize("how", ENDS)
def test_what_was_computed_counts_however_a_request_ends(accounts, how):
    name = how.replace(" ", "-")
    line = line_of(accounts, end_early(accounts, how, f"sk-{name}"))
    assert line["finish_reason"] == "abort" and line["prompt_tokens"] > 0
    assert 20 < line["completion_tokens"] < 8 * 1900
    check_cost(accounts, name, line)
    refused = requests.post(
        accounts.url + "/v1/completions", json={"prompt": "a", "max_tokens": 1}, headers=headers(f"sk-{name}", "next"))
    assert refused.status_code == 429 and "tokens" in refused.json()["error"]["message"]


def test_embeddings_are_charged_and_cost(accounts):
    """Each input, on the key's limit, in the log and in the metrics."""
    body = {"input": ["one two three", "four five six seven"]}
    before = cost_of(accounts, "embeddings")
    answer = requests.post(accounts.url + "/v1/embeddings", json=body, headers=headers("sk-embeddings", "embed"))
    assert answer.status_code == 200, answer.text
    line = line_of(accounts, lambda line: line.get("request_id") == "embed")
    assert line["prompt_tokens"] == answer.json()["usage"]["prompt_tokens"] > 2 and line["completion_tokens"] == 0
    check_cost(accounts, "embeddings", line, before)
    many = {"input": ["one two three " * 20]}
    assert requests.post(accounts.url + "/v1/embeddings", json=many, headers=headers("sk-embeddings", "b")).status_code == 200
    refused = requests.post(accounts.url + "/v1/embeddings", json=body, headers=headers("sk-embeddings", "c"))
    assert refused.status_code == 429 and "20 tokens per minute" in refused.json()["error"]["message"]


def test_embeddings_that_break_off_are_charged_and_cost(accounts):
    body = {"input": [f"{number} " + "a b " * 300 for number in range(64)]}
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.post(
            accounts.url + "/v1/embeddings", json=body, headers=headers("sk-embeddings-off", "embed-off"), timeout=0.4)
    line = line_of(accounts, lambda line: line.get("request_id") == "embed-off")
    assert "abort" in line["finish_reason"] and line["prompt_tokens"] > 0 and line["compute_seconds"] > 0
    check_cost(accounts, "embeddings-off", line)
    one = {"input": ["a"]}
    refused = requests.post(accounts.url + "/v1/embeddings", json=one, headers=headers("sk-embeddings-off", "next"))
    assert refused.status_code == 429 and "tokens" in refused.json()["error"]["message"]


def test_final_states_of_responses_are_final(accounts):
    """Cancelled at any moment, also at their end: what the client was told stays."""
    key = {"authorization": "Bearer sk-free"}
    for attempt in range(24):
        body = {"input": "a", "background": True, "max_output_tokens": 1 + 80 * (attempt % 3), "ignore_eos": True}
        name = requests.post(accounts.url + "/v1/responses", json=body, headers=key).json()["id"]
        time.sleep(0.002 * attempt)
        ended = requests.post(f"{accounts.url}/v1/responses/{name}/cancel", headers=key).json()
        assert ended["status"] in ("cancelled", "incomplete")
        for _ in range(3):
            assert requests.get(f"{accounts.url}/v1/responses/{name}", headers=key).json() == ended
