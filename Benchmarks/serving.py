#!/usr/bin/env python3
"""Measure deepseek-server and llama-server on the same file with the same load, in turns, and print ratios.

    python3 Benchmarks/serving.py MODEL.gguf --programs .build/release --peer LLAMA_SERVER --rounds 3

Each round starts one server, loads it, ends it, then the other. Loads: closed loops (--concurrency), Poisson arrivals
(--rate; without it, half of what the peer answered per second at the last concurrency up to 8 in the first round), and streams beside
which one long prompt arrives; --loads chooses. A figure is the median of its rounds; "steady" ones leave out the burst that a closed
loop begins with and its end. Every request has a connection of its own: llama-server closes one behind a stream without saying so.
`--json FILE` keeps everything.

    python3 Benchmarks/serving.py --http --programs .build/release

measures the HTTP layer instead: answers of one token per second, and what streaming a token costs, with the built-in model.
"""

import argparse
import contextlib
import json
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

MAXIMUM_START = 300


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def lists_models(port):
    """Health comes before the models do."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=5) as answer:
            return bool(json.load(answer).get("data"))
    except OSError:
        return False


@contextlib.contextmanager
def running(command, port, log):
    """A server, from the moment it has a model to its end."""
    with open(log, "ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        end = time.monotonic() + MAXIMUM_START
        while not lists_models(port):
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"{command[0]} did not start: see {log}")
            time.sleep(0.2)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def ours(options, port):
    return [str(options.programs / "deepseek-server"), "--model-dir", options.model, "--port", str(port),
            *options.server_options.split()]


def theirs(options, port):
    return [options.peer, "-m", options.model, "--host", "127.0.0.1", "--port", str(port),
            "-t", str(options.threads), "-tb", str(options.threads), "-np", str(options.slots),
            "-c", str(options.context), "--kv-unified", *options.peer_options.split()]


def loadtest_command(options, port, *arguments):
    return [str(options.programs / "deepseek"), "loadtest", "--url", f"http://127.0.0.1:{port}",
            "--endpoint", "completions", "--temperature", "0", "--ignore-eos", "--timeout", "3600",
            "--header", "Connection: close",
            *map(str, arguments)]


def loadtest(options, port, *arguments):
    result = subprocess.run(
        [*loadtest_command(options, port, *arguments), "--json", "-"], stdout=subprocess.PIPE, text=True)
    try:
        runs = json.loads(result.stdout)["runs"]
    except (json.JSONDecodeError, KeyError):
        raise SystemExit(
            f"loadtest {' '.join(map(str, arguments))}: exit code {result.returncode}\n{result.stdout[-2000:]}") from None
    if result.returncode:
        # Some requests failed: the figures are those of the others, and that is said.
        print(f"note: loadtest {' '.join(map(str, arguments))}: some requests of port {port} failed", file=sys.stderr)
    return runs


def percentile(values, percent):
    """Linear between the two nearest, as the load test has it."""
    values = sorted(values)
    position = (len(values) - 1) * percent / 100
    below = int(position)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (position - below)


def gaps_within(run, begin, end):
    """Gaps between events of all streams that touch a window, times since 1970."""
    gaps = []
    for request in run["requests"]:
        if request["ttft"] is None:
            continue
        at = run["started_at"] + request["due"] + request["ttft"]
        for gap in request["itl"]:
            if at + gap > begin and at < end:
                gaps.append(gap)
            at += gap
    return gaps


def beside_long_prompt(options, port, seed):
    """Inter-token latencies of short streams while one long prompt is computed."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "streams.json")
        streams = subprocess.Popen(
            [*loadtest_command(
                options, port, "--concurrency", options.streams, "--duration", 3600, "--random-input-len", 32,
                "--random-output-len", 256, "--seed", seed), "--save-detailed", "--json", str(file)],
            stdout=subprocess.DEVNULL)
        time.sleep(options.settle)
        long, = loadtest(
            options, port, "--num-requests", 1, "--random-input-len", options.long_prompt, "--random-output-len", 2,
            "--seed", seed + 1, "--save-detailed")
        time.sleep(1)
        # No more requests; those under way are waited for.
        streams.send_signal(signal.SIGINT)
        if streams.wait(timeout=3600):
            raise SystemExit("loadtest beside the long prompt failed")
        run, = json.loads(file.read_text())["runs"]
    begin = long["started_at"]
    first = long["requests"][0]["ttft"]
    gaps = gaps_within(run, begin, begin + first)
    if not gaps:
        raise SystemExit("no gap between tokens touches the long prompt's time: raise --settle or --long-prompt")
    return {"itl_p50_ms": 1e3 * percentile(gaps, 50), "itl_p99_ms": 1e3 * percentile(gaps, 99),
            "itl_max_ms": 1e3 * max(gaps), "gaps": len(gaps), "long_ttft_ms": 1e3 * first,
            "long_tokens": long["mean_input_len"]}


