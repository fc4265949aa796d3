"""Capital cities, analogies and small word relations, zero-shot and few-shot."""

from __future__ import annotations

import random

from .common import HELD_OUT, Sample, assistant, pick, user

CAPITALS = [
    line.split("|")
    for line in """France|Paris|法国|巴黎
Germany|Berlin|德国|柏林
Italy|Rome|意大利|罗马
Spain|Madrid|西班牙|马德里
Portugal|Lisbon|葡萄牙|里斯本
Japan|Tokyo|日本|东京
China|Beijing|中国|北京
South Korea|Seoul|韩国|首尔
India|New Delhi|印度|新德里
Russia|Moscow|俄罗斯|莫斯科
Egypt|Cairo|埃及|开罗
Kenya|Nairobi|肯尼亚|内罗毕
Canada|Ottawa|加拿大|渥太华
Mexico|Mexico City|墨西哥|墨西哥城
Brazil|Brasilia|巴西|巴西利亚
Argentina|Buenos Aires|阿根廷|布宜诺斯艾利斯
Chile|Santiago|智利|圣地亚哥
Peru|Lima|秘鲁|利马
Cuba|Havana|古巴|哈瓦那
Australia|Canberra|澳大利亚|堪培拉
New Zealand|Wellington|新西兰|惠灵顿
Norway|Oslo|挪威|奥斯陆
Sweden|Stockholm|瑞典|斯德哥尔摩
Finland|Helsinki|芬兰|赫尔辛基
Denmark|Copenhagen|丹麦|哥本哈根
Poland|Warsaw|波兰|华沙
Austria|Vienna|奥地利|维也纳
Hungary|Budapest|匈牙利|布达佩斯
Greece|Athens|希腊|雅典
Turkey|Ankara|土耳其|安卡拉
Iran|Tehran|伊朗|德黑兰
Iraq|Baghdad|伊拉克|巴格达
Thailand|Bangkok|泰国|曼谷
Vietnam|Hanoi|越南|河内
Indonesia|Jakarta|印度尼西亚|雅加达
Malaysia|Kuala Lumpur|马来西亚|吉隆坡
Philippines|Manila|菲律宾|马尼拉
Nepal|Kathmandu|尼泊尔|加德满都
Mongolia|Ulaanbaatar|蒙古|乌兰巴托
Ukraine|Kyiv|乌克兰|基辅
Ireland|Dublin|爱尔兰|都柏林
Belgium|Brussels|比利时|布鲁塞尔
Netherlands|Amsterdam|荷兰|阿姆斯特丹
Switzerland|Bern|瑞士|伯尔尼
Czechia|Prague|捷克|布拉格
Romania|Bucharest|罗马尼亚|布加勒斯特
Bulgaria|Sofia|保加利亚|索非亚
Serbia|Belgrade|塞尔维亚|贝尔格莱德
Croatia|Zagreb|克罗地亚|萨格勒布
Morocco|Rabat|摩洛哥|拉巴特
Nigeria|Abuja|尼日利亚|阿布贾
Ghana|Accra|加纳|阿克拉
Ethiopia|Addis Ababa|埃塞俄比亚|亚的斯亚贝巴
Colombia|Bogota|哥伦比亚|波哥大
Iceland|Reykjavik|冰岛|雷克雅未克
Saudi Arabia|Riyadh|沙特阿拉伯|利雅得
United Kingdom|London|英国|伦敦
United States|Washington|美国|华盛顿""".split("\n")
]
RELATIONS_EN = {
    "opposite": "hot cold,big small,fast slow,up down,day night,old young,rich poor,open closed,hard soft,wet dry,full empty,high low,long short,light dark,happy sad,early late,strong weak,near far,clean dirty,good bad,thick thin,loud quiet,black white,left right,love hate,win lose,buy sell,push pull",
    "plural": "cat cats,dog dogs,box boxes,child children,man men,woman women,foot feet,tooth teeth,mouse mice,city cities,leaf leaves,knife knives,goose geese,baby babies,bus buses,tree trees,house houses,wolf wolves,story stories,book books",
    "past": "go went,eat ate,see saw,run ran,take took,give gave,write wrote,speak spoke,buy bought,make made,come came,sing sang,walk walked,play played,think thought,drink drank,swim swam,find found,know knew,teach taught",
    "female": "king queen,man woman,boy girl,father mother,brother sister,son daughter,uncle aunt,husband wife,prince princess,actor actress,grandfather grandmother,nephew niece",
    "young": "cat kitten,dog puppy,cow calf,sheep lamb,horse foal,lion cub,duck duckling,hen chick,pig piglet,goat kid,goose gosling,frog tadpole",
    "more": "big bigger,small smaller,fast faster,tall taller,good better,bad worse,old older,hot hotter,easy easier,long longer,happy happier,strong stronger,cold colder,rich richer",
}
RELATIONS_ZH = {
    "opposite": "大 小,高 低,长 短,冷 热,快 慢,新 旧,多 少,黑 白,上 下,左 右,早 晚,胖 瘦,强 弱,轻 重,远 近,开 关,买 卖,前 后,好 坏,真 假",
    "female": "国王 女王,男人 女人,男孩 女孩,父亲 母亲,哥哥 姐姐,弟弟 妹妹,儿子 女儿,叔叔 阿姨,丈夫 妻子,王子 公主,爷爷 奶奶",
    "home": "鸟 鸟巢,鱼 水,蜜蜂 蜂巢,马 马厩,狗 狗窝,人 房子",
    "work": "医生 医院,老师 学校,农民 田地,厨师 厨房,工人 工厂,法官 法院,司机 汽车",
}
CAPITAL_EN = [
    "What is the capital of {c}?", "Capital of {c}?", "Name the capital city of {c}.", "Which city is the capital of {c}?",
    "{c}'s capital?", "Tell me the capital of {c}.", "What's the capital of {c}?", "The capital of {c} is",
    "Do you know the capital city of {c}?", "I would like to know the capital of {c}.",
]
CAPITAL_ZH = [
    "{c}的首都是哪里？", "{c}的首都是什么？", "{c}首都？", "{c}的首都是哪个城市？", "请问{c}的首都是哪里？", "说出{c}的首都。",
    "你知道{c}的首都吗？", "告诉我{c}的首都是哪里。",
]
# Parts of more questions for capitals.
KNOW_EN = ["do you know", "tell me", "please tell me", "can you tell me", "I want to know", "name", "what is", "which is", "say", "give me", "could you name", "do you remember"]
OF_EN = ["the capital of {c}", "the capital city of {c}", "{c}'s capital", "the capital city that {c} has", "which city the capital of {c} is", "what the capital of {c} is"]
KNOW_ZH = ["", "请问", "你知道", "告诉我", "请告诉我", "说说", "我想知道", "你可知道", "你记得", "能告诉我", "请说出", "你能说出"]
OF_ZH = ["{c}的首都", "{c}的首都是哪里", "{c}的首都是什么", "{c}的首都叫什么", "{c}首都是哪个城市", "哪里是{c}的首都", "{c}以哪里为首都"]
COUNTRY_EN = ["Which country has the capital {c}?", "{c} is the capital of which country?", "{c} is the capital of"]
COUNTRY_ZH = ["{c}是哪个国家的首都？", "哪个国家的首都是{c}？"]
ANALOGY_EN = ["{a} goes with {b}, so {c} goes with", "{a} belongs to {b}; what belongs to {c}?", "{a} and {b}, {c} and ?", "Just as {a} is for {b}, {c} is for what?", "{b} goes with {a}. What goes with {c}?",
              "If {a} gives {b}, what does {c} give?", "{a} is to {b} as {c} is to", "{a} : {b} :: {c} : ?", "{a} is to {b} as {c} is to what?", "Complete the analogy: {a} is to {b} as {c} is to ?",
              "If {a} goes with {b}, what goes with {c}?"]
