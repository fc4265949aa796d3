#!/usr/bin/env python3
"""Measure llama.cpp (PyPI llama-cpp-python) the way `deepseek bench` measures us; prints the same JSON.

    python3 Benchmarks/llama_bench.py MODEL.gguf -p 512 -n 64 -d 0,4096 -b 1,8 -t 2 -r 3
"""

import argparse
import ctypes
import json
import statistics
import time

import llama_cpp as lib


def numbers(text):
    return [int(part) for part in text.split(",")]


class Session:
    """A context over a model; decodes random tokens without sampling."""

    def __init__(self, path, context, sequences, threads, ubatch):
        parameters = lib.llama_model_default_params()
        parameters.n_gpu_layers = 0
        self.model = lib.llama_model_load_from_file(path.encode(), parameters)
        if not self.model:
            raise SystemExit(f"{path}: llama.cpp cannot load it")
        settings = lib.llama_context_default_params()
        settings.n_ctx = context * sequences
        settings.n_seq_max = sequences
        settings.n_batch = max(ubatch, 2048)
        settings.n_ubatch = ubatch
        settings.n_threads = settings.n_threads_batch = threads
        settings.kv_unified = False
        self.context = lib.llama_init_from_model(self.model, settings)
        self.vocabulary = lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(self.model))
        self.batch = lib.llama_batch_init(settings.n_batch, 0, 1)
        self.capacity = settings.n_batch
        self.filled = None

    def prepare(self, sequences, depth):
        """So many tokens in the cache of each sequence; computed once, then what came after them is removed."""
        memory = lib.llama_get_memory(self.context)
        if self.filled == (sequences, depth):
            for sequence in range(sequences):
                if not lib.llama_memory_seq_rm(memory, sequence, depth, -1):
                    raise SystemExit("llama_memory_seq_rm failed")
            return
        lib.llama_memory_clear(memory, True)
        self.fill(sequences, depth)
        self.filled = (sequences, depth)

    def decode(self, rows, all_logits):
        """rows: list of (sequence, position)."""
        for start in range(0, len(rows), self.capacity):
            part = rows[start:start + self.capacity]
            for i, (sequence, position) in enumerate(part):
                self.batch.token[i] = (start + i * 7919 + position) % self.vocabulary
                self.batch.pos[i] = position
                self.batch.n_seq_id[i] = 1
                self.batch.seq_id[i][0] = sequence
                self.batch.logits[i] = all_logits or start + i == len(rows) - 1
            self.batch.n_tokens = len(part)
            code = lib.llama_decode(self.context, self.batch)
            if code:
                raise SystemExit(f"llama_decode failed: {code}")
        lib.llama_synchronize(self.context)

    def fill(self, sequences, depth):
        for sequence in range(sequences):
            for start in range(0, depth, 512):
                self.decode([(sequence, p) for p in range(start, min(start + 512, depth))], False)


def summary(model, test, prompt, generate, depth, batch, threads, rates):
    return {
        "model": model, "test": test, "n_prompt": prompt, "n_gen": generate, "n_depth": depth, "batch": batch,
        "threads": threads,
        "tokens_per_second": {"median": statistics.median(rates), "min": min(rates), "max": max(rates)},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("-p", type=numbers, default=[512])
    parser.add_argument("-n", type=numbers, default=[64])
    parser.add_argument("-d", type=numbers, default=[0])
    parser.add_argument("-b", type=numbers, default=[1])
    parser.add_argument("-t", type=int, default=2)
    parser.add_argument("-r", type=int, default=3)
    parser.add_argument("--ubatch", type=int, default=512)
    arguments = parser.parse_args()
    silent = lib.llama_log_callback(lambda *_: None)
    lib.llama_log_set(silent, ctypes.c_void_p(0))
    results = []
    longest = max(arguments.d) + max(arguments.p + arguments.n) + 8
    session = Session(arguments.model, longest, max(arguments.b), arguments.t, arguments.ubatch)
    for depth in arguments.d:
        for prompt in [p for p in arguments.p if p]:
            rates = []
            for run in range(arguments.r + 1):
                session.prepare(1, depth)
                start = time.perf_counter()
                session.decode([(0, depth + i) for i in range(prompt)], False)
                rates.append(prompt / (time.perf_counter() - start))
            results.append(summary(arguments.model, "prefill", prompt, 0, depth, 1, arguments.t, rates[1:]))
        for generate in [n for n in arguments.n if n]:
            for batch in arguments.b:
                rates = []
                for run in range(arguments.r + 1):
                    session.prepare(batch, depth)
                    start = time.perf_counter()
                    for i in range(generate):
                        session.decode([(s, depth + i) for s in range(batch)], True)
                    rates.append(generate * batch / (time.perf_counter() - start))
                results.append(summary(arguments.model, "decode", 0, generate, depth, batch, arguments.t, rates[1:]))
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
