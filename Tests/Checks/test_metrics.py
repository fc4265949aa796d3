"""/metrics as others read it: prometheus-client's parsers, promtool, and a real Prometheus that scrapes the server."""

import concurrent.futures
import json
import re
import shutil
import socket
import subprocess
import time

import openai
import pytest
import requests
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_prometheus

from conftest import ROOT, Server, skip

# What vLLM 0.33 serves under these names; counters have `_total` on the wire.
HISTOGRAMS = """
    vllm:time_to_first_token_seconds vllm:inter_token_latency_seconds vllm:request_time_per_output_token_seconds
    vllm:e2e_request_latency_seconds vllm:request_queue_time_seconds vllm:request_inference_time_seconds
    vllm:request_prefill_time_seconds vllm:request_decode_time_seconds vllm:request_prompt_tokens
    vllm:request_generation_tokens vllm:request_max_num_generation_tokens vllm:request_params_max_tokens
    vllm:request_prefill_kv_computed_tokens vllm:iteration_tokens_total vllm:request_params_n
    vllm:request_num_preemptions deepseek_step_duration_seconds http_request_duration_seconds""".split()
COUNTERS = """
    vllm:prefix_cache_queries vllm:prefix_cache_hits vllm:num_preemptions vllm:prompt_tokens vllm:prompt_tokens_cached
    vllm:prompt_tokens_by_source vllm:generation_tokens vllm:request_success vllm:admission_rejections
    vllm:spec_decode_num_drafts vllm:spec_decode_num_draft_tokens vllm:spec_decode_num_accepted_tokens
    http_requests deepseek_compute_seconds deepseek_request_cost process_cpu_seconds""".split()
GAUGES = """
    vllm:num_requests_running vllm:num_requests_waiting vllm:num_requests_waiting_by_reason vllm:engine_sleep_state
    vllm:kv_cache_usage_perc vllm:cache_config_info deepseek_throughput deepseek_queue_length deepseek_pending_requests
    deepseek_kv_cache_bytes deepseek_weights_mapped_bytes deepseek_arena_bytes process_resident_memory_bytes
    process_start_time_seconds process_open_fds""".split()


@pytest.fixture(scope="module")
def watched():
    """A server of its own, so that no other test's requests are counted."""
    server = Server("--port", "0", "--max-queued-requests", "8", "--cost-per-hour", "3.6")
    yield server
    assert server.stop() == 0


def scrape(server, parser=parse_prometheus, **headers):
    response = requests.get(server.url + "/metrics", headers=headers)
    assert response.status_code == 200
    return response, {family.name: family for family in parser(response.text)}


def value(families, name, suffix="", **labels):
    found = [sample for sample in families[name].samples
             if sample.name == name + suffix and labels.items() <= sample.labels.items()]
    assert len(found) == 1, (name, suffix, labels, found)
    return found[0].value


def complete(server, **body):
    response = requests.post(server.url + "/v1/completions", json={"prompt": "a b c", **body})
    return response


def settled(server, check):
    """The metrics once `check` holds: a request is counted when its answer was written, which its client may see first."""
    for _ in range(200):
        families = scrape(server)[1]
        if check(families):
            return families
        time.sleep(0.05)
    pytest.fail("the metrics did not settle:\n" + scrape(server)[0].text)


def test_both_formats_have_the_same_families(watched):
    complete(watched, max_tokens=2)
    plain, families = scrape(watched)
    assert plain.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    openmetrics, others = scrape(
        watched, parse_openmetrics, accept="application/openmetrics-text; version=1.0.0, text/plain;q=0.5")
    assert openmetrics.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert set(families) == set(others)
    for names, kind in [(HISTOGRAMS, "histogram"), (COUNTERS, "counter"), (GAUGES, "gauge")]:
        for name in names:
            assert families[name].type == kind and others[name].type == kind, name
            assert families[name].samples, name
    assert families["deepseek_latency"].type == "summary"


def test_labels_and_buckets_are_vllms(watched):
    complete(watched, max_tokens=2)
    families = scrape(watched)[1]
    first = [s for s in families["vllm:time_to_first_token_seconds"].samples if s.name.endswith("_bucket")]
    assert [s.labels["le"] for s in first] == (
        "0.001 0.005 0.01 0.02 0.04 0.06 0.08 0.1 0.25 0.5 0.75 1.0 2.5 5.0 7.5 10.0 20.0 40.0 80.0 160.0 640.0 2560.0 "
        "+Inf").split()
    assert all(s.labels["model_name"] == "deepseek" and s.labels["engine"] == "0" for s in first)
    e2e = [s.labels["le"] for s in families["vllm:e2e_request_latency_seconds"].samples if s.name.endswith("_bucket")]
    assert e2e[0] == "0.3" and e2e[-2:] == ["7680.0", "+Inf"] and len(e2e) == 22
    rows = [s.labels["le"] for s in families["vllm:iteration_tokens_total"].samples if s.name.endswith("_bucket")]
    assert rows == "1.0 8.0 16.0 32.0 64.0 128.0 256.0 512.0 1024.0 2048.0 4096.0 8192.0 16384.0 +Inf".split()
    info = families["vllm:cache_config_info"].samples[0]
    assert int(info.labels["block_size"]) > 0 and int(info.labels["num_gpu_blocks"]) > 0 and info.value == 1
    reasons = {s.labels["finished_reason"] for s in families["vllm:request_success"].samples}
    assert {"stop", "length", "abort", "error"} <= reasons


