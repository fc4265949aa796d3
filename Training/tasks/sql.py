"""Text to SQL over small schemas; the held-out split uses phrasings that never occur in training."""

from __future__ import annotations

import random
import sqlite3

from .common import HELD_OUT, Sample, assistant, user
from .sql_phrases import EN, RESERVED, ZH, compare_phrase, reworded
from .sql_schemas import POOLS, SCHEMAS


class Table:
    """A table with a random choice of its columns in random order."""

    def __init__(self, rng: random.Random, spec: tuple, language: str, must: int):
        self.name, self.plural, self.single, zh, columns = spec[:5]
        self.noun = self.plural if language == "en" else zh
        self.one = self.single if language == "en" else zh
        label, rest = columns[0], list(columns[1:])
        rng.shuffle(rest)
        self.columns = [label] + rest[: rng.randint(min(must, len(rest)), len(rest))]
        self.foreign = spec[5] if len(spec) > 5 else None
        self.label = label
        self.language = language

    def phrase(self, column: tuple) -> str:
        return column[2] if self.language == "en" else column[3]

    def numbers(self) -> list[tuple]:
        return [c for c in self.columns if c[1].startswith("n")]

    def texts(self) -> list[tuple]:
        return [c for c in self.columns[1:] if c[1].startswith("t")]

    def listing(self) -> list[tuple[str, str]]:
        """Column names with SQL types."""
        named = [("id", "INTEGER")] + [(c[0], "TEXT" if c[1].startswith("t") else "INTEGER") for c in self.columns]
        return named + ([(self.foreign, "INTEGER")] if self.foreign else [])


def value(rng: random.Random, column: tuple) -> str | int:
    """A value of a column."""
    if column[1].startswith("t"):
        return rng.choice(POOLS[column[1][2:]])
    low, high = (int(x) for x in column[1][2:].split(":"))
    return rng.randint(low, high)


