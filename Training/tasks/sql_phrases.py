"""Phrasings of the text-to-SQL questions; the last one of every list (``RESERVED``: more) is held out.

Placeholders: S/s the table's noun in plural/singular, P/p parent, C/c child, L label column, N number column,
G grouping column, W filter, A aggregate, D highest/lowest or most/fewest, O order, K a count, X a limit, V a name.
"""

from __future__ import annotations

import random

from .common import HELD_OUT

COMPARE_EN = {
    ">": ["with {n} greater than {x}", "with {n} above {x}", "with {n} over {x}", "whose {n} is more than {x}", "whose {n} exceeds {x}", "with a {n} higher than {x}", "where {n} > {x}", "with more than {x} {n}", "whose {n} is greater than {x}", "whose {n} is above {x}"],
    "<": ["with {n} less than {x}", "with {n} below {x}", "with {n} under {x}", "whose {n} is less than {x}", "with a {n} lower than {x}", "where {n} < {x}", "with fewer than {x} {n}", "whose {n} is smaller than {x}", "whose {n} is below {x}"],
    ">=": ["with {n} of at least {x}", "whose {n} is at least {x}", "with {n} {x} or more", "where {n} >= {x}", "with at least {x} {n}", "whose {n} is {x} or more"],
    "<=": ["with {n} of at most {x}", "whose {n} is at most {x}", "with {n} {x} or less", "where {n} <= {x}", "with at most {x} {n}", "whose {n} is {x} or less"],
    "=": ["with {n} equal to {x}", "whose {n} is {x}", "with {n} {x}", "where {n} = {x}", "whose {n} equals {x}"],
}
COMPARE_ZH = {
    ">": ["{n}大于{x}", "{n}高于{x}", "{n}超过{x}", "{n}多于{x}", "{n}在{x}以上", "{n}比{x}大"],
    "<": ["{n}小于{x}", "{n}低于{x}", "{n}少于{x}", "{n}不到{x}", "{n}比{x}小"],
    ">=": ["{n}至少为{x}", "{n}不低于{x}", "{n}大于等于{x}", "{n}不少于{x}"],
    "<=": ["{n}至多为{x}", "{n}不超过{x}", "{n}小于等于{x}", "{n}不高于{x}"],
    "=": ["{n}等于{x}", "{n}为{x}", "{n}是{x}"],
}
# More for training.
MORE_ZH = {">": ["{n}比{x}高", "{n}比{x}多", "{n}比{x}还大", "{n}大过{x}"], "<": ["{n}比{x}低", "{n}比{x}少", "{n}比{x}还小", "{n}小过{x}"]}


def compare_phrase(rng: random.Random, language: str, operator: str, name: str, limit: str, split: str) -> str:
    """A comparison in words; the last wording of a list with more than five is held out."""
    options = (COMPARE_EN if language == "en" else COMPARE_ZH)[operator]
    if split != HELD_OUT and len(options) > 5:
        options = options[:-1]
    if split != HELD_OUT and language == "zh":
        options = options + MORE_ZH.get(operator, [])
    return rng.choice(options).format(n=name, x=limit)


RESERVED = {("en", "where"): 2}

# A question that begins with one of these words may begin with any other of them in training.
VERBS_EN = ["List", "Show", "Find", "Give me", "Return", "Get", "Display", "Show me", "Please list", "Please show", "Please find", "Print", "Fetch", "Select", "I want to see", "I need", "Can you list", "Could you show", "I am looking for", "Write out"]
VERBS_ZH = ["列出", "显示", "查询", "找出", "给我", "返回", "展示", "请列出", "请显示", "请查询", "请找出", "请给出", "请返回", "帮我找", "帮我列出", "我要看", "我想看", "选出", "输出", "请你列出", "查一下", "请查找", "找到", "请选出"]


def reworded(rng: random.Random, language: str, question: str, held_out: list[str]) -> str:
    """The wording, in training often with another word to begin with, but never a held-out one."""
    verbs = VERBS_EN if language == "en" else VERBS_ZH
    old = max((v for v in verbs if question.startswith(v)), key=len, default=None)
    if old is None:
        opening = rng.choice(["Please tell me: ", "I want to know: ", "Question: ", "", ""]) if language == "en" else rng.choice(["请问", "请告诉我，", "我想知道", "", "请"])
        new = opening + question
    else:
        new = rng.choice(verbs) + question[len(old) :]
    return question if new in held_out else new


