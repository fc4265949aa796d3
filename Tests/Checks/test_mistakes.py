"""What the programs say to mistakes: the thing, what was expected, what was found; a failing exit code; nothing lost."""

import os
import pathlib
import subprocess

import pytest
import requests

from conftest import program


def run(path, *arguments):
    return subprocess.run([path, *map(str, arguments)], capture_output=True, text=True)


@pytest.mark.parametrize("arguments, words", [
    (["run", "--max-tokens=-1", "x"], ["max_tokens", "-1"]),
    (["run", ""], ["PROMPT", "empty"]),
    (["eval", "--concurrency", "0"], ["--concurrency", "1..."]),
    (["graph", "--scope", "layers.1"], ["--scope", "--dot"]),
    (["graph", "--dot", "--scope", "layer.1"], ["--scope", "layers.1", "layer.1"]),
    (["graph", "--dot", "--json"], ["--dot", "--json"]),
    (["graph", "--optimize-level", "7"], ["0...3", "7"]),
    (["bench", "-d", "3"], ["-d", "multiples"]),
    (["tokenize", "default"], ["--input"]),
    (["info", "nowhere.gguf"], ["nowhere.gguf"]),
    (["run", "--model", "nowhere", "x"], ["nowhere"]),
])
def test_mistakes_are_named(deepseek, arguments, words):
    result = run(deepseek, *arguments)
    assert result.returncode != 0 and not result.stdout
    for word in words:
        assert word in result.stderr


@pytest.mark.parametrize("arguments, words", [
    (["--max-num-seqs", "8"], ["'--max-num-seqs'", "--max-batch-size"]),
    (["--tensor-parallel-size=2"], ["one process"]),
    (["-np", "4"], ["'-np'", "--max-batch-size"]), (["-hf", "deepseek-ai/x"], ["'-hf'", "--model-dir"]),
    (["-c", "4096"], ["'-c'", "--cache-memory"]), (["--max-batch-tokens", "4"], ["--max-batch-size (32)", "found 4"]),
    (["nowhere.gguf"], ["nowhere.gguf"]), (["a.gguf", "-m", "b.gguf"], ["'a.gguf'", "'b.gguf'"]),
    (["--chat-template", "nowhere.jinja"], ["--chat-template", "nowhere.jinja"]),
    (["--prot", "1"], ["'--port'"]),
])
def test_options_of_other_servers_lead_to_ours(arguments, words):
    result = run(program("DEEPSEEK_SERVER"), *arguments)
    assert result.returncode == 64 and not result.stdout
    for word in words:
        assert word in result.stderr


def test_a_scope_is_drawn(deepseek):
    drawing = run(deepseek, "graph", "--dot", "--scope", "layers.1").stdout
    whole = run(deepseek, "graph", "--dot").stdout
    assert drawing.startswith("digraph") and 3 < drawing.count("[label=") < whole.count("[label=") / 3


@pytest.mark.parametrize("option, content", [("--tasks", ""), ("--tasks", "\n\n"), ("--text", "\n")])
def test_empty_files_are_no_evaluation(deepseek, tmp_path, option, content):
    path = tmp_path / "empty"
    path.write_text(content)
    result = run(deepseek, "eval", option, path)
    assert result.returncode != 0 and str(path) in result.stderr and "found none" in result.stderr


def test_blank_lines_are_named_except_at_the_end(deepseek, tmp_path):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('"a"\n\n"b"\n')
    result = run(deepseek, "tokenize", "default", "--input", source, "--output", target)
    assert result.returncode != 0 and "line 2" in result.stderr and not target.exists()
    source.write_text('"a"\n"b"\n\n')
    assert run(deepseek, "tokenize", "default", "--input", source, "--output", target).returncode == 0
    assert len(target.read_text().splitlines()) == 2


def test_outputs_follow_links_and_never_replace_other_things(deepseek, tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_text('"a"\n')
    target, link = tmp_path / "real.jsonl", tmp_path / "link.jsonl"
    target.write_text("old")
    link.symlink_to(target)
    assert run(deepseek, "tokenize", "default", "--input", source, "--output", link).returncode == 0
    assert link.is_symlink() and target.read_text().startswith("[")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for special in (pipe, tmp_path):
        result = run(deepseek, "tokenize", "default", "--input", source, "--output", special)
        assert result.returncode != 0 and str(special) in result.stderr
    assert pathlib.Path(pipe).is_fifo() and sorted(p.name for p in tmp_path.iterdir()) == ["in.jsonl", "link.jsonl", "pipe", "real.jsonl"]


@pytest.mark.parametrize("name", ["", " ", "a b", "x<｜tool▁sep｜>", "<|end|>", "a" * 257])
@pytest.mark.parametrize("path, tool", [
    ("/v1/chat/completions", lambda name: {"type": "function", "function": {"name": name}}),
    ("/v1/responses", lambda name: {"type": "function", "name": name}),
    ("/v1/messages", lambda name: {"name": name, "input_schema": {"type": "object"}}),
])
def test_tools_whose_names_markup_could_not_hold_are_refused(server, path, tool, name):
    """Otherwise a call of theirs would be read as text."""
    question = [{"role": "user", "content": "hi"}]
    body = {"input": "hi"} if path == "/v1/responses" else {"model": "deepseek", "messages": question, "max_tokens": 4}
    answer = requests.post(server.url + path, json={**body, "tools": [tool(name)]})
    assert answer.status_code == 400
    assert "name'" in answer.json()["error"]["message"] and "letters" in answer.json()["error"]["message"]
    assert requests.post(server.url + path, json={**body, "tools": [tool("mcp.server/get_the-weather")]}).status_code == 200


def test_more_messages_than_the_context_has_tokens_are_refused_at_once(server):
    messages = [{"role": "user", "content": "a"}] * 3000
    for path, body in [("/v1/chat/completions", {}), ("/tokenize", {})]:
        answer = requests.post(server.url + path, json={"messages": messages, **body})
        assert answer.status_code == 400 and "at most 2048" in answer.json()["error"]["message"], path


def test_a_base_url_without_its_version_is_named(server):
    answer = requests.post(server.url + "/chat/completions", json={})
    assert answer.status_code == 404 and "/v1/chat/completions" in answer.json()["error"]["message"]
