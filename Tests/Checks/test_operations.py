"""deepseek-server as operators run it: probes, draining, reloading, keys, TLS, configuration, limits."""

import concurrent.futures
import datetime
import hashlib
import http.client
import ipaddress
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time

import gguf
import pytest
import requests
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from conftest import ROOT, Server, program

MODEL = ROOT / "Sources/CDSDefaultModel/default.ds"
LONG = {"prompt": "a", "max_tokens": 1900, "ignore_eos": True, "temperature": 1}


def run(*arguments, environment=None):
    return subprocess.run(
        [program("DEEPSEEK_SERVER"), *map(str, arguments)], capture_output=True, text=True, timeout=120,
        env={**os.environ, **(environment or {})})


def wait_until(condition, seconds=60):
    """A limit for what hangs, not for what is slow."""
    end = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)
    return result


def running(server, **options):
    return requests.get(server.url + "/health", **options).json()["models"]["deepseek"]["running_requests"]


def test_a_chat_template_of_ones_own(tmp_path):
    path = tmp_path / "template.jinja"
    path.write_text("{% for message in messages %}[{{ message.role }}] {{ message.content }};{% endfor %}")
    server = Server("--port", "0", "--chat-template", path)
    try:
        tokens = requests.post(
            server.url + "/tokenize", json={"messages": [{"role": "user", "content": "hi there"}]}).json()["tokens"]
        text = requests.post(server.url + "/detokenize", json={"tokens": tokens}).json()["prompt"]
        assert text == "[user] hi there;"
    finally:
        assert server.stop() == 0


# Probes

def test_probes(server):
    for path in ("/health", "/healthz", "/livez", "/ping", "/ready", "/readyz"):
        response = requests.get(server.url + path)
        assert response.status_code == 200 and response.json()["models"]["deepseek"]["state"] == "ready", path
        assert requests.head(server.url + path).content == b""
    assert requests.get(server.url + "/health?verbose=1").json()["status"] == "ok"
    assert requests.get(server.url + "/version").json()["version"]
    assert requests.get(server.url + "/load").json() == {"server_load": 0}


def test_probes_on_a_connection_with_other_requests_keep_their_order(server):
    """The second and third are sent before the first is answered."""
    body = json.dumps({"prompt": "a", "max_tokens": 40, "ignore_eos": True})
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall((
            f"POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n{body}"
            "GET /health HTTP/1.1\r\nhost: x\r\n\r\nGET /ready HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").encode())
        received = b""
        while piece := connection.recv(65536):
            received += piece
    assert received.count(b"HTTP/1.1 200") == 3
    assert received.index(b"text_completion") < received.index(b'"status":"ok"') < received.index(b'"status":"ready"')


def test_the_port_opens_before_the_models_are_loaded(tmp_path):
    for index in range(12):
        (tmp_path / f"m{index:02}.ds").symlink_to(MODEL)
    (tmp_path / "broken.gguf").write_bytes(b"GGUF no more")
    server = Server("--port", "0", "--model-dir", tmp_path, "--cache-memory", "4", wait=False)
    try:
        seen = []
        while not seen or seen[-1]["status"] == "starting":
            live, ready = requests.get(server.url + "/health"), requests.get(server.url + "/ready")
            assert live.status_code == 200
            seen.append(live.json())
            if live.json()["status"] == "starting" and live.json()["models"]["m11"]["state"] == "loading":
                answer = requests.post(server.url + "/v1/completions", json={"model": "m11", "prompt": "a"})
                if ready.status_code == 503 and answer.status_code == 503:
                    assert ready.json()["reason"] == "models are loading"
                    assert answer.json()["error"]["code"] == "model_loading" and int(answer.headers["retry-after"]) > 0
        assert seen[0]["status"] == "starting" and len(seen[0]["models"]) == 13
        assert requests.get(server.url + "/ready").status_code == 200
        states = {name: model["state"] for name, model in requests.get(server.url + "/health").json()["models"].items()}
        assert states.pop("broken") == "unavailable" and set(states.values()) == {"ready"}
        answer = requests.post(server.url + "/v1/completions", json={"model": "broken", "prompt": "a"})
        assert answer.status_code == 503 and answer.json()["error"]["code"] == "model_unavailable"
        assert "broken.gguf" in answer.json()["error"]["message"]
        answer = requests.post(server.url + "/v1/completions", json={"model": "m11", "prompt": "a", "max_tokens": 1})
        assert answer.status_code == 200
    finally:
        assert server.stop() == 0


def test_a_server_whose_only_model_is_broken_fails(tmp_path):
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF no more")
    result = run("--port", "0", "--model-dir", path)
    assert result.returncode != 0 and "broken.gguf" in result.stderr.splitlines()[-1]


