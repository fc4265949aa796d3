"""Guesses at coming tokens: the same answers in fewer steps, over the built-in model's own tasks."""

import json
import subprocess

import pytest

from conftest import ROOT

ITEMS = 24


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    """Every so many items of the built-in tasks, so that each kind is there."""
    lines = (ROOT / "Training" / "eval" / "tasks.jsonl").read_text().splitlines()
    path = tmp_path_factory.mktemp("speculation") / "tasks.jsonl"
    path.write_text("\n".join(lines[:: len(lines) // ITEMS]) + "\n")
    return path


def evaluate(deepseek, tasks, *arguments):
    done = subprocess.run(
        [deepseek, "eval", "--tasks", str(tasks), "--concurrency", "1", "--json", *arguments],
        capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_same_answers_in_fewer_steps(deepseek, tasks):
    plain = evaluate(deepseek, tasks, "--speculation", "off")
    assert plain["speculation"]["draft_tokens"] == 0
    for sources in (["mtp"], ["ngram"], ["auto"]):
        found = evaluate(deepseek, tasks, "--speculation", *sources, "--draft-always")
        assert found["tasks"] == plain["tasks"]
        assert found["completion_tokens"] == plain["completion_tokens"]
        speculation = found["speculation"]
        accepted, drafted = speculation["accepted_tokens"], speculation["draft_tokens"]
        assert 0 < accepted < drafted
        assert sum(speculation["accepted_tokens_by_position"]) == accepted
        assert found["steps"] < plain["steps"]


def test_the_trained_layer_is_mostly_right(deepseek, tasks):
    # A wrong row, position or hidden state would leave chance: less than one in a hundred.
    found = evaluate(deepseek, tasks, "--speculation", "mtp", "--draft-tokens", "1", "--draft-always")["speculation"]
    assert found["accepted_tokens"] > 0.8 * found["draft_tokens"]


def test_a_model_without_the_layer_says_so(deepseek, tmp_path):
    import gguf

    # The built-in model without its last layer.
    reader = gguf.GGUFReader(ROOT / "Sources" / "CDSDefaultModel" / "default.ds")
    path = tmp_path / "plain.gguf"
    writer = gguf.GGUFWriter(path, "deepseek2")
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name == "general.architecture":
            continue
        value = field.contents()
        if field.name.endswith("nextn_predict_layers"):
            continue
        if field.name == "deepseek2.block_count":
            value -= 1
        inner = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, value, field.types[0], sub_type=inner)
    for tensor in reader.tensors:
        if not tensor.name.startswith("blk.6."):
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    done = subprocess.run(
        [deepseek, "run", "--model", str(path), "--speculation", "mtp", "hello"], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "speculation" in done.stderr and "expected auto, ngram or off" in done.stderr
    for source in ("auto", "ngram", "off"):
        done = subprocess.run(
            [deepseek, "run", "--model", str(path), "--speculation", source, "-n", "8", "hello"],
            capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("arguments", [["--draft-tokens", "0"], ["--draft-tokens", "17"], ["--speculation", "eagle"],
                                       ["--speculation", "off", "--draft-tokens", "2"], ["--speculation", "off", "--draft-always"]])
def test_mistakes_are_named(deepseek, arguments):
    done = subprocess.run([deepseek, "run", *arguments, "hello"], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert arguments[0] in done.stderr and arguments[1] in done.stderr
