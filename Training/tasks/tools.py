"""Tool calls as JSON in DeepSeek-V3.1's form, and answers from tool results."""

from __future__ import annotations

import json
import random

from .common import HELD_OUT, Sample, assistant, pick, user


def tool(name: str, description: str, **properties: str) -> dict:
    """A function tool in OpenAI's form; a property is "type|description"."""
    schema = {k: {"type": v.split("|")[0], "description": v.split("|")[1]} for k, v in properties.items()}
    return {"type": "function", "function": {"name": name, "description": description,
            "parameters": {"type": "object", "properties": schema, "required": list(properties)}}}


TOOLS = {
    "get_weather": tool("get_weather", "Get the weather of a city", city="string|City name"),
    "get_time": tool("get_time", "Get the time in a city", city="string|City name"),
    "calculate": tool("calculate", "Evaluate an expression", expression="string|Expression"),
    "convert_currency": tool("convert_currency", "Convert an amount of money", amount="number|Amount", source="string|Currency code", target="string|Currency code"),
    "get_stock_price": tool("get_stock_price", "Get the share price of a company", company="string|Company name"),
    "search": tool("search", "Search the web", query="string|Search words"),
    "set_timer": tool("set_timer", "Set a timer", minutes="integer|Minutes"),
    "send_message": tool("send_message", "Send a message to a person", recipient="string|Person", text="string|Message"),
    "translate": tool("translate", "Translate a text", text="string|Text", language="string|Target language"),
    "get_balance": tool("get_balance", "Get the balance of an account", account="string|Account number"),
}
CITIES = {"en": ["Paris", "London", "Tokyo", "Berlin", "Madrid", "Rome", "Cairo", "Oslo", "Beijing", "Seoul", "Vienna", "Lima"],
          "zh": ["北京", "上海", "东京", "巴黎", "伦敦", "广州", "柏林", "罗马"]}
PEOPLE = {"en": ["Anna", "Tom", "Lucy", "Ben", "Emma", "Omar"], "zh": ["小明", "小红", "王芳", "张伟"]}
TEXTS = {"en": ["I am late", "see you soon", "the meeting is over", "good luck", "call me back", "dinner is ready"],
         "zh": ["我迟到了", "待会见", "会议结束了", "祝你好运", "请回电话", "晚饭好了"]}
TOPICS = {"en": ["red shoes", "train tickets", "cheap hotels", "apple pie", "guitar lessons", "solar panels"],
          "zh": ["红鞋子", "火车票", "便宜的酒店", "苹果派", "吉他课", "太阳能板"]}
LANGUAGES = {"en": ["French", "German", "Chinese", "Spanish"], "zh": ["法语", "德语", "英语", "日语"]}
COMPANIES = ["Apple", "Tesla", "Google", "Sony", "Samsung", "Toyota", "Intel", "Siemens"]
MONEY = ["USD", "EUR", "CNY", "JPY", "GBP"]
ASK = {
    "en": {
        "get_weather": ["What is the weather in {city}?", "How is the weather in {city} today?", "Weather in {city}?", "Tell me the weather in {city}.", "Will it rain in {city} today?"],
        "get_time": ["What time is it in {city}?", "Tell me the time in {city}.", "Time in {city}?", "What is the current time in {city}?"],
        "calculate": ["Use the tool to compute {expression}.", "Calculate {expression} with the tool.", "Evaluate {expression}.", "Please calculate {expression}."],
        "convert_currency": ["Convert {amount} {source} to {target}.", "How much is {amount} {source} in {target}?", "{amount} {source} in {target}?", "Change {amount} {source} into {target}."],
        "get_stock_price": ["What is the share price of {company}?", "How much is a share of {company}?", "{company} stock price?", "Tell me the stock price of {company}."],
        "search": ["Search the web for {query}.", "Find {query} on the web.", "Look up {query}.", "Search for {query}."],
        "set_timer": ["Set a timer for {minutes} minutes.", "Start a {minutes} minute timer.", "Timer, {minutes} minutes.", "Please set a timer of {minutes} minutes."],
        "send_message": ["Send {recipient} the message \"{text}\".", "Tell {recipient}: {text}", "Write to {recipient}: {text}", "Message {recipient}: {text}"],
        "translate": ["Translate \"{text}\" into {language}.", "How do you say \"{text}\" in {language}?", "\"{text}\" in {language}?", "Give me \"{text}\" in {language}."],
        "get_balance": ["What is the balance of account {account}?", "How much money is in account {account}?", "Balance of {account}?", "Show the balance of account {account}."],
    },
    "zh": {
        "get_weather": ["{city}天气怎么样？", "今天{city}的天气如何？", "查一下{city}的天气。", "{city}今天会下雨吗？"],
        "get_time": ["{city}现在几点？", "告诉我{city}的时间。", "{city}现在是什么时间？"],
        "calculate": ["用工具计算{expression}。", "请用工具算{expression}。", "计算一下{expression}，用工具。"],
        "convert_currency": ["把{amount} {source}换成{target}。", "{amount} {source}等于多少{target}？", "{amount} {source}能换多少{target}？"],
        "get_stock_price": ["{company}的股价是多少？", "查一下{company}的股价。", "{company}股价多少？"],
        "search": ["搜索{query}。", "在网上查{query}。", "帮我搜一下{query}。"],
        "set_timer": ["设一个{minutes}分钟的计时器。", "{minutes}分钟后提醒我。", "计时{minutes}分钟。"],
        "send_message": ["给{recipient}发消息：{text}", "告诉{recipient}：{text}", "发信息给{recipient}：{text}"],
        "translate": ["把“{text}”翻译成{language}。", "“{text}”用{language}怎么说？", "请将“{text}”译成{language}。"],
        "get_balance": ["账户{account}的余额是多少？", "查一下账户{account}的余额。", "账户{account}里有多少钱？"],
    },
}


