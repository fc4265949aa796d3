"""Records what the encoders of DeepSeek-V4 and V4.1 make of conversations. DeepSeek ships them as programs; their copies in the
PyPI package sglang 0.5.21 (sglang/srt/entrypoints/openai/encoding_dsv4.py and encoding_dsv41.py) are the oracle:
pip download sglang==0.5.21 --no-deps, unzip. Run: python3 make_dsml_v4_goldens.py PATH_TO/sglang/srt/entrypoints/openai"""

import copy
import importlib.util
import json
import pathlib
import sys

from make_dsml_goldens import MORE, SKIPPED
from make_template_goldens import CLOCK, CONVERSATIONS, WEATHER, assistant, call, system, tool, user, write

CALLS = [call("now", {}, "c1"), call("get_weather", {"city": "Oslo"}, "c2"), call("now", {}, "c3")]
V4 = {
    "results-out-of-order": [user("q"), assistant("", tool_calls=CALLS), tool("third", "c3"), tool("first", "c1"), tool("second", "c2")],
    "results-then-text": [user("q"), assistant("x", tool_calls=CALLS[:2]), tool("2", "c2"), tool("1", "c1"), user("and?"), user("well?")],
    "results-of-nobody": [user("q"), assistant("", tool_calls=CALLS[:2]), tool("2", "c2"), tool("?", "zz")],
    "two-users": [user("a"), user("b"), assistant("c"), user("d")],
    "system-in-the-middle": [system("S"), user("a"), assistant("b", reasoning_content="r"), system("Be brief."), assistant("c"), user("d")],
    "system-at-the-end": [user("a"), assistant("b", reasoning_content="r"), system("Now answer.")],
}


def main(folder):
    conversations = {k: v for k, v in (CONVERSATIONS | MORE | V4).items() if k not in SKIPPED}
    cases, headers = [], {}
    for version in ("dsv4", "dsv41"):
        spec = importlib.util.spec_from_file_location(version, pathlib.Path(folder) / f"encoding_{version}.py")
        reference = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(reference)
        # The description of the tools is long and the same everywhere: kept once.
        headers[version] = reference.render_tools(reference.tools_from_openai_format([WEATHER, CLOCK]))
        for name, messages in conversations.items():
            for thinking in (True, False):
                for tools in (None, [WEATHER, CLOCK]):
                    for effort in ("high", "max") if thinking and name == "turns" else ("high",):
                        # The package refuses arguments that are no object; DeepSeek's own program passes them on.
                        if name == "bad-arguments":
                            continue
                        chat = copy.deepcopy(messages)
                        if tools:
                            if chat[0]["role"] != "system":
                                chat.insert(0, system(""))
                            chat[0]["tools"] = tools
                        row = {"version": version, "conversation": name, "thinking": thinking, "tools": bool(tools), "effort": effort}
                        # The package's numbers for V4.1's levels are those of a later revision; the first one has 50 and 100.
                        given = effort if version == "dsv4" else {"high": 50, "max": 100}[effort]
                        output = reference.encode_messages(chat, "thinking" if thinking else "chat", reasoning_effort=given)
                        row["output"] = output.replace(headers[version], "@TOOLS@")
                        cases.append(row)
    write("dsml-v4.json", {"tools": [WEATHER, CLOCK], "headers": headers, "conversations": conversations, "cases": cases})
    print(len(cases), "cases")


if __name__ == "__main__":
    main(sys.argv[1])
