"""Word problems with one or two steps, in English and Chinese."""

from __future__ import annotations

import random

from .arithmetic import finish, work
from .common import HELD_OUT, Sample, digits, draw_numbers, pick, user

NAMES_EN = ["Tom", "Anna", "Ben", "Lucy", "Sam", "Mia", "Jack", "Emma", "Leo", "Nina", "Omar", "Rosa"]
NAMES_ZH = ["小明", "小红", "小华", "小丽", "李雷", "韩梅", "王芳", "张伟"]
THINGS_EN = ["apples", "books", "pens", "coins", "stamps", "cards", "eggs", "cakes", "marbles", "tickets", "bottles", "stickers"]
THINGS_ZH = ["个苹果", "本书", "支笔", "枚硬币", "张邮票", "张卡片", "个鸡蛋", "块蛋糕", "颗珠子", "张票"]

# The operations are applied from left to right: x op y (op z).
EN = {
    "+": [
        "{n} has {x} {t} and buys {y} more. How many {t} does {n} have now?",
        "There are {x} {t} in one box and {y} {t} in another. How many {t} are there in total?",
        "{n} collected {x} {t} on Monday and {y} on Tuesday. How many {t} is that altogether?",
        "A shop sold {x} {t} yesterday and {y} {t} today. How many {t} did it sell in all?",
        "{n} has {x} {t}. A friend gives {n} {y} more. How many {t} are there now?",
        "{n} had {x} {t} and then found {y} more. How many {t} does {n} have in total?",
    ],
    "-": [
        "{n} has {x} {t} and gives away {y}. How many {t} are left?",
        "There were {x} {t} in the shop. {y} were sold. How many {t} remain?",
        "{n} had {x} {t} and lost {y} of them. How many {t} does {n} still have?",
        "A box holds {x} {t}. {n} takes out {y}. How many {t} stay in the box?",
        "{n} has {x} {t}, a friend has {y}. How many more {t} does {n} have?",
        "Out of {x} {t}, {y} were used. How many {t} are left?",
    ],
    "×": [
        "There are {x} boxes with {y} {t} each. How many {t} are there in total?",
        "{n} buys {x} bags of {t}. Each bag has {y} {t}. How many {t} does {n} have?",
        "One ticket costs {x} dollars. How much do {y} tickets cost?",
        "Each of {x} children gets {y} {t}. How many {t} are needed?",
        "A machine makes {x} {t} per hour. How many {t} does it make in {y} hours?",
        "{x} shelves hold {y} {t} each. How many {t} is that altogether?",
        "If {x} trays carry {y} {t} each, how many {t} lie on all the trays?",
    ],
    "÷": [
        "{x} {t} are shared equally among {y} children. How many {t} does each child get?",
        "{x} {t} go into {y} boxes, the same number in each. How many {t} are in each box?",
        "{n} divides {x} {t} among {y} friends. How many {t} does each friend get?",
        "{y} boxes hold {x} {t} in equal parts. How many {t} are in one box?",
        "{x} {t} are packed equally into {y} bags. How many {t} are in one bag?",
        "{n} puts {x} {t} into {y} equal bags. How many {t} are in each bag?",
        "{y} friends split {x} {t} equally. How many {t} does each one get?",
        "{x} {t} are packed into {y} boxes equally. How many {t} are in one box?",
    ],
    "+-": [
        "{n} has {x} {t}, buys {y} more and then gives away {z}. How many {t} are left?",
        "{n} starts with {x} {t}. Then {n} gets {y} more and uses {z}. How many {t} remain?",
        "A box holds {x} {t}. {n} puts in {y} more and takes out {z}. How many {t} are in the box?",
        "{n} has {x} {t}. {n} finds {y} {t} and sells {z}. How many {t} does {n} keep?",
        "There were {x} {t} in a shop. {y} more arrived and {z} were sold. How many {t} are there now?",
        "{n} had {x} {t}, found {y} more and lost {z}. How many {t} does {n} have now?",
    ],
    "×-": [
        "{n} buys {x} boxes of {y} {t} each and gives away {z} {t}. How many {t} are left?",
        "{x} bags hold {y} {t} each. {z} {t} are lost. How many {t} are left?",
        "A shop has {x} crates of {y} {t} each and sells {z} {t}. How many {t} remain?",
        "{n} packs {x} boxes with {y} {t} each. A friend takes {z} {t}. How many {t} are still there?",
        "{n} fills {x} shelves with {y} {t} each, then removes {z} {t}. How many {t} remain on the shelves?",
        "There are {x} bags with {y} {t} each. {z} {t} are broken. How many {t} are good?",
        "{x} boxes hold {y} {t} each. {n} takes {z} {t}. How many {t} remain?",
    ],
    "×+": [
        "{n} has {x} bags with {y} {t} each and {z} {t} more. How many {t} does {n} have in total?",
        "{x} boxes hold {y} {t} each, and {z} {t} are on the table. How many {t} is that in total?",
        "A shop has {x} crates of {y} {t} each and {z} more {t} in the window. How many {t} does it have altogether?",
        "{n} packs {x} bags with {y} {t} each and keeps {z} more {t}. How many {t} are there in all?",
        "{x} shelves carry {y} {t} each. {z} more {t} lie in a basket. How many {t} are there?",
        "There are {x} boxes with {y} {t} each and {z} single {t}. How many {t} are there altogether?",
        "{x} shelves hold {y} {t} each, and {z} more {t} lie on the floor. How many {t} are there in total?",
    ],
}
ZH = {
    "+": [
        "{n}有{x}{t}，又买了{y}{t}。现在一共有多少{t}？",
        "一个箱子里有{x}{t}，另一个箱子里有{y}{t}。一共有多少{t}？",
        "商店昨天卖了{x}{t}，今天卖了{y}{t}。两天一共卖了多少{t}？",
        "{n}有{x}{t}，朋友又给了他{y}{t}。现在有多少{t}？",
        "{n}原来有{x}{t}，又得到{y}{t}。一共有多少{t}？",
        "{n}先有{x}{t}，后来又添了{y}{t}。合计多少{t}？",
    ],
    "-": [
        "{n}有{x}{t}，送给朋友{y}{t}。还剩多少{t}？",
        "商店里有{x}{t}，卖掉了{y}{t}。还剩多少{t}？",
        "{n}有{x}{t}，丢了{y}{t}。现在还有多少{t}？",
        "{n}有{x}{t}，朋友有{y}{t}。{n}比朋友多多少{t}？",
        "箱子里有{x}{t}，拿走了{y}{t}。箱子里还有多少{t}？",
    ],
    "×": [
        "有{x}个箱子，每个箱子里有{y}{t}。一共有多少{t}？",
        "{n}买了{x}袋，每袋有{y}{t}。一共有多少{t}？",
        "一张票{x}元，买{y}张票要多少元？",
        "{x}个孩子，每人分到{y}{t}。一共需要多少{t}？",
        "每个架子上有{y}{t}，{x}个架子一共有多少{t}？",
    ],
    "÷": [
        "把{x}{t}平均分给{y}个孩子，每个孩子分到多少{t}？",
        "{y}个孩子平分{x}{t}，每个孩子得到多少{t}？",
        "把{x}{t}平均装进{y}个盒子，每盒有多少{t}？",
        "{x}{t}分给{y}个人，每人一样多，每人得到多少{t}？",
        "{n}把{x}{t}平均装进{y}个袋子，每个袋子里有多少{t}？",
        "{y}个朋友平分{x}{t}，每人得到多少{t}？",
    ],
    "+-": [
        "{n}有{x}{t}，又买了{y}{t}，然后送出{z}{t}。还剩多少{t}？",
        "商店有{x}{t}，又运来{y}{t}，卖掉{z}{t}。现在有多少{t}？",
        "{n}原来有{x}{t}，又拿到{y}{t}，用掉{z}{t}。还剩多少{t}？",
        "箱子里有{x}{t}，放进{y}{t}，再拿出{z}{t}。箱子里有多少{t}？",
        "{n}有{x}{t}，得到{y}{t}后又丢了{z}{t}。现在有多少{t}？",
    ],
    "×-": [
        "{n}买了{x}箱，每箱{y}{t}，送出{z}{t}。还剩多少{t}？",
        "有{x}袋，每袋{y}{t}，其中坏了{z}{t}。好的有多少{t}？",
        "{n}有{x}袋，每袋{y}{t}，丢了{z}{t}。还有多少{t}？",
        "商店有{x}箱，每箱{y}{t}，卖掉{z}{t}。还剩多少{t}？",
        "有{x}个架子，每个架子上有{y}{t}，取走{z}{t}。还剩多少{t}？",
        "有{x}个箱子，每个箱子里有{y}{t}，拿走{z}{t}。还剩多少{t}？",
    ],
    "×+": [
        "{n}有{x}袋，每袋{y}{t}，另外还有{z}{t}。一共有多少{t}？",
        "有{x}个箱子，每箱{y}{t}，外面还有{z}{t}。一共有多少{t}？",
        "商店有{x}箱，每箱{y}{t}，还有{z}{t}在外面。一共有多少{t}？",
        "有{x}袋，每袋{y}{t}，桌上还有{z}{t}。总共有多少{t}？",
        "{n}有{x}个盒子，每盒{y}{t}，又买了{z}{t}。一共有多少{t}？",
        "有{x}个架子，每个架子上有{y}{t}，地上还有{z}{t}。一共有多少{t}？",
    ],
}