# More questions for training: whole wordings, which PLEASE may open.
MORE = {
    "en": {
        "get_weather": ["Weather report for {city}", "is it sunny in {city}", "I want to know the weather in {city}", "check the weather of {city}", "do I need an umbrella in {city} today", "is it cold in {city} today"],
        "get_time": ["the time in {city}", "how late is it in {city}", "check the clock in {city}", "I need the local time of {city}"],
        "calculate": ["run {expression} in the calculator", "{expression} with the tool", "use your calculator for {expression}", "work out {expression} by tool"],
        "convert_currency": ["exchange {amount} {source} for {target}", "turn {amount} {source} into {target}", "what is {amount} {source} worth in {target}", "I have {amount} {source} and want {target}"],
        "get_stock_price": ["check the share price of {company}", "what does a share of {company} cost", "price of {company} shares", "how is the stock of {company}"],
        "search": ["look for {query} online", "google {query}", "find pages about {query}", "web search: {query}"],
        "set_timer": ["remind me in {minutes} minutes", "timer for {minutes} minutes", "wake me in {minutes} minutes", "count down {minutes} minutes", "{minutes} minutes on the timer"],
        "send_message": ["text {recipient}: {text}", "send a message to {recipient}: {text}", "let {recipient} know: {text}", "{recipient} should read: {text}"],
        "translate": ["translate into {language}: {text}", "put \"{text}\" into {language}", "what is \"{text}\" in {language}", "say \"{text}\" in {language}"],
        "get_balance": ["balance of account {account}", "check account {account}", "what is on account {account}", "how much is left in account {account}"],
    },
    "zh": {
        "get_weather": ["{city}今天天气好吗", "{city}会下雨吗", "明天{city}会下雨吗", "{city}今天冷不冷", "看看{city}的天气", "我想知道{city}的天气", "{city}今天下不下雨", "{city}今天会刮风吗", "{city}今天会下雪吗"],
        "get_time": ["{city}几点了", "看看{city}的时间", "现在{city}几点", "我想知道{city}的时间", "{city}的当地时间是多少"],
        "calculate": ["用工具算一下{expression}", "用计算工具算{expression}", "算一下{expression}，请用工具", "{expression}，用工具算", "计算{expression}，要用工具", "拿工具计算{expression}", "用工具求{expression}", "计算一下，用工具：{expression}"],
        "convert_currency": ["{amount} {source}换{target}", "我有{amount} {source}，想换{target}", "{amount} {source}兑换{target}", "将{amount} {source}兑成{target}", "{amount} {source}值多少{target}"],
        "get_stock_price": ["{company}的股票多少钱", "看看{company}的股价", "我想知道{company}的股价", "{company}现在股价多少"],
        "search": ["网上搜索{query}", "搜一搜{query}", "查找{query}", "上网找{query}", "搜索一下{query}"],
        "set_timer": ["{minutes}分钟的计时器", "定时{minutes}分钟", "开始计时，{minutes}分钟", "倒计时{minutes}分钟", "设定{minutes}分钟", "过{minutes}分钟叫我", "计时器{minutes}分钟", "计时，{minutes}分钟后叫我"],
        "send_message": ["发消息给{recipient}：{text}", "对{recipient}说：{text}", "转告{recipient}：{text}", "给{recipient}留言：{text}"],
        "translate": ["把“{text}”译为{language}", "用{language}说“{text}”", "“{text}”的{language}是什么", "翻译成{language}：{text}"],
        "get_balance": ["账户{account}还有多少钱", "看看账户{account}", "账户{account}余额", "{account}账户的余额"],
    },
}
PLEASE = {"en": ["", "", "Please ", "Can you ", "Hey, ", "OK, ", "I need this: ", "Now "], "zh": ["", "", "请", "帮我", "麻烦", "你好，", "现在", "请帮我"]}


