"""deepseek-server's gRPC side as operators run it: TLS, certificates that change, draining, counters, lines of the log."""

import json
import signal
import ssl
import socket
import threading

import grpc
import pytest
import requests
import tritonclient.grpc as grpcclient
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from prometheus_client.parser import text_string_to_metric_families
from tritonclient.utils import InferenceServerException

from conftest import Server
from test_operations import Authority, put, two_models, wait_until  # noqa: F401
from test_triton_client import check, grpc_port, inputs, text_inputs

GRPC = ("--port", "0", "--grpc-port", "0", "--conformance-models")


def presented(port, authority):
    context = ssl.create_default_context(cafile=authority.path)
    context.set_alpn_protocols(["h2"])
    with socket.create_connection(("127.0.0.1", port)) as plain:
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
            return x509.load_der_x509_certificate(secure.getpeercert(True)).serial_number


def test_tls_with_tritons_client(tmp_path):
    authority, other = Authority(tmp_path, "root"), Authority(tmp_path, "other")
    certificate, key, _ = authority.issue("server", ExtendedKeyUsageOID.SERVER_AUTH)
    server = Server(*GRPC, "--ssl-certfile", certificate, "--ssl-keyfile", key)
    try:
        address = f"127.0.0.1:{grpc_port(server)}"

        def client(roots):
            return grpcclient.InferenceServerClient(address, ssl=True, root_certificates=str(roots))

        check(client(authority.path).infer("simple", inputs(grpcclient)))
        for stranger in (client(other.path), grpcclient.InferenceServerClient(address)):
            with pytest.raises(InferenceServerException):
                stranger.infer("simple", inputs(grpcclient), client_timeout=20)
    finally:
        assert server.stop() == 0


def test_clients_certificates(tmp_path):
    authority, clients, others = (Authority(tmp_path, name) for name in ("root", "clients", "others"))
    certificate, key, _ = authority.issue("server", ExtendedKeyUsageOID.SERVER_AUTH)
    server = Server(
        *GRPC, "--ssl-certfile", certificate, "--ssl-keyfile", key, "--ssl-ca-certs", clients.path,
        "--ssl-cert-reqs", "required")
    try:
        def infer(owner):
            files = {}
            if owner:
                chain, private, _ = owner.issue("client", ExtendedKeyUsageOID.CLIENT_AUTH)
                files = {"private_key": str(private), "certificate_chain": str(chain)}
            client = grpcclient.InferenceServerClient(
                f"127.0.0.1:{grpc_port(server)}", ssl=True, root_certificates=str(authority.path), **files)
            check(client.infer("simple", inputs(grpcclient), client_timeout=20))

        infer(clients)
        for owner in (others, None):
            with pytest.raises(InferenceServerException):
                infer(owner)
    finally:
        assert server.stop() == 0


@pytest.mark.parametrize("how", ["signal", "refresh"])
def test_certificates_are_replaced(tmp_path, how):
    authority = Authority(tmp_path, "root")
    certificate, key, first = authority.issue("server", ExtendedKeyUsageOID.SERVER_AUTH)
    options = ["--enable-ssl-refresh"] if how == "refresh" else []
    server = Server(*GRPC, "--ssl-certfile", certificate, "--ssl-keyfile", key, *options)
    try:
        port = grpc_port(server)
        client = grpcclient.InferenceServerClient(
            f"127.0.0.1:{port}", ssl=True, root_certificates=str(authority.path))
        check(client.infer("simple", inputs(grpcclient)))
        assert presented(port, authority) == first.serial_number
        _, _, second = authority.issue("server", ExtendedKeyUsageOID.SERVER_AUTH)
        if how == "signal":
            server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: presented(port, authority) == second.serial_number)
        # The open connection goes on, and a broken file changes nothing.
        check(client.infer("simple", inputs(grpcclient)))
        key.write_text("no key")
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: any("not reloaded" in line and str(key) in line for line in server.lines))
        assert presented(port, authority) == second.serial_number
    finally:
        assert server.stop() == 0