# Parts of more training problems: what there is, what happens to it, what is asked.
HOLDERS = ["boxes", "bags", "shelves", "crates", "baskets", "rows", "packs", "drawers"]
START_EN = ["{n} has {x} {t}", "{n} had {x} {t}", "There were {x} {t} on the table", "A shop had {x} {t}", "A box held {x} {t}", "In a bag there are {x} {t}", "From {x} {t}", "Of {x} {t}"]
LESS_EN = [", and {z} were lost", ". {z} of them were sold", ", {z} were eaten", ". Then {z} were given away", ", and {z} got broken", ". {n} takes {z} of them", ", {z} are taken away", ". {n} uses {z}", " and {z} are used up", ". {n} removes {z} {t}"]
MORE_EN = [", and {z} more were bought", ". Then {z} more came", ", {z} more are found", ". {n} finds {z} more {t}", ", and then {n} gets {z} more", ". {n} adds {z} {t}", ", and there are {z} more {t} on the floor", ". Then {n} found {z} more", ", and {z} more {t} lie in a box"]
EACH_EN = ["{x} {h} hold {y} {t} each", "There are {x} {h} with {y} {t} each", "{n} has {x} {h} of {y} {t} each", "Each of {x} {h} holds {y} {t}", "{x} {h} carry {y} {t} each", "{n} fills {x} {h} with {y} {t} each", "In each of {x} {h} there are {y} {t}", "{x} {h} contain {y} {t} each", "{x} {h} have {y} {t} each", "{n} owns {x} {h}, each with {y} {t}", "{x} {h} with {y} {t} in each are here"]
# The same with the number in each one first.
EACH_FIRST_EN = ["There are {y} {t} in each of {x} {h}", "With {y} {t} in each box, {n} fills {x} boxes", "One bag has {y} {t} and there are {x} bags", "{n} puts {y} {t} on every shelf and has {x} shelves", "Every row has {y} {t}, and there are {x} rows"]
SPLIT_EN = ["{x} {t} are split among {y} people", "{y} people share {x} {t} equally", "{x} {t} are put into {y} {h} equally", "{n} packs {x} {t} into {y} equal {h}", "{x} {t} fill {y} {h}, all with the same number",
            "{y} children share {x} {t} fairly", "Into {y} {h} go {x} {t}, equally many into each", "{n} has {x} {t} and packs them into {y} {h} equally", "{x} {t} are sorted equally into {y} {h}"]
