"""Writes the held-out evaluation items and the perplexity text.

python3 Training/make_eval.py --output Training/eval --seed 20261124
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

from tasks import arithmetic, problems, risk, sql, stories, talk, tools, words
from tasks.common import HELD_OUT, Sample

# Task name, items, generator.
PLAN = [
    ("sum", 40, arithmetic.generate), ("difference", 24, arithmetic.generate), ("product", 32, arithmetic.generate),
    ("division", 12, arithmetic.generate), ("series", 32, arithmetic.generate), ("follow-up", 20, arithmetic.generate),
    ("word-problem", 32, problems.generate), ("sql-simple", 32, sql.generate), ("sql-group", 24, sql.generate),
    ("sql-order", 24, sql.generate), ("sql-join", 32, sql.generate), ("sql-nested", 24, sql.generate),
    ("risk", 40, risk.generate), ("risk-direct", 20, risk.generate), ("capital", 24, words.generate), ("analogy", 24, words.generate),
    ("tool-call", 20, tools.generate), ("tool-answer", 10, tools.generate), ("about", 20, talk.generate),
    ("refusal", 20, talk.generate), ("recall", 10, talk.generate),
]


def wanted(rng: random.Random, name: str, language: str, make) -> Sample:
    """A sample of one task; sums and products of operands below 10 are left out."""
    while True:
        sample = make(rng, language, HELD_OUT)
        if sample.task == name:
            return sample


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=20261124)
    parser.add_argument("--scale", type=float, default=1.0, help="more or fewer items")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    lines, prompts = [], set()
    for name, count, make in PLAN:
        rng = random.Random(f"{arguments.seed}-{name}")
        kept = 0
        for _ in range(100000):
            if kept == round(count * arguments.scale):
                break
            language = "en" if kept % 2 == 0 else "zh"
            sample = wanted(rng, name, language, make)
            messages = sample.messages[:-1]
            key = json.dumps(messages, ensure_ascii=False)
            if key in prompts:
                continue
            prompts.add(key)
            item = {"id": f"{name}-{kept + 1:03d}", "task": name, "language": language, "messages": messages, "thinking": sample.thinking}
            if sample.tools:
                item["tools"] = sample.tools
            item["check"] = sample.check
            lines.append(json.dumps(item, ensure_ascii=False))
            kept += 1
    (arguments.output / "tasks.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    rng = random.Random(f"{arguments.seed}-text")
    texts = [stories.generate(rng, "en" if i % 2 == 0 else "zh", HELD_OUT).text for i in range(60)]
    (arguments.output / "text.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
    print(f"{len(lines)} items, {len(texts)} texts in {arguments.output}")


if __name__ == "__main__":
    main()