def test_probes_are_answered_while_everything_else_is_busy():
    """Twelve prompts of 6 MB each are tokenised, on two threads, to be found too long."""
    server = Server("--port", "0")
    try:
        body = json.dumps({"prompt": "Sphinx of black quartz, judge my vow 0123456789. " * 120_000})
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            requests_ = [
                pool.submit(requests.post, server.url + "/v1/completions", data=body, timeout=500) for _ in range(12)]
            answered = 0
            while not any(request.done() for request in requests_):
                # A new connection each time, as kubelet's probes.
                response = requests.get(server.url + "/health", timeout=60)
                assert response.status_code == 200
                answered += 1
            assert answered > 3
            assert {request.result().status_code for request in requests_} == {400}
    finally:
        assert server.stop() == 0


# Stopping

def stream_events(response):
    return [line[6:] for line in response.iter_lines() if line.startswith(b"data: ")]


def test_a_drained_server_finishes_its_streams():
    server = Server("--port", "0", "--drain-delay", "1", "--shutdown-timeout", "300")
    body = {**LONG, "stream": True, "n": 8, "stream_options": {"include_usage": True}}
    response = requests.post(server.url + "/v1/completions", json=body, stream=True)
    session = requests.Session()
    session.get(server.url + "/v1/models")
    server.process.send_signal(signal.SIGTERM)
    wait_until(lambda: requests.get(server.url + "/ready").status_code == 503)
    assert requests.get(server.url + "/ready").json()["reason"] == "the server is stopping"
    assert requests.get(server.url + "/health").status_code == 200
    # For the delay new requests are taken; then they are refused, and the connection is to be closed.
    statuses = []

    def refused():
        answer = session.post(server.url + "/v1/completions", json={"prompt": "a", "max_tokens": 1})
        statuses.append(answer.status_code)
        # An answer of 503 counts as false.
        return [answer] if answer.status_code == 503 else None

    [refusal] = wait_until(refused)
    assert statuses[0] == 200 and refusal.headers["connection"] == "close" and refusal.headers["retry-after"]
    events = stream_events(response)
    assert events[-1] == b"[DONE]" and json.loads(events[-2])["usage"]["completion_tokens"] == 8 * 1900
    assert server.process.wait(timeout=60) == 0


def test_a_second_signal_ends_what_runs():
    server = Server("--port", "0", "--shutdown-timeout", "600")
    body = {**LONG, "stream": True, "n": 64}
    response = requests.post(server.url + "/v1/completions", json=body, stream=True)
    wait_until(lambda: running(server) > 0)
    server.process.send_signal(signal.SIGINT)
    wait_until(lambda: requests.get(server.url + "/ready").status_code == 503)
    assert server.process.poll() is None
    server.process.send_signal(signal.SIGINT)
    events = stream_events(response)
    assert any("error" in json.loads(event) for event in events if event != b"[DONE]")
    assert server.process.wait(timeout=30) == 0


def test_the_shutdown_timeout_ends_what_runs():
    server = Server("--port", "0", "--shutdown-timeout", "1")
    response = requests.post(
        server.url + "/v1/completions", json={**LONG, "stream": True, "n": 64}, stream=True)
    wait_until(lambda: running(server) > 0)
    server.process.send_signal(signal.SIGTERM)
    assert any(b"error" in event for event in stream_events(response))
    assert server.process.wait(timeout=60) == 0


def test_stopping_while_nothing_runs():
    server = Server("--port", "0")
    assert server.stop() == 0
    assert not any("ended" in line for line in server.lines)


# Keys

def test_keys_scopes_and_limits(tmp_path):
    path = tmp_path / "keys"
    digest = hashlib.sha256(b"sk-hashed").hexdigest()
    path.write_text(
        f"# tenants\nteam:sk-team\nhashed:sha256:{digest}:inference\nfew:sk-few:inference:2\n"
        "small:sk-small:inference::40\nops:sk-ops:inference,admin\n")
    server = Server("--port", "0", "--api-key-file", path, "--max-requests-per-key", "1")
    try:
        def post(key, **fields):
            return requests.post(
                server.url + "/v1/completions", json={"prompt": "a", "max_tokens": 2, "ignore_eos": True, **fields},
                headers={"authorization": f"Bearer {key}"})

        answer = requests.post(server.url + "/v1/completions", json={"prompt": "a"})
        assert answer.status_code == 401 and answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["error"]["code"] == "invalid_api_key"
        assert post("sk-team").status_code == post("sk-hashed").status_code == 200
        assert post("sha256:" + digest).status_code == 401
        assert requests.get(server.url + "/v1/models", headers={"x-api-key": "sk-team"}).status_code == 200
        # Strangers' probes learn nothing but the status.
        assert requests.get(server.url + "/health").json() == {"status": "ok"}
        assert "models" in requests.get(server.url + "/health", headers={"x-api-key": "sk-team"}).json()

        # Looking something up is no work and takes nothing of the limits.
        for path in ["/v1/models", "/version", "/openapi.json"]:
            assert requests.get(server.url + path, headers={"x-api-key": "sk-few"}).status_code == 200
        first = post("sk-few")
        assert first.headers["x-ratelimit-limit-requests"] == "2" and first.headers["x-ratelimit-remaining-requests"] == "1"
        post("sk-few")
        refused = post("sk-few")
        assert refused.status_code == 429 and 1 <= int(refused.headers["retry-after"]) <= 30
        assert refused.json()["error"]["type"] == "rate_limit_error"

        assert post("sk-small", max_tokens=80).status_code == 200
        refused = post("sk-small")
        assert refused.status_code == 429 and "tokens" in refused.json()["error"]["message"]
        assert refused.headers["x-ratelimit-remaining-tokens"] == "0"

        # One request at a time: a stream that runs is one, and its end makes room.
        headers = {"authorization": "Bearer sk-team"}
        stream = requests.post(
            server.url + "/v1/completions", json={**LONG, "n": 16, "stream": True}, stream=True, headers=headers)
        assert post("sk-team").status_code == 429 and post("sk-hashed").status_code == 200
        stream.close()
        wait_until(lambda: post("sk-team").status_code == 200)
    finally:
        assert server.stop() == 0


