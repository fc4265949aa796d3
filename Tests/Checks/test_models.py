"""`deepseek logits` and `ds-convert` against transformers' results and Python's gguf."""

import json
import subprocess

import gguf
import numpy as np
import pytest
from safetensors.numpy import load_file

from conftest import ROOT

GOLDENS = ROOT / "Tests/Goldens/models"
MODELS = sorted(path.name for path in GOLDENS.iterdir() if (path / "config.json").exists())


def logits(deepseek, model, ids, tmp_path, generate, *options):
    tokens, output = tmp_path / "ids.json", tmp_path / "logits.safetensors"
    tokens.write_text(json.dumps([int(i) for i in ids]))
    result = subprocess.run(
        [deepseek, "logits", model, "--tokens", tokens, "--output", output, "--generate", str(generate), *options],
        check=True, capture_output=True)
    return load_file(output)["logits"], json.loads(result.stdout)


def expected(name):
    golden = load_file(GOLDENS / name / "expected.safetensors")
    return golden["prompt"], golden["logits"], golden["greedy"]


@pytest.mark.parametrize("name", MODELS)
def test_logits_and_greedy_tokens_are_those_of_transformers(deepseek, tmp_path, name):
    prompt, wanted, greedy = expected(name)
    _, tokens = logits(deepseek, GOLDENS / name, prompt, tmp_path, len(greedy))
    assert tokens == [int(token) for token in greedy] and len(tokens) == 64
    found, _ = logits(deepseek, GOLDENS / name, [*prompt, *greedy], tmp_path, 1)
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() / np.abs(wanted).max() <= 1e-4
    # Level 3 may multiply BF16 weights with activations of that type. PyTorch in bfloat16 is off by 0.015-0.049 here.
    found, _ = logits(deepseek, GOLDENS / name, [*prompt, *greedy], tmp_path, 1, "--optimize-level", "3")
    assert np.abs(found - wanted).max() / np.abs(wanted).max() <= 0.06


# The weights of these fixtures are exact in the type to which they are converted.
@pytest.mark.parametrize("name, weights", [
    ("v3-plain", "fp32"), ("v2-lite", "fp32"), ("v2-lite", "bf16"), ("qwen2", "fp32"), ("qwen2", "fp16"),
    ("qwen2", "bf16"), ("llama3", "bf16")])
def test_converted_files_are_read_by_gguf_and_give_the_same_tokens(deepseek, ds_convert, tmp_path, name, weights):
    prompt, _, greedy = expected(name)
    path = tmp_path / "model.gguf"
    subprocess.run(
        [ds_convert, "--input-path", GOLDENS / name, "--output-path", path, "--quantize", weights], check=True)
    types = {tensor.tensor_type.name for tensor in gguf.GGUFReader(path).tensors}
    assert {"fp32": "F32", "fp16": "F16", "bf16": "BF16"}[weights] in types
    _, tokens = logits(deepseek, path, prompt, tmp_path, 64)
    assert tokens == [int(token) for token in greedy]


def test_mistakes_are_named(deepseek, ds_convert, tmp_path):
    prompt, _, _ = expected("qwen2")
    tokens = tmp_path / "ids.json"
    tokens.write_text("[1, 99999999]")
    result = subprocess.run(
        [deepseek, "logits", GOLDENS / "qwen2", "--tokens", tokens, "--output", tmp_path / "x"], capture_output=True,
        text=True)
    assert result.returncode != 0 and "99999999" in result.stderr
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "mamba", "architectures": ["MambaForCausalLM"]}))
    result = subprocess.run([deepseek, "info", tmp_path], capture_output=True, text=True)
    assert result.returncode != 0 and "amba" in result.stderr and "deepseek_v3" in result.stderr