def wording(rng: random.Random, name: str, language: str, split: str) -> str:
    """A request for a tool."""
    if split == HELD_OUT or rng.random() < 0.4:
        return pick(rng, ASK[language][name], split, 1)
    text = rng.choice(PLEASE[language]) + rng.choice(MORE[language][name]) + rng.choice(["", ".", "?"] if language == "en" else ["", "。", "？"])
    return text[0].upper() + text[1:] if text[0] != "{" and rng.random() < 0.7 else text


def arguments(rng: random.Random, name: str, language: str) -> dict:
    """Arguments of a call."""
    if name in ("get_weather", "get_time"):
        return {"city": rng.choice(CITIES[language])}
    if name == "calculate":
        return {"expression": f"{rng.randint(1, 999)}{rng.choice('+-*')}{rng.randint(1, 99)}"}
    if name == "convert_currency":
        source, target = rng.sample(MONEY, 2)
        return {"amount": rng.randint(1, 999), "source": source, "target": target}
    if name == "get_stock_price":
        return {"company": rng.choice(COMPANIES)}
    if name == "search":
        return {"query": rng.choice(TOPICS[language])}
    if name == "set_timer":
        return {"minutes": rng.randint(1, 90)}
    if name == "send_message":
        return {"recipient": rng.choice(PEOPLE[language]), "text": rng.choice(TEXTS[language])}
    if name == "translate":
        return {"text": rng.choice(TEXTS[language]), "language": rng.choice(LANGUAGES[language])}
    return {"account": str(rng.randint(10000, 99999))}


def result(rng: random.Random, name: str, given: dict, language: str) -> tuple[str, str, str] | None:
    """A tool's output, the answer that uses it, and what the answer must contain."""
    english = language == "en"
    if name == "get_weather":
        degrees = rng.randint(-5, 38)
        sky = rng.choice(["sunny", "rainy", "cloudy", "windy"])
        zh = {"sunny": "晴", "rainy": "有雨", "cloudy": "多云", "windy": "有风"}[sky]
        answer = f"In {given['city']} it is {sky} at {degrees} degrees." if english else f"{given['city']}{zh}，气温{degrees}度。"
        return json.dumps({"sky": sky, "temperature": degrees}), answer, str(degrees)
    if name == "get_time":
        time = f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}"
        return json.dumps({"time": time}), f"It is {time} in {given['city']}." if english else f"{given['city']}现在是{time}。", time
    if name == "get_stock_price":
        price = rng.randint(10, 900)
        return json.dumps({"price": price}), f"A share of {given['company']} costs {price} dollars." if english else f"{given['company']}的股价是{price}美元。", str(price)
    if name == "get_balance":
        balance = rng.randint(0, 99999)
        return json.dumps({"balance": balance}), f"The balance is {balance}." if english else f"余额是{balance}。", str(balance)
    return None


def generate(rng: random.Random, language: str, split: str) -> Sample:
    """One conversation with tools."""
    names = rng.sample(list(TOOLS), rng.choice([1, 2, 2, 3]))
    name = names[0]
    given = arguments(rng, name, language)
    text = wording(rng, name, language, split).format(**given)
    rng.shuffle(names)
    sample = Sample("tool-call", language, [user(text)], False, [TOOLS[n] for n in names])
    call = {"role": "assistant", "content": "", "tool_calls": [
        {"type": "function", "function": {"name": name, "arguments": json.dumps(given, ensure_ascii=False)}}]}
    sample.messages.append(call)
    sample.check = {"type": "json", "expected": {"name": name, "arguments": given}}
    output = result(rng, name, given, language)
    if output and rng.random() < 0.4:
        sample.task = "tool-answer"
        sample.messages += [{"role": "tool", "content": output[0]}, assistant(output[1])]
        sample.check = {"type": "contains", "expected": output[2]}
    elif rng.random() < 0.12:
        sample.messages = [user({"en": rng.choice(["Hello", "Hi", "Hello!"]), "zh": rng.choice(["你好", "您好"])}[language])]
        sample.messages.append(assistant({"en": "Hello! How can I help you?", "zh": "你好！有什么可以帮你？"}[language]))
        sample.check = {"type": "contains", "expected": {"en": "Hello", "zh": "你好"}[language]}
        sample.task = "about"
    return sample
