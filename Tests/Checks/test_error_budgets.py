"""Logits of the fast kernels beside those of the reference tier without optimisation, for every format of weights.

Both read the same file, so that what is measured is arithmetic, not quantisation. `pytest -s` prints the table of
docs/accuracy.md; ERROR_BUDGET_PROMPTS=12 takes more prompts, which is how the budgets were found.

Three measures have budgets, for each prompt by itself:
- row: the median over positions of |a - b| / |b| (Euclidean): the error of arithmetic, whatever single positions do.
- KL: mean over positions of the divergence of the two distributions, in nats. Sees other choices of experts, too.
- loss: mean over 32 tokens decoded one by one: how much less likely the reference finds each than its own first choice, in
  nats. Decoded rows use other kernels than prompts, and at level 3 the copies of the weights.
"""

import json
import os
import re
import subprocess

import numpy as np
import pytest
from safetensors.numpy import load_file

import weight_formats
from conftest import ROOT

PROMPTS = int(os.environ.get("ERROR_BUDGET_PROMPTS", "2"))
LENGTH, DECODED = 80, 32
FIXTURES = {"FP8": "v3-fp8", "FP8, scales of 2^n": "v3-ue8m0"}
FORMATS = ["F32", "F16", "BF16", *FIXTURES, "Q8_0", "Q5_1", "Q5_0", "Q4_1", "Q4_0", *weight_formats.LAYOUTS, "MXFP4"]
BUDGETS = {
    "F32": dict(row=3.0e-06, KL=1.0e-11, loss=1.0e-03),
    "F16": dict(row=3.0e-06, KL=1.0e-11, loss=1.0e-03),
    "BF16": dict(row=3.0e-06, KL=1.0e-11, loss=1.0e-03),
    "BF16, copies": dict(row=2.0e-02, KL=2.0e-03, loss=1.5e-03),
    "FP8": dict(row=2.5e-06, KL=1.0e-11, loss=1.0e-03),
    "FP8, copies": dict(row=4.0e-03, KL=2.0e-05, loss=1.0e-03),
    "FP8, scales of 2^n": dict(row=2.5e-06, KL=1.0e-11, loss=1.0e-03),
    "FP8, scales of 2^n, copies": dict(row=4.0e-03, KL=2.0e-05, loss=1.0e-03),
    "Q8_0": dict(row=5.0e-02, KL=3.0e-02, loss=2.0e-01),
    "Q5_1": dict(row=4.5e-02, KL=7.5e-03, loss=1.5e-02),
    "Q5_0": dict(row=5.5e-02, KL=1.5e-02, loss=9.5e-02),
    "Q4_1": dict(row=4.0e-02, KL=1.5e-02, loss=1.0e-02),
    "Q4_0": dict(row=4.0e-02, KL=3.0e-02, loss=1.5e-02),
    "Q2_K": dict(row=1.5e-01, KL=2.5e-01, loss=5.5e-01),
    "Q3_K": dict(row=1.5e-01, KL=2.0e-01, loss=4.5e-01),
    "Q4_K": dict(row=8.0e-02, KL=7.5e-02, loss=2.0e-01),
    "Q5_K": dict(row=7.0e-02, KL=3.0e-02, loss=5.0e-02),
    "Q6_K": dict(row=7.5e-02, KL=2.5e-02, loss=2.0e-02),
    "IQ4_NL": dict(row=4.5e-02, KL=1.5e-02, loss=2.0e-02),
    "IQ4_XS": dict(row=8.0e-02, KL=4.0e-02, loss=1.5e-01),
    "MXFP4": dict(row=5.5e-02, KL=1.5e-02, loss=2.0e-02),
}


def budget(name, tier, level, features):
    # Copies of BF16 weights meet BF16 activations on processors that have such products.
    rounds = (tier, level) == ("avx512", 3) and "avx512_bf16" in features
    return BUDGETS.get(name + ", copies" if rounds else name, BUDGETS[name])


@pytest.fixture(scope="module")
def tiers(deepseek):
    report = subprocess.run([deepseek, "doctor"], capture_output=True, text=True).stdout
    found = re.search(r"available: ([^)]*)\)", report).group(1).split(", ")
    tiers = [tier for tier in found if tier != "reference"]
    assert tiers, report
    return tiers


@pytest.fixture(scope="module")
def features(deepseek):
    report = subprocess.run([deepseek, "doctor"], capture_output=True, text=True).stdout
    return re.search(r"processor +[^:]*: (.*)", report).group(1).split()


@pytest.fixture(scope="module")
def prompts(deepseek, tmp_path_factory):
    """Pieces of the built-in evaluation's texts, English and Chinese, as ids; and random ids for the fixtures of 96 tokens."""
    folder = tmp_path_factory.mktemp("prompts")
    lines = (ROOT / "Training/eval/text.txt").read_text().splitlines()
    (folder / "text.jsonl").write_text(json.dumps("\n".join(lines)) + "\n")
    subprocess.run(
        [deepseek, "tokenize", "default", "--input", folder / "text.jsonl", "--output", folder / "ids.jsonl"], check=True)
    ids = json.loads((folder / "ids.jsonl").read_text())
    pieces = [ids[start : start + LENGTH] for start in range(0, len(ids) - LENGTH, LENGTH)][:PROMPTS]
    rng = np.random.default_rng(3)
    return pieces, [rng.integers(2, 96, LENGTH).tolist() for _ in range(PROMPTS)]


