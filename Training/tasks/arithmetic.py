"""Sums, differences, products, divisions and arithmetic series, alone and as follow-ups of a conversation."""

from __future__ import annotations

import random

from . import columns, stories
from .common import HELD_OUT, Sample, assistant, digits, draw_numbers, pick, user

SYMBOL_EN = [
    "What is {e}?", "{e}", "{e} = ?", "Calculate {e}.", "Compute {e}", "{e}=", "Please work out {e}.",
    "How much is {e}?", "Solve {e}", "Can you compute {e}?", "what's {e}", "Find {e}.", "Evaluate {e}.",
    "Tell me {e}, please.", "I need the result of {e}.", "Could you work out what {e} is?",
]
SYMBOL_ZH = [
    "{e}等于多少？", "计算{e}", "{e}=?", "请计算 {e}。", "{e} 是多少？", "算一下{e}", "求{e}的值。", "{e}等于几？",
    "请问{e}等于多少？", "帮我算{e}", "{e}的结果是多少？", "请告诉我{e}是多少。",
]
WORDS_EN = {
    "+": ["What is {a} plus {b}?", "Add {a} and {b}.", "What is the sum of {a} and {b}?", "{a} plus {b}", "What do I get if I add {a} and {b}?",
          "the sum of {a} and {b}", "add {a} to {b}", "{a} and {b} together", "Sum up {a} and {b}.", "I have to add {a} and {b}.",
          "Compute the sum of {a} and {b}.", "How much is {a} plus {b}?", "Add {b} to {a}.",
          "What do you get when you add {a} and {b}?"],
    "-": ["What is {a} minus {b}?", "Subtract {b} from {a}.", "{a} minus {b}", "Compute {a} minus {b}.",
          "What is the difference of {a} and {b}?", "Take {b} from {a}.", "Take away {b} from {a}.",
          "{b} less than {a}", "What is left of {a} without {b}?", "the difference between {a} and {b}", "If I take {b} from {a}, what is left?", "How much is {a} minus {b}?", "Take {b} away from {a}."],
    "×": ["What is {a} times {b}?", "Multiply {a} by {b}.", "{a} times {b}", "What is the product of {a} and {b}?",
          "Compute the product of {a} and {b}.", "{a} multiplied by {b}", "What is {a} multiplied by {b}?", "multiply {a} and {b}",
          "the product of {a} and {b}", "{a} groups of {b}", "How much is {a} times {b}?", "Work out {a} multiplied by {b}."],
    "÷": ["What is {a} divided by {b}?", "Divide {a} by {b}.", "{a} divided by {b}", "Compute {a} divided by {b}.", "{a} over {b}", "How often does {b} go into {a}?", "divide {a} into {b} equal parts", "How much is {a} divided by {b}?"],
}
WORDS_ZH = {
    "+": ["{a}加{b}等于多少？", "{a}加上{b}是多少？", "求{a}与{b}的和。", "{a}加{b}", "请把{a}和{b}加起来。", "{a}与{b}之和是多少？", "{a}再加{b}是多少？", "{a}和{b}的和是多少？", "计算{a}加{b}"],
    "-": ["{a}减{b}等于多少？", "{a}减去{b}是多少？", "求{a}与{b}的差。", "{a}减{b}", "{a}与{b}之差是多少？", "从{a}中减去{b}。", "{a}比{b}多多少？", "计算{a}减{b}"],
    "×": ["{a}乘{b}等于多少？", "{a}乘以{b}是多少？", "求{a}与{b}的积。", "{a}乘{b}", "{a}与{b}相乘是多少？", "{a}和{b}的乘积是多少？", "计算{a}乘{b}", "计算{a}乘以{b}"],
    "÷": ["{a}除以{b}等于多少？", "{a}除以{b}", "求{a}除以{b}的商。", "把{a}平均分成{b}份，每份是多少？", "请计算{a}除以{b}。", "计算{a}除以{b}", "{a}除以{b}是多少？"],
}
ANSWER_EN = ["The answer is {r}."]
ANSWER_ZH = ["答案是{r}。"]
SERIES_EN = [
    "What is the sum of 1 to {l}?|1", "Add all numbers from {f} to {l}.|1", "Sum of the numbers from {f} to {l}?|1",
    "What is {f} + {g} + ... + {l}?|0", "Compute {f}+{g}+...+{l}.|0", "Sum the integers from {f} to {l}.|1",
    "What is the sum of the arithmetic series {f}, {g}, ..., {l}?|0", "Find {f} + {g} + … + {l}|0",
    "Add up every whole number from {f} to {l}.|1", "What do the numbers {f}, {g}, {h}, ..., {l} add up to?|0",
    "Calculate the sum of all integers between {f} and {l}, both included.|1",
    "Calculate the sum 1..{l}|1", "sum 1 to {l}|1", "What is the sum of all numbers from {f} to {l} in steps of {d}?|0",
    "What is 1+2+3+...+{l}?|2",
    "What is the total of the numbers from {f} to {l}?|1", "Please sum {f}, {g}, ..., {l}.|0",
]
SERIES_ZH = [
    "从{f}加到{l}等于多少？|1", "1到{l}的和是多少？|1", "求{f}+{g}+...+{l}的和。|0", "{f}+{g}+…+{l}等于多少？|0",
    "计算从{f}到{l}所有整数的和。|1", "等差数列{f}, {g}, ..., {l}的和是多少？|0", "从{f}到{l}，每次加{d}，总和是多少？|0",
    "把1到{l}的数全部加起来是多少？|1", "1+2+3+...+{l}等于多少？|2",
    "请求出从{f}到{l}的整数之和。|1", "数列{f}, {g}, …, {l}的总和是多少？|0",
]
# Parts of more series: a request, the terms (a kind follows as in SERIES_EN), an end.
SUM_EN = ["sum", "sum up", "add", "add up", "please add", "please add up", "total", "what is the sum of", "find the sum of", "give me the sum of", "please give the sum of", "compute the sum of",
          "tell me the sum of", "the sum of", "what is the total of", "what do you get if you add", "work out the total of", "I need the sum of", "calculate", "could you add"]