@pytest.mark.parametrize("sharing", ["tenant", "all"])
def test_tenants_share_computed_prompts_only_if_they_may(tmp_path, sharing):
    path = tmp_path / "keys"
    path.write_text("one:sk-1\none:sk-1b\ntwo:sk-2\n")
    options = ["--prefix-cache-sharing", "all"] if sharing == "all" else []
    server = Server("--port", "0", "--api-key-file", path, "--embeddings", "--log-format", "json", *options)
    try:
        def cached(key, path="/v1/chat/completions", **fields):
            body = {"messages": [{"role": "user", "content": "Tell me a secret. " * 40}], "max_tokens": 1, **fields}
            if path == "/v1/completions":
                body["prompt"] = body.pop("messages")[0]["content"]
            if path == "/v1/responses":
                body = {"input": body["messages"][0]["content"], "max_output_tokens": 16, **fields}
            if path == "/v1/messages":
                body["model"] = "deepseek"
            answer = requests.post(server.url + path, json=body, headers={"authorization": f"Bearer {key}"})
            assert answer.status_code == 200, answer.text
            usage = answer.json()["usage"]
            if path == "/v1/messages":
                return usage["cache_read_input_tokens"]
            return usage.get("prompt_tokens_details", usage.get("input_tokens_details"))["cached_tokens"]

        shared = sharing == "all"
        for path in ("/v1/chat/completions", "/v1/completions"):
            for salt in ({}, {"cache_salt": "one"}, {"cache_salt": "two"}):
                assert cached("sk-1", path, **salt) == 0
                assert cached("sk-1", path, **salt) > 0 and cached("sk-1b", path, **salt) > 0
                assert (cached("sk-2", path, **salt) > 0) == shared
        # By whichever API.
        for path in ("/v1/responses", "/v1/messages"):
            assert cached("sk-1", path) > 0 and cached("sk-2", path) > 0

        def line_of(request_id):
            lines = [json.loads(line) for line in list(server.lines) if line.startswith("{")]
            return next((line for line in lines if line.get("request_id") == request_id and "cached_tokens" in line), None)

        def embedded(key, request_id):
            """Tokens of a prompt that nobody has asked for by another API; answers do not tell how many were cached, lines do."""
            answer = requests.post(
                server.url + "/v1/embeddings", json={"input": "Measure what nobody else may know. " * 40},
                headers={"authorization": f"Bearer {key}", "x-request-id": request_id})
            assert answer.status_code == 200, answer.text
            line = wait_until(lambda: line_of(request_id))
            assert line["prompt_tokens"] == answer.json()["usage"]["prompt_tokens"] > 200
            return line["cached_tokens"]

        assert embedded("sk-1", "embed-1") == 0
        assert embedded("sk-1", "embed-2") > 100 and embedded("sk-1b", "embed-3") > 100
        found = embedded("sk-2", "embed-4")
        assert found > 100 if shared else found == 0
        assert embedded("sk-2", "embed-5") > 100
    finally:
        assert server.stop() == 0


def test_responses_belong_to_their_tenant(tmp_path):
    path = tmp_path / "keys"
    path.write_text("one:sk-1\none:sk-1b\ntwo:sk-2\n")
    server = Server("--port", "0", "--api-key-file", path)
    try:
        def call(key, method, path, **body):
            return requests.request(
                method, server.url + "/v1/responses" + path, json=body or None,
                headers={"authorization": f"Bearer {key}"})

        def texts(answer, id):
            assert answer.status_code == 404
            return answer.text.replace(id, "ID")

        known = call("sk-1", "POST", "", input="a", max_output_tokens=16).json()["id"]
        running = call(
            "sk-1", "POST", "", input="a", background=True, max_output_tokens=1900, ignore_eos=True).json()["id"]
        for id in (known, running):
            for method, suffix in (("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/input_items")):
                unknown = call("sk-2", method, "/resp_nothing" + suffix)
                assert texts(call("sk-2", method, f"/{id}{suffix}"), id) == texts(unknown, "resp_nothing")
            for suffix in ("", "/input_tokens"):
                other, unknown = (
                    call("sk-2", "POST", suffix, input="a", previous_response_id=name) for name in (id, "resp_nothing"))
                assert texts(other, id) == texts(unknown, "resp_nothing")
        # For its tenant, by whichever key, nothing has changed.
        assert call("sk-1b", "POST", f"/{running}/cancel").json()["status"] == "cancelled"
        assert call("sk-1b", "POST", "", input="b", previous_response_id=known, max_output_tokens=16).status_code == 200
        assert call("sk-1b", "GET", f"/{known}").json()["id"] == known
        assert call("sk-1b", "DELETE", f"/{known}").json()["deleted"] is True
        assert call("sk-1", "GET", f"/{known}").status_code == 404
    finally:
        assert server.stop() == 0


