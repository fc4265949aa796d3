"""Answers that no encoder writes but models do, with what is expected of them: (name, inside thinking, text, events, stop
strings) by dialect. The rules: no mark passes into reasoning or content; a mark that means nothing where it stands is dropped,
the text around it is not; what cannot be a call is content; what was cut off stays cut off; a missing end is inferred."""


def R(text): return ("reasoning", text)
def C(text): return ("content", text)
def T(name, arguments): return ("call", name, arguments)


def case(name, text, *events, inside=False, stops=()):
    return (name, inside, text, events, list(stops))


THINKING = [
    case("nothing", ""),
    case("empty thinking", "</think>A", C("A"), inside=True),
    case("blank thinking", "\n\n</think>\n\nA", R("\n\n"), C("\n\nA"), inside=True),
    case("thinking is opened twice", "<think>\nstep</think>A", R("\nstep"), C("A"), inside=True),
    case("blanks before the opening", "\n <think>s</think>A", R("s"), C("A")),
    case("the answer opens thinking", "<think>é</think>A", R("é"), C("A")),
    case("never closed", "on and on </thin", R("on and on </thin"), inside=True),
    case("closed twice", "a</think>b</think>c", R("a"), C("bc"), inside=True),
    case("closed though not open", "</think>Answer", C("Answer")),
    case("marks in content", "A</think>B<think>C", C("ABC")),
    case("opened again in thinking", "a<think>b</think>c", R("ab"), C("c"), inside=True),
    case("only a beginning", "<thi", C("<thi")),
    case("beginnings of beginnings", "<<th<think<</think >x<think", C("<<th<think<</think >x<think")),
    case("emoji", "👩‍👩‍👧🏳️‍🌈</think>é́𝔘\U0010ffff", R("👩‍👩‍👧🏳️‍🌈"), C("é́𝔘\U0010ffff"), inside=True),
    case("stop in content", "one\n\nUser: two", C("one"), stops=["\n\nUser:"]),
    case("stop in thinking", "one END two</think>A", R("one "), inside=True, stops=["END", "never"]),
    case("stop is a mark", "hm</think>A", R("hm"), inside=True, stops=["</think>"]),
    case("stop begins in a mark", "hm</think>A.", R("hm</thi"), inside=True, stops=["nk>A"]),
    case("stop of several bytes", "你好。再见", C("你好"), stops=["。"]),
    case("stop held and released", "abcab", C("abcab"), stops=["abcabd"]),
]

b, e, cb, ce, s = "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>", "<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>", "<｜tool▁sep｜>"
F = f"{cb}function{s}f\n```json\n{{\"a\": 1}}\n```{ce}"
G = f"{cb}g{s}{{\"b\": [2]}}{ce}"