TERMS_EN = ["{f}, {g}, ..., {l}|0", "{f}, {g}, ..., {l}|0", "{f},{g},...,{l}|0", "{f}, {g}, … , {l}|0", "{f}, {g}, {h}, ..., {l}|0", "{f} + {g} + ... + {l}|0", "{f}+{g}+…+{l}|0", "the numbers {f}, {g}, ..., {l}|0",
            "the series {f}, {g}, ..., {l}|0", "the sequence {f}, {g}, {h}, …, {l}|0", "the terms {f}, {g} up to {l}|0", "{f} to {l}|1", "all integers from {f} to {l}|1", "the whole numbers between {f} and {l}|1",
            "{f}..{l}|1", "everything from {f} to {l}|1", "each number from {f} up to {l}|1", "the numbers from {f} to {l} in steps of {d}|0", "every number from {f} to {l}, step {d}|0"]
END_EN = ["", "", ".", "?", ", please.", " for me.", "!"]
SUM_ZH = ["求", "计算", "请求", "请计算", "请算出", "算一下", "帮我算", "请问", "", "", "告诉我", "请把", "试求", "我想知道"]
TERMS_ZH = ["{f}, {g}, ..., {l}|0", "{f}, {g}, …, {l}|0", "{f}，{g}，…，{l}|0", "{f}、{g}、…、{l}|0", "数列{f}, {g}, ..., {l}|0", "数列{f}，{g}，{h}，…，{l}|0", "等差数列{f}, {g}, …, {l}|0", "{f}, {g}, {h}, …, {l}|0",
            "{f}+{g}+...+{l}|0", "{f} + {g} + … + {l}|0", "从{f}到{l}|1", "{f}到{l}的整数|1", "从{f}到{l}的所有数|1", "{f}至{l}|1", "从{f}起每次加{d}直到{l}|0", "从{f}到{l}间隔{d}的数|0", "序列{f}, {g}, …, {l}|0", "级数{f}, {g}, ..., {l}|0"]