PART_EN = ["How many {t} is one part?", "How many {t} are that for each?", "How many {t} go to each one?", "How many {t} does each have?", "How many {t} are in each?", "How many are in one?", "How many {t} does everyone get?"]
LEFT_EN = ["How many {t} are left?", "How many {t} remain?", "How many are left?", "How many {t} does {n} still have?", "How many {t} are there now?"]
TOTAL_EN = ["How many {t} are there in total?", "How many {t} is that altogether?", "How many {t} does {n} have in total?", "How many {t} are there in all?", "How many {t} does {n} have now?", "How many {t} are there?"]
START_ZH = ["{n}有{x}{t}", "{n}原来有{x}{t}", "桌上有{x}{t}", "商店里有{x}{t}", "箱子里有{x}{t}"]
LESS_ZH = ["，丢了{z}{t}", "，卖掉{z}{t}", "，用掉了{z}{t}", "，送给朋友{z}{t}", "，拿走了{z}{t}", "，其中{z}{t}坏了", "，后来丢了{z}{t}", "，后又用掉{z}{t}", "后又送出{z}{t}", "，之后少了{z}{t}", "后又卖掉{z}{t}", "以后又坏了{z}{t}", "，接着拿走{z}{t}"]
MORE_ZH = ["，又买了{z}{t}", "，又得到{z}{t}", "，又放进{z}{t}", "，朋友又给了{z}{t}", "，地上还有{z}{t}", "，另外还有{z}{t}", "，得到{z}{t}", "，拿到{z}{t}", "，后来多了{z}{t}", "，再放进{z}{t}", "，又收到{z}{t}", "，捡到{z}{t}", "，买了{z}{t}"]
EACH_ZH = ["有{x}个箱子，每箱{y}{t}", "{n}有{x}袋，每袋{y}{t}", "{x}个架子，每个架子上有{y}{t}", "{n}买了{x}盒，每盒有{y}{t}", "有{x}排，每排{y}{t}", "一共{x}个盒子，每个盒子装{y}{t}", "{x}个抽屉，每个抽屉放{y}{t}"]
# The same with the number in each one first.
EACH_FIRST_ZH = ["每箱{y}{t}，有{x}箱", "每袋有{y}{t}，{n}有{x}袋", "每个盒子里有{y}{t}，共{x}个盒子", "一排有{y}{t}，{x}排", "每个抽屉放{y}{t}，{x}个抽屉", "每层有{y}{t}，{x}层", "每人{y}{t}，{x}个人", "每个孩子得到{y}{t}，有{x}个孩子", "每张桌子上有{y}{t}，{x}张桌子"]
SPLIT_ZH = ["{y}个人平分{x}{t}", "{x}{t}平均分成{y}份", "把{x}{t}平均分给{y}个朋友", "{y}个同学平分{x}{t}", "{n}把{x}{t}平均放进{y}个抽屉", "{x}{t}由{y}个孩子平分", "{x}{t}装成{y}袋，每袋一样多", "{y}个小组平分{x}{t}"]
PART_ZH = ["每份是多少{t}？", "每人有多少{t}？", "每人分到多少{t}？", "每个得到多少{t}？", "一份有多少{t}？", "每一份是多少{t}？"]
LEFT_ZH = ["还剩多少{t}？", "还有多少{t}？", "现在有多少{t}？", "剩下多少{t}？"]
TOTAL_ZH = ["一共有多少{t}？", "总共有多少{t}？", "现在有多少{t}？", "合起来是多少{t}？"]


