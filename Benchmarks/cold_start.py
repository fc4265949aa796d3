"""Time from nothing to the first token, with the file in the page cache: our whole process against llama.cpp's loading
and first evaluation inside a Python process that is running already (its interpreter and library do not count).

    python3 Benchmarks/cold_start.py --deepseek .build/release/deepseek MODEL.gguf [--rounds 5]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

TOKENS = list(range(100, 108))

LLAMA = """
import sys, time, json
import llama_cpp
from llama_cpp import Llama
start = time.perf_counter()
model = Llama(sys.argv[1], n_ctx=512, n_batch=512, n_threads=int(sys.argv[2]), n_threads_batch=int(sys.argv[2]), verbose=False)
model.eval(json.loads(sys.argv[3]))
token = model.sample(temp=0)
print(time.perf_counter() - start)
"""


def ours(deepseek, model, threads, folder):
    ids, out = os.path.join(folder, "ids.json"), os.path.join(folder, "out.safetensors")
    with open(ids, "w") as file:
        json.dump(TOKENS, file)
    start = time.perf_counter()
    subprocess.run(
        [deepseek, "logits", model, "--tokens", ids, "--output", out, "--generate", "1", "-t", str(threads),
         "--optimize-level", "3"],
        check=True, capture_output=True)
    return time.perf_counter() - start


def theirs(model, threads):
    done = subprocess.run(
        [sys.executable, "-c", LLAMA, model, str(threads), json.dumps(TOKENS)], check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--deepseek", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with open(options.model, "rb") as file:
        while file.read(1 << 24):
            pass
    times = {"ours": [], "llama.cpp": []}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.rounds):
            times["ours"].append(ours(options.deepseek, options.model, options.threads, folder))
            times["llama.cpp"].append(theirs(options.model, options.threads))
    medians = {name: statistics.median(values) for name, values in times.items()}
    print("| model | ours, s | llama.cpp, s | times faster |")
    print("|---|---|---|---|")
    name = os.path.basename(options.model)
    print(f"| {name} | {medians['ours']:.2f} | {medians['llama.cpp']:.2f} | {medians['llama.cpp'] / medians['ours']:.2f} |")


if __name__ == "__main__":
    main()