END_ZH = ["的和", "的总和", "之和", "的和是多少", "之和是多少", "的总和等于多少", "加起来是多少", "全部相加是多少", "相加得多少", "的合计是多少", "一共是多少"]
FOLLOW_EN = {
    "+": ["{b} more", "and {b} in addition?", "{b} more than that", "plus {b} more?", "and now plus {b}", "What is that plus {b}?", "and plus {b}?", "Now add {b}.", "plus {b}", "Add {b} to that.", "What if you add {b}?", "and {b} more?"],
    "-": ["{b} less", "and {b} fewer?", "{b} less than that", "minus {b} more?", "and now minus {b}", "What is that minus {b}?", "and minus {b}?", "Now subtract {b}.", "minus {b}", "Take away {b} from that.", "and {b} less?"],
    "×": ["that times {b}", "What is that times {b}?", "times {b} now", "and times {b}?", "Now multiply that by {b}.", "times {b}", "Multiply the result by {b}."],
}
FOLLOW_ZH = {
    "+": ["再加{b}呢？", "再加上{b}。", "加{b}是多少？", "那加{b}呢？"],
    "-": ["再减{b}呢？", "再减去{b}。", "减{b}是多少？", "那减{b}呢？"],
    "×": ["再乘以{b}呢？", "乘{b}是多少？", "那乘以{b}呢？"],
}
# Parts of more follow-ups.
THEN_EN = ["", "", "now ", "then ", "and now ", "please ", "OK, ", "and ", "next, "]
CHANGE_EN = {
    "+": ["add {b}", "add {b} to it", "add {b} to the result", "plus {b}", "{b} more", "increase it by {b}", "add another {b}", "put {b} on top", "{b} more on top", "with {b} added"],
    "-": ["subtract {b}", "subtract {b} from it", "take {b} from the result", "minus {b}", "{b} less", "reduce it by {b}", "take away {b}", "remove {b}", "{b} fewer", "without {b}"],
    "×": ["multiply by {b}", "multiply it by {b}", "multiply this by {b}", "the result times {b}", "times {b}", "{b} times that", "multiply the last result with {b}", "multiply that result by {b}"],
}
THEN_ZH = ["", "", "然后", "现在", "接着", "请", "那", "好，", "再"]
CHANGE_ZH = {"+": ["加{b}", "加上{b}", "多{b}", "增加{b}", "把结果加{b}"], "-": ["减{b}", "减去{b}", "少{b}", "减少{b}", "把结果减{b}"], "×": ["乘{b}", "乘以{b}", "把结果乘以{b}", "的{b}倍"]}
OPENING_EN = ["Please: ", "Hi! ", "Hello, ", "Quick question: ", "OK. ", "My homework: ", "I wonder: ", "Next: ", "So, ", "And "]
OPENING_ZH = ["你好，", "请问，", "麻烦你：", "我的作业：", "下一题：", "好的，", "那么，"]
FRAGMENTS_EN = ["now", "then", "could you", "maybe", "figure out", "say", "tell", "show me", "give", "the result", "the value", "of", "answer", "to",
                "compute", "find", "what", "is", "please", "quickly", "for me", "I want", "need", "work", "out", "how much", "do", "solve", "this", "sum"]
FRAGMENTS_ZH = ["请", "算", "一下", "告诉", "我", "给出", "结果", "是", "多少", "呢", "值", "求", "看看", "这个", "式子", "等于", "几", "帮", "说", "的", "快", "想知道", "计算", "答案"]
# Parts of more questions for training: what stands before and after an expression.
BEFORE_EN = ["what is", "tell me", "please tell me", "give me", "work out", "please compute", "could you find", "can you tell me", "I need", "I want to know", "show me",
             "do you know", "calculate", "solve", "find", "the result of", "the value of", "give the value of", "I need the value of", "what do you get for", "how much is", "compute"]
