"""Spans as a collector gets them: a small HTTP receiver decodes them with opentelemetry-proto."""

import base64
import http.server
import json
import threading
import time

import pytest
import requests
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from conftest import Server

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Collector:
    """Takes `POST /v1/traces` in both encodings; answers with `statuses` first, then 200."""

    def __init__(self, statuses=()):
        self.requests, self.headers, self.statuses = [], [], list(statuses)
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                assert self.path == "/v1/traces" and self.headers.get("content-encoding") != "gzip"
                message = ExportTraceServiceRequest()
                if self.headers["content-type"] == "application/x-protobuf":
                    message.ParseFromString(body)
                else:
                    assert self.headers["content-type"] == "application/json"
                    # OTLP's JSON has ids in hexadecimal digits where protobuf's own has base64.
                    json_format.Parse(hexadecimal_ids(body), message)
                status = collector.statuses.pop(0) if collector.statuses else 200
                if status == 200:
                    collector.requests.append(message)
                    collector.headers.append(dict(self.headers))
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def spans(self, count):
        for _ in range(400):
            spans = [span for request in self.requests for resource in request.resource_spans
                     for scope in resource.scope_spans for span in scope.spans]
            if len(spans) >= count:
                return spans
            time.sleep(0.05)
        pytest.fail(f"expected {count} spans, found {spans}")

    def stop(self):
        self.server.shutdown()


def hexadecimal_ids(body):
    def mend(value):
        if isinstance(value, dict):
            return {key: base64.b64encode(bytes.fromhex(item)).decode()
                    if key in ("traceId", "spanId", "parentSpanId") else mend(item) for key, item in value.items()}
        return [mend(item) for item in value] if isinstance(value, list) else value

    return json.dumps(mend(json.loads(body)))


def attributes(span):
    return {item.key: getattr(item.value, item.value.WhichOneof("value")) for item in span.attributes}


def ask(server, **body):
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "x-request-id": "request-1"}
    response = requests.post(
        server.url + "/v1/completions", headers=headers,
        json={"prompt": "a b c", "max_tokens": 4, "ignore_eos": True, "temperature": 0.5, "top_p": 0.9, **body})
    assert response.headers["x-request-id"] == "request-1"
    return response


@pytest.mark.parametrize("encoding", ["http/protobuf", "http/json"])
@pytest.mark.parametrize("stream", [False, True])
def test_spans_of_a_request(encoding, stream):
    collector = Collector()
    server = Server("--port", "0", "--otlp-traces-endpoint", collector.url, "--otlp-protocol", encoding, environment={
        "OTEL_SERVICE_NAME": "checked", "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=a%20b,x-other=1",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=test"})
    try:
        before = time.time_ns()
        assert ask(server, n=2, stream=stream).status_code == 200
        spans = collector.spans(3)
        after = time.time_ns()
    finally:
        assert server.stop() == 0
        collector.stop()
    resource = {item.key: item.value.string_value for item in collector.requests[0].resource_spans[0].resource.attributes}
    assert resource["service.name"] == "checked" and resource["deployment.environment"] == "test"
    headers = {name.lower(): value for name, value in collector.headers[0].items()}
    assert headers["x-tenant"] == "a b" and headers["x-other"] == "1"
    assert {span.trace_id.hex() for span in spans} == {TRACE}
    assert all(before <= span.start_time_unix_nano <= span.end_time_unix_nano <= after for span in spans)
    root = next(span for span in spans if span.name != "llm_request")
    answers = [span for span in spans if span.name == "llm_request"]
    assert root.name == "POST /v1/completions" and root.kind == Span.SPAN_KIND_SERVER
    assert root.parent_span_id.hex() == PARENT
    values = attributes(root)
    assert values["http.response.status_code"] == 200 and values["http.route"] == "/v1/completions"
    assert len(answers) == 2
    for span in answers:
        assert span.parent_span_id == root.span_id and span.span_id != root.span_id
        values = attributes(span)
        assert values["gen_ai.request.id"] == "request-1" and values["gen_ai.response.model"] == "deepseek"
        assert values["gen_ai.request.n"] == 2 and values["gen_ai.request.max_tokens"] == 4
        assert values["gen_ai.request.temperature"] == 0.5 and values["gen_ai.request.top_p"] == 0.9
        assert values["gen_ai.usage.completion_tokens"] == 4 and values["gen_ai.usage.prompt_tokens"] > 0
        assert [item.string_value for item in values["gen_ai.response.finish_reasons"].values] == ["length"]
        queue, first, whole = (values["gen_ai.latency." + name]
                               for name in ["time_in_queue", "time_to_first_token", "e2e"])
        assert 0 <= queue <= first <= whole
        inference = values["gen_ai.latency.time_in_model_inference"]
        parts = values["gen_ai.latency.time_in_model_prefill"] + values["gen_ai.latency.time_in_model_decode"]
        assert inference == pytest.approx(parts, rel=1e-6)
        assert [event.name for event in span.events] == ["scheduled", "first_token", "last_token"]


def metric(server, name):
    return sum(float(line.split()[-1]) for line in requests.get(server.url + "/metrics").text.splitlines()
               if line.startswith(name))


def test_a_collector_that_is_busy_is_asked_again():
    collector = Collector(statuses=[503, 429])
    server = Server("--port", "0", "--otlp-traces-endpoint", collector.url + "/v1/traces")
    try:
        ask(server)
        collector.spans(2)
        while metric(server, "deepseek_trace_spans_exported_total") < 2:
            time.sleep(0.05)
        assert metric(server, "deepseek_trace_spans_dropped_total") == 0
    finally:
        assert server.stop() == 0
        collector.stop()


def test_a_collector_that_refuses_costs_spans_and_nothing_else():
    collector = Collector(statuses=[400] * 50)
    server = Server("--port", "0", "--otlp-traces-endpoint", collector.url)
    try:
        assert ask(server).status_code == 200
        for _ in range(400):
            if metric(server, 'deepseek_trace_spans_dropped_total{reason="collector"}') >= 2:
                break
            time.sleep(0.05)
        else:
            pytest.fail("dropped spans were not counted")
        assert ask(server).status_code == 200
    finally:
        assert server.stop() == 0
        collector.stop()
    assert sum("expected the collector to take" in line for line in server.lines) == 1


def test_callers_and_the_ratio_decide():
    collector = Collector()
    server = Server("--port", "0", "--otlp-traces-endpoint", collector.url, "--trace-sampling-ratio", "0")
    try:
        requests.get(server.url + "/v1/models")
        requests.get(server.url + "/v1/models", headers={"traceparent": f"00-{TRACE}-{PARENT}-00"})
        requests.get(server.url + "/v1/models", headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
        spans = collector.spans(1)
    finally:
        # What waits is sent before the end.
        assert server.stop() == 0
        collector.stop()
    assert [span.name for span in spans] == ["GET /v1/models"] and spans[0].parent_span_id.hex() == PARENT
    assert len(collector.spans(1)) == 1


def test_a_collector_that_is_not_there_does_not_keep_the_server_from_ending():
    server = Server("--port", "0", "--otlp-traces-endpoint", "http://127.0.0.1:9/v1/traces")
    assert ask(server).status_code == 200
    assert server.stop() == 0
    assert not any("connections were cut" in line for line in server.lines), server.lines
    assert any("expected the collector to take" in line for line in server.lines), server.lines
