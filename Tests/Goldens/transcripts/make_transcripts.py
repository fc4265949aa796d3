"""Writes transcripts of answers and what a parser must make of them, one file per dialect.

Rendered transcripts come from the models' own encoders: the chat templates of ../templates through transformers' environment
(jinja2 3.1.6, transformers 5.23.0), and DeepSeek's encoding programs for V3.2, V4 and V4.1 in their copies in the PyPI package
sglang 0.5.21 (sglang/srt/entrypoints/openai/encoding_dsv*.py: pip download sglang==0.5.21 --no-deps, unzip). The message that
went in is what must come out; for V3.2 and V4 DeepSeek's own parser, in the same files, must agree. Written transcripts, in
written_transcripts.py, are malformed, cut off or hostile; what is expected of them is our own rule (docs/server.md).
Run: python3 make_transcripts.py PATH_TO/sglang/srt/entrypoints/openai"""

import importlib.util
import json
import pathlib
import sys

import jinja2
import transformers
from transformers.utils.chat_template_utils import render_jinja_template

from written_transcripts import WRITTEN

HERE = pathlib.Path(__file__).parent
PINNED = {"jinja2": "3.1.6", "transformers": "5.23.0"}
assert {"jinja2": jinja2.__version__, "transformers": transformers.__version__} == PINNED

END = "<｜end▁of▁sentence｜>"
QUESTION = {"role": "user", "content": "q"}
DEEP = {
    "path": "/tmp/ä ö/文件.txt", "n": -1.5e-7, "list": [1, [2, {"three": None}], True], "text": 'a "quote" \\ back\nline\ttab',
    "empty": "", "object": {}, "emoji": "😀👩‍👩‍👧 e\u0301", "big": 12345678901234567890,
}
MARKUP = {
    "content": "<think>no</think> <｜tool▁call▁begin｜>function<｜tool▁sep｜>x <tool_call>{}",
    "diff": '-<｜DSML｜invoke name="f">\n+<｜DSML｜tool_calls>\n``` </thin <｜DS', "html": "<b>&amp;</b> </parameter> <parameter name=\"x\">",
}
# name: (reasoning, content, calls)
MESSAGES = {
    "answer": (None, "Hello 世界 <b>&\n", []),
    "thinking": ("step 1\n\nstep 2 < 3", "The answer: 42 😀", []),
    "call": (None, "", [("get_weather", {"city": "北京"})]),
    "thinking, call": ("I need the weather.", "", [("get_weather", {"city": "北京", "days": 2})]),
    "content, parallel calls": (None, "Let me look.", [("get_weather", {"city": "Oslo"}), ("now", {}), ("get_weather", {"city": "北京"})]),
    "parallel calls": (None, "", [("now", {}), ("get_weather", {"city": "Lima"})]),
    "three calls": (None, "", [("now", {}), ("get_weather", {"city": "Lima"}), ("now", {})]),
    "everything": ("hm\n", "One moment…", [("deep", DEEP), ("now", {})]),
    "markup in arguments": (None, "Editing.", [("edit", MARKUP), ("edit", MARKUP)]),
    "code": (None, "", [("write-file.v2", {"text": "def f(x):\n    return x < 1 and x > 2\n\n\n" * 3})]),
}


def dumps(arguments):
    return json.dumps(arguments, ensure_ascii=False)


def message(reasoning, content, calls):
    result = {"role": "assistant", "content": content}
    if reasoning:
        result["reasoning_content"] = reasoning
    if calls:
        result["tool_calls"] = [
            {"type": "function", "id": f"c{i}", "function": {"name": name, "arguments": dumps(arguments)}}
            for i, (name, arguments) in enumerate(calls)
        ]
    return result


def events(reasoning, content, calls):
    rows = [["reasoning", reasoning]] if reasoning else []
    rows += [["content", content]] if content else []
    return rows + [["call", name, dumps(arguments)] for name, arguments in calls]


def transcript(name, source, full, prompt, expected):
    if not full.startswith(prompt):
        return None
    text = full[len(prompt):]
    for end in (END, "<|im_end|>\n", "<|im_end|>"):
        text = text.removesuffix(end)
    return {
        "name": name, "source": source, "in_reasoning": prompt.rstrip().endswith("<think>"), "text": text, "events": expected}