AFTER_EN = ["", "", "?", ".", ", please.", " for me.", " now.", " = ?", " is what?", ", quickly!", " equals?", " step by step.", "!"]
BEFORE_ZH = ["", "", "请", "告诉我", "请告诉我", "请你告诉我", "我想知道", "请给出", "求", "算算", "请算一算", "帮我求", "请问", "你知道", "说说", "快算", "请帮我计算", "能告诉我", "麻烦算一下", "给我", "看看", "求出", "请你算"]
AFTER_ZH = ["", "等于多少", "等于几", "是多少", "是几", "得多少", "得几", "的值", "的结果", "的答案", "的值是多少", "的答案是多少", "的结果是几", "等于什么", "怎么算", "一共是多少"]
SIGNS = {"×": ["×", "*", "x", "×"], "÷": ["÷", "/"], "+": ["+"], "-": ["-"]}


def work(a: int, op: str, b: int) -> tuple[list[str], int]:
    """The written steps and the result of one operation."""
    if op == "+":
        return columns.add(a, b)
    if op == "-":
        return columns.subtract(a, b)
    if op == "×":
        return columns.multiply(a, b)
    lines, quotient, _ = columns.divide(a, b)
    return lines, quotient


def question(rng: random.Random, language: str, a: int, op: str, b: int, split: str) -> str:
    """An operation as a question in symbols or words."""
    english = language == "en"
    if rng.random() < 0.6:
        sign = rng.choice(SIGNS[op])
        space = rng.choice(["", " "])
        expression = f"{a}{space}{sign}{space}{b}"
        return expression_question(rng, language, expression, split)
    words = (WORDS_EN if english else WORDS_ZH)[op]
    return pick(rng, words, split, 1).format(a=a, b=b)


def expression_question(rng: random.Random, language: str, expression: str, split: str) -> str:
    """A question for an expression; in training often among random words, so that no wording around it is needed to find it."""
    forms = SYMBOL_EN if language == "en" else SYMBOL_ZH
    kind = rng.random() if split != HELD_OUT else 1.0
    if kind < 0.15:
        return jumbled(rng, language, expression)
    if kind < 0.5:
        return composed(rng, language, forms).format(e=expression)
    return pick(rng, forms, split, 2).format(e=expression)


def composed(rng: random.Random, language: str, forms: list[str]) -> str:
    """A wording put together from parts, other than the held-out ones."""
    while True:
        if language == "en":
            text = f"{rng.choice(BEFORE_EN)} {{e}}{rng.choice(AFTER_EN)}"
            text = text[0].upper() + text[1:] if rng.random() < 0.5 else text
        else:
            text = rng.choice(BEFORE_ZH) + "{e}" + rng.choice(AFTER_ZH) + rng.choice(["", "？", "。"])
        if text not in forms[-2:]:
            return text


def context(rng: random.Random, language: str) -> str:
    """A piece of a sentence on something else, so that any word may stand before or after a number."""
    text = stories.sentence(rng, language)
    if language == "en":
        words = text.split(" ")
        start = rng.randrange(len(words))
        return " ".join(words[start : start + rng.randint(1, 4)])
    start = rng.randrange(len(text))
    return text[start : start + rng.randint(1, 5)]


def jumbled(rng: random.Random, language: str, expression: str) -> str:
    """The expression among fragments of questions in random order, so that no wording around it is needed to find it."""
    pieces = FRAGMENTS_EN if language == "en" else FRAGMENTS_ZH
    gap = " " if language == "en" else ""
    before = gap.join(rng.sample(pieces, rng.randint(0, 3)))
    after = gap.join(rng.sample(pieces, rng.randint(0, 2)))
    if rng.random() < 0.3:
        before = gap.join([before, context(rng, language)]) if before and rng.random() < 0.5 else context(rng, language)
    if rng.random() < 0.2:
        after = context(rng, language)
    if language == "en":
        before, after = before + " " * bool(before), " " * bool(after) + after
    return before + expression + after + rng.choice(["", "?", "."] if language == "en" else ["", "？", "。"])