@pytest.mark.parametrize("timeout, status", [("300", "incomplete"), ("1", "failed")])
def test_a_drain_waits_for_responses_in_the_background(timeout, status):
    server = Server("--port", "0", "--shutdown-timeout", timeout)
    tokens = 1900
    # So many that they take longer than a second.
    ids = [
        requests.post(server.url + "/v1/responses", json={
            "input": "a", "background": True, "max_output_tokens": tokens, "ignore_eos": True}).json()["id"]
        for _ in range(1 if status == "incomplete" else 48)]
    wait_until(lambda: running(server) > 0)
    assert requests.get(server.url + "/load").json()["server_load"] == len(ids)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=120) == 0
    ended = {id: found for id in ids for line in server.lines if (found := re.search(id + r" (\w+)", line))}
    assert set(ended) == set(ids), "".join(server.lines)
    assert any(found.group(1) == status for found in ended.values()), "".join(server.lines)


def test_without_keys_all_share(server):
    body = {"prompt": "Everybody knows that. " * 40, "max_tokens": 1}
    counts = [
        requests.post(server.url + "/v1/completions", json=body).json()["usage"]["prompt_tokens_details"]["cached_tokens"]
        for _ in range(2)]
    assert counts[0] == 0 and counts[1] > 0


def test_keys_are_reloaded(tmp_path):
    path = tmp_path / "keys.yaml"
    path.write_text(yaml.safe_dump({"keys": [
        {"name": "a", "key": "sk-old"}, {"name": "ops", "key": "sk-ops", "scopes": ["admin"]}]}))
    server = Server("--port", "0", "--api-key-file", path)
    try:
        def status(key):
            return requests.get(server.url + "/v1/models", headers={"authorization": f"Bearer {key}"}).status_code

        assert status("sk-old") == 200 and status("sk-new") == 401 and status("sk-ops") == 403
        path.write_text(yaml.safe_dump({"keys": [
            {"name": "a", "key": "sk-new"}, {"name": "ops", "key": "sk-ops", "scopes": ["admin"]}]}))
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: status("sk-new") == 200)
        assert status("sk-old") == 401
        # What cannot be read changes nothing, and is told.
        path.write_text("keys:\n- name: a\n  key: sk-other\n  scope: [inference]\n")
        answer = requests.post(server.url + "/admin/reload", headers={"authorization": "Bearer sk-ops"})
        assert answer.status_code == 409 and "line 4" in answer.json()["failures"][0]
        assert "'scope'" in answer.json()["failures"][0]
        assert status("sk-new") == 200 and status("sk-other") == 401
        assert requests.post(
            server.url + "/admin/drain", headers={"authorization": "Bearer sk-new"}).status_code == 403
        assert requests.post(
            server.url + "/admin/drain", headers={"authorization": "Bearer sk-ops"}).status_code == 202
        assert server.process.wait(timeout=30) == 0
    finally:
        server.process.kill()


def test_a_model_has_several_names(tmp_path):
    config = tmp_path / "server.yaml"
    config.write_text("served-model-name: [house, gpt-4o, org/house, org/large/house]\n")
    server = Server("--port", "0", "--config", config)
    try:
        listed = requests.get(server.url + "/v1/models").json()
        assert [model["id"] for model in listed["data"]] == ["house", "gpt-4o", "org/house", "org/large/house"]
        assert (listed["first_id"], listed["last_id"]) == ("house", "org/large/house")
        for path in ("org%2Fhouse", "org/house"):
            assert requests.get(server.url + "/v1/models/" + path).json()["id"] == "org/house"
        assert requests.get(server.url + "/v1/models/org/large/house").json()["id"] == "org/large/house"
        for path in ("org/garden", "org/large", "org/large/house/door"):
            assert requests.get(server.url + "/v1/models/" + path).status_code == 404
        assert requests.delete(server.url + "/v1/models/org/large/house").status_code == 405
        asked = {"prompt": "a", "max_tokens": 2}
        for name in ["house", "gpt-4o", "org/house", None]:
            answer = requests.post(server.url + "/v1/completions", json={"model": name, **asked}).json()
            assert answer["model"] == "house"
        unknown = requests.post(server.url + "/v1/completions", json={"model": "deepseek", **asked})
        assert unknown.status_code == 404 and "house" in unknown.json()["error"]["message"]
        assert 'model_name="house"' in (metrics := requests.get(server.url + "/metrics").text) and "gpt-4o" not in metrics
    finally:
        assert server.stop() == 0
    twice = run("--served-model-name", "a", "--served-model-name", "b", "--served-model-name", "a")
    assert twice.returncode == 64 and "'a' twice" in twice.stderr
    spaces = run("--served-model-name", "  ")
    assert spaces.returncode == 64 and "nothing but spaces" in spaces.stderr


