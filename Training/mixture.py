"""The mixture of all tasks: seeded samples, their prompts in DeepSeek-V3.1's template, and their tokens."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from tasks import arithmetic, copying, problems, risk, sql, stories, talk, tools, words
from tasks.common import TRAIN, Sample

BOS, EOS, PAD = "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜▁pad▁｜>"
USER, ASSISTANT, THINK, END_THINK = "<｜User｜>", "<｜Assistant｜>", "<think>", "</think>"
CALLS, END_CALLS = "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"
CALL, END_CALL, SEPARATOR = "<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>", "<｜tool▁sep｜>"
OUTPUT, END_OUTPUT = "<｜tool▁output▁begin｜>", "<｜tool▁output▁end｜>"
SPECIAL = [BOS, EOS, PAD]
CONTROL = [THINK, END_THINK, USER, ASSISTANT, CALLS, END_CALLS, CALL, END_CALL,
           "<｜tool▁outputs▁begin｜>", "<｜tool▁outputs▁end｜>", OUTPUT, END_OUTPUT, SEPARATOR]
TASKS = {"arithmetic": arithmetic, "problems": problems, "sql": sql, "risk": risk, "words": words, "tools": tools,
         "talk": talk, "stories": stories, "copying": copying}
CONVERSATIONS = ("words", "talk", "copying", "risk")
WEIGHTS = {"arithmetic": 0.32, "problems": 0.09, "sql": 0.25, "risk": 0.08, "words": 0.1, "tools": 0.05, "talk": 0.05, "stories": 0.005, "copying": 0.03}
TOOLS_HEAD = "## Tools\nYou have access to the following tools:\n"
TOOLS_TAIL = (
    f"\nIMPORTANT: ALWAYS adhere to this exact format for tool use:\n{CALLS}{CALL}tool_call_name{SEPARATOR}"
    f"tool_call_arguments{END_CALL}{{{{additional_tool_calls}}}}{END_CALLS}\n\nWhere:\n\n"
    "- `tool_call_name` must be an exact match to one of the available tools\n"
    "- `tool_call_arguments` must be valid JSON that strictly follows the tool's Parameters Schema\n"
    "- For multiple tool calls, chain them directly without separators or spaces\n"
)


def system_text(messages: list[dict[str, Any]], tools_list: list[dict[str, Any]] | None) -> str:
    """The system prompt with the tools section."""
    text = "\n\n".join(m["content"] for m in messages if m["role"] == "system")
    if tools_list:
        text += "\n\n" + TOOLS_HEAD
        for entry in tools_list:
            function = entry["function"]
            text += f"\n### {function['name']}\nDescription: {function['description']}\n\n"
            text += f"Parameters: {json.dumps(function['parameters'], ensure_ascii=False)}\n"
        text += TOOLS_TAIL
    return text


def render(messages: list[dict[str, Any]], tools_list, thinking: bool, prompt_only: bool) -> list[tuple[str, bool]]:
    """Parts of a conversation with a flag: whether the model is trained on the part."""
    parts: list[tuple[str, bool]] = [(BOS + system_text(messages, tools_list), False)]
    turns = [m for m in messages if m["role"] != "system"]
    after_tool = False
    last_user = max((i for i, m in enumerate(turns) if m["role"] == "user"), default=-1)
    for i, message in enumerate(turns):
        role = message["role"]
        if role == "user":
            parts.append((USER + message["content"], False))
            after_tool = False
        elif role == "tool":
            parts.append((OUTPUT + message["content"] + END_OUTPUT, False))
            after_tool = True
        else:
            final = i > last_user
            if not after_tool:
                mark = THINK if final and thinking else END_THINK
                parts.append((ASSISTANT + mark, False))
            body = message["content"]
            if final and thinking:
                body = (message.get("reasoning_content") or "") + END_THINK + body
            if message.get("tool_calls"):
                calls = "".join(f"{CALL}{c['function']['name']}{SEPARATOR}{c['function']['arguments']}{END_CALL}" for c in message["tool_calls"])
                body += CALLS + calls + END_CALLS
            parts.append((body + EOS, final or message.get("trained", False)))
            after_tool = False
    if prompt_only and not after_tool:
        parts.append((ASSISTANT + (THINK if thinking else END_THINK), False))
    return parts


def prompt_text(item: dict[str, Any]) -> str:
    """The prompt of an evaluation item."""
    return "".join(text for text, _ in render(item["messages"], item.get("tools"), item["thinking"], True))


def single(sample: Sample) -> bool:
    """Whether a sample is one question with one answer."""
    return len(sample.messages) == 2 and not sample.tools and sample.messages[0]["role"] == "user"


def conversation(rng: random.Random, name: str, language: str, sample: Sample) -> Sample:
    """The sample behind up to three others as earlier turns, all of which are trained: more answers per token."""
    for _ in range(rng.choice((0, 1, 2, 3))):
        earlier = TASKS[name].generate(rng, language, TRAIN)
        if single(earlier) and not sample.tools and sample.messages and sample.messages[0]["role"] == "user":
            answer = {"role": "assistant", "content": earlier.messages[1]["content"], "trained": True}
            sample.messages = [earlier.messages[0], answer] + sample.messages
    return sample


def draw(rng: random.Random, split: str = TRAIN, weights: dict[str, float] | None = None) -> Sample:
    """One sample of the mixture."""
    weights = weights or WEIGHTS
    name = rng.choices(list(weights), weights=list(weights.values()))[0]
    language = "en" if rng.random() < 0.6 else "zh"
    sample = TASKS[name].generate(rng, language, split)
    if split == TRAIN and name in CONVERSATIONS:
        sample = conversation(rng, name, language, sample)
    if sample.messages and rng.random() < 0.12:
        sample.messages = [{"role": "system", "content": rng.choice(talk.SYSTEM)}] + sample.messages
    return sample


def parts_of(sample: Sample) -> list[tuple[str, bool]]:
    """The parts of a sample, text samples included."""
    if sample.text is not None:
        return [(BOS, False), (sample.text + EOS, True)]
    return render(sample.messages, sample.tools, sample.thinking, False)


def encode(tokenizer, sample: Sample) -> tuple[list[int], list[int]]:
    """Tokens, and for each position the token to predict next or -1."""
    tokens: list[int] = []
    wanted: list[bool] = []
    for text, flag in parts_of(sample):
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        tokens += ids
        wanted += [flag] * len(ids)
    targets = [t if w else -1 for t, w in zip(tokens[1:], wanted[1:])] + [-1]
    return tokens, targets


def chat_template() -> str:
    """The chat template as shipped."""
    return (Path(__file__).parent / "chat_template.jinja").read_text(encoding="utf-8")
