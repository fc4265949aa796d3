"""Transaction records with a risk label that follows from fixed rules, which the model has to learn from examples."""

from __future__ import annotations

import random

from .common import HELD_OUT, Sample, assistant, pick, user

COUNTRIES = ["DE", "FR", "US", "CN", "JP", "GB", "BR", "IN", "NG", "RU", "ES", "IT", "CA", "MX", "SG", "AE"]
MERCHANTS = {
    "grocery": 0, "books": 0, "restaurant": 0, "pharmacy": 0, "fuel": 0, "clothing": 0,
    "electronics": 1, "jewelry": 1, "travel": 1,
    "gambling": 2, "crypto": 2, "gift cards": 2,
}
ZH_MERCHANTS = {
    "grocery": "食品", "books": "书店", "restaurant": "餐厅", "pharmacy": "药店", "fuel": "加油", "clothing": "服装",
    "electronics": "电子", "jewelry": "珠宝", "travel": "旅行", "gambling": "博彩", "crypto": "加密货币", "gift cards": "礼品卡",
}
ZH_LABEL = {"low": "低", "medium": "中", "high": "高"}
ASK_EN = [
    "Rate the risk of this transaction:", "Transaction risk?", "Classify the risk of this payment as low, medium or high.",
    "What is the risk level of this record?", "Label this transaction (low/medium/high):", "Is this payment risky?",
    "Assess the risk of the following transaction.", "Give the risk label.",
]
ASK_ZH = [
    "评估这笔交易的风险：", "交易风险等级？", "判断这笔付款的风险是低、中还是高。", "这条记录的风险等级是什么？",
    "给这笔交易打上风险标签：", "请评估下面交易的风险。",
]


def points(record: dict) -> list[tuple[str, str, int]]:
    """Field, shown value and points of every rule."""
    amount, hour, age, failed = record["amount"], record["hour"], record["age"], record["failed"]
    return [
        ("amount", str(amount), 3 if amount >= 10000 else 2 if amount >= 3000 else 1 if amount >= 1000 else 0),
        ("country", f"{record['country']}/{record['home']}", 0 if record["country"] == record["home"] else 2),
        ("hour", str(hour), 1 if hour < 6 else 0),
        ("account age", str(age), 2 if age < 30 else 1 if age < 180 else 0),
        ("device", record["device"], 1 if record["device"] == "new" else 0),
        ("failed logins", str(failed), 2 if failed >= 3 else 1 if failed >= 1 else 0),
        ("merchant", record["merchant"], MERCHANTS[record["merchant"]]),
    ]


def label(total: int) -> str:
    """The label of a number of points."""
    return "high" if total >= 7 else "medium" if total >= 4 else "low"


def draw(rng: random.Random) -> dict:
    """A record; half of the records are mostly harmless so that all labels occur."""
    harmless = rng.random() < 0.4
    home = rng.choice(COUNTRIES)
    return {
        "amount": rng.choice([rng.randint(1, 999), rng.randint(1000, 2999), rng.randint(3000, 9999), rng.randint(10000, 30000)])
        if not harmless else rng.randint(1, 2500),
        "home": home,
        "country": home if rng.random() < (0.8 if harmless else 0.45) else rng.choice([c for c in COUNTRIES if c != home]),
        "hour": rng.randint(0, 23),
        "age": rng.choice([rng.randint(1, 29), rng.randint(30, 179), rng.randint(180, 3000)]) if not harmless else rng.randint(100, 3000),
        "device": "new" if rng.random() < (0.2 if harmless else 0.5) else "known",
        "failed": rng.choice([0, 0, 0, 1, 2, 3, 5, 8] if not harmless else [0, 0, 0, 1]),
        "merchant": rng.choice(list(MERCHANTS)),
    }


EN_FIELDS = {"amount": "amount", "country": "country", "home": "home country", "hour": "hour", "age": "account age days",
             "device": "device", "failed": "failed logins", "merchant": "merchant"}
ZH_FIELDS = {"amount": "金额", "country": "国家", "home": "所属国", "hour": "时间", "age": "账户天数", "device": "设备",
             "failed": "登录失败", "merchant": "商户"}


def describe(rng: random.Random, record: dict, language: str) -> str:
    """The record as text, in one of several layouts, its fields in random order."""
    fields = EN_FIELDS if language == "en" else ZH_FIELDS
    names = list(fields)
    if rng.random() < 0.5:
        rng.shuffle(names)
    values = dict(record)
    if language == "zh":
        values["device"] = {"new": "新", "known": "常用"}[record["device"]]
        values["merchant"] = ZH_MERCHANTS[record["merchant"]]
    mark, gap = rng.choice([(": ", "\n"), ("=", "; "), (": ", ", "), (" ", ", ")]) if language == "en" else rng.choice([("：", "\n"), ("：", "，"), ("=", "，")])
    return gap.join(f"{fields[n]}{mark}{values[n]}" for n in names)


def generate(rng: random.Random, language: str, split: str) -> Sample:
    """One record with its label."""
    record = draw(rng)
    thinking = rng.random() < (0.7 if split == HELD_OUT else 0.55)
    ask = pick(rng, ASK_EN if language == "en" else ASK_ZH, split, 2)
    text = describe(rng, record, language)
    text = f"{ask}\n{text}" if rng.random() < 0.8 else f"{text}\n{ask}"
    total, lines = 0, []
    for name, value, score in points(record):
        total += score
        lines.append(f"{name} {value}: +{score} = {total}")
    result = label(total)
    answer = result if language == "en" else ZH_LABEL[result]
    sample = Sample("risk" if thinking else "risk-direct", language, [user(text)], thinking)
    tally = "\n".join(lines) + f"\n{total} points: {result}"
    # Without thinking the tally is part of the answer, as the steps of arithmetic are.
    sample.messages.append(assistant(answer, tally) if thinking else assistant(f"{tally}\n{answer}"))
    sample.check = {"type": "label", "expected": answer}
    return sample