class Stream:
    """A call of ModelStreamInfer with one request, whose answers are counted."""

    def __init__(self, server, tokens):
        self.client = grpcclient.InferenceServerClient(f"127.0.0.1:{grpc_port(server)}")
        self.count, self.error, self.first, self.ended = 0, None, threading.Event(), threading.Event()
        self.client.start_stream(callback=self.take)
        self.client.async_stream_infer(
            "deepseek", text_inputs(grpcclient, "a", True, max_tokens=tokens, ignore_eos=True),
            enable_empty_final_response=True)

    def take(self, result, error):
        if error:
            # Behind the answer, the server that ends breaks the stream off.
            if not self.ended.is_set():
                self.error = error
            self.ended.set()
        elif (final := result.get_response().parameters.get("triton_final_response")) and final.bool_param:
            self.ended.set()
        else:
            self.count += 1
        self.first.set()


def test_a_drain_waits_for_calls():
    server = Server(*GRPC, "--shutdown-timeout", "300")
    port = grpc_port(server)
    stream = Stream(server, 1900)
    # A watcher of the health does not hold the server up.
    watch = grpc.insecure_channel(f"127.0.0.1:{port}").unary_stream("/grpc.health.v1.Health/Watch")(b"")
    next(watch)
    assert stream.first.wait(60) and not stream.error
    assert requests.get(server.url + "/load").json()["server_load"] == 1
    server.process.send_signal(signal.SIGTERM)
    wait_until(lambda: requests.get(server.url + "/ready").status_code == 503)
    refused = grpcclient.InferenceServerClient(f"127.0.0.1:{port}")
    with pytest.raises(InferenceServerException) as error:
        refused.infer("simple", inputs(grpcclient))
    assert error.value.status() == "StatusCode.UNAVAILABLE" and "stopping" in error.value.message()
    assert not stream.ended.is_set()
    # The answer comes to its end, and the stream, which its client keeps open, does not hold the server up.
    assert stream.ended.wait(120) and not stream.error and stream.count > 100
    assert server.process.wait(timeout=60) == 0
    stream.client.stop_stream()


def test_every_protocol_says_that_the_server_leaves():
    server = Server(*GRPC, "--drain-delay", "5")
    port = grpc_port(server)
    client = grpcclient.InferenceServerClient(f"127.0.0.1:{port}")
    health = grpc.insecure_channel(f"127.0.0.1:{port}").unary_unary("/grpc.health.v1.Health/Check")

    def answers():
        paths = ("/v2/health/ready", "/v2/models/deepseek/ready", "/v2/models/simple/ready")
        return (
            [requests.get(server.url + path).status_code for path in paths],
            [client.is_server_ready(), client.is_model_ready("deepseek"), client.is_model_ready("simple")],
            # The whole server, and one model.
            [health(request) for request in (b"", b"\x0a\x08deepseek")])

    assert answers() == ([200] * 3, [True] * 3, [b"\x08\x01"] * 2)
    server.process.send_signal(signal.SIGTERM)
    wait_until(lambda: requests.get(server.url + "/ready").status_code == 503)
    assert answers() == ([400] * 3, [False] * 3, [b"\x08\x02"] * 2)
    # For the delay, requests are taken.
    check(client.infer("simple", inputs(grpcclient)))
    assert client.is_server_live() and requests.get(server.url + "/v2/health/live").status_code == 200
    client.close()
    assert server.process.wait(timeout=60) == 0


def test_the_shutdown_timeout_ends_calls():
    server = Server(*GRPC, "--shutdown-timeout", "1", "--max-batch-size", "64")
    streams = [Stream(server, 1900) for _ in range(32)]
    assert all(stream.first.wait(60) for stream in streams)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=60) == 0
    assert any(stream.ended.wait(10) and stream.error for stream in streams)