def polite(rng: random.Random, language: str, text: str) -> str:
    """Sometimes a greeting or a request before the question."""
    return rng.choice(OPENING_EN if language == "en" else OPENING_ZH) + text if rng.random() < 0.15 else text


def finish(sample: Sample, rng: random.Random, lines: list[str], result: int) -> Sample:
    """Adds the answer: the steps in the reasoning, or before the answer where thinking is off."""
    answer = (ANSWER_EN if sample.language == "en" else ANSWER_ZH)[0].format(r=result)
    if sample.thinking:
        sample.messages.append(assistant(answer, "\n".join(lines)))
    else:
        sample.messages.append(assistant("\n".join(lines) + "\n" + answer))
    sample.check = {"type": "number", "expected": str(result)}
    return sample


def operands(rng: random.Random, op: str) -> tuple[int, int]:
    """Operands of one operation, with the sizes that the tasks promise."""
    if op == "+":
        longest = rng.choice([1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 6, 7, 8])
        other = longest if rng.random() < 0.5 else rng.randint(1, longest)
        pair = [digits(rng, longest), digits(rng, other)]
        rng.shuffle(pair)
        return pair[0], pair[1]
    if op == "-":
        longest = rng.choice([1, 2, 2, 2, 3, 3, 3, 4, 4, 5, 6, 7, 8])
        a, b = digits(rng, longest), digits(rng, longest if rng.random() < 0.6 else rng.randint(1, longest))
        return (a, b) if a >= b or rng.random() < 0.2 else (b, a)
    if op == "×":
        sizes = rng.choice([(1, 1), (2, 1), (2, 1), (3, 1), (2, 2), (2, 2), (3, 2), (3, 2), (4, 1), (1, 2), (2, 3)])
        return digits(rng, sizes[0]), digits(rng, sizes[1])
    b = rng.randint(2, 9)
    return max(1, digits(rng, rng.choice([1, 2, 2, 3, 3, 4]))) * b, b


TASKS = {"+": "sum", "-": "difference", "×": "product", "÷": "division"}


def operation(rng: random.Random, language: str, split: str, op: str, thinking: bool) -> Sample:
    """One operation."""
    small = not thinking and rng.random() < 0.5
    if small:
        a, b = draw_numbers(rng, split, lambda r: (r.randint(0, 99 if op in "+-" else 9), r.randint(1, 99 if op in "+-" else 9)))
        if op == "÷":
            a *= b
    else:
        a, b = draw_numbers(rng, split, lambda r: operands(r, op))
    lines, result = work(a, op, b)
    sample = Sample(TASKS[op], language, [user(polite(rng, language, question(rng, language, a, op, b, split)))], thinking)
    return finish(sample, rng, lines, result)


def chain(rng: random.Random, language: str, split: str) -> Sample:
    """Three terms in one sum or difference."""
    a, b, c = draw_numbers(rng, split, lambda r: tuple(digits(r, r.randint(1, 4)) for _ in range(3)))
    op1, op2 = rng.choice("++-"), rng.choice("++-")
    if op1 == "-" and a < b:
        a, b = b, a
    first, middle = work(a, op1, b)
    if op2 == "-" and middle < c:
        op2 = "+"
    second, result = work(middle, op2, c)
    space = rng.choice(["", " "])
    expression = f"{a}{space}{op1}{space}{b}{space}{op2}{space}{c}"
    text = expression_question(rng, language, expression, split)
    sample = Sample("sum" if op1 == op2 == "+" else "difference", language, [user(text)], True)
    return finish(sample, rng, first + second, result)


def series_question(rng: random.Random, language: str, split: str) -> tuple[str, str]:
    """The wording of a series, and which terms it names: 1 consecutive numbers, 2 consecutive ones with the second shown, 0 others."""
    forms = SERIES_EN if language == "en" else SERIES_ZH
    if split != HELD_OUT and rng.random() < 0.6:
        while True:
            terms, kind = rng.choice(TERMS_EN if language == "en" else TERMS_ZH).rsplit("|", 1)
            if language == "en":
                text = f"{rng.choice(SUM_EN)} {terms}{rng.choice(END_EN)}"
                text = text[0].upper() + text[1:] if rng.random() < 0.6 else text
            else:
                text = rng.choice(SUM_ZH) + terms + rng.choice(END_ZH) + rng.choice(["", "。", "？", "？"])
            if f"{text}|{kind}" not in forms[-2:]:
                return text, kind
    text, kind = pick(rng, forms, split, 2).rsplit("|", 1)
    return text, kind