EN = {
    "all": ["List the {L} of all {S}.", "Show the {L} of every {s}.", "What are the {L}s of the {S}?", "Give me the {L} of each {s}.", "Return all {s} {L}s.", "Show all {S}.", "List every {s}.", "List all {S}.", "Display the {L} of all {S}."],
    "list2": ["Give each {s}'s {L} and {N}.", "List every {s}'s {L} and {N}.", "For each {s}, show the {L} and the {N}.", "List the {L} and {N} of all {S}.", "Show {L} and {N} of every {s}.", "Give me the {L} and the {N} of each {s}.", "Return {L} and {N} for all {S}.", "What are the {L} and {N} of the {S}?", "Show all {S} with {L} and {N}.", "Display each {s}'s {L} and {N}."],
    "where": ["List the {L} of {S} {W}.", "Show the {S} {W}.", "Which {S} are there {W}?", "Find all {S} {W}.", "Give me the {L} of every {s} {W}.", "Get the {S} {W}.", "What are the {L}s of the {S} {W}?", "Return the {L} of {S} {W}.", "I want the {S} {W}.", "List {S} {W}.", "Show me all {S} {W}.", "Find the {L} of the {S} {W}.", "Which are the {S} {W}?", "Display the {S} {W}.", "I would like to see all {S} {W}."],
    "count": ["Give the total number of {S}.", "What is the total count of {S}?", "Total number of {S}?", "Show the total number of all {S}.", "What number of {S} is there in total?", "What is the number of {S} in total?", "Find the total number of {S}.", "How many {S} are there?", "Count the {S}.", "What is the number of {S}?", "Show the number of {S}.", "Give me the count of all {S}.", "Return how many {S} there are.", "Count all {S}.", "What is the total number of {S}?"],
    "count_where": ["How many {S} are there {W}?", "Count the {S} {W}.", "What is the number of {S} {W}?", "Show the number of {S} {W}.", "Give me the count of {S} {W}.", "Return how many {S} there are {W}.", "Count all {S} {W}.", "Tell me how many {S} there are {W}."],
    "agg": ["What is the {A} of {N} over all {S}?", "The {A} {N} of all {S}?", "What {A} {N} do the {S} have?", "What is the {A} {N} of all {S}?", "Show the {A} {N} of the {S}.", "Find the {A} {N} of {S}.", "Compute the {A} {N} over all {S}.", "Give me the {A} {N} of the {S}.", "Return the {A} {N} for {S}.", "Tell me the {A} {N} of all {S}."],
    "agg_where": ["What is the {A} {N} of {S} {W}?", "Show the {A} {N} of the {S} {W}.", "Find the {A} {N} of all {S} {W}.", "Compute the {A} {N} over {S} {W}.", "Give me the {A} {N} of the {S} {W}.", "Return the {A} {N} for {S} {W}.", "Tell me the {A} {N} of the {S} {W}."],
    "distinct": ["For the {S}, show the different {G} values.", "Which different {G} values are there for the {S}?", "List the different {G} values of the {S}.", "What are the distinct {G} values of {S}?", "Show all different {G} values in {S}.", "Which {G} values occur among the {S}?", "Give me every distinct {G} of the {S}.", "List each {G} of the {S} once.", "Show each {G} of the {S} only once."],
    "group_count": ["For each {G}, count the {S}.", "For every {G}, how many {S} are there?", "For every {G}, give the number of {S}.", "Per {G}, count the {S}.", "For every {G}, count how many {S} there are.", "Count the {S} of every {G}.", "How many {S} are there per {G}?", "Count the {S} for each {G}.", "Show each {G} with its number of {S}.", "Number of {S} per {G}.", "For each {G}, how many {S} are there?", "Give the number of {S} by {G}.", "Count {S} by {G}.", "For every {G}, count the {S}."],
    "group_agg": ["What is the {A} {N} of {S} per {G}?", "Show the {A} {N} of the {S} for each {G}.", "For each {G}, find the {A} {N} of the {S}.", "Give the {A} {N} of {S} by {G}.", "Compute the {A} {N} for every {G} of the {S}.", "{A} {N} of {S} per {G}.", "For every {G}, show the {A} {N} of the {S}."],
    "having_count": ["Which {G} values have more than {K} {S}?", "List each {G} with more than {K} {S}.", "Show the {G} values that occur in more than {K} {S}.", "Find every {G} with more than {K} {S}.", "For which {G} are there more than {K} {S}?", "Give me each {G} that has over {K} {S}.", "Show every {G} that has more than {K} {S}."],
    "having_agg": ["Which {G} values have an {A} {N} of {S} above {X}?", "List each {G} whose {A} {N} of {S} is greater than {X}.", "Show the {G} values of {S} with {A} {N} over {X}.", "Find every {G} of the {S} where the {A} {N} is more than {X}.", "For which {G} is the {A} {N} of the {S} higher than {X}?", "Give me each {G} of {S} with an {A} {N} above {X}.", "Show every {G} of the {S} whose {A} {N} is above {X}."],
    "order": ["List the {S} by {N} in {O} order.", "Show all {S} sorted by {N}, {O}.", "Sort the {S} by {N} in {O} order.", "Give me the {L} of all {S} ordered by {N} {O}.", "Order the {S} by {O} {N}.", "Return the {S} in {O} order of {N}.", "Show the {S} ordered by {N} in {O} order."],
    "top": ["List the {K} {S} with the {D} {N}.", "Show the {L} of the {K} {S} with the {D} {N}.", "Which {K} {S} have the {D} {N}?", "Find the {K} {S} with the {D} {N}.", "Give me the {K} {S} that have the {D} {N}.", "Which are the {K} {S} with the {D} {N}?", "Return {K} {S} with the {D} {N}.", "Show me the {K} {S} that have the {D} {N}."],
    "top_where": ["List the {K} {S} with the {D} {N} {W}.", "Among {S} {W}, show the {K} with the {D} {N}.", "Of the {S} {W}, which {K} have the {D} {N}?", "Find the {K} {S} with the {D} {N} among those {W}.", "Take the {S} {W} and give me the {K} with the {D} {N}.", "Show the {K} {S} with the {D} {N} among the {S} {W}.", "Of all {S} {W}, list the {K} with the {D} {N}."],
    "one": ["Which {s} has the {D} {N}?", "Show the {s} with the {D} {N}.", "Find the {L} of the {s} with the {D} {N}.", "Who or what is the {s} with the {D} {N}?", "Give me the {s} that has the {D} {N}.", "What is the {L} of the {s} with the {D} {N}?", "Tell me which {s} has the {D} {N}."],
    "above": ["Which {S} have a {N} {B} the average?", "List the {S} whose {N} is {B} the average {N}.", "Show the {L} of {S} with {N} {B} average.", "Find all {S} with a {N} {B} the average of all {S}.", "Give me every {s} whose {N} is {B} the average.", "Get the {S} that have {N} {B} average.", "Show all {S} whose {N} lies {B} the average."],
    "extreme": ["Find the {S} whose {N} is the {D} {N}.", "Which {S} have the same {N} as the {D} {N}?", "List every {s} whose {N} is equal to the {D} one.", "Show the {L} of all {S} whose {N} equals the {D} {N}.", "List all {S} whose {N} equals the {D} {N}.", "Which {S} share the {D} {N} of all?", "Show every {s} that reaches the {D} {N}.", "Find all {S} with {N} equal to the {D} {N}.", "Give me all the {S} that have exactly the {D} {N}.", "Which {S} have a {N} equal to the {D} one?", "Show all {S} whose {N} is equal to the {D} {N}."],
    "join_list": ["Show every {c} together with the {Q} of its {p}.", "List all {C} along with the {Q} of their {p}.", "List each {c}'s {M} with the {Q} of its {p}.", "Show the {M} of every {c} and the {Q} of its {p}.", "For each {c}, show its {M} and the {p} {Q}.", "Give me all {C} together with their {p} {Q}.", "List the {C} and the {Q} of the {p} they belong to.", "Return {c} {M} and {p} {Q}.", "Show all {C} together with the {Q} of their {p}."],
    "join_where": ["List the {C} that belong to {P} {W}.", "Show the {M} of {C} of {P} {W}.", "Which {C} belong to a {p} {W}?", "Find all {C} of {P} {W}.", "Give me the {C} that have a {p} {W}.", "What are the {C} of the {P} {W}?", "Get the {C} whose {p} is one {W}.", "Show all {C} that belong to a {p} {W}."],
    "join_named": ["List the {C} of the {p} {V}.", "Which {C} belong to the {p} {V}?", "Show all {C} of {p} '{V}'.", "Find the {M} of the {C} that belong to {V}.", "Give me every {c} of the {p} named {V}.", "What {C} does the {p} {V} have?", "Show the {C} that belong to the {p} {V}."],
    "join_count": ["How many {C} does each {p} have?", "Show the {Q} of each {p} and its number of {C}.", "Count the {C} of each {p}.", "For each {p}, how many {C} are there?", "List every {p} with its number of {C}.", "Number of {C} per {p}.", "For every {p}, show the number of {C}."],
    "join_agg": ["What is the {A} {N} of the {C} of each {p}?", "Show each {p} with the {A} {N} of its {C}.", "For each {p}, find the {A} {N} of its {C}.", "Give the {A} {c} {N} per {p}.", "List every {p} and the {A} {N} of its {C}.", "Compute the {A} {N} of {C} by {p}.", "For every {p}, show the {A} {N} of its {C}."],
    "join_having": ["Which {P} have more than {K} {C}?", "List the {P} with more than {K} {C}.", "Show every {p} that has more than {K} {C}.", "Find the {Q} of all {P} with over {K} {C}.", "Give me the {P} that have more than {K} {C}.", "What {P} have over {K} {C}?", "Show all {P} that have more than {K} {C}."],
    "join_most": ["Which {p} has the {D} {C}?", "Show the {p} with the {D} {C}.", "Find the {Q} of the {p} with the {D} {C}.", "Give me the {p} that has the {D} {C}.", "What is the {Q} of the {p} with the {D} {C}?", "Name the {p} with the {D} {C}.", "Tell me which {p} has the {D} {C}."],
    "in": ["Which {P} have {C} {W}?", "List the {P} that have a {c} {W}.", "Show the {Q} of {P} with at least one {c} {W}.", "Find all {P} that have any {c} {W}.", "Give me the {P} with some {c} {W}.", "What {P} have a {c} {W}?", "Get every {p} that has a {c} {W}.", "Show all {P} that have at least one {c} {W}."],
    "none": ["Show the {P} without {C}.", "List all {P} that have no {C}.", "Which {P} have no {C}?", "List the {P} without any {C}.", "Show every {p} that has no {c}.", "Find the {P} that do not have {C}.", "Give me all {P} without {C}.", "What {P} have no {c}?", "Show all {P} that have no {C}."],
}
ZH = {
    "all": ["显示全部{S}。", "列出每个{s}的{L}。", "{S}的{L}有哪些？", "显示所有{S}的{L}。", "列出所有{S}的{L}。", "显示每个{s}的{L}。", "所有{S}的{L}是什么？", "给我所有{S}的{L}。", "查询全部{S}。", "返回所有{S}。", "展示全部{S}的{L}。"],
    "list2": ["显示全部{S}的{L}与{N}。", "列出每个{s}的{L}和{N}。", "每个{s}的{L}与{N}是什么？", "显示所有{S}的{L}与{N}。", "列出所有{S}的{L}和{N}。", "显示每个{s}的{L}和{N}。", "查询{S}的{L}与{N}。", "给我所有{S}的{L}和{N}。", "返回全部{S}的{L}和{N}。", "展示每个{s}的{L}与{N}。"],
    "where": ["找到{W}的{S}。", "找到全部{W}的{S}。", "显示所有{W}的{S}。", "列出所有{W}的{S}。", "我想看{W}的{S}。", "找所有{W}的{S}。", "取出{W}的全部{S}的{L}。", "列出{W}的{S}。", "查询{W}的{S}。", "哪些{S}的{W}？", "找出{W}的所有{S}。", "显示{W}的{S}的{L}。", "给我{W}的{S}。", "{W}的{S}有哪些？", "返回{W}的{S}。", "请找到所有{W}的{S}。"],
    "count": ["{S}一共有多少？", "{S}总共有几个？", "{S}有多少？", "一共有多少{S}？", "统计{S}的数量。", "{S}的总数是多少？", "有多少个{s}？", "查询{S}的数量。", "请问{S}一共有多少？"],
    "count_where": ["统计{W}的{S}有几个。", "{W}的{S}总共有多少？", "统计有多少{W}的{S}。", "{W}的{S}有多少？", "统计{W}的{S}的数量。", "有多少{S}的{W}？", "查询{W}的{S}的数量。", "{W}的{S}一共有几个？", "请统计{W}的{S}有多少。"],
    "agg": ["{S}的{A}{N}是多少？", "全部{S}的{A}{N}是什么？", "所有{S}的{A}{N}是多少？", "查询{S}的{A}{N}。", "求{S}的{A}{N}。", "计算所有{S}的{A}{N}。", "显示{S}的{A}{N}。", "请问{S}的{A}{N}是多少？"],
    "agg_where": ["{W}的全部{S}的{A}{N}是多少？", "显示所有{W}的{S}的{A}{N}。", "{W}的{S}的{A}{N}是多少？", "查询{W}的{S}的{A}{N}。", "求{W}的{S}的{A}{N}。", "计算{W}的所有{S}的{A}{N}。", "显示{W}的{S}的{A}{N}。", "请问{W}的{S}的{A}{N}是多少？"],
    "distinct": ["显示{S}的所有不同{G}。", "不重复地列出{S}的{G}。", "列出{S}的不同{G}。", "{S}有哪些不同的{G}？", "查询{S}的所有不同{G}。", "显示{S}中出现的{G}，不要重复。", "给我{S}的不重复的{G}。", "找出{S}的所有不同{G}。"],
    "group_count": ["按{G}统计有几个{S}。", "统计各{G}有多少{S}。", "按照{G}，各有多少{S}？", "按{G}计数{S}。", "每个{G}有多少{S}？", "按{G}统计{S}的数量。", "统计每个{G}的{S}数量。", "显示每个{G}及其{S}的数量。", "各{G}的{S}数量是多少？", "请按{G}统计有多少{S}。"],
    "group_agg": ["按{G}求{S}的{A}{N}。", "按照{G}求出{S}的{A}{N}。", "各{G}{S}的{A}{N}是多少？", "每个{G}的{S}的{A}{N}是多少？", "按{G}计算{S}的{A}{N}。", "显示每个{G}的{S}的{A}{N}。", "求各{G}的{S}的{A}{N}。", "统计每个{G}的{S}的{A}{N}。", "请按{G}求{S}的{A}{N}。"],
    "having_count": ["哪些{G}有超过{K}个{s}？", "列出{S}数量超过{K}的{G}。", "找出有多于{K}个{s}的{G}。", "查询{S}数量大于{K}的{G}。", "显示{S}多于{K}个的{G}。", "请列出有超过{K}个{s}的{G}。"],
    "having_agg": ["哪些{G}的{S}的{A}{N}超过{X}？", "列出{S}的{A}{N}大于{X}的{G}。", "找出{S}的{A}{N}高于{X}的{G}。", "查询{S}的{A}{N}超过{X}的{G}。", "显示{S}{A}{N}大于{X}的{G}。", "请列出{S}的{A}{N}超过{X}的{G}。"],
    "order": ["按{N}{O}列出{S}。", "把{S}按{N}{O}排列。", "显示所有{S}，按{N}{O}排序。", "查询{S}，按{N}{O}。", "按{N}{O}显示{S}的{L}。", "请把所有{S}按{N}{O}排序。"],
    "top": ["列出{N}{D}的{K}个{s}。", "哪{K}个{s}的{N}{D}？", "找出{N}{D}的{K}个{s}。", "显示{N}{D}的前{K}个{s}。", "查询{N}{D}的{K}个{s}的{L}。", "请给我{N}{D}的{K}个{s}。"],
    "top_where": ["在{W}的{S}中，列出{N}{D}的{K}个。", "{W}的{S}中，哪{K}个的{N}{D}？", "找出{W}的{S}中{N}{D}的{K}个。", "从{W}的{S}里取{N}{D}的{K}个。", "查询{W}的{S}中{N}{D}的{K}个。", "请在{W}的{S}中找出{N}{D}的{K}个。"],
    "one": ["哪个{s}的{N}{D}？", "{N}{D}的{s}是哪个？", "找出{N}{D}的{s}。", "查询{N}{D}的{s}的{L}。", "显示{N}{D}的{s}。", "请问哪个{s}的{N}{D}？"],
    "above": ["哪些{S}的{N}{B}平均值？", "列出{N}{B}平均的{S}。", "找出{N}{B}平均{N}的{S}。", "查询{N}{B}平均值的{S}。", "显示{N}{B}所有{S}平均值的{S}。", "请列出{N}{B}平均值的所有{S}。"],
    "extreme": ["列出{N}是{D}{N}的{S}。", "显示{N}等于{D}值的全部{S}。", "列出{N}等于{D}{N}的所有{S}。", "哪些{S}的{N}等于{D}值？", "找出{N}恰好是{D}值的所有{S}。", "查询{N}等于{D}{N}的{S}。", "显示{N}达到{D}值的所有{S}。", "请列出{N}等于{D}值的{S}。"],
    "join_list": ["列出每个{c}和所属{p}的{Q}。", "显示每个{c}与它所属{p}的{Q}。", "查询每个{c}以及所属{p}的{Q}。", "每个{c}和所属{p}的{Q}是什么？", "列出所有{C}和所属{p}的{Q}。", "列出每个{c}的{M}和所属{p}的{Q}。", "显示{C}及其所属{p}的{Q}。", "查询每个{c}和它的{p}。", "给我所有{C}的{M}以及{p}的{Q}。", "返回{c}{M}和{p}{Q}。", "请显示每个{c}和所属{p}的{Q}。"],
    "join_where": ["找出{W}的{P}的{C}。", "列出{W}的{P}的所有{C}。", "列出属于{W}的{P}的{C}。", "{W}的{P}有哪些{C}？", "找出{p}的{W}的{C}。", "查询{W}的{P}的所有{C}。", "显示属于{W}的{P}的{C}的{M}。", "请找出{W}的{P}的{C}。"],
    "join_named": ["列出{p}{V}的{C}。", "哪些{C}属于{p}{V}？", "查询属于{V}的{C}。", "显示{p}{V}的所有{C}。", "找出{p}名为{V}的{C}。", "请列出属于{p}{V}的{C}。"],
    "join_count": ["统计每个{p}有几个{C}。", "每个{p}各有多少{C}？", "每个{p}有多少{C}？", "统计每个{p}的{C}数量。", "显示每个{p}的{Q}和{C}数量。", "各{p}的{C}数量是多少？", "列出每个{p}及其{C}的数量。", "请统计每个{p}有多少{C}。"],
    "join_agg": ["每个{p}的{C}的{A}{N}是多少？", "显示每个{p}及其{C}的{A}{N}。", "求每个{p}的{C}的{A}{N}。", "计算各{p}的{C}的{A}{N}。", "列出每个{p}和它的{C}的{A}{N}。", "请求出每个{p}的{C}的{A}{N}。"],
    "join_having": ["哪些{P}有超过{K}个{c}？", "列出{C}多于{K}个的{P}。", "找出有{K}个以上{c}的{P}。", "查询{C}数量超过{K}的{P}。", "显示有超过{K}个{c}的{P}。", "请列出有超过{K}个{c}的{P}。"],
    "join_most": ["哪个{p}的{C}{D}？", "{C}{D}的{p}是哪个？", "找出{C}{D}的{p}。", "查询{C}{D}的{p}的{Q}。", "显示{C}{D}的{p}。", "请问哪个{p}的{C}{D}？"],
    "in": ["哪些{P}有{W}的{C}？", "列出有{W}的{C}的{P}。", "找出至少有一个{W}的{c}的{P}。", "查询拥有{W}的{C}的{P}。", "显示有{W}的{c}的{P}的{Q}。", "请列出至少有一个{W}的{c}的{P}。"],
    "none": ["哪些{P}没有{C}？", "列出没有任何{C}的{P}。", "找出没有{C}的{P}。", "查询没有{C}的{P}。", "显示没有{c}的{P}。", "请列出没有{C}的所有{P}。"],
}