def test_calls_are_counted_and_logged(tmp_path):
    path = tmp_path / "keys"
    path.write_text("team:sk-team\nops:sk-ops:inference,metrics,admin\n")
    server = Server(*GRPC, "--api-key-file", path, "--log-format", "json")
    try:
        client = grpcclient.InferenceServerClient(f"127.0.0.1:{grpc_port(server)}")
        headers = {"authorization": "Bearer sk-team", "x-request-id": "call-7"}
        for _ in range(3):
            check(client.infer("simple", inputs(grpcclient), headers=headers))
        for model, key in (("nothing", "sk-team"), ("simple", "wrong")):
            with pytest.raises(InferenceServerException):
                client.infer(model, inputs(grpcclient), headers={"authorization": f"Bearer {key}"})
        with pytest.raises(InferenceServerException):
            client.load_model("simple", headers=headers)
        client.get_server_metadata(headers=headers)
        assert client.is_server_live()

        text = requests.get(server.url + "/metrics", headers={"authorization": "Bearer sk-ops"}).text
        [family] = [family for family in text_string_to_metric_families(text) if family.name == "grpc_requests"]
        counts = {(s.labels["method"], s.labels["code"]): s.value for s in family.samples if s.name.endswith("_total")}
        assert counts == {
            ("ModelInfer", "OK"): 3, ("ModelInfer", "NOT_FOUND"): 1, ("ModelInfer", "UNAUTHENTICATED"): 1,
            ("RepositoryModelLoad", "PERMISSION_DENIED"): 1, ("ServerMetadata", "OK"): 1}
        lines = [line for line in map(json.loads, server.lines) if line.get("method") == "ModelInfer"]
        assert [line["code"] for line in lines] == ["OK"] * 3 + ["NOT_FOUND", "UNAUTHENTICATED"]
        assert lines[0]["request_id"] == "call-7" and lines[0]["tenant"] == "team" and lines[0]["model"] == "simple"
        assert lines[0]["client"] == "127.0.0.1" and 0 < lines[0]["request_time"] < 60
        assert lines[0]["path"] == "/inference.GRPCInferenceService/ModelInfer"
        assert "tenant" not in lines[-1]
    finally:
        assert server.stop() == 0


def test_a_cancelled_call_is_counted():
    server = Server(*GRPC)
    try:
        stream = Stream(server, 1900)
        assert stream.first.wait(60)
        stream.client.stop_stream(cancel_requests=True)

        def cancelled():
            text = requests.get(server.url + "/metrics").text
            return 'grpc_requests_total{service="deepseek",method="ModelStreamInfer",code="CANCELLED"}' in text

        wait_until(cancelled)
        assert requests.get(server.url + "/load").json()["server_load"] == 0
    finally:
        assert server.stop() == 0


@pytest.mark.parametrize("sharing", ["tenant", "all"])
def test_tenants_do_not_share_prompts_here_either(tmp_path, sharing):
    path = tmp_path / "keys"
    path.write_text("one:sk-1\ntwo:sk-2\nops:sk-ops:metrics\n")
    server = Server(*GRPC, "--api-key-file", path, "--prefix-cache-sharing", sharing)
    try:
        client = grpcclient.InferenceServerClient(f"127.0.0.1:{grpc_port(server)}")

        def hits():
            text = requests.get(server.url + "/metrics", headers={"authorization": "Bearer sk-ops"}).text
            return next(
                sample.value for family in text_string_to_metric_families(text) for sample in family.samples
                if sample.name == "vllm:prefix_cache_hits_total")

        def ask(key):
            before = hits()
            client.infer(
                "deepseek", text_inputs(grpcclient, "Nobody may know. " * 40, max_tokens=1),
                headers={"authorization": f"Bearer {key}"})
            return hits() - before

        assert ask("sk-1") == 0 and ask("sk-1") > 0
        assert (ask("sk-2") > 0) == (sharing == "all")
    finally:
        assert server.stop() == 0