def series(rng: random.Random, language: str, split: str) -> Sample:
    """An arithmetic series."""
    template, kind = series_question(rng, language, split)

    def draw(r: random.Random) -> tuple[int, ...]:
        if "{f}" not in template:
            return (1, 1, r.choice([10, 20, 50, 100, 100, 200, 300, 500, 1000]) if r.random() < 0.15 else r.randint(4, 199))
        step = 1 if kind == "1" else r.choice([1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 9, 10])
        first = 1 if r.random() < 0.35 else r.randint(1, 60)
        return (first, step, r.choice([r.randint(4, 20), r.randint(4, 60)]) if r.random() < 0.85 else r.choice([10, 20, 50, 100]))

    first, step, count = draw_numbers(rng, split, draw)
    if split != HELD_OUT and rng.random() < 0.02:
        first, step, count = 1, 1, 100
    last = first + step * (count - 1)
    text = template.format(f=first, g=first + step, h=first + 2 * step, l=last, d=step)
    lines, result = columns.series(first, last, step, "{g}" in template or kind == "2")
    return finish(Sample("series", language, [user(polite(rng, language, text))], True), rng, lines, result)


def follow_up_question(rng: random.Random, language: str, op: str, split: str) -> str:
    """The wording of a change of the last result."""
    english = language == "en"
    forms = (FOLLOW_EN if english else FOLLOW_ZH)[op]
    if split != HELD_OUT and rng.random() < 0.5:
        while True:
            text = rng.choice(THEN_EN if english else THEN_ZH) + rng.choice((CHANGE_EN if english else CHANGE_ZH)[op])
            text += rng.choice(["", ".", "?", " now.", ", please."] if english else ["", "。", "？", "呢？", "是多少？", "等于多少？"])
            text = text[0].upper() + text[1:] if rng.random() < 0.6 else text
            if text != forms[-1]:
                return text
    return pick(rng, forms, split, 1)


def follow_up(rng: random.Random, language: str, split: str) -> Sample:
    """A second question that refers to the first one's answer."""
    op = rng.choice("++-×")
    a, b = draw_numbers(rng, split, lambda r: (digits(r, r.randint(1, 4)), digits(r, r.randint(1, 3))))
    if op == "-" and a < b:
        a, b = b, a
    if op == "×":
        a, b = a % 1000, b % 100
    _, value = work(a, op, b)
    english = language == "en"
    answer = (ANSWER_EN if english else ANSWER_ZH)[0]
    messages = [user(question(rng, language, a, op, b, split)), assistant(answer.format(r=value))]
    turns = 2 if rng.random() < 0.25 else 1
    lines: list[str] = []
    for turn in range(turns):
        op = rng.choice("++--×")
        b = digits(rng, rng.choice([1, 1, 2, 3])) if op != "×" else rng.randint(2, 9)
        if op == "-" and value < b:
            op = "+"
        text = follow_up_question(rng, language, op, split).format(b=b)
        lines, value = work(value, op, b)
        messages.append(user(text))
        if turn + 1 < turns:
            messages.append(assistant(answer.format(r=value)))
    return finish(Sample("follow-up", language, messages, True), rng, lines, value)


def generate(rng: random.Random, language: str, split: str) -> Sample:
    """One arithmetic sample of a random kind."""
    kind = rng.random()
    if kind < 0.12:
        return chain(rng, language, split)
    if kind < 0.27:
        return series(rng, language, split)
    if kind < 0.39:
        return follow_up(rng, language, split)
    op = rng.choices("+-×÷", weights=[28, 24, 32, 16])[0]
    return operation(rng, language, split, op, rng.random() < 0.88)