def test_figures_agree_with_what_was_sent(watched):
    before = scrape(watched)[1]
    client = openai.OpenAI(base_url=watched.url + "/v1", api_key="none", max_retries=0)
    usages = []
    for length in [1, 3, 8]:
        answer = client.completions.create(
            model="deepseek", prompt="a b c", max_tokens=length, n=2, extra_body={"ignore_eos": True})
        usages.append(answer.usage)
    with client.completions.create(
            model="deepseek", prompt="x", max_tokens=5, stream=True, extra_body={"ignore_eos": True},
            stream_options={"include_usage": True}) as stream:
        usages.append(list(stream)[-1].usage)
    assert complete(watched, temperature="hot").status_code == 400
    assert requests.get(watched.url + "/nowhere").status_code == 404
    name = "http_requests"
    after = settled(watched, lambda families: any(
        s.labels["status"] == "404" for s in families[name].samples) and value(
            families, name, "_total", handler="/v1/completions", status="200") >= 4)

    def delta(name, suffix="", **labels):
        old = [s for s in before[name].samples if s.name == name + suffix and labels.items() <= s.labels.items()]
        return value(after, name, suffix, **labels) - (old[0].value if old else 0)

    assert delta(name, "_total", handler="/v1/completions", method="POST", status="200") == 4
    assert delta(name, "_total", handler="/v1/completions", method="POST", status="400") == 1
    assert delta(name, "_total", handler="none", method="GET", status="404") == 1
    assert all(s.labels["service"] == "deepseek" for s in after[name].samples)
    assert delta("http_request_duration_seconds", "_count", handler="/v1/completions", method="POST") == 5
    generated = sum(usage.completion_tokens for usage in usages)
    assert generated == 2 * (1 + 3 + 8) + 5
    assert delta("vllm:generation_tokens", "_total") == generated
    # An answer's prompt counts in the engine as often as it is computed.
    prompts = 2 * sum(usage.prompt_tokens for usage in usages[:3]) + usages[3].prompt_tokens
    assert delta("vllm:prompt_tokens", "_total") == prompts
    assert delta("vllm:request_success", "_total", finished_reason="length") == 7
    assert delta("vllm:request_success", "_total", finished_reason="abort") == 0
    for histogram in ["vllm:time_to_first_token_seconds", "vllm:e2e_request_latency_seconds",
                      "vllm:request_queue_time_seconds", "vllm:request_generation_tokens"]:
        assert delta(histogram, "_count") == 7, histogram
    assert delta("vllm:request_generation_tokens", "_sum") == generated
    assert delta("vllm:request_params_n", "_count") == 4 and delta("vllm:request_params_n", "_sum") == 2 * 3 + 1
    assert delta("vllm:request_max_num_generation_tokens", "_sum") == 1 + 3 + 8 + 5
    assert delta("vllm:request_params_max_tokens", "_sum") == generated
    # 3.6 per hour is a thousandth per second of computation.
    cost = delta("deepseek_request_cost", "_total")
    assert cost == pytest.approx(delta("deepseek_compute_seconds", "_total") / 1000, rel=1e-6) and cost > 0
    assert value(after, "vllm:num_requests_running") == value(after, "vllm:num_requests_waiting") == 0
    assert value(after, "deepseek_pending_requests") == 0


