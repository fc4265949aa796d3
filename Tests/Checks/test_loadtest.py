"""`deepseek loadtest` against a server whose delays are known, and against deepseek-server.

Times are checked against lower bounds only: nothing can arrive before it was sent, however busy the machine is.
"""

import html.parser
import http.server
import json
import re
import signal
import subprocess
import threading
import time
import xml.etree.ElementTree

import pytest
import requests

FIRST, GAP, TOKENS = 0.08, 0.02, 6


class Reference(http.server.BaseHTTPRequestHandler):
    """Streams TOKENS words; the prompt's text asks for mischief."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def send_json(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.send_json(200, {"object": "list", "data": [
            name if isinstance(name, dict) else {"id": name} for name in self.server.models]})

    def event(self, value):
        text = value if isinstance(value, str) else json.dumps(value)
        data = f"data: {text}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.server.lock:
            self.server.seen.append((self.path, dict(self.headers), body))
            number = len(self.server.seen)
        text = body.get("prompt") or body["messages"][-1]["content"]
        words = sum(len(message["content"].split()) for message in body.get("messages", [])) or len(text.split())
        asked = json.dumps(body.get("messages") or body["prompt"])
        with self.server.lock:
            known = asked in self.server.known
            self.server.known.add(asked)
        usage = {
            "prompt_tokens": 3 + 2 * words, "completion_tokens": TOKENS,
            "prompt_tokens_details": {"cached_tokens": 2 * words if known else 0}}
        if self.server.templateless and "messages" in body:
            return self.send_json(400, {"error": {"message": "the model has no chat template; use a plain prompt"}})
        if "busy" in text and number % 2:
            return self.send_json(503, {"error": {"message": "too many requests wait"}})
        if not body["stream"]:
            time.sleep(FIRST)
            choice = {"message": {"content": "x"}, "text": "x", "finish_reason": "length"}
            return self.send_json(200, {"choices": [choice], "usage": usage})
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        # A chat's first chunk has a role and no text: it is no token.
        self.event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})
        time.sleep(FIRST)
        for index in range(TOKENS):
            if index:
                time.sleep(GAP)
            self.event({"choices": [{"index": 0, "delta": {"content": "w"}, "text": "w"}]})
            if "cut" in text:
                self.close_connection = True
                return
        self.event({"choices": [{"index": 0, "delta": {}, "text": "", "finish_reason": "length"}]})
        if "uncounted" not in text:
            self.event({"choices": [], "usage": usage})
        self.event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")


@pytest.fixture
def reference():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Reference)
    server.daemon_threads = True
    server.lock, server.seen, server.models = threading.Lock(), [], ["reference"]
    # Prompts that came before are in its cache.
    server.known, server.templateless = set(), False
    server.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def load(deepseek, *arguments, code=0):
    result = subprocess.run(
        [deepseek, "loadtest", *map(str, arguments)], capture_output=True, text=True, timeout=240)
    assert result.returncode == code, result.stderr + result.stdout
    return result


def load_json(deepseek, *arguments, code=0):
    return json.loads(load(deepseek, *arguments, "--json", "-", code=code).stdout)


class Balance(html.parser.HTMLParser):
    """Every element that begins ends, in order; nothing comes from elsewhere."""

    def __init__(self):
        super().__init__()
        self.open, self.svgs = [], 0

    def handle_starttag(self, tag, attributes):
        assert tag not in ("script", "link", "img", "iframe", "object"), tag
        self.open.append(tag)
        self.svgs += tag == "svg"

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attributes):
        pass


def check_page(path):
    text = path.read_text()
    parser = Balance()
    parser.feed(text)
    assert parser.open == []
    # The page is XML, too; so are its pictures.
    root = xml.etree.ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>").strip())
    drawings = root.findall(".//{http://www.w3.org/2000/svg}svg")
    assert len(drawings) == parser.svgs
    for numbers in re.findall(r'(?: d|x|y|x1|y1|x2|y2|width|height|viewBox)="([^"]*)"', text):
        assert "nan" not in numbers.lower() and "inf" not in numbers.lower()
    assert "http" not in re.sub(r'xmlns="[^"]*"|' + re.escape("http://127.0.0.1"), "", text)
    return text, drawings


@pytest.mark.parametrize("endpoint", ["chat", "completions"])
def test_known_delays(deepseek, reference, endpoint):
    report = load_json(
        deepseek, "--url", reference.url, "--endpoint", endpoint, "--concurrency", "1,6", "--num-requests", 12,
        "--prompt", "one two three", "--warmup", 2, "--save-detailed", "--goodput", "ttft:60000", "e2el:1")
    assert report["model_id"] == "reference" and len(reference.seen) == 2 + 24
    for run, concurrency in zip(report["runs"], (1, 6)):
        assert run["max_concurrency"] == concurrency and run["completed"] == 12 and run["failed"] == 0
        assert run["total_input_tokens"] == 12 * 9 and run["total_output_tokens"] == 12 * TOKENS
        assert run["output_tokens_counted_by"] == "usage" and run["tokens_per_event"] == 1
        whole = FIRST + (TOKENS - 1) * GAP
        assert run["min_ttft_ms"] >= 1000 * FIRST and run["min_e2el_ms"] >= 1000 * whole
        # A gap may be shorter than the server's pause where the event before it was late; their mean cannot.
        assert run["mean_tpot_ms"] > 0 and run["count_itl"] == 12 * (TOKENS - 1)
        assert run["mean_itl_ms"] * (TOKENS - 1) + run["mean_ttft_ms"] >= 1000 * whole
        assert run["min_ttft_ms"] <= run["median_ttft_ms"] <= run["p99_ttft_ms"] <= run["max_ttft_ms"]
        assert run["duration"] >= 12 / concurrency * whole
        assert run["output_throughput"] == pytest.approx(12 * TOKENS / run["duration"])
        assert run["good_requests"] == 0 and run["max_concurrent_requests"] <= concurrency
        for request in run["requests"]:
            assert request["error"] is None and request["output_len"] == TOKENS and len(request["itl"]) == TOKENS - 1
            tpot = (request["end"] - request["due"] - request["ttft"]) / (TOKENS - 1)
            assert tpot >= GAP * 0.5


def test_what_is_asked(deepseek, reference, tmp_path):
    dataset = tmp_path / "prompts.jsonl"
    dataset.write_text(
        '{"prompt": "first"}\n{"messages": [{"role": "user", "content": "second"}], "max_tokens": 3}\n')
    load(
        deepseek, "--url", reference.url + "/v1", "--dataset", dataset, "--num-requests", 2, "--max-tokens", 9,
        "--ignore-eos", "--temperature", 0, "--api-key", "secret", "--header", "X-Team: blue", "--model", "any",
        "--extra-body", '{"seed": 4}')
    (path, headers, first), (_, _, second) = reference.seen
    assert path == "/v1/chat/completions"
    assert headers["authorization"] == "Bearer secret" and headers["X-Team"] == "blue"
    assert first == {
        "model": "any", "messages": [{"role": "user", "content": "first"}], "max_tokens": 9, "temperature": 0,
        "ignore_eos": True, "stream": True, "stream_options": {"include_usage": True}, "seed": 4}
    assert second["messages"] == [{"role": "user", "content": "second"}] and second["max_tokens"] == 3


def test_synthetic_prompts_have_the_wanted_length(deepseek, reference):
    # The server counts two tokens per word and three for its template; two probes find that out.
    report = load_json(
        deepseek, "--url", reference.url, "--num-requests", 8, "--concurrency", 8, "--random-input-len", 203,
        "--shared-prefix-tokens", 400)
    assert report["settings"]["tokens_per_word"] == 2
    systems = {body["messages"][0]["content"] for _, _, body in reference.seen[2:]}
    assert len(systems) == 1 and len(systems.pop().split()) == 200
    users = [body["messages"][1]["content"] for _, _, body in reference.seen[2:]]
    assert len(set(users)) == 8 and {len(user.split()) for user in users} == {100}
    assert report["runs"][0]["mean_input_len"] == 3 + 2 * (200 + 100)


def test_open_loop_does_not_wait(deepseek, reference):
    report = load_json(
        deepseek, "--url", reference.url, "--rate", 200, "--arrival", "constant", "--num-requests", 30, "--prompt",
        "x", "--save-detailed")
    run = report["runs"][0]
    assert run["load"] == "open" and run["request_rate"] == 200 and run["completed"] == 30
    # A loop that waited for answers would have one request under way, and take 30 answers' time.
    assert run["max_concurrent_requests"] > 3
    assert [request["due"] for request in run["requests"]] == pytest.approx([index / 200 for index in range(30)])
    assert all(request["sent"] >= request["due"] for request in run["requests"])


def test_poisson_arrivals_repeat_with_the_seed(deepseek, reference):
    def dues(seed):
        report = load_json(
            deepseek, "--url", reference.url, "--rate", 300, "--num-requests", 20, "--prompt", "x", "--seed", seed,
            "--save-detailed")
        return [request["due"] for request in report["runs"][0]["requests"]]

    first = dues(1)
    assert first == dues(1) != dues(2)
    assert len({round(b - a, 6) for a, b in zip(first, first[1:])}) > 15


def test_failures_are_counted_and_shown(deepseek, reference, tmp_path):
    page = tmp_path / "report.html"
    arguments = ("--url", reference.url, "--num-requests", 10, "--prompt", "busy", "--report", page)
    result = load(deepseek, *arguments, code=1)
    assert "5 × status 503: too many requests wait" in result.stdout
    assert "too many requests wait" in check_page(page)[0]
    run = load_json(deepseek, *arguments, code=1)["runs"][0]
    assert run["failures"] == [{"kind": "status 503", "count": 5, "message": "too many requests wait"}]
    assert run["completed"] == 5 and run["failed"] == 5 and run["count_ttft"] == 5


def test_streams_that_break(deepseek, reference):
    run = load_json(deepseek, "--url", reference.url, "--num-requests", 3, "--prompt", "cut", code=1)["runs"][0]
    assert run["completed"] == 0 and sum(failure["count"] for failure in run["failures"]) == 3
    assert run["median_ttft_ms"] is None and run["total_output_tokens"] == 0


def test_servers_that_do_not_count(deepseek, reference):
    run = load_json(deepseek, "--url", reference.url, "--num-requests", 2, "--prompt", "uncounted")["runs"][0]
    assert run["total_output_tokens"] == 2 * TOKENS and run["output_tokens_counted_by"] == "events"
    assert run["total_input_tokens"] is None
    assert any("does not count" in note for note in run["notes"])


def test_whole_answers(deepseek, reference):
    run = load_json(deepseek, "--url", reference.url, "--num-requests", 2, "--prompt", "x", "--no-stream")["runs"][0]
    assert run["completed"] == 2 and run["min_e2el_ms"] >= 1000 * FIRST and run["total_output_tokens"] == 2 * TOKENS
    assert run["count_ttft"] == 0 and run["mean_ttft_ms"] is None
    assert reference.seen[0][2]["stream"] is False and "stream_options" not in reference.seen[0][2]


def test_comparison_and_page(deepseek, reference, tmp_path):
    common = ("--url", reference.url, "--concurrency", "1,2,4", "--num-requests", 8, "--prompt", "x")
    load(deepseek, *common, "--label", "before", "--json", tmp_path / "before.json")
    page = tmp_path / "page.html"
    result = load(
        deepseek, *common, "--label", "after <1>", "--compare", tmp_path / "before.json", "--report", page,
        "--steady-state", "--goodput", "ttft:500")
    assert "before" in result.stdout and "ratio" in result.stdout
    text, drawings = check_page(page)
    # Four plots of how it grows, and five of each run.
    assert len(drawings) == 4 + 3 * 5
    assert "after &lt;1&gt; beside before" in text
    assert all(drawing.findall(".//*") for drawing in drawings)


@pytest.mark.parametrize("arguments, message", [
    (["--concurrency", "0"], "--concurrency"), (["--concurrency", "2", "--rate", "1"], "--rate"),
    (["--rate", "-1"], "--rate"), (["--goodput", "ttfb:5"], "ttfb:5"), (["--url", "nowhere"], "http://"),
    (["--dataset", "/nonexistent"], "/nonexistent"), (["--prompt", "x", "--random-input-len", "5"], "several"),
    (["--extra-body", "[]"], "--extra-body"), (["--timeout", "0"], "--timeout"), (["--header", "novalue"], "--header"),
    (["--compare", "/nonexistent"], "/nonexistent"), (["--save-detailed"], "--json"),
    (["--prompt", "x", "--shared-prefix-tokens", "5"], "--shared-prefix-tokens"),
    (["--rate", "inf"], "--concurrency N"), (["--request-rate", "inf", "--max-concurrency", "8"], "--concurrency N"),
    (["--url", "http://127.0.0.1:1/v1/chat/completions"], "'http://127.0.0.1:1' or 'http://127.0.0.1:1/v1'"),
    (["--prompt", "x", "--random-range-ratio", "0.5"], "--random-range-ratio: expected synthetic prompts, found --prompt"),
])
def test_mistakes_are_named(deepseek, arguments, message):
    result = subprocess.run([deepseek, "loadtest", *arguments], capture_output=True, text=True, timeout=60)
    assert result.returncode != 0 and message in result.stderr, result.stderr


def test_a_wrong_command_line_is_told_from_a_failure(deepseek):
    for arguments in (
            ["--goodput", "ttfb:5"], ["--goodput", "ttft"], ["--url", "http://127.0.0.1:1/v1/chat/completions"],
            ["--self-test", "--report", "r.html"], ["--self-test", "--json", "r.json"], ["--self-test", "--ramp-up", "2"],
            ["--self-test", "--prompt", "a"], ["--self-test", "--url", "http://127.0.0.1:1"], ["--self-test", "--ignore-eos"],
            ["--self-test", "--endpoint", "completions"], ["--self-test", "--timeout", "5"], ["--self-test", "--arrival", "constant"]):
        result = subprocess.run([deepseek, "loadtest", *arguments], capture_output=True, text=True, timeout=60)
        assert result.returncode == 64 and arguments[0] in result.stderr, (arguments, result.stderr)


def test_a_second_interrupt_ends(deepseek, server):
    process = subprocess.Popen(
        [deepseek, "loadtest", "--url", server.url, "--endpoint", "completions", "--concurrency", "64", "--num-requests", "6400",
         "--random-output-len", "1900", "--ignore-eos"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    while requests.get(server.url + "/health").json()["models"]["deepseek"]["running_requests"] == 0:
        assert process.poll() is None
        time.sleep(0.05)
    # Two that come at once are one.
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
    assert process.returncode == -signal.SIGINT and process.stdout.read() == b""


def test_further_names_of_one_model(deepseek, reference):
    asked = ("--url", reference.url, "--num-requests", 1, "--prompt", "x")
    reference.models = [{"id": "a", "root": "m"}, {"id": "b", "root": "m"}]
    assert load_json(deepseek, *asked)["runs"][0]["completed"] == 1
    assert {body["model"] for _, _, body in reference.seen} == {"a"}
    reference.models[1]["root"] = "n"
    assert "a, b" in load(deepseek, *asked, code=64).stderr


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://localhost:1"])
def test_no_server(deepseek, url):
    result = load(deepseek, "--url", url, code=1)
    assert f"{url}/v1/models: expected a list of models, found no server there: connection refused" in result.stderr
    assert "errno" not in result.stderr


def test_other_names_of_options(deepseek, reference):
    closed = load_json(
        deepseek, "--base-url", reference.url, "--max-concurrency", 2, "--num-prompts", 3, "--prompt", "x")["runs"][0]
    assert closed["max_concurrency"] == 2 and closed["completed"] == 3
    opened = load_json(
        deepseek, "--base-url", reference.url, "--request-rate", 200, "--num-prompts", 3, "--prompt", "x")["runs"][0]
    assert opened["request_rate"] == 200 and opened["completed"] == 3


def asked(reference):
    """Prompts since the last call, without the two probes."""
    texts = [body["messages"][-1]["content"] for _, _, body in reference.seen[2:]]
    reference.seen.clear()
    return texts


def test_each_test_has_prompts_of_its_own(deepseek, reference):
    arguments = ("--url", reference.url, "--num-requests", 3, "--random-input-len", 50, "--concurrency", "1,3")
    reports, texts = [], []
    for _ in range(2):
        reports.append(load_json(deepseek, *arguments))
        texts.append(asked(reference))
    assert len(texts[0]) == 6 and len(set(texts[0] + texts[1])) == 12
    first, second = (report["settings"]["seed"] for report in reports)
    assert first != second
    for report in reports:
        for run in report["runs"]:
            assert run["cached_input_tokens"] == 0 and not any("prefix cache" in note for note in run["notes"])
    # What was reported repeats it, and that is a cache's figures.
    again = load(deepseek, *arguments, "--seed", first).stdout
    # Clients of one level send in any order.
    assert sorted(asked(reference)) == sorted(texts[0])
    assert again.startswith(f"seed {first}: ") and "came from the server's prefix cache" in again
    assert "the same --seed was sent" in again
    # Another length of the same seed is no longer or shorter form of it.
    load(deepseek, *arguments[:4], "--random-input-len", 70, "--seed", first)
    longer = asked(reference)
    assert len(longer) == 3 and not any(text.startswith(old) for text in longer for old in texts[0])


def test_shared_prompts_may_be_cached(deepseek, reference):
    run = load_json(deepseek, "--url", reference.url, "--num-requests", 3, "--prompt", "one two")["runs"][0]
    assert run["cached_input_tokens"] == 2 * 2 * 2 and not any("prefix cache" in note for note in run["notes"])


def test_models_without_chat_template(deepseek, reference):
    reference.templateless = True
    arguments = ("--url", reference.url, "--num-requests", 2)
    remedy = "no chat template; use a plain prompt; try --endpoint completions"
    assert remedy in load(deepseek, *arguments, code=1).stderr
    assert remedy in load(deepseek, *arguments, "--prompt", "x", "--warmup", 1, code=1).stderr
    assert "note: status 400: try --endpoint completions" in load(
        deepseek, *arguments, "--prompt", "x", code=1).stdout
    load(deepseek, *arguments, "--endpoint", "completions")


def test_several_models_need_a_name(deepseek, reference):
    reference.models = ["a", "b"]
    result = load(deepseek, "--url", reference.url, "--prompt", "x", code=64)
    assert "a, b" in result.stderr
    load(deepseek, "--url", reference.url, "--prompt", "x", "--model", "b", "--num-requests", 1)


def test_our_server(deepseek, server, tmp_path):
    report = load_json(
        deepseek, "--url", server.url, "--concurrency", "1,8", "--num-requests", 16, "--random-input-len", 64,
        "--max-tokens", 24, "--ignore-eos", "--temperature", 1, "--warmup", 2, "--seed", 1,
        "--report", tmp_path / "page.html")
    for run in report["runs"]:
        assert run["completed"] == 16 and run["failed"] == 0 and run["total_output_tokens"] == 16 * 24
        assert run["count_ttft"] + run["without_text"] == 16 and run["median_ttft_ms"] > 0
        # The probes' line is exact where words have a fixed number of tokens; here it is close.
        assert 40 <= run["mean_input_len"] <= 90
    check_page(tmp_path / "page.html")


def test_seeds_at_our_server(deepseek, server):
    """Without a seed nothing is found in the prefix cache; with one that was sent before, nearly everything."""
    arguments = ("--url", server.url, "--endpoint", "completions", "--num-requests", 8, "--random-input-len", 256,
                 "--max-tokens", 2)
    first, second = (load_json(deepseek, *arguments) for _ in range(2))
    seed = second["settings"]["seed"]
    assert first["settings"]["seed"] != seed
    again = load_json(deepseek, *arguments, "--seed", seed)
    fresh, known = (report["runs"][0] for report in (second, again))
    assert fresh["cached_input_tokens"] == 0
    assert known["cached_input_tokens"] > 0.5 * known["total_input_tokens"]
    assert any("--seed" in note for note in known["notes"])


def test_many_streams_at_once(deepseek, server):
    report = load_json(
        deepseek, "--url", server.url, "--endpoint", "completions", "--concurrency", 256, "--num-requests", 256,
        "--prompt", "Hello", "--max-tokens", 8, "--ignore-eos")
    assert report["runs"][0]["completed"] == 256 and report["runs"][0]["max_concurrent_requests"] > 32


def test_self_test(deepseek):
    (row,) = load_json(deepseek, "--self-test", "--concurrency", 16)
    assert row["failed"] == 0 and row["requests_per_second"] > 0 and row["events_per_second"] > 0
    assert row["median_itl_ms"] > 0.5 * row["paced_gap_ms"]
