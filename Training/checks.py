"""The checks of evaluation answers; docs/default-model.md states the same rules."""

from __future__ import annotations

import json
import re
import sqlite3
from typing import Any

NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")


def answer_of(text: str) -> str:
    """The answer: what follows the first ``</think>``, or all of the text without one."""
    head, mark, tail = text.partition("</think>")
    return (tail if mark else head).strip()


def plain(text: str) -> str:
    """Text without surrounding space and final full stop, in lower case."""
    return text.strip().rstrip(".。").strip().lower()


def run_sql(database: str, query: str) -> list[list[Any]] | None:
    """Rows of a single SELECT on a fresh database, or nothing where it fails."""
    connection = sqlite3.connect(":memory:")
    try:
        connection.executescript(database)
        return [list(row) for row in connection.execute(query.strip().rstrip(";")).fetchall()]
    except (sqlite3.Error, sqlite3.Warning):
        return None
    finally:
        connection.close()


def same_rows(found: list[list[Any]], wanted: list[list[Any]], ordered: bool) -> bool:
    """Whether two results agree; numbers to nine digits."""
    def cell(value: Any) -> str:
        return f"{value:.9g}" if isinstance(value, float) else str(value)

    a = [[cell(v) for v in row] for row in found]
    b = [[cell(v) for v in row] for row in wanted]
    return a == b if ordered else sorted(a) == sorted(b)


def calls_of(answer: str) -> dict[str, Any] | None:
    """The single tool call of an answer."""
    match = re.search("<｜tool▁call▁begin｜>(.*?)<｜tool▁sep｜>(.*?)<｜tool▁call▁end｜>", answer, re.DOTALL)
    if not match:
        return None
    try:
        return {"name": match.group(1).strip(), "arguments": json.loads(match.group(2))}
    except json.JSONDecodeError:
        return None


def correct(check: dict[str, Any], text: str) -> bool:
    """Whether a generated text passes a check."""
    answer = answer_of(text)
    expected = check["expected"]
    kind = check["type"]
    if kind == "number":
        numbers = NUMBER.findall(answer)
        return bool(numbers) and float(numbers[-1]) == float(expected)
    if kind == "exact":
        return plain(answer) == plain(expected)
    if kind == "label":
        return plain(answer.split("\n")[-1]) == plain(expected)
    if kind == "contains":
        return expected.lower() in answer.lower()
    if kind == "refusal":
        return any(marker.lower() in answer.lower() for marker in expected)
    if kind == "json":
        return calls_of(answer) == expected
    if kind == "sql":
        rows = run_sql(check["database"], answer)
        return rows is not None and same_rows(rows, check["rows"], check["ordered"])
    raise ValueError(f"unknown check {kind}")