DEEPSEEK = THINKING + [
    case("fenced and plain calls mixed", f"x{b}{F}\n{G}{e}", C("x"), T("f", '{"a": 1}'), T("g", '{"b": [2]}')),
    case("no outer marks", f"x{G}{F}", C("x"), T("g", '{"b": [2]}'), T("f", '{"a": 1}')),
    case("no outer end", f"{b}{G}", T("g", '{"b": [2]}')),
    case("no end of a call", f"{b}{cb}g{s}{{}}{e}after", T("g", "{}"), C("after")),
    case("no end between calls", f"{b}{cb}g{s}{{}}{G}{e}", T("g", "{}"), T("g", '{"b": [2]}')),
    case("outer mark twice", f"{b}{b}{G}{e}{e}", T("g", '{"b": [2]}')),
    case("text after calls", f"{b}{G}{e}\n\nmore\n", T("g", '{"b": [2]}'), C("more\n")),
    case("text between calls", f"{b}{G}and {G}{e}", T("g", '{"b": [2]}'), C("and "), T("g", '{"b": [2]}')),
    case("two blocks", f"{b}{G}{e}\n{b}{F}{e}", T("g", '{"b": [2]}'), T("f", '{"a": 1}')),
    case("stray marks", f"a{e}b{ce}c{s}d<｜tool▁outputs▁begin｜>e<｜tool▁output▁end｜>f", C("abcdef")),
    case("empty block", f"a{b}{e}b", C("ab")),
    case("call in thinking", f"hm{b}{G}{e}", R("hm"), T("g", '{"b": [2]}'), inside=True),
    case("call in thinking, thinking closed later", f"hm{G}</think>A", R("hm"), T("g", '{"b": [2]}'), C("A"), inside=True),
    case("no arguments", f"{cb}now{s}{ce}{cb}function{s}now\n{ce}", T("now", "{}"), T("now", "{}")),
    case("a function of that name", f"{cb}function{s}{{\"x\": 1}}{ce}", T("function", '{"x": 1}')),
    case("fence without language", f"{cb}function{s}f\n```\n{{}}\n```\n{ce}", T("f", "{}")),
    case("fence of plain calls", f"{cb}g{s}```json\n{{}}\n```{ce}", T("g", "{}")),
    case("quotes that are no fence", f"{cb}g{s}`x` y{ce}", T("g", "`x` y")),
    case("fence not closed", f"{cb}function{s}f\n```json\n{{\"a\": \"```\"}}\n{ce}", T("f", '{"a": "```"}')),
    case("name without arguments at once", f"{cb}function{s}f{{\"a\": 1}}{ce}", T("f", '{"a": 1}')),
    case("blanks everywhere", f"{b}\n {cb} \n g \n{s}\n {{}} \n{ce}\n{e}\n", T("g", "{}")),
    case("arguments that are no JSON", f"{cb}g{s} city=Oslo, \"x {ce}", T("g", 'city=Oslo, "x ')),
    case("marks in a string", f"{cb}g{s}{{\"t\": \"{b}{cb}{s}</think>\"}}{ce}", T("g", f'{{"t": "{b}{cb}{s}</think>"}}')),
    case("quotes and escapes", f"{cb}g{s}{{\"t\": \"\\\\\\\" {cb} \"}}{ce}", T("g", f'{{"t": "\\\\\\" {cb} "}}')),
    case("cut off in a mark", "a <｜tool▁calls", C("a <｜tool▁calls")),
    case("cut off in the name", f"a{b}{cb}get_wea", C("aget_wea")),
    case("cut off in the name, fenced", f"a{b}{cb}function{s}get_wea", C("aget_wea")),
    case("cut off behind the separator", f"{cb}g{s}", T("g", "")),
    case("cut off in arguments", f"{cb}g{s}{{\"a\": \"b  ", T("g", '{"a": "b  ')),
    case("cut off in a mark in arguments", f"{cb}g{s}{{\"a\": \"<｜to", T("g", '{"a": "<｜to')),
    case("cut off in the fence", f"{cb}function{s}f\n```js", T("f", "")),
    case("no separator", f"{b}{cb}just text{ce}{e}", C("just text")),
    case("no separator, next call", f"{b}{cb}lost{cb}g{s}{{}}{ce}{e}", C("lost"), T("g", "{}")),
    case("no name", f"{b}{cb}{s}{{\"a\": 1}}{ce}{e}", C('{"a": 1}')),
    case("emoji in a call", f"{cb}g{s}{{\"e\": \"👩‍👩‍👧\"}}{ce}🏳️‍🌈", T("g", '{"e": "👩‍👩‍👧"}'), C("🏳️‍🌈")),
    case("stop in arguments", f"{cb}g{s}{{\"a\": \"x STOP y\"}}{ce}", T("g", '{"a": "x '), stops=["STOP"]),
    case("stop is a mark of calls", f"a{b}{G}{e}", C("a"), stops=[b]),
]

d = "｜DSML｜"


