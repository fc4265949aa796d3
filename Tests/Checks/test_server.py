"""deepseek-server below the API: methods, limits, idle connections and stopping."""

import gzip
import json
import signal
import socket
import subprocess
import time

import pytest
import requests

from conftest import Server, program


@pytest.mark.parametrize("method, path, allowed", [
    ("GET", "/v1/chat/completions", "POST"), ("DELETE", "/v1/completions", "POST"), ("POST", "/health", "GET, HEAD"),
    ("PUT", "/v1/models/deepseek", "GET, HEAD"), ("TRACE", "/v1/embeddings", "POST"),
    ("OPTIONS", "/v1/completions", "POST"), ("OPTIONS", "/ready", "GET, HEAD"),
])
def test_wrong_methods_are_told_the_right_one(server, method, path, allowed):
    response = requests.request(method, server.url + path)
    assert response.status_code == 405 and response.headers["allow"] == allowed
    assert allowed in response.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/v1/completions", "/v1/messages", "/tokenize", "/v2/models/deepseek/infer"])
def test_compressed_bodies_are_refused(server, path):
    body = gzip.compress(json.dumps({"prompt": "a", "max_tokens": 1}).encode())
    response = requests.post(server.url + path, data=body, headers={"content-encoding": "gzip"})
    assert response.status_code == 400 and "content-encoding: expected an uncompressed body" in response.text
    plain = requests.post(server.url + "/v1/completions", json={"prompt": "a", "max_tokens": 1},
                          headers={"content-encoding": "identity"})
    assert plain.status_code == 200


def test_head(server):
    response = requests.head(server.url + "/health")
    assert response.status_code == 200 and response.content == b""


def test_more_answers_than_can_ever_wait():
    server = Server("--port", "0", "--max-queued-requests", "6")
    try:
        body = {"model": "deepseek", "prompt": ["a", "b", "c"], "n": 4, "max_tokens": 1}
        response = requests.post(server.url + "/v1/completions", json=body)
        assert response.status_code == 400 and "12" in response.json()["error"]["message"]
        response = requests.post(server.url + "/v1/completions", json={**body, "n": 2})
        assert response.status_code == 200 and len(response.json()["choices"]) == 6
    finally:
        assert server.stop() == 0


@pytest.mark.parametrize("sent", [b"", b"POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n{"])
def test_idle_connections_are_closed(sent):
    server = Server("--port", "0", "--idle-timeout", "1")
    try:
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        connection.sendall(sent)
        received = b""
        while piece := connection.recv(4096):
            received += piece
        assert b" 200 " not in received
        # A request that computes for longer than that is not idle.
        body = {"model": "deepseek", "prompt": "a", "max_tokens": 1900, "ignore_eos": True, "n": 8, "temperature": 1}
        response = requests.post(server.url + "/v1/completions", json=body)
        assert response.status_code == 200 and response.json()["usage"]["completion_tokens"] == 8 * 1900
    finally:
        assert server.stop() == 0


def test_stopping_does_not_wait_for_ever():
    server = Server("--port", "0", "--idle-timeout", "600")
    connection = socket.create_connection(("127.0.0.1", server.port))
    connection.sendall(b"POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n{")
    body = json.dumps({"model": "deepseek", "prompt": "a", "max_tokens": 1900, "ignore_eos": True, "n": 64})
    other = socket.create_connection(("127.0.0.1", server.port))
    other.sendall(
        f"POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode())
    while requests.get(server.url + "/health").json()["models"]["deepseek"]["running_requests"] == 0:
        time.sleep(0.01)
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=25) == 0
    answer = b""
    while piece := other.recv(65536):
        answer += piece
    assert b"HTTP/1.1 503" in answer and b"shut_down" in answer


def test_a_port_that_is_taken_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run([program("DEEPSEEK_SERVER"), "--port", port], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert port in last and "the port is in use" in last and "bind(" not in last, last


def test_requests_keep_their_name(server):
    named = requests.get(server.url + "/v1/models", headers={"x-request-id": "abc-1"})
    assert named.headers["x-request-id"] == "abc-1"
    body = {"prompt": "a", "max_tokens": 1}
    answer = requests.post(server.url + "/v1/completions", json=body, headers={"x-request-id": "abc-2"})
    assert answer.json()["id"] == "cmpl-abc-2"
    drawn = [requests.get(server.url + "/nothing").headers["x-request-id"] for _ in range(2)]
    assert len(set(drawn)) == 2


def test_streams_that_wait_say_so():
    server = Server("--port", "0", "--max-batch-size", "1", "--sse-keep-alive-interval", "1")
    try:
        # Nine long answers go first, one after the other.
        body = {"prompt": "a", "max_tokens": 1900, "ignore_eos": True, "n": 9}
        before = requests.post(server.url + "/v1/completions", json={**body, "stream": True}, stream=True)
        waiting = requests.post(
            server.url + "/v1/completions", json={"prompt": "a", "max_tokens": 2, "stream": True}, stream=True)
        lines = [line for line in waiting.iter_lines() if line]
        assert lines[0] == b": ping" and lines[-1] == b"data: [DONE]", lines[:3]
        before.close()
    finally:
        assert server.stop() == 0