def from_template(template, **options):
    """What the template writes behind its own generation prompt; it shows thinking only where it keeps it."""
    source = (HERE.parent / "templates" / f"{template}.jinja").read_text()

    def render(messages, **more):
        tokens = {"bos_token": "<｜begin▁of▁sentence｜>", "eos_token": END}
        return render_jinja_template([messages], chat_template=source, **tokens, **options, **more)[0][0]

    for name, (reasoning, content, calls) in MESSAGES.items():
        if reasoning and template != "qwen3":
            continue
        expected = events(reasoning, " " + content if template == "deepseek-v2" else content, calls)
        if template == "qwen3":
            # The template's blanks around the parts are text of theirs.
            thought = (reasoning or "").strip("\n")
            expected = events(f"\n{thought}\n", "\n\n" + content, calls)
            if not content and calls:
                expected[1][1] = "\n"
        if template.startswith("qwen"):
            calls_json = [{"function": {"name": n, "arguments": a}, "type": "function"} for n, a in calls]
            given = message(reasoning, content, []) | ({"tool_calls": calls_json} if calls else {})
        else:
            given = message(reasoning, content, calls) | ({"content": None} if calls and not content and "v2" not in template else {})
        full = render([QUESTION, given])
        row = transcript(name, f"{template}.jinja", full, render([QUESTION], add_generation_prompt=True), expected)
        # V3's template drops the calls of a message that has text, and writes an end behind the second of three.
        if row and all(call in row["text"] for call, _ in calls) and END not in row["text"]:
            yield row


def from_encoder(folder, version, thinking):
    spec = importlib.util.spec_from_file_location(version, pathlib.Path(folder) / f"encoding_{version}.py")
    encoder = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(encoder)
    mode = "thinking" if thinking else "chat"
    for name, (reasoning, content, calls) in MESSAGES.items():
        if bool(reasoning) != thinking:
            continue
        full = encoder.encode_messages([QUESTION, message(reasoning, content, calls)], mode)
        row = transcript(name, f"encoding_{version}.py", full, encoder.encode_messages([QUESTION], mode), events(reasoning, content, calls))
        assert row, (version, name)
        if hasattr(encoder, "parse_message_from_completion_text"):
            parsed = encoder.parse_message_from_completion_text(row["text"] + END, mode)
            theirs = events(parsed["reasoning_content"], parsed["content"], [])
            theirs += [["call", c["function"]["name"], c["function"]["arguments"]] for c in parsed["tool_calls"]]
            assert theirs == row["events"], (version, name, theirs)
        yield row


def main(folder):
    rendered = {
        "plain": [row for row in from_template("deepseek-v2") if "call" not in row["name"] and "arguments" not in row["name"]],
        "deepSeekV3": [*from_template("deepseek-v3"), *from_template("deepseek-r1")],
        "deepSeekV31": [*from_template("deepseek-v3.1", thinking=False), *from_template("deepseek-v3.1-tools", thinking=False)],
        "hermes": [*from_template("qwen2.5"), *from_template("qwen3")],
    }
    for dialect, version in (("deepSeekV32", "dsv32"), ("deepSeekV4", "dsv4"), ("deepSeekV41", "dsv41")):
        rendered[dialect] = [*from_encoder(folder, version, False), *from_encoder(folder, version, True)]
    for dialect, rows in rendered.items():
        seen = {}
        for row in rows:
            seen.setdefault(row["text"], row)
        rows = list(seen.values())
        assert dialect == "plain" or any("parallel" in row["name"] for row in rows), dialect
        written = [
            {"name": name, "source": "written", "in_reasoning": inside, "text": text, "events": list(map(list, expected))}
            | ({"stops": stops} if stops else {})
            for name, inside, text, expected, stops in WRITTEN[dialect]
        ]
        assert len({row["name"] for row in written}) == len(written), dialect
        text = json.dumps({"dialect": dialect, "transcripts": rows + written}, ensure_ascii=False, indent=0, separators=(",", ":"))
        (HERE / f"{dialect}.json").write_text(text + "\n")
        print(dialect, len(rows), "rendered,", len(written), "written")


if __name__ == "__main__":
    main(sys.argv[1])
