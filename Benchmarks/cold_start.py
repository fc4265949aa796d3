"""Time from nothing to the first token and to the last one, with the file in the page cache: our whole process against
llama.cpp's loading and evaluations inside a Python process that is running already (its interpreter and library do not
count). Greedy, no guessed tokens. Engines and rounds take turns.

    python3 Benchmarks/cold_start.py --deepseek .build/release/deepseek MODEL.gguf [--generate 64] [--rounds 5]

`--deepseek` may be given several times to compare builds. `--rest` lets the machine rest before each run: pages that a
process just gave back are handed out again much faster than ones that a host has to find first.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

LLAMA = """
import sys, time, json
import llama_cpp
from llama_cpp import Llama
path, threads, count, text = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
start = time.perf_counter()
model = Llama(path, n_ctx=len(text) + count + 8, n_batch=512, n_threads=threads, n_threads_batch=threads, verbose=False)
model.eval(model.tokenize(text.encode(), add_bos=False))
token = model.sample(temp=0)
first = time.perf_counter() - start
for _ in range(count - 1):
    model.eval([token])
    token = model.sample(temp=0)
print(json.dumps([first, time.perf_counter() - start]))
"""


def ours(deepseek, level, options):
    command = [deepseek, "run", "-m", options.model, "--raw", "-n", str(options.generate), "-t", str(options.threads),
               "--temperature", "0", "--speculation", "off", "--optimize-level", str(level), options.prompt]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    first = os.read(process.stdout.fileno(), 1 << 16) and time.perf_counter() - start
    _, errors = process.communicate()
    if process.returncode != 0 or not first:
        raise SystemExit(f"{deepseek}: {errors.decode()}")
    return first, time.perf_counter() - start


def theirs(options):
    done = subprocess.run(
        [sys.executable, "-c", LLAMA, options.model, str(options.threads), str(options.generate), options.prompt],
        check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--deepseek", required=True, action="append")
    parser.add_argument("--levels", default="3", help="optimisation levels, such as 2,3")
    parser.add_argument("--prompt", default="The city")
    parser.add_argument("--generate", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rest", type=float, default=0, help="seconds before each run")
    options = parser.parse_args()
    with open(options.model, "rb") as file:
        while file.read(1 << 24):
            pass
    runs = {f"{path} --optimize-level {level}": lambda path=path, level=level: ours(path, level, options)
            for path in options.deepseek for level in options.levels.split(",")}
    runs["llama.cpp"] = lambda: theirs(options)
    times = {name: [] for name in runs}
    for _ in range(options.rounds):
        for name, run in runs.items():
            time.sleep(options.rest)
            times[name].append(run())
    print(f"| | first token, s | {options.generate} tokens, s |")
    print("|---|---|---|")
    for name, values in times.items():
        first, total = ([value[index] for value in values] for index in range(2))
        print(f"| {name} | {statistics.median(first):.2f} ({min(first):.2f}-{max(first):.2f}) "
              f"| {statistics.median(total):.2f} ({min(total):.2f}-{max(total):.2f}) |")


if __name__ == "__main__":
    main()