def composed(rng: random.Random, english: bool, ops: str) -> str:
    """A problem put together from parts, for training."""
    start, less, more, left, total = (START_EN, LESS_EN, MORE_EN, LEFT_EN, TOTAL_EN) if english else (START_ZH, LESS_ZH, MORE_ZH, LEFT_ZH, TOTAL_ZH)
    each = (EACH_EN if english else EACH_ZH) if rng.random() < 0.6 else EACH_FIRST_EN if english else EACH_FIRST_ZH
    change = {"+": more, "-": less}
    if ops in ("+", "-"):
        parts = [rng.choice(start), rng.choice(change[ops]).replace("{z}", "{y}")]
    elif ops == "×":
        parts = [rng.choice(each)]
    elif ops in ("×+", "×-"):
        parts = [rng.choice(each), rng.choice(change[ops[1]])]
    elif ops == "+-":
        parts = [rng.choice(start), rng.choice(more).replace("{z}", "{y}"), rng.choice(less)]
    else:
        return rng.choice(SPLIT_EN if english else SPLIT_ZH) + (". " if english else "，") + rng.choice(PART_EN if english else PART_ZH)
    end = rng.choice(left if ops[-1] == "-" else total)
    return "".join(parts) + (". " if english else "。") + end


def draw(rng: random.Random, ops: str) -> tuple[int, ...]:
    """Operands whose intermediate results stay positive."""
    if ops[0] == "÷":
        y = rng.randint(2, 9)
        return (y * rng.randint(2, 120), y)
    if ops[0] == "×":
        x, y = rng.randint(2, 99), rng.randint(2, 99)
    else:
        x, y = digits(rng, rng.choice([1, 2, 2, 3, 3, 4])) + 2, digits(rng, rng.choice([1, 2, 2, 3, 3, 4])) + 1
    if ops == "-":
        return (max(x, y) + 1, min(x, y))
    if len(ops) == 1:
        return (x, y)
    middle = x * y if ops[0] == "×" else x + y
    z = rng.randint(1, max(1, min(middle - 1, 999)))
    return (x, y, z)


def generate(rng: random.Random, language: str, split: str) -> Sample:
    """One word problem."""
    english = language == "en"
    templates = EN if english else ZH
    ops = rng.choice(list(templates))
    numbers = draw_numbers(rng, split, lambda r: draw(r, ops))
    text = composed(rng, english, ops) if split != HELD_OUT and rng.random() < 0.6 else None
    text = text or pick(rng, templates[ops], split, 1)
    first, second = numbers[:2]
    if ops[0] == "×" and text.index("{y}") < text.index("{x}"):
        first, second = second, first  # Factors are written as they come in the text.
    text = text.format(n=rng.choice(NAMES_EN if english else NAMES_ZH), t=rng.choice(THINGS_EN if english else THINGS_ZH), h=rng.choice(HOLDERS), **dict(zip("xyz", numbers)))
    lines, value = work(first, ops[0], second)
    if len(ops) > 1:
        more, value = work(value, ops[1], numbers[2])
        lines = lines + more
    return finish(Sample("word-problem", language, [user(text)], True), rng, lines, value)