@pytest.fixture(scope="session")
def two_models(tmp_path_factory):
    """Files of two models that can be told apart, each with what a server that was started with it answers."""
    folder = tmp_path_factory.mktemp("two")
    models = []
    for index in range(2):
        path = folder / f"{index}.ds"
        shutil.copy(MODEL, path)
        if index == 1:
            [norm] = [tensor for tensor in gguf.GGUFReader(path, "r+").tensors if tensor.name == "output_norm.weight"]
            norm.data[:] *= 1.5
        server = Server("--port", "0", "--model-dir", path, "--served-model-name", "m")
        models.append((path, probabilities(server)))
        assert server.stop() == 0
    assert models[0][1] != models[1][1]
    return models


def probabilities(server, **headers):
    answer = requests.post(
        server.url + "/v1/completions", headers=headers,
        json={"model": "m", "prompt": "2 + 3 =", "max_tokens": 4, "temperature": 0, "logprobs": 1})
    assert answer.status_code == 200, answer.text
    return answer.json()["choices"][0]["logprobs"]["token_logprobs"]


def put(source, target):
    """As a file is replaced while somebody has it mapped: the new one takes its name."""
    other = target.with_suffix(".new")
    shutil.copy(source, other)
    other.rename(target)


ADMIN = {"authorization": "Bearer sk-ops"}


def reload(server):
    return requests.post(server.url + "/admin/reload", headers=ADMIN)


def test_a_changed_model_is_served_after_a_reload(two_models, tmp_path):
    (first, before), (second, after) = two_models
    path = tmp_path / "m.ds"
    put(first, path)
    server = Server("--port", "0", "--model-dir", path, "--admin-api-key", "sk-ops")
    try:
        assert probabilities(server, **ADMIN) == before
        # Nothing changed: nothing is loaded.
        assert reload(server).json() == {"failures": [], "models": {"loaded": [], "removed": []}}
        stream = requests.post(
            server.url + "/v1/completions", json={**LONG, "stream": True, "stream_options": {"include_usage": True}},
            stream=True, headers=ADMIN)
        lines = stream.iter_lines()
        next(lines)
        put(second, path)
        answer = reload(server)
        assert answer.status_code == 200 and answer.json()["models"]["loaded"] == ["m"], answer.text
        assert probabilities(server, **ADMIN) == after
        # What ran on the old one ends on it, and then its memory is given back.
        events = [line[6:] for line in lines if line.startswith(b"data: ")]
        assert events[-1] == b"[DONE]" and json.loads(events[-2])["usage"]["completion_tokens"] == 1900
        wait_until(lambda: any("m 1: unloaded" in line for line in server.lines))
        # The signal does the same.
        put(first, path)
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: probabilities(server, **ADMIN) == before)
    finally:
        assert server.stop() == 0


def test_a_model_that_cannot_be_loaded_leaves_the_one_that_answers(two_models, tmp_path):
    (first, before), _ = two_models
    path = tmp_path / "m.ds"
    put(first, path)
    server = Server("--port", "0", "--model-dir", path, "--admin-api-key", "sk-ops")
    try:
        broken = tmp_path / "broken"
        broken.write_bytes(b"GGUF no more")
        huge = tmp_path / "huge"
        with huge.open("wb") as file:
            file.truncate(1 << 43)
        for source, words in ((broken, "m.ds"), (huge, "MiB of free memory"), (None, "found nothing")):
            path.unlink()
            if source:
                source.rename(path)
            answer = reload(server)
            [failure] = answer.json()["failures"]
            assert answer.status_code == 409 and words in failure, failure
            assert any("not reloaded" in line and words in line for line in server.lines)
            assert probabilities(server, **ADMIN) == before
    finally:
        assert server.stop() == 0


def test_a_reload_follows_a_directory_of_models(two_models, tmp_path):
    (first, before), (second, after) = two_models
    for name in ("m", "old"):
        put(first, tmp_path / f"{name}.ds")
    server = Server("--port", "0", "--model-dir", tmp_path, "--admin-api-key", "sk-ops", "--cache-memory", "16")
    try:
        put(second, tmp_path / "m.ds")
        put(second, tmp_path / "new.ds")
        (tmp_path / "old.ds").unlink()
        (tmp_path / "wrong.gguf").write_bytes(b"GGUF no more")
        answer = reload(server)
        [failure] = answer.json()["failures"]
        assert answer.status_code == 409 and "wrong.gguf" in failure
        assert answer.json()["models"] == {"loaded": ["m", "new"], "removed": ["old"]}
        assert probabilities(server, **ADMIN) == after
        names = [model["id"] for model in requests.get(server.url + "/v1/models", headers=ADMIN).json()["data"]]
        assert names == ["m", "new"]
        body = {"model": "wrong", "prompt": "a"}
        assert requests.post(server.url + "/v1/completions", json=body, headers=ADMIN).status_code == 503
        # An empty folder is more likely a mistake than a wish.
        for path in [*tmp_path.glob("*.ds"), *tmp_path.glob("*.gguf")]:
            path.unlink()
        assert reload(server).status_code == 409 and probabilities(server, **ADMIN) == after
    finally:
        assert server.stop() == 0