def dsml(block, gap=""):
    def P(name, value, string="true"): return f'<{d}{gap}parameter name="{name}" string="{string}">{value}</{d}{gap}parameter>'
    def I(name, *parameters): return "\n".join([f'<{d}{gap}invoke name="{name}">', *parameters, f"</{d}{gap}invoke>"])
    def B(*calls): return "\n".join([f"<{d}{block}>", *calls, f"</{d}{block}>"])
    o, c = f"<{d}{gap}", f"</{d}{gap}"
    city = P("city", "Oslo")
    return THINKING + [
        case("no newlines", f"<{d}{block}>{o}invoke name=\"f\">{city}{c}invoke></{d}{block}>", T("f", '{"city": "Oslo"}')),
        case("one newline before", "a\n" + B(I("f")), C("a\n"), T("f", "{}")),
        case("newlines before", "a\n\n\n" + B(I("f")), C("a\n"), T("f", "{}")),
        case("newlines that stay", "a\n\n\n\nb\n\n", C("a\n\n\n\nb\n\n")),
        case("only the call", "\n\n" + B(I("f", city)), T("f", '{"city": "Oslo"}')),
        case("the blocks of other versions", "".join(f"\n\n<{d}{n}>\n{I('f', city)}\n</{d}{n}>" for n in ("function_calls", "tool_calls", " calls", "toolcalls", "tool")),
             *[T("f", '{"city": "Oslo"}')] * 5),
        case("spaced tags", f"<{d} calls>\n<{d} invoke name=\"f\">\n<{d} parameter name=\"x\" string=\"false\">1</{d} parameter>\n</{d} invoke>\n</{d} calls>", T("f", '{"x": 1}')),
        case("no outer marks", "a\n\n" + I("f", city) + "\n" + I("g"), C("a"), T("f", '{"city": "Oslo"}'), T("g", "{}")),
        case("no outer end", f"<{d}{block}>\n" + I("f", city), T("f", '{"city": "Oslo"}')),
        case("no end of a call", f"<{d}{block}>\n{o}invoke name=\"f\">\n{city}\n</{d}{block}>x", T("f", '{"city": "Oslo"}'), C("x")),
        case("no end between calls", f"<{d}{block}>\n{o}invoke name=\"f\">\n{city}\n{I('g')}\n</{d}{block}>", T("f", '{"city": "Oslo"}'), T("g", "{}")),
        case("no end of a text", B(f"{o}invoke name=\"f\">\n{o}parameter name=\"a\" string=\"true\">x\n{c}invoke>", I("g")), T("f", '{"a": "x\\n"}'), T("g", "{}")),
        case("no end of a number", B(f"{o}invoke name=\"f\">\n{o}parameter name=\"a\" string=\"false\">5{o}parameter name=\"b\" string=\"false\">6{c}invoke>"), T("f", '{"a": 5, "b": 6}')),
        case("call without parameters in one tag", B(f"{o}invoke name=\"now\"/>", f"{o}invoke name=\"now\" />"), T("now", "{}"), T("now", "{}")),
        case("an object for parameters", B(I("f", '{"a": {"b": "</x> <｜DSML｜"}}')), T("f", '{"a": {"b": "</x> <｜DSML｜"}}')),
        case("not JSON after all", B(I("f", P("a", "oops \"x\"", "false"))), T("f", '{"a": "oops \\"x\\""}')),
        case("JSON of all kinds", B(I("f", P("a", "[1, 2.50, {\"x\": \"</｜DSML｜\"}]", "false"), P("b", "null", "false"), P("c", "-1e5", "false"))),
             T("f", '{"a": [1, 2.50, {"x": "</｜DSML｜"}], "b": null, "c": -1e5}')),
        case("kind left out or first", B(I("f", f"{o}parameter name=\"a\">x{c}parameter>", f"{o}parameter string=\"false\" name=\"b\">1{c}parameter>")), T("f", '{"a": "x", "b": 1}')),
        case("quotes in a name", B(I("f", P('a"b\\', "x"))), T("f", '{"a\\"b\\\\": "x"}')),
        case("controls in text", B(I("f", P("a", "\t\"\\\n\r\b\u0001é"))), T("f", '{"a": "\\t\\"\\\\\\n\\r\\b\\u0001é"}')),
        case("markup in text", B(I("f", P("a", f"<{d}invoke name=\"x\"> </{d}x> <{d}{block}> </think> {d}"))),
             T("f", f'{{"a": "<{d}invoke name=\\"x\\"> </{d}x> <{d}{block}> </think> {d}"}}')),
        case("text in a call", B(f"{o}invoke name=\"f\">\nI would say\n{city}\n{c}invoke>"), T("f", '{"city": "Oslo"}'), C("I would say\n")),
        case("text between calls", B(I("f"), "and then ", I("g")), T("f", "{}"), C("and then \n"), T("g", "{}")),
        case("text after calls", B(I("f")) + "\n\nmore\n", T("f", "{}"), C("more\n")),
        case("call in thinking", "hm\n\n" + B(I("f", city)), R("hm"), T("f", '{"city": "Oslo"}'), inside=True),
        case("marks that mean nothing", f"a{c}invoke>b{c}parameter>c</{d}{block}>e{d}f", C("abcef")),
        case("no tags of theirs", f"a\n\n<{d}x> <{d}invokes name=\"f\"> </{d}> <{d}", C("a\n\nx> invokes name=\"f\"> > ")),
        case("a parameter outside", f"a {P('x', '1')} b", C(f"a {gap}parameter name=\"x\" string=\"true\">1 b")),
        case("no name", B(f"{o}invoke>", "x"), C("invoke>\nx\n")),
        case("prose about markup", f"Write <{d}{block}> and end it.", C("Write and end it.")),
        case("other bars", f"<|DSML|{block}>\n<|DSML|{gap}invoke name=\"f\">\n</|DSML|{gap}invoke>\n</|DSML|{block}>", T("f", "{}")),
        case("bars twice", f"<｜｜DSML｜｜{gap}invoke name=\"f\"></｜｜DSML｜｜{gap}invoke>", T("f", "{}")),
        case("cut off in a mark", f"a <｜DSM", C("a <｜DSM")),
        case("cut off in a tag", f"a\n\n<{d}{block}>\n{o}invoke name=\"get_wea", C("ainvoke name=\"get_wea")),
        case("cut off behind the name", f"{o}invoke name=\"f\">", T("f", "")),
        case("cut off in text", f"{o}invoke name=\"f\">\n{o}parameter name=\"a\" string=\"true\">rm -rf /tm", T("f", '{"a": "rm -rf /tm')),
        case("cut off in an end", f"{o}invoke name=\"f\">\n{o}parameter name=\"a\" string=\"true\">x {c}param", T("f", '{"a": "x ' + c + "param")),
        case("cut off in JSON", f"{o}invoke name=\"f\">\n{o}parameter name=\"a\" string=\"false\">[1, 2", T("f", '{"a": [1, 2')),
        case("cut off between parameters", f"{o}invoke name=\"f\">\n{city}\n", T("f", '{"city": "Oslo"')),
        case("emoji in a call", B(I("f", P("👩‍👩‍👧", "é́😀"))) + "🏳️‍🌈", T("f", '{"👩‍👩‍👧": "é́😀"}'), C("🏳️‍🌈")),
        case("stop in text", B(I("f", P("a", "x STOP y"))), T("f", '{"a": "x '), stops=["STOP"]),
        case("stop is a tag", "a\n\n" + B(I("f")), C("a"), stops=[f"\n\n<{d}{block}>"]),
    ]