def measure(options, command, log, rate, seed):
    """All loads against one server."""
    port = free_port()
    figures = {}
    shape = ("--random-input-len", options.input_len, "--random-output-len", options.output_len,
             "--random-range-ratio", options.range_ratio)
    with running(command(options, port), port, log):
        loadtest(options, port, *shape, "--num-requests", 2, "--seed", seed)
        levels = [int(level) for level in options.concurrency.split(",")]
        if "closed" in options.loads:
            for level in levels:
                requests = max(options.requests, options.requests_per_client * level)
                ramp = ("--ramp-up", options.ramp_up) if options.ramp_up and level > 1 else ()
                run, = loadtest(
                    options, port, *shape, "--concurrency", level, "--num-requests", requests, "--seed", seed + level,
                    "--steady-state", *ramp)
                for key, value in (run["steady_state"] or {}).items():
                    run[f"steady_{key}"] = value
                figures[f"{level} concurrent"] = run
        if "poisson" in options.loads:
            if rate is None:
                level = max((level for level in levels if level <= 8), default=levels[0])
                if f"{level} concurrent" not in figures:
                    raise SystemExit("--loads without closed: expected --rate")
                rate = figures[f"{level} concurrent"]["request_throughput"] / 2
            run, = loadtest(
                options, port, *shape, "--rate", f"{rate:.4f}", "--num-requests", options.poisson_requests, "--seed", 7)
            figures["Poisson"] = run
        if "long" in options.loads:
            figures["long prompt"] = beside_long_prompt(options, port, seed + 1000)
    return figures, rate


COLUMNS = [("output_throughput", "output tokens/s", 1), ("request_throughput", "requests/s", 3),
           ("median_ttft_ms", "TTFT p50, ms", 0), ("p99_ttft_ms", "TTFT p99, ms", 0),
           ("median_itl_ms", "ITL p50, ms", 1), ("p99_itl_ms", "ITL p99, ms", 1), ("median_tpot_ms", "TPOT p50, ms", 1),
           ("steady_output_throughput", "steady: output tokens/s", 1), ("steady_median_ttft_ms", "steady: TTFT p50, ms", 0),
           ("steady_p99_ttft_ms", "steady: TTFT p99, ms", 0)]
LONG_COLUMNS = [("itl_p50_ms", "ITL p50 beside it, ms", 1), ("itl_p99_ms", "ITL p99 beside it, ms", 1),
                ("itl_max_ms", "longest gap, ms", 0), ("long_ttft_ms", "its own TTFT, ms", 0)]


def compare(options):
    results = {"ours": [], "peer": []}
    rate = options.rate
    log = pathlib.Path(tempfile.gettempdir(), f"serving-{os.getpid()}.log")
    print(f"# servers' output: {log}", file=sys.stderr)
    for round in range(options.rounds):
        # The peer first: the rate follows from it.
        for name, command in (("peer", theirs), ("ours", ours)):
            figures, rate = measure(options, command, log, rate, 100 * round)
            results[name].append(figures)
            if options.json:
                options.json.write_text(json.dumps({"rate": rate, **results}, indent=1))
            print(f"# round {round + 1}, {name}: done", file=sys.stderr, flush=True)
    poisson = f"Poisson: {rate:.3f} requests/s; " if rate else ""
    spread = f" (+-{100 * options.range_ratio:.0f} %)" if options.range_ratio else ""
    print(f"Prompts of {options.input_len} tokens, answers of {options.output_len}{spread}; {poisson}"
          f"{options.rounds} rounds in turns.\n")
    print("| load | figure | deepseek-server | llama-server | ratio |\n|---|---|---|---|---|")
    for load in results["ours"][0]:
        for key, name, digits in LONG_COLUMNS if load == "long prompt" else COLUMNS:
            if any(figures[load].get(key) is None for side in results.values() for figures in side):
                continue
            a, b = (statistics.median(figures[load][key] for figures in results[side]) for side in ("ours", "peer"))
            print(f"| {load} | {name} | {a:.{digits}f} | {b:.{digits}f} | {a / b:.2f} |")