def test_no_request_is_lost_while_models_are_replaced(two_models, tmp_path):
    path = tmp_path / "m.ds"
    put(two_models[0][0], path)
    server = Server("--port", "0", "--model-dir", path, "--admin-api-key", "sk-ops", "--cache-memory", "16")
    try:
        # Long enough to be tokenised for a while, by a request that already has its model.
        body = json.dumps({"model": "m", "prompt": "a " * 800, "max_tokens": 1})
        statuses, stop = [], threading.Event()

        def ask():
            with requests.Session() as session:
                while not stop.is_set():
                    statuses.append(session.post(server.url + "/v1/completions", data=body, headers=ADMIN).status_code)

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            asking = [pool.submit(ask) for _ in range(4)]
            index = 0
            while index < 4 or len(statuses) < 12:
                put(two_models[1 - index % 2][0], path)
                assert reload(server).json()["models"]["loaded"] == ["m"]
                index += 1
            stop.set()
            for future in asking:
                future.result()
        assert set(statuses) == {200}
    finally:
        assert server.stop() == 0


def test_a_reload_leaves_models_to_requests_where_they_decide(two_models, tmp_path):
    (first, before), (second, _) = two_models
    put(first, tmp_path / "m.ds")
    server = Server(
        "--port", "0", "--model-dir", tmp_path, "--admin-api-key", "sk-ops", "--model-control-mode", "explicit",
        "--load-model", "m")
    try:
        put(second, tmp_path / "m.ds")
        put(second, tmp_path / "new.ds")
        assert reload(server).json()["models"] == {"loaded": [], "removed": []}
        assert probabilities(server, **ADMIN) == before
    finally:
        assert server.stop() == 0


@pytest.mark.parametrize("text, words", [
    ("", ["found none"]), ("# nothing\n", ["found none"]), ("a:b:c:d:e:f\n", ["line 1", "6 parts"]),
    ("only-a-name\n", ["line 1"]), ("a:sk:everything\n", ["'everything'", "inference"]),
    ("a:sk:inference:0\n", ["'0'", "requests per minute"]), ("a:sha256:12\n", ["64 hexadecimal"]),
    ("a:sk\nb:sk\n", ["'a'", "'b'", "same key"]), (":sk\n", ["name"]),
])
def test_wrong_key_files_are_refused(tmp_path, text, words):
    path = tmp_path / "keys"
    path.write_text(text)
    result = run("--api-key-file", path, "--port", "0")
    assert result.returncode != 0 and str(path) in result.stderr and "sk" not in result.stderr.replace(str(path), "")
    for word in words:
        assert word in result.stderr


def test_browsers_are_told_which_pages_may_call():
    server = Server("--port", "0", "--api-key", "sk", "--allowed-origins", "https://app.example")
    try:
        asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
        answer = requests.options(
            server.url + "/v1/chat/completions", headers={"origin": "https://app.example", **asked})
        assert answer.status_code == 204 and answer.headers["access-control-allow-headers"] == "authorization"
        assert answer.headers["access-control-allow-origin"] == "https://app.example"
        assert requests.options(
            server.url + "/v1/models", headers={"origin": "https://evil.example", **asked}).status_code == 403
        answer = requests.get(server.url + "/v1/models", headers={"origin": "https://app.example"})
        assert answer.status_code == 401 and answer.headers["access-control-allow-origin"] == "https://app.example"
    finally:
        assert server.stop() == 0


# TLS