def test_stop_strings_stop_and_lost_clients_abort(watched):
    before = scrape(watched)[1]
    text = complete(watched, max_tokens=40, ignore_eos=True, temperature=0).json()["choices"][0]["text"]
    assert complete(watched, max_tokens=40, ignore_eos=True, temperature=0, stop=text[8:11]).status_code == 200
    body = b'{"prompt": "a", "max_tokens": 1900, "ignore_eos": true, "stream": true}'
    with socket.create_connection(("127.0.0.1", watched.port)) as connection:
        connection.sendall(
            b"POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        connection.recv(4096)
    after = settled(watched, lambda families: value(
        families, "vllm:request_success", "_total", finished_reason="abort") > value(
            before, "vllm:request_success", "_total", finished_reason="abort"))
    for reason, count in [("stop", 1), ("length", 1), ("abort", 1), ("error", 0)]:
        change = value(after, "vllm:request_success", "_total", finished_reason=reason) - value(
            before, "vllm:request_success", "_total", finished_reason=reason)
        assert change == count, reason


def test_refusals_are_counted(watched):
    reason = {"reason": "max_num_queued_reqs"}
    before = value(scrape(watched)[1], "vllm:admission_rejections", "_total", **reason)
    body = {"max_tokens": 1, "prompt": ["a"] * 8}
    refused = 0
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        for _ in range(20):
            answers = list(pool.map(lambda _: complete(watched, **body).status_code, range(16)))
            refused += sum(status == 503 for status in answers)
            if refused:
                break
    assert refused > 0
    assert value(scrape(watched)[1], "vllm:admission_rejections", "_total", **reason) - before >= refused


def test_promtool_finds_no_mistakes(watched):
    promtool = shutil.which("promtool") or skip("promtool (Debian's prometheus) is not installed")
    complete(watched, max_tokens=2)
    done = subprocess.run([promtool, "check", "metrics"], input=scrape(watched)[0].text, text=True, capture_output=True)
    complaints = done.stdout + done.stderr
    # vLLM's names are what they are: promtool dislikes colons, a histogram named `_total`, and `…_perc`.
    lines = [line for line in complaints.splitlines()
             if "should not contain ':'" not in line and "vllm:iteration_tokens_total" not in line]
    assert lines == [], complaints
    assert done.returncode in (0, 3), complaints


def query(port, expression):
    answer = requests.get(f"http://127.0.0.1:{port}/api/v1/query", params={"query": expression}).json()
    assert answer["status"] == "success", answer
    return answer["data"]["result"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_real_prometheus_scrapes_and_answers(watched, tmp_path):
    prometheus = shutil.which("prometheus") or skip("prometheus (Debian) is not installed")
    (tmp_path / "prometheus.yml").write_text(f"""
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: deepseek
    static_configs: [{{targets: ["127.0.0.1:{watched.port}"]}}]
""")
    port = free_port()
    process = subprocess.Popen(
        [prometheus, f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data",
         f"--web.listen-address=127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.time() + 60
        rate = 'sum(rate(http_requests_total{service="deepseek"}[5m]))'
        found = []
        while not found or float(found[0]["value"][1]) == 0:
            assert time.time() < deadline, found
            complete(watched, max_tokens=2)
            time.sleep(0.5)
            try:
                found = query(port, rate)
            except requests.ConnectionError:
                continue
        instance = f"127.0.0.1:{watched.port}"
        assert query(port, 'up{job="deepseek"}')[0]["value"][1] == "1"
        # KEDA's and llm-d's queries.
        pending = query(port, "sum(deepseek_pending_requests) by (instance)")
        assert [entry["metric"] for entry in pending] == [{"instance": instance}]
        for gauge in ["vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:kv_cache_usage_perc",
                      "deepseek_queue_length", "deepseek_throughput"]:
            result = query(port, gauge)
            assert len(result) == 1 and result[0]["metric"]["model_name"] == "deepseek", gauge
        quantile = query(
            port, "histogram_quantile(0.95, sum(rate(vllm:time_to_first_token_seconds_bucket[5m])) by (le))")
        assert 0 < float(quantile[0]["value"][1]) < 60
        assert query(port, 'deepseek_latency{quantile="0.99"}')
    finally:
        process.terminate()
        process.wait(timeout=30)


def test_the_page_lists_exactly_what_is_served(watched):
    complete(watched, max_tokens=2)
    served = {family.name + ("_total" if family.type == "counter" else "") for family in scrape(watched)[1].values()}
    page = (ROOT / "docs" / "observability.md").read_text()
    listed = set(re.findall(r"^\| `([a-z0-9_:]+)` \| (?:counter|gauge|histogram|summary)", page, re.MULTILINE))
    # Served where they apply: calls came over gRPC, traces are sent, or guesses were right.
    sometimes = {"grpc_requests_total", "deepseek_trace_spans_exported_total", "deepseek_trace_spans_dropped_total",
                 "deepseek_trace_spans_waiting", "vllm:spec_decode_num_accepted_tokens_per_pos_total"}
    sometimes |= {name for name in listed if name.startswith("deepseek_cache_tier_")}
    assert listed - sometimes <= served and served <= listed, (listed - served, served - listed)


def test_the_dashboard_asks_for_metrics_that_exist(watched):
    complete(watched, max_tokens=2)
    board = json.loads((ROOT / "deploy" / "grafana" / "deepseek.json").read_text())
    expressions = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    assert len(expressions) > 10
    samples = {sample.name for family in scrape(watched)[1].values() for sample in family.samples}
    samples.add("vllm:spec_decode_num_accepted_tokens_per_pos_total")
    for expression in expressions:
        names = re.findall(r"\b(?:vllm:|deepseek_|http_|process_)[a-z0-9_:]+", expression)
        assert names and set(names) <= samples, expression