def processor_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def http_layer(options):
    """What the server costs where the model costs least."""
    port = free_port()
    log = pathlib.Path(tempfile.gettempdir(), f"serving-{os.getpid()}.log")
    command = [str(options.programs / "deepseek-server"), "--port", str(port), "--max-batch-size", "256",
               *options.server_options.split()]
    print("| concurrent | 1-token answers/s | server CPU, µs/answer | streamed tokens/s | whole answers, tokens/s "
          "| streaming, µs/token | of it CPU, µs/token |\n|---|---|---|---|---|---|---|")
    rows = []
    with running(command, port, log) as process:
        def run(level, tokens, requests, *arguments):
            before = processor_seconds(process.pid)
            result, = loadtest(
                options, port, "--prompt", "a", "--concurrency", level, "--num-requests", requests,
                "--random-output-len", tokens, *arguments)
            return result, processor_seconds(process.pid) - before

        run(8, 8, 64)
        for level in (int(level) for level in options.http_concurrency.split(",")):
            requests = max(400, 8 * level)
            short, short_cpu = run(level, 1, requests)
            count = max(16, 2 * level)
            stream, stream_cpu = run(level, 128, count)
            whole, whole_cpu = run(level, 128, count, "--no-stream")
            tokens = stream["total_output_tokens"]
            row = {
                "concurrency": level, "requests_per_second": short["request_throughput"],
                "cpu_us_per_answer": 1e6 * short_cpu / requests, "streamed": stream["output_throughput"],
                "whole": whole["output_throughput"],
                "us_per_token": 1e6 / stream["output_throughput"] - 1e6 / whole["output_throughput"],
                "cpu_us_per_token": 1e6 * (stream_cpu - whole_cpu) / tokens}
            rows.append(row)
            print(f"| {level} | {row['requests_per_second']:.0f} | {row['cpu_us_per_answer']:.0f} | {row['streamed']:.0f} "
                  f"| {row['whole']:.0f} | {row['us_per_token']:.1f} | {row['cpu_us_per_token']:.1f} |", flush=True)
    client = subprocess.run(
        [options.programs / "deepseek", "loadtest", "--self-test", "--concurrency", options.http_concurrency],
        stdout=subprocess.PIPE, text=True, check=True)
    print("\nThe client alone, against a server in its process that computes nothing:\n\n" + client.stdout)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?")
    parser.add_argument("--programs", type=pathlib.Path, required=True, help="folder of deepseek and deepseek-server")
    parser.add_argument("--peer", help="llama-server")
    parser.add_argument("--server-options", default="", help="further options of ours, in one string")
    parser.add_argument("--peer-options", default="", help="further options of the peer, in one string")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--concurrency", default="1,8,32")
    parser.add_argument("--loads", default="closed,poisson,long", type=lambda text: text.split(","))
    parser.add_argument("--requests", type=int, default=12, help="of a closed loop, at least")
    parser.add_argument("--requests-per-client", type=int, default=6, help="of a closed loop, at least")
    parser.add_argument("--ramp-up", type=float, default=0,
                        help="seconds in which the clients of a closed loop begin, instead of all at once")
    parser.add_argument("--rate", type=float)
    parser.add_argument("--poisson-requests", type=int, default=32)
    parser.add_argument("--input-len", type=int, default=128)
    parser.add_argument("--output-len", type=int, default=64)
    parser.add_argument("--range-ratio", type=float, default=0,
                        help="prompts and answers of N(1 - R) to N(1 + R) tokens; of one length, clients stay in step with each other")
    parser.add_argument("--long-prompt", type=int, default=8000)
    parser.add_argument("--streams", type=int, default=4, help="beside the long prompt")
    parser.add_argument("--settle", type=float, default=10, help="seconds of those streams before it")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of the peer")
    parser.add_argument("--slots", type=int, default=32, help="of the peer")
    parser.add_argument("--context", type=int, default=32768, help="of the peer, all slots together")
    parser.add_argument("--http", action="store_true")
    parser.add_argument("--http-concurrency", default="1,2,4,8,16,32,64,128,256")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    if options.http:
        return http_layer(options)
    if not options.model or not options.peer:
        parser.error("expected MODEL and --peer, or --http")
    compare(options)


if __name__ == "__main__":
    main()