class Authority:
    """Makes certificates."""

    def __init__(self, folder, name):
        self.folder, self.key = folder, ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self.sign(self.name, self.key.public_key(), x509.BasicConstraints(ca=True, path_length=None))
        self.path = folder / f"{name}.pem"
        self.path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def sign(self, subject, key, *extensions):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = x509.CertificateBuilder(
            issuer_name=self.name, subject_name=subject, public_key=key, serial_number=x509.random_serial_number(),
            not_valid_before=now - datetime.timedelta(days=1), not_valid_after=now + datetime.timedelta(days=1))
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return builder.sign(self.key, hashes.SHA256())

    def issue(self, name, usage):
        """Writes a certificate and its key; returns their paths and the certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self.sign(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key.public_key(),
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            x509.ExtendedKeyUsage([usage]))
        paths = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        paths[1].write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return *paths, certificate


def presented(server, authority):
    context = ssl.create_default_context(cafile=authority.path)
    with socket.create_connection(("127.0.0.1", server.port)) as plain:
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
            return x509.load_der_x509_certificate(secure.getpeercert(True)).serial_number


@pytest.mark.parametrize("how", ["signal", "refresh"])
def test_certificates_are_replaced_without_closing_connections(tmp_path, how):
    authority = Authority(tmp_path, "root")
    certificate, key, first = authority.issue("server", ExtendedKeyUsageOID.SERVER_AUTH)
    options = ["--enable-ssl-refresh"] if how == "refresh" else []
    server = Server("--port", "0", "--ssl-certfile", certificate, "--ssl-keyfile", key, *options)
    try:
        url = f"https://127.0.0.1:{server.port}"
        body = json.dumps({**LONG, "stream": True, "n": 4}).encode()
        connection = http.client.HTTPSConnection(
            "127.0.0.1", server.port, context=ssl.create_default_context(cafile=authority.path))
        connection.request("POST", "/v1/completions", body)
        stream = connection.getresponse()
        assert presented(server, authority) == first.serial_number
        assert requests.get(url + "/ready", verify=str(authority.path)).status_code == 200
        _, _, second = authority.issue("server", ExtendedKeyUsageOID.SERVER_AUTH)
        if how == "signal":
            server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: presented(server, authority) == second.serial_number)
        assert stream.read().endswith(b"[DONE]\n\n")
        # A broken file leaves the certificate that works.
        key.write_text("no key")
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: any("not reloaded" in line and str(key) in line for line in server.lines))
        assert presented(server, authority) == second.serial_number
        with pytest.raises(requests.exceptions.ConnectionError):
            requests.get(f"http://127.0.0.1:{server.port}/health")
    finally:
        assert server.stop() == 0


def test_tls_versions(tmp_path):
    authority = Authority(tmp_path, "root")
    certificate, key, _ = authority.issue("server", ExtendedKeyUsageOID.SERVER_AUTH)
    server = Server("--port", "0", "--ssl-certfile", certificate, "--ssl-keyfile", key)
    try:
        for version, works in (("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)):
            result = subprocess.run(
                ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-CAfile", authority.path, version,
                 "-cipher", "DEFAULT:@SECLEVEL=0", "-verify_return_error"],
                input=b"", capture_output=True, timeout=60)
            assert (result.returncode == 0) == works, result.stderr
    finally:
        assert server.stop() == 0


@pytest.mark.parametrize("requirement, without", [("required", False), ("2", False), ("optional", True)])
def test_clients_certificates(tmp_path, requirement, without):
    authority, clients, others = (Authority(tmp_path, name) for name in ("root", "clients", "others"))
    certificate, key, _ = authority.issue("server", ExtendedKeyUsageOID.SERVER_AUTH)
    known, stranger = (a.issue(f"{n}-client", ExtendedKeyUsageOID.CLIENT_AUTH)[:2] for a, n in ((clients, "a"), (others, "b")))
    server = Server(
        "--port", "0", "--ssl-certfile", certificate, "--ssl-keyfile", key, "--ssl-ca-certs", clients.path,
        "--ssl-cert-reqs", requirement)
    try:
        def works(client):
            try:
                return requests.get(
                    f"https://127.0.0.1:{server.port}/v1/models", verify=str(authority.path), timeout=60,
                    cert=client and tuple(map(str, client))).status_code == 200
            except requests.exceptions.ConnectionError:
                return False

        assert works(known) and not works(stranger) and works(None) == without
    finally:
        assert server.stop() == 0


@pytest.mark.parametrize("arguments, words", [
    (["--ssl-certfile", "c.pem"], ["--ssl-certfile", "--ssl-keyfile"]),
    (["--ssl-keyfile", "k.pem"], ["--ssl-keyfile", "--ssl-certfile"]),
    (["--ssl-certfile", "c.pem", "--ssl-keyfile", "k.pem"], ["c.pem", "PEM"]),
    (["--ssl-certfile", "c.pem", "--ssl-keyfile", "k.pem", "--ssl-cert-reqs", "2"], ["--ssl-cert-reqs", "--ssl-ca-certs"]),
    (["--enable-ssl-refresh"], ["--enable-ssl-refresh"]),
])
def test_incomplete_tls_is_refused(arguments, words):
    result = run("--check-config", *arguments)
    assert result.returncode != 0
    for word in words:
        assert word in result.stderr


def test_a_key_of_another_certificate_is_refused(tmp_path):
    authority = Authority(tmp_path, "root")
    certificate, _, _ = authority.issue("one", ExtendedKeyUsageOID.SERVER_AUTH)
    _, key, _ = authority.issue("two", ExtendedKeyUsageOID.SERVER_AUTH)
    result = run("--check-config", "--ssl-certfile", certificate, "--ssl-keyfile", key)
    assert result.returncode != 0 and str(key) in result.stderr and str(certificate) in result.stderr


# Configuration

def test_configuration_sources(tmp_path):
    path = tmp_path / "server.yaml"
    path.write_text("max-batch-size: 4\nmax_queued_requests: 5\nport: 1\napi-key: [sk-secret]\n")
    environment = {"PORT": "0", "DEEPSEEK_MAX_QUEUED_REQUESTS": "6", "DS_CONFIG": '{"max_batch_tokens": 77}'}
    arguments = ["--config", path, "--max-queued-requests", "7"]
    result = run(*arguments, "--print-config", environment=environment)
    assert result.returncode == 0 and "sk-secret" not in result.stdout
    values = yaml.safe_load(result.stdout)
    assert (values["max-batch-size"], values["max-queued-requests"], values["port"]) == (4, 7, 0)
    assert values["max-batch-tokens"] == 77 and values["host"] == "127.0.0.1"
    printed = tmp_path / "printed.yaml"
    printed.write_text(result.stdout)
    again = run("--config", printed, "--check-config")
    assert again.returncode != 0 and "'api-key': expected a secret, found ***" in again.stderr
    origins = {line.split(":")[0]: line.rsplit("# ", 1)[1] for line in result.stdout.splitlines()[1:]}
    assert origins["max-batch-size"] == f"{path}, line 1" and origins["max-queued-requests"] == "command line"
    assert origins["port"] == "environment: PORT" and origins["host"] == "default"
    assert origins["max-batch-tokens"] == "environment: DS_CONFIG"
    server = Server(*map(str, arguments), environment=environment)
    try:
        url, key = server.url + "/v1/completions", {"authorization": "Bearer sk-secret"}
        answer = requests.post(url, json={"prompt": "a", "n": 8}, headers=key)
        assert answer.status_code == 400 and "at most 7" in answer.json()["error"]["message"]
    finally:
        assert server.stop() == 0


@pytest.mark.parametrize("text, words", [
    ("prot: 80", ["line 1", "'prot'", "'port'"]), ("port: eighty", ["--port", "'eighty'", "line 1"]),
    ("\nport: 70000", ["--port", "70000", "line 2"]), ("max-batch-size: 0", ["--max-batch-size", "1...", "found 0"]),
    ("speculation: maybe", ["--speculation", "'maybe'", "auto"]),
    ("optimize-level: 7", ["--optimize-level", "0...3", "7", "line 1"]),
])
def test_wrong_configuration_names_the_place(tmp_path, text, words):
    path = tmp_path / "server.yaml"
    path.write_text(text)
    result = run("--config", path, "--check-config")
    assert result.returncode != 0 and str(path) in result.stderr
    for word in words:
        assert word in result.stderr, result.stderr


def test_check_config():
    result = run("--check-config")
    assert result.returncode == 0 and "valid" in result.stdout


# Limits

def test_large_bodies_are_refused():
    server = Server("--port", "0", "--max-body-size", "1")
    try:
        body = json.dumps({"prompt": "x" * (1 << 20)})
        assert requests.post(server.url + "/v1/completions", data=body).status_code == 413
        assert requests.post(server.url + "/v1/completions", data=iter([body.encode()])).status_code == 413
    finally:
        assert server.stop() == 0


def test_requests_that_drip_are_cut_off():
    server = Server("--port", "0", "--request-timeout", "2")
    try:
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        connection.sendall(b"POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n")
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            while True:
                connection.sendall(b" ")
                time.sleep(0.1)
        # One that computes longer than that is not cut off.
        body = {"prompt": "a", "max_tokens": 1900, "ignore_eos": True, "n": 16, "temperature": 1}
        assert requests.post(server.url + "/v1/completions", json=body).status_code == 200
    finally:
        assert server.stop() == 0


def test_too_many_connections_are_refused_and_probes_are_not():
    server = Server("--port", "0", "--max-connections", "3")
    try:
        held = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(3)]
        for connection in held:
            connection.sendall(b"GET /version HTTP/1.1\r\nhost: x\r\n\r\n")
            assert b"200" in connection.recv(4096)
        answer = requests.post(server.url + "/v1/completions", json={"prompt": "a"})
        assert answer.status_code == 503 and answer.json()["error"]["code"] == "too_many_connections"
        assert requests.get(server.url + "/health").status_code == 200
        for connection in held:
            connection.close()
        wait_until(lambda: requests.get(server.url + "/version").status_code == 200)
    finally:
        assert server.stop() == 0


def test_unix_socket(tmp_path):
    path = tmp_path / "s"
    server = Server("--uds", path)
    try:
        result = subprocess.run(
            ["curl", "-s", "--unix-socket", path, "http://x/health"], capture_output=True, text=True, timeout=60)
        assert json.loads(result.stdout)["status"] == "ok"
    finally:
        assert server.stop() == 0


def test_a_refused_client_that_sends_on_gets_its_answer():
    """It closes the connection behind the answer, and its body is larger than what the system holds for it."""
    server = Server("--port", "0", "--api-key", "sk-one")
    try:
        size = 24 << 20
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
            connection.sendall(
                b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
                b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % size)
            for _ in range(size >> 16):
                connection.sendall(b" " * (1 << 16))
            received = b""
            while piece := connection.recv(65536):
                received += piece
        assert received.startswith(b"HTTP/1.1 401")
    finally:
        assert server.stop() == 0