def threshold(rng: random.Random, column: tuple) -> int:
    """A number to compare a column with, away from its limits and often round."""
    low, high = (int(x) for x in column[1][2:].split(":"))
    number = rng.randint(low + (high - low) // 5, high - (high - low) // 5)
    if high - low > 100 and rng.random() < 0.6:
        number = number // 10 * 10
    if high - low > 1000 and low < 1500 and rng.random() < 0.5:
        number = number // 100 * 100
    return number


def condition(rng: random.Random, table: Table, split: str, prefix: str = "") -> tuple[str, str] | None:
    """A filter as a phrase and as SQL."""
    english = table.language == "en"
    numeric = table.numbers()
    texts = table.texts()
    if texts and (not numeric or rng.random() < 0.42):
        column = rng.choice(texts)
        word = value(rng, column)
        name = table.phrase(column)
        negative = rng.random() < 0.12
        if english:
            shown = rng.choice([f"'{word}'", str(word), str(word)])
            text = rng.choice([f"{name} is not {shown}", f"{name} other than {shown}"]) if negative else rng.choice(
                [f"{name} is {shown}", f"{name} equals {shown}", f"{name} = {shown}", f"{name} {shown}"])
            text = ("whose " if " is " in text or " equals " in text else "with ") + text
        else:
            text = f"{name}不是{word}" if negative else rng.choice([f"{name}是{word}", f"{name}为{word}", f"{name}等于{word}"])
        return text, f"{prefix}{column[0]} {'!=' if negative else '='} '{word}'"
    if not numeric:
        return None
    column = rng.choice(numeric)
    name = table.phrase(column)
    limit = threshold(rng, column)
    if rng.random() < 0.15:
        other = limit + rng.randint(1, max(2, limit // 3))
        text = rng.choice(["with {n} between {a} and {b}", "whose {n} is between {a} and {b}", "with {n} from {a} to {b}"]) if english else rng.choice(["{n}在{a}到{b}之间", "{n}介于{a}和{b}之间"])
        return text.format(n=name, a=limit, b=other), f"{prefix}{column[0]} BETWEEN {limit} AND {other}"
    operator = rng.choice([">", "<", ">=", "<=", "="] if rng.random() < 0.5 else [">", "<"])
    text = compare_phrase(rng, table.language, operator, name, str(limit), split)
    return text, f"{prefix}{column[0]} {operator} {limit}"


def where(rng: random.Random, table: Table, split: str, prefix: str = "", double: float = 0.2) -> tuple[str, str] | None:
    """One or two filters as a phrase and as SQL."""
    first = condition(rng, table, split, prefix)
    if first is None or rng.random() >= double:
        return first
    second = condition(rng, table, split, prefix)
    if second is None or second[1].split()[0] == first[1].split()[0]:
        return first
    both = rng.random() < 0.65
    if table.language == "en":
        return f"{first[0]} {'and' if both else 'or'} {second[0]}", f"{first[1]} {'AND' if both else 'OR'} {second[1]}"
    return f"{first[0]}{'并且' if both else '或者'}{second[0]}", f"{first[1]} {'AND' if both else 'OR'} {second[1]}"


AGGREGATES = {"AVG": ("average", "平均"), "SUM": ("total", "总"), "MAX": ("highest", "最高"), "MIN": ("lowest", "最低")}


def build(rng: random.Random, language: str, split: str, intent: str, parent: Table, child: Table) -> tuple[str, str] | None:
    """Question and SQL of one intent, or nothing where the tables lack a column for it."""
    english = language == "en"
    table = child if rng.random() < 0.65 else parent
    numbers, texts = table.numbers(), table.texts()
    f: dict[str, str] = {"S": table.noun, "s": table.one, "P": parent.noun, "p": parent.one, "C": child.noun, "c": child.one}
    label = table.label[0]
    f["L"] = table.phrase(table.label)
    join = f"FROM {child.name} JOIN {parent.name} ON {child.name}.{child.foreign} = {parent.name}.id"
    if intent in ("where", "count_where", "agg_where", "top_where"):
        made = where(rng, table, split)
        if made is None:
            return None
        f["W"] = made[0]
        condition_sql = made[1]
    if intent in ("agg", "agg_where", "group_agg", "having_agg", "top", "top_where", "one", "above", "extreme", "order", "list2"):
        if not numbers:
            return None
        column = rng.choice(numbers)
        f["N"] = table.phrase(column)
    if intent in ("group_count", "group_agg", "having_count", "having_agg", "distinct"):
        if not texts:
            return None
        group = rng.choice(texts)
        f["G"] = table.phrase(group)
    if intent in ("agg", "agg_where", "group_agg", "having_agg", "join_agg"):
        function = rng.choice(list(AGGREGATES) if intent not in ("having_agg", "join_agg") else ["AVG", "SUM", "AVG"])
        f["A"] = AGGREGATES[function][0 if english else 1]
    descending = rng.random() < 0.5
    order = "DESC" if descending else "ASC"
    f["D"] = ("highest" if descending else "lowest") if english else ("最高" if descending else "最低")
    f["O"] = ("descending" if descending else "ascending") if english else ("降序" if descending else "升序")
    k = rng.randint(2, 9)
    f["K"] = str(k)
    phrases = (EN if english else ZH)[intent]
    reserved = RESERVED.get((language, intent), 1)
    question = rng.choice(phrases[-reserved:] if split == HELD_OUT else phrases[:-reserved])
    if split != HELD_OUT and rng.random() < 0.4:
        question = reworded(rng, language, question, phrases[-reserved:])
    if intent == "all":
        sql = f"SELECT {label} FROM {table.name}"
    elif intent == "list2":
        sql = f"SELECT {label}, {column[0]} FROM {table.name}"
    elif intent == "where":
        sql = f"SELECT {label} FROM {table.name} WHERE {condition_sql}"
    elif intent == "count":
        sql = f"SELECT COUNT(*) FROM {table.name}"
    elif intent == "count_where":
        sql = f"SELECT COUNT(*) FROM {table.name} WHERE {condition_sql}"
    elif intent == "agg":
        sql = f"SELECT {function}({column[0]}) FROM {table.name}"
    elif intent == "agg_where":
        sql = f"SELECT {function}({column[0]}) FROM {table.name} WHERE {condition_sql}"
    elif intent == "distinct":
        sql = f"SELECT DISTINCT {group[0]} FROM {table.name}"
    elif intent == "group_count":
        sql = f"SELECT {group[0]}, COUNT(*) FROM {table.name} GROUP BY {group[0]}"
    elif intent == "group_agg":
        sql = f"SELECT {group[0]}, {function}({column[0]}) FROM {table.name} GROUP BY {group[0]}"
    elif intent == "having_count":
        sql = f"SELECT {group[0]} FROM {table.name} GROUP BY {group[0]} HAVING COUNT(*) > {k}"
    elif intent == "having_agg":
        limit = threshold(rng, column)
        f["X"] = str(limit)
        sql = f"SELECT {group[0]} FROM {table.name} GROUP BY {group[0]} HAVING {function}({column[0]}) > {limit}"
    elif intent == "order":
        sql = f"SELECT {label} FROM {table.name} ORDER BY {column[0]} {order}"
    elif intent == "top":
        sql = f"SELECT {label} FROM {table.name} ORDER BY {column[0]} {order} LIMIT {k}"
    elif intent == "top_where":
        sql = f"SELECT {label} FROM {table.name} WHERE {condition_sql} ORDER BY {column[0]} {order} LIMIT {k}"
    elif intent == "one":
        sql = f"SELECT {label} FROM {table.name} ORDER BY {column[0]} {order} LIMIT 1"
    elif intent == "above":
        f["B"] = ("above" if descending else "below") if english else ("高于" if descending else "低于")
        sql = f"SELECT {label} FROM {table.name} WHERE {column[0]} {'>' if descending else '<'} (SELECT AVG({column[0]}) FROM {table.name})"
    elif intent == "extreme":
        function = "MAX" if descending else "MIN"
        sql = f"SELECT {label} FROM {table.name} WHERE {column[0]} = (SELECT {function}({column[0]}) FROM {table.name})"
    else:
        return build_join(rng, language, split, intent, parent, child, f, question, join, k, order)
    return question.format(**f), sql


def build_join(rng, language, split, intent, parent, child, f, question, join, k, order) -> tuple[str, str] | None:
    """Questions that need both tables."""
    english = language == "en"
    f["M"] = child.phrase(child.label)
    f["Q"] = parent.phrase(parent.label)
    c_label, p_label = f"{child.name}.{child.label[0]}", f"{parent.name}.{parent.label[0]}"
    descending = order == "DESC"
    f["D"] = ("most" if descending else "fewest") if english else ("最多" if descending else "最少")
    numbers = child.numbers()
    if intent == "join_list":
        sql = f"SELECT {c_label}, {p_label} {join}"
    elif intent == "join_where":
        made = condition(rng, parent, split, f"{parent.name}.")
        if made is None:
            return None
        f["W"] = made[0]
        sql = f"SELECT {c_label} {join} WHERE {made[1]}"
    elif intent == "join_named":
        name = value(rng, parent.label)
        f["V"] = str(name)
        sql = f"SELECT {c_label} {join} WHERE {p_label} = '{name}'"
    elif intent == "join_count":
        sql = f"SELECT {p_label}, COUNT(*) {join} GROUP BY {parent.name}.id"
    elif intent == "join_agg":
        if not numbers:
            return None
        column = rng.choice(numbers)
        function = {"average": "AVG", "平均": "AVG", "total": "SUM", "总": "SUM"}[f["A"]]
        f["N"] = child.phrase(column)
        sql = f"SELECT {p_label}, {function}({child.name}.{column[0]}) {join} GROUP BY {parent.name}.id"
    elif intent == "join_having":
        sql = f"SELECT {p_label} {join} GROUP BY {parent.name}.id HAVING COUNT(*) > {k}"
    elif intent == "join_most":
        sql = f"SELECT {p_label} {join} GROUP BY {parent.name}.id ORDER BY COUNT(*) {order} LIMIT 1"
    elif intent == "in":
        made = condition(rng, child, split)
        if made is None:
            return None
        f["W"] = made[0]
        sql = f"SELECT {parent.label[0]} FROM {parent.name} WHERE id IN (SELECT {child.foreign} FROM {child.name} WHERE {made[1]})"
    elif intent == "none":
        sql = f"SELECT {parent.label[0]} FROM {parent.name} WHERE id NOT IN (SELECT {child.foreign} FROM {child.name})"
    else:
        raise ValueError(intent)
    return question.format(**f), sql


INTENTS = {
    "all": 1, "list2": 1, "where": 4, "count": 1, "count_where": 2, "agg": 2, "agg_where": 2, "distinct": 1,
    "group_count": 2, "group_agg": 2, "having_count": 1.5, "having_agg": 1.5, "order": 1, "top": 2, "top_where": 1.5, "one": 1.5,
    "above": 1.5, "extreme": 1, "join_list": 1.5, "join_where": 2.5, "join_named": 1.5, "join_count": 1.5, "join_agg": 1.5,
    "join_having": 1.5, "join_most": 1.5, "in": 2, "none": 1,
}
KINDS = {
    "sql-simple": ["all", "list2", "where", "count", "count_where", "agg", "agg_where", "distinct"],
    "sql-group": ["group_count", "group_agg", "having_count", "having_agg"],
    "sql-order": ["order", "top", "top_where", "one"],
    "sql-nested": ["above", "extreme", "in", "none"],
    "sql-join": ["join_list", "join_where", "join_named", "join_count", "join_agg", "join_having", "join_most"],
}
HEADS_EN = ["Schema:\n{s}\nQuestion: {q}", "{s}\n{q}", "Tables:\n{s}\nWrite SQL: {q}", "{s}\n\nSQL for: {q}", "Given the tables\n{s}\n{q}", "{q}\nSchema:\n{s}", "Write a SQL query.\n{s}\n{q}"]
HEADS_ZH = ["表结构：\n{s}\n问题：{q}", "{s}\n{q}", "数据表：\n{s}\n写出SQL：{q}", "{s}\n\n请写SQL：{q}", "{q}\n表结构：\n{s}"]


def schema_text(rng: random.Random, tables: list[Table]) -> str:
    """The schema as short lists or as CREATE TABLE statements."""
    full = rng.random() < 0.3
    lines = []
    for table in tables:
        columns = ", ".join(f"{n} {t}" if full else n for n, t in table.listing())
        lines.append(f"CREATE TABLE {table.name} ({columns});" if full else f"{table.name}({columns})")
    return "\n".join(lines)


def database(rng: random.Random, parent: Table, child: Table) -> str:
    """A script that creates and fills the tables."""
    script = []
    for table, rows in ((parent, 6), (child, 14)):
        columns = ", ".join(f"{n} {t}" for n, t in table.listing())
        script.append(f"CREATE TABLE {table.name} ({columns});")
        labels = rng.sample(POOLS[table.label[1][2:]], min(rows, len(POOLS[table.label[1][2:]]))) if table.label[1].startswith("t") else []
        lines = []
        for i in range(rows):
            cells = [str(i + 1)]
            for j, column in enumerate(table.columns):
                cell = labels[i] if j == 0 and i < len(labels) else value(rng, column)
                cells.append(f"'{cell}'" if isinstance(cell, str) else str(cell))
            if table.foreign:
                cells.append(str(rng.choice([1, 1, 2, 2, 3, 4, 5])))
            lines.append("(" + ", ".join(cells) + ")")
        script.append(f"INSERT INTO {table.name} VALUES " + ", ".join(lines) + ";")
    return "\n".join(script)


def rows_of(script: str, query: str) -> list[list]:
    """The rows that a query gives on a fresh database."""
    connection = sqlite3.connect(":memory:")
    try:
        connection.executescript(script)
        return [list(row) for row in connection.execute(query).fetchall()]
    finally:
        connection.close()


def plan(sql: str) -> str:
    """A short thought before a query: its clauses in order."""
    head, _, rest = sql.partition(" FROM ")
    return f"tables: {rest.split(' WHERE ')[0].split(' GROUP ')[0].split(' ORDER ')[0].split(' ON ')[0]}\noutput: {head.removeprefix('SELECT ')}"


def ask(rng: random.Random, language: str, split: str, kind: str | None, parent: Table, child: Table) -> tuple[str, str, str]:
    """A question about two tables, its SQL, and its intent."""
    intents = KINDS[kind] if kind else list(INTENTS)
    while True:
        intent = rng.choices(intents, weights=[INTENTS[i] for i in intents])[0]
        made = build(rng, language, split, intent, parent, child)
        if made is not None:
            return " ".join(made[0].split()), made[1], intent


def generate(rng: random.Random, language: str, split: str, kind: str | None = None) -> Sample:
    """One question over a schema."""
    spec = rng.choice(SCHEMAS)
    parent, child = Table(rng, spec[0], language, 1), Table(rng, spec[1], language, 2)
    question, sql, intent = ask(rng, language, split, kind, parent, child)
    used = [parent, child] if " JOIN " in sql or sql.count("FROM") > 1 and f"FROM {parent.name}" in sql and f"FROM {child.name}" in sql else None
    tables = used or [t for t in (parent, child) if f"FROM {t.name}" in sql] if rng.random() < 0.4 else [parent, child]
    if rng.random() < 0.5:
        tables = tables[::-1]
    head = rng.choice(HEADS_EN if language == "en" else HEADS_ZH)
    name = next(k for k, v in KINDS.items() if intent in v)
    thinking = rng.random() < 0.2
    sample = Sample(name, language, [user(head.format(s=schema_text(rng, tables), q=question))], thinking)
    sample.messages.append(assistant(sql, plan(sql) if thinking else None))
    sample.check = {"type": "sql", "expected": sql}
    if split != HELD_OUT and len(tables) == 2 and not thinking:
        # More questions about the same tables, so that the schema is read once for several answers.
        for _ in range(rng.choice((0, 1, 2, 3))):
            question, sql, _ = ask(rng, language, split, kind, parent, child)
            sample.messages[-1]["trained"] = True
            sample.messages += [user(question), assistant(sql)]
    if split == HELD_OUT:
        script = database(rng, parent, child)
        rows = rows_of(script, sql)
        sample.check |= {"database": script, "rows": rows, "ordered": " ORDER BY " in sql}
    return sample