ANALOGY_ZH = ["{a}配{b}，{c}配什么？", "{a}对应{b}，{c}对应？", "{a}和{b}，{c}和什么？", "如果{a}配{b}，{c}配什么？", "{a}对应{b}，那么{c}呢？", "{a}对{b}，{c}对什么？", "{a}之于{b}，如同{c}之于？", "{a}：{b} = {c}：？",
              "如果{a}对应{b}，那么{c}对应什么？"]
# Parts of more analogies: a link and a frame around it.
LINK_EN = ["goes with", "belongs to", "is to", "matches", "is paired with", "pairs with", "becomes", "leads to", "is linked to", "fits", "stands with", "means"]
FRAME_EN = ["{a} ~ {b}. {c} ~ what?", "When {a} ~ {b}, {c} ~ what?", "If {a} ~ {b}, {c} ~", "If {a} ~ {b}, then what ~ {c}?", "As {a} ~ {b}, what ~ {c}?", "Suppose {a} ~ {b}: {c} ~ ?", "{a} ~ {b}, and {c} ~ ?", "{a} ~ {b}; in the same way {c} ~",
            "We know that {a} ~ {b}. And {c}?", "If {a} ~ {b}, what about {c}?", "Given that {a} ~ {b}, what ~ {c}?"]
LINK_ZH = ["对应", "配", "对", "变成", "匹配", "联系着", "对着", "跟", "连着", "就是"]
FRAME_ZH = ["{a}~{b}，{c}~什么？", "如果{a}~{b}，{c}~哪个？", "{a}~{b}，那么{c}~什么？", "若{a}~{b}，那么{c}~？", "如果{a}~{b}，那{c}~什么呢？", "假如{a}~{b}，那么{c}~什么？", "已知{a}~{b}，求{c}~什么。", "{a}~{b}，同样{c}~？", "如果{a}~{b}，那么{c}呢？", "要是{a}~{b}，{c}就~什么？"]
NAME_EN = {"opposite": "opposite", "plural": "plural", "past": "past tense", "female": "female form", "young": "young animal", "more": "comparative"}
ARROWS = ["{a} -> {b}", "{a} : {b}", "{a} → {b}", "{a} = {b}", "{a} - {b}"]