def H(name, arguments): return f'<tool_call>\n{{"name": "{name}", "arguments": {arguments}}}\n</tool_call>'


HERMES = THINKING + [
    case("text before and after", "a\n" + H("f", "{}") + "\nb", C("a"), T("f", "{}"), C("b")),
    case("no JSON", "<tool_call>nope</tool_call>", C("nope")),
    case("no name", '<tool_call>{"arguments": {}}</tool_call>', C('{"arguments": {}}')),
    case("no arguments", '<tool_call>{"name": "now"}</tool_call>', T("now", "{}")),
    case("arguments as text", '<tool_call>{"name": "f", "arguments": "{\\"a\\": 1}"}</tool_call>', T("f", '{"a": 1}')),
    case("parameters", '<tool_call>{"name": "f", "parameters": {"a": 1}}</tool_call>', T("f", '{"a": 1}')),
    case("no end", H("f", "{}").removesuffix("\n</tool_call>"), T("f", "{}")),
    case("no end between calls", '<tool_call>{"name": "f"}' + H("g", "{}"), T("f", "{}"), T("g", "{}")),
    case("mark in a string", H("f", '{"a": "<tool_call>\\"x\\""}'), T("f", '{"a": "<tool_call>\\"x\\""}')),
    case("cut off", 'a\n<tool_call>\n{"name": "f", "argu', C('a\n{"name": "f", "argu')),
    case("stray marks", "a</tool_call>b<tool_response>c", C("abc")),
    case("marks in what is no call", '<tool_call>{"a": <think>x</think> y</tool_call>', C('{"a": x y')),
    case("numbers keep their digits", '<tool_call>{"name": "f", "arguments":  {"n": [12345678901234567890, 1.50, 1E5], "s": "}, \\""} , "x": {"arguments": 1}}</tool_call>',
         T("f", '{"n": [12345678901234567890, 1.50, 1E5], "s": "}, \\""}')),
    case("call in thinking", "hm\n" + H("f", "{}"), R("hm"), T("f", "{}"), inside=True),
    case("emoji in a call", H("f", '{"e": "👩‍👩‍👧"}'), T("f", '{"e": "👩‍👩‍👧"}')),
    case("stop in a call", H("f", '{"a": "STOP"}'), C('\n{"name": "f", "arguments": {"a": "'), stops=["STOP"]),
]

WRITTEN = {
    "plain": THINKING, "deepSeekV3": DEEPSEEK, "deepSeekV31": DEEPSEEK, "hermes": HERMES,
    "deepSeekV32": dsml("function_calls"), "deepSeekV4": dsml("tool_calls"), "deepSeekV41": dsml(" calls", " "),
}
