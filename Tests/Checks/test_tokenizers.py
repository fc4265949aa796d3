"""`deepseek tokenize` against Hugging Face tokenizers: DeepSeek-V3's own and others, 100,000 strings each."""

import json
import os
import re
import subprocess
import sys

from conftest import ROOT

COUNT = os.environ.get("PARITY_STRINGS", "100000")
# The tokenizers of the families that we run. The script also compares unigram, WordPiece and whitespace BPE models,
# which differ in a few of 100,000 strings because the reference's Unicode tables are of another version.
FAMILIES = [
    "deepseek-v3", "qwen2-style", "llama3-style", "deepseek-v3-style", "deepseek-coder-style", "deepseek-llm-style",
    "gpt2-style", "sentencepiece-bpe"]


def test_no_difference(deepseek, tmp_path):
    script = ROOT / "Tests/Goldens/tokenizers/check_parity.py"
    result = subprocess.run(
        [sys.executable, script, "--command", f"{deepseek} tokenize", "--count", COUNT, "--work", tmp_path],
        capture_output=True, text=True)
    print(result.stdout)
    found = dict(re.findall(r"^([^ :]+): \d+ strings.*?(\d+) differences", result.stdout, re.MULTILINE))
    assert {name: found.get(name) for name in FAMILIES} == {name: "0" for name in FAMILIES}, result.stdout


def test_bulk_lines_name_their_mistakes(deepseek, tmp_path):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('"good"\n{"bad": 1}\n')
    result = subprocess.run(
        [deepseek, "tokenize", "default", "--input", source, "--output", target], capture_output=True, text=True)
    assert result.returncode != 0 and "2" in result.stderr and not target.exists()


def test_round_trip(deepseek, tmp_path):
    source, ids, back = (tmp_path / name for name in ("in.jsonl", "ids.jsonl", "back.jsonl"))
    source.write_text('"What is 12 + 30?"\n"你好，世界"\n"e\\u0301 👩‍👩‍👧 \\u0000"\n')
    subprocess.run([deepseek, "tokenize", "default", "--input", source, "--output", ids], check=True)
    subprocess.run([deepseek, "detokenize", "default", "--input", ids, "--output", back], check=True)
    assert [json.loads(line) for line in back.open()] == [json.loads(line) for line in source.open()]


def test_what_one_prints_the_other_takes(deepseek):
    def run(*arguments):
        return subprocess.run([deepseek, *arguments], capture_output=True, text=True)

    ids = run("tokenize", "default", "What is 12 + 30?").stdout.strip()
    listed = json.loads(ids)
    for arguments in ([ids], map(str, listed), [str(listed[0]), json.dumps(listed[1:])]):
        assert run("detokenize", "default", *arguments).stdout == "What is 12 + 30?\n"
    for wrong in ("x", "[1, 2", "[1, \"2\"]", "[1.5]", "{}"):
        result = run("detokenize", "default", wrong)
        assert result.returncode == 64 and wrong in result.stderr, result.stderr