class Runs:
    def __init__(self, deepseek, folder):
        self.deepseek, self.folder, self.references = deepseek, folder, {}

    def logits(self, model, ids, tier, level, decoded=0):
        tokens, output = self.folder / "ids.json", self.folder / "logits.safetensors"
        tokens.write_text(json.dumps(ids))
        done = subprocess.run(
            [self.deepseek, "logits", model, "--tokens", tokens, "--output", output, "--optimize-level", str(level),
             "--generate", str(decoded)],
            check=True, capture_output=True, env={**os.environ, "DS_KERNEL_TIER": tier})
        rows = load_file(output)["logits"].astype(np.float64)
        return rows, json.loads(done.stdout) if decoded else []

    def reference(self, model, ids):
        key = (model, *ids)
        if key not in self.references:
            self.references[key], _ = self.logits(model, ids, "reference", 0)
        return self.references[key]

    def measure(self, model, ids, tier, level, oracle=None):
        """Errors of a path over a model's file against the reference tier over `oracle`, by default the same file."""
        rows, tokens = self.logits(model, ids, tier, level, DECODED)
        wanted = self.reference(oracle or model, ids + tokens[:-1])
        prompt, after = wanted[: len(ids)], log_softmax(wanted[len(ids) - 1 :])
        difference = np.linalg.norm(rows - prompt, axis=1)
        a, b = log_softmax(rows), log_softmax(prompt)
        divergence = (np.exp(b) * (b - a)).sum(axis=1)
        return {
            "row": np.median(difference / np.linalg.norm(prompt, axis=1)),
            "KL": divergence.mean(),
            "loss": (after.max(axis=1) - after[np.arange(len(tokens)), tokens]).mean(),
            "L2": np.linalg.norm(difference) / np.linalg.norm(prompt),
            "max": np.abs(rows - prompt).max() / np.abs(prompt).max(),
            "worst KL": divergence.max(),
            "other": int((rows.argmax(axis=1) != prompt.argmax(axis=1)).sum()),
        }


def log_softmax(rows):
    rows = rows - rows.max(axis=1, keepdims=True)
    return rows - np.log(np.exp(rows).sum(axis=1, keepdims=True))


def over(found, limits):
    return [f"{measure} {found[measure]:.2e} > {limit:.2e}" for measure, limit in limits.items() if found[measure] > limit]


@pytest.fixture
def runs(deepseek, tmp_path):
    return Runs(deepseek, tmp_path)


@pytest.mark.parametrize("name", FORMATS)
def test_logits_are_within_the_budget(runs, tiers, features, prompts, tmp_path, name):
    if name in FIXTURES:
        model, pieces = ROOT / "Tests/Goldens/models" / FIXTURES[name], prompts[1]
    else:
        model, pieces = tmp_path / "model.gguf", prompts[0]
        weight_formats.write(model, name)
    failures = []
    for tier in tiers:
        for level in (2, 3):
            every = [runs.measure(model, ids, tier, level) for ids in pieces]
            worst = {measure: max(found[measure] for found in every) for measure in every[0]}
            cells = [f"{value:.1e}" if isinstance(value, float) else str(value) for value in worst.values()]
            print("|", " | ".join([name, f"{tier}, {level}", *cells]), "|")
            failures += [f"{tier}, level {level}: {text}" for text in over(worst, budget(name, tier, level, features))]
    (tmp_path / "model.gguf").unlink(missing_ok=True)
    assert not failures


def lane(name, data):
    """Every sixteenth row has the wrong sign in its first 32 columns: one lane of a kernel gone wrong."""
    rows = data.view(np.uint8).reshape(-1, data.shape[-1] * data.itemsize)
    if name in ("BF16", "Q8_0", "Q4_0"):  # the sign bits of 32 weights, or of their scale
        rows[15::16, 1 : 64 if name == "BF16" else 2 : 2] ^= 0x80
    return data


def plants():
    def one_block(name, tensor, data):
        if tensor == "blk.2.attn_output.weight":
            data[0, :32] *= np.float32(1.01)
        return data

    def one_matrix(name, tensor, data):
        return lane(name, data) if tensor == "blk.2.attn_output.weight" else data

    def every_matrix(name, tensor, data):
        return lane(name, data) if data.dtype == np.uint8 and not tensor.startswith("blk.6.") else data

    return [("F32", one_block), ("BF16", one_matrix), ("Q8_0", every_matrix), ("Q4_0", every_matrix)]


@pytest.mark.parametrize("name, plant", plants(), ids=lambda value: getattr(value, "__name__", value))
def test_a_planted_error_is_over_the_budget(runs, tiers, features, prompts, tmp_path, name, plant):
    right, wrong = tmp_path / "right.gguf", tmp_path / "wrong.gguf"
    weight_formats.write(right, name)
    weight_formats.write(wrong, name, lambda tensor, data: plant(name, tensor, data))
    for tier in tiers:
        found = runs.measure(wrong, prompts[0][0], tier, 3, oracle=right)
        caught = over(found, budget(name, tier, 3, features))
        print(f"{name}, {plant.__name__}, {tier}:", "; ".join(caught))
        assert caught
    right.unlink()
    wrong.unlink()