def pairs(text: str) -> list[tuple[str, str]]:
    """The word pairs of a relation."""
    return [tuple(p.split(" ")) for p in text.split(",")]


def few_shot(rng: random.Random, items: list[tuple[str, str]], head: str) -> tuple[str, str]:
    """A prompt with two to four solved pairs, and the last pair's missing half."""
    chosen = rng.sample(items, min(len(items), rng.randint(3, 5)))
    form = rng.choice(ARROWS)
    lines = [form.format(a=a, b=b) for a, b in chosen[:-1]]
    lines.append(form.format(a=chosen[-1][0], b=rng.choice(["?", ""])).rstrip())
    gap = rng.choice(["\n", "\n", "; ", ", "])
    return head + gap.join(lines), chosen[-1][1]


def capital(rng: random.Random, language: str, split: str) -> tuple[str, str]:
    """A question for a capital, or for the country of one."""
    en, city, zh, stadt = rng.choice(CAPITALS)
    country, name = (en, city) if language == "en" else (zh, stadt)
    kind = rng.random()
    if kind < 0.35:
        items = [(r[0], r[1]) if language == "en" else (r[2], r[3]) for r in CAPITALS]
        return few_shot(rng, items, rng.choice(["", "", "Capitals:\n" if language == "en" else "首都：\n"]))
    if kind < 0.48:
        return pick(rng, COUNTRY_EN if language == "en" else COUNTRY_ZH, split, 0).format(c=name), country
    forms = CAPITAL_EN if language == "en" else CAPITAL_ZH
    if split != HELD_OUT and rng.random() < 0.5:
        return composed_capital(rng, language, forms).format(c=country), name
    return pick(rng, forms, split, 2).format(c=country), name


def composed_capital(rng: random.Random, language: str, forms: list[str]) -> str:
    """A wording put together from parts, other than the held-out ones."""
    while True:
        if language == "en":
            text = f"{rng.choice(KNOW_EN)} {rng.choice(OF_EN)}{rng.choice(['', '.', '?'])}"
            text = text[0].upper() + text[1:] if rng.random() < 0.7 else text
        else:
            text = rng.choice(KNOW_ZH) + rng.choice(OF_ZH) + rng.choice(["吗", "", ""]) + rng.choice(["？", "。", ""])
        if text not in forms[-2:]:
            return text


def composed_analogy(rng: random.Random, language: str, forms: list[str]) -> str:
    """A wording put together from parts, other than the held-out one."""
    while True:
        link, frame = rng.choice(LINK_EN if language == "en" else LINK_ZH), rng.choice(FRAME_EN if language == "en" else FRAME_ZH)
        form = frame.replace("~", link)
        if form not in forms[-1:]:
            return form


def analogy(rng: random.Random, language: str, split: str) -> tuple[str, str]:
    """A is to B as C is to ?"""
    relations = RELATIONS_EN if language == "en" else RELATIONS_ZH
    name = rng.choice(list(relations))
    items = pairs(relations[name])
    kind = rng.random()
    if kind < 0.4:
        return few_shot(rng, items, "")
    if kind < 0.55 and language == "en":
        a, b = rng.choice(items)
        return rng.choice(["What is the {r} of {a}?", "Give the {r} of {a}.", "The {r} of {a}?"]).format(r=NAME_EN[name], a=a), b
    if kind < 0.55 and name == "opposite":
        a, b = rng.choice(items)
        return rng.choice(["{a}的反义词是什么？", "{a}的反义词？"]).format(a=a), b
    (a, b), (c, d) = rng.sample(items, 2)
    forms = ANALOGY_EN if language == "en" else ANALOGY_ZH
    if split != HELD_OUT and rng.random() < 0.5:
        form = composed_analogy(rng, language, forms)
    else:
        form = pick(rng, forms, split, 1)
    return form.format(a=a, b=b, c=c), d


def generate(rng: random.Random, language: str, split: str) -> Sample:
    """One question about words."""
    task = "capital" if rng.random() < 0.55 else "analogy"
    text, answer = (capital if task == "capital" else analogy)(rng, language, split)
    thinking = rng.random() < 0.2
    sample = Sample(task, language, [user(text)], thinking)
    sample.messages.append(assistant(answer, f"{answer}" if thinking else None))
    sample.check = {"type": "exact", "expected": answer}
    return sample
