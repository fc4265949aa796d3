"""Structured output against other people's software: JSON-Schema-Test-Suite (inside the source package of `jsonschema`), the schemas with which
`datamodel-code-generator` is tested (inside its source package), the validator `jsonschema`, and llguidance's grammars."""

import json
import pathlib
import subprocess
import sys
import tarfile

import jsonschema
import llguidance
import pytest

DRAFTS = {
    "draft2020-12": None, "draft2019-09": None, "draft7": "http://json-schema.org/draft-07/schema#",
    "draft6": "http://json-schema.org/draft-06/schema#", "draft4": "http://json-schema.org/draft-04/schema#"}


def source_package(folder, name, version):
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", name, f"{name}=={version}", "--dest",
         str(folder)], check=True, timeout=300)
    return next(folder.glob(name.replace("-", "_") + "-*.tar.gz"))


@pytest.fixture(scope="session")
def suite(tmp_path_factory):
    """The test suite's cases: schema and instances, each schema once."""
    cases, seen = [], set()
    with tarfile.open(source_package(tmp_path_factory.mktemp("suite"), "jsonschema", "4.26.0")) as tar:
        members = [(pathlib.PurePosixPath(member.name).parts, member) for member in tar.getmembers() if member.name.endswith(".json")]
        for draft, url in DRAFTS.items():
            for parts, member in sorted(members, key=lambda pair: pair[0]):
                if parts[1:4] != ("json", "tests", draft):
                    continue
                for group in json.load(tar.extractfile(member)):
                    schema = group["schema"]
                    key = json.dumps({k: v for k, v in schema.items() if k != "$schema"} if isinstance(schema, dict) else schema)
                    if key in seen:
                        continue
                    seen.add(key)
                    if url and isinstance(schema, dict):
                        schema = {"$schema": url, **schema}
                    cases.append({"name": "/".join(parts[3:]) + ": " + group["description"], "schema": schema, "tests": group["tests"]})
    assert len(cases) > 550
    return cases


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """Schemas that people write, every third of those that are not large."""
    cases, seen = [], set()
    package = source_package(tmp_path_factory.mktemp("corpus"), "datamodel-code-generator", "0.89.0")
    with tarfile.open(package) as tar:
        for member in sorted(tar.getmembers(), key=lambda member: member.name):
            parts = pathlib.PurePosixPath(member.name).parts
            if parts[1:4] != ("tests", "data", "jsonschema") or not member.name.endswith(".json") or member.size > 60_000:
                continue
            try:
                schema = json.load(tar.extractfile(member))
            except ValueError:
                continue
            keywords = {"type", "properties", "$ref", "anyOf", "oneOf", "allOf", "enum", "items"}
            if isinstance(schema, dict) and keywords & set(schema) and json.dumps(schema) not in seen:
                seen.add(json.dumps(schema))
                cases.append({"name": "/".join(parts[4:]), "schema": schema})
    return cases[::3]


def validator(schema, formats=True):
    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    return kind(schema, format_checker=kind.FORMAT_CHECKER if formats else None)


def is_valid(schema, value):
    try:
        return validator(schema).is_valid(value)
    except Exception:  # Patterns that Python cannot read (`\p{L}`, `\cA`), references to documents that are not here.
        return None


def run(deepseek, cases, tmp_path, *arguments):
    path = tmp_path / "cases.jsonl"
    path.write_text("\n".join(json.dumps(case) for case in cases) + "\n")
    done = subprocess.run(
        [deepseek, "grammar", "--input", str(path), *arguments], capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stderr
    results = [json.loads(line) for line in done.stdout.split("\n") if line]
    assert len(results) == len(cases)
    return results


def reject_constants(text):
    raise ValueError(text)


def check_texts(case, texts):
    """Complete texts are JSON values that the validator takes; returns how many it took, and how many it could not judge."""
    valid = unjudged = 0
    for text in texts:
        assert not text.get("dead_end"), (case["name"], text)
        if not text["complete"]:
            continue
        value = json.loads(text["text"], parse_constant=reject_constants)
        judgement = is_valid(case["schema"], value)
        assert judgement is not False, (case["name"], case["schema"], text["text"])
        valid += judgement is True
        unjudged += judgement is None
    return valid, unjudged


def test_texts_of_schemas_are_valid(deepseek, suite, corpus, tmp_path):
    suite = suite + corpus
    results = run(deepseek, [{"schema": case["schema"]} for case in suite], tmp_path, "--generate", "6", "--seed", "1")
    accepted = refused = valid = unjudged = 0
    for case, result in zip(suite, results):
        if "error" in result:
            refused += 1
            continue
        judged, others = check_texts(case, result["texts"])
        accepted += judged > 0
        valid += judged
        unjudged += others
    print(f"{accepted} schemas with valid texts ({valid} texts, {unjudged} others not judged), {refused} refused, of {len(suite)}")
    assert accepted >= 500


def test_open_objects_are_valid_too(deepseek, suite, tmp_path):
    results = run(
        deepseek, [{"schema": case["schema"]} for case in suite], tmp_path, "--generate", "6", "--seed", "9", "--open-objects")
    found = [check_texts(case, result.get("texts", [])) for case, result in zip(suite, results)]
    accepted = sum(valid > 0 for valid, _ in found)
    print(f"{accepted} schemas with valid texts, {sum(unjudged for _, unjudged in found)} texts not judged")
    assert accepted >= 300


def test_answers_of_the_model_are_valid(deepseek, suite, corpus, tmp_path):
    """The built-in model, thinking, with guesses at coming tokens."""
    suite = suite + corpus
    results = run(
        deepseek, [{"schema": case["schema"]} for case in suite], tmp_path, "--answers", "2", "--max-tokens", "400", "--seed", "3")
    schemas = complete = unjudged = cut = accepted_drafts = 0
    for case, result in zip(suite, results):
        if "error" in result:
            continue
        judged, others = check_texts(case, result["answers"])
        schemas += judged > 0
        complete += judged
        unjudged += others
        cut += len(result["answers"]) - judged - others
        accepted_drafts += sum(answer["accepted_draft_tokens"] for answer in result["answers"])
    print(f"{schemas} schemas, {complete} valid answers, {unjudged} not judged, {cut} cut by max_tokens, "
          f"{accepted_drafts} guesses accepted")
    assert schemas >= 500
    assert accepted_drafts > 0


def test_texts_are_taken_only_where_they_are_valid(deepseek, suite, tmp_path):
    cases = []
    for case in suite:
        texts = [json.dumps(test["data"], ensure_ascii=False) for test in case["tests"]]
        cases.append({"schema": case["schema"], "texts": texts})
    results = run(deepseek, cases, tmp_path, "--open-objects")
    taken = missed = 0
    for case, result in zip(suite, results):
        for test, accepted in zip(case["tests"], result.get("accepted", [])):
            # What the suite calls valid because formats need not be checked, a grammar may refuse.
            valid = is_valid(case["schema"], test["data"])
            if accepted:
                assert valid is not False, (case["name"], case["schema"], test["data"])
                taken += 1
            elif valid and test["valid"]:
                missed += 1
    print(f"{taken} valid instances taken, {missed} left out (order of members, exotic spellings)")
    assert taken > 400
    assert missed < taken / 5


class Peer:
    """llguidance over bytes."""

    def __init__(self):
        self.tokenizer = llguidance.LLTokenizer("byte")

    def matcher(self, schema):
        schema = {"x-guidance": {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}, **schema}
        grammar = llguidance.LLMatcher.grammar_from_json_schema(json.dumps(schema))
        matcher = llguidance.LLMatcher(self.tokenizer, grammar)
        return None if matcher.is_error() else matcher

    def accepts(self, matcher, text):
        tokens = list(text.encode())
        return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()


def test_beside_llguidance(deepseek, suite, tmp_path):
    """Where both take a schema, they take the same texts, apart from what either documents; ours is right where the validator decides."""
    peer = Peer()
    cases = []
    for case in suite:
        if isinstance(case["schema"], dict):
            texts = [json.dumps(test["data"], ensure_ascii=False) for test in case["tests"]]
            cases.append({**case, "texts": texts})
    results = run(deepseek, [{"schema": c["schema"], "texts": c["texts"]} for c in cases], tmp_path, "--open-objects")
    both = same = only_ours = only_theirs = 0
    shared = set()
    for index, (case, result) in enumerate(zip(cases, results)):
        if "error" in result or peer.matcher(case["schema"]) is None:
            continue
        for test, text, ours in zip(case["tests"], case["texts"], result["accepted"]):
            theirs = peer.accepts(peer.matcher(case["schema"]), text)
            shared.add(index)
            both += 1
            same += ours == theirs
            if ours and not theirs:
                only_ours += 1
                assert is_valid(case["schema"], test["data"]) is not False, (case["name"], text)
            if theirs and not ours:
                only_theirs += 1
    refused_by_peer = sum(
        "error" not in result and peer.matcher(case["schema"]) is None for case, result in zip(cases, results))
    refused_by_us = sum(
        "error" in result and peer.matcher(case["schema"]) is not None for case, result in zip(cases, results))
    print(f"{len(shared)} schemas, {both} texts, {same} judged alike, {only_ours} taken by ours only, {only_theirs} by llguidance only; "
          f"schemas refused by llguidance only {refused_by_peer}, by ours only {refused_by_us}")
    assert len(shared) >= 200
    assert same > 0.95 * both


def test_errors_name_the_keyword(deepseek):
    done = subprocess.run(
        [deepseek, "grammar", "schema", '{"properties": {"a": {"uniqueItems": true}}}'], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "uniqueItems" in done.stdout


PERSON = {
    "type": "object", "properties": {"name": {"type": "string", "maxLength": 5}, "age": {"type": "integer"}},
    "required": ["name"], "additionalProperties": False}
SCHEMAS = {"person": PERSON, "flag": {"type": "boolean"}, "list": {"type": "array", "items": {"enum": [1, "<"]}, "maxItems": 3}}


def structural_tag(older, trigger, first):
    """Tags of all schemas: vLLM's older form, and xgrammar's tree."""
    if older:
        structures = [{"begin": f"<{name}>", "schema": schema, "end": "</>"} for name, schema in SCHEMAS.items()]
        return {"type": "structural_tag", "structures": structures, "triggers": [trigger], "at_least_one": first}
    tags = [{"type": "tag", "begin": f"<{name}>", "content": {"type": "json_schema", "json_schema": schema}, "end": "</>"}
            for name, schema in SCHEMAS.items()]
    return {"type": "structural_tag", "format": {
        "type": "triggered_tags", "triggers": [trigger], "tags": tags, "at_least_one": first}}


def tags_of(text, trigger):
    """The tags of a text, or None if a trigger goes on as something else; read without any grammar."""
    found, position = 0, 0
    decoder = json.JSONDecoder(parse_constant=reject_constants)
    while (position := text.find(trigger, position)) >= 0:
        name = next((name for name in SCHEMAS if text.startswith(f"<{name}>", position)), None)
        if name is None:
            return None
        start = position + len(name) + 2
        try:
            value, end = decoder.raw_decode(text, start)
        except ValueError:
            return None
        if not is_valid(SCHEMAS[name], value) or not text.startswith("</>", end):
            return None
        found, position = found + 1, end + 3
    return found


@pytest.mark.parametrize("older", [True, False])
@pytest.mark.parametrize("trigger, first", [("<", True), ("<", False)])
def test_structural_tags(deepseek, tmp_path, older, trigger, first):
    """What the masks let through is free text and whole tags whose content is valid; and texts are taken where they are that."""
    import random

    tag = structural_tag(older, trigger, first)
    draw = random.Random(5)
    pieces = ["<person>", '{"name": "a"}', '{"name": "a", "age": 3}', '{"age": 3}', "<flag>", "true", "[1]", '["<"]', "<list>",
              "</>", "free ", "你", "<", ">"]
    texts = ["<flag>true</> and <list>[1, \"<\"]</>", "x<person>{\"name\": \"你\"}</>y"]
    texts += ["".join(draw.choice(pieces) for _ in range(draw.randint(0, 7))) for _ in range(400)]
    for _ in range(100):
        name, value = draw.choice([("person", {"name": "b", "age": 1}), ("flag", False), ("list", [1, 1]), ("list", [2])])
        texts.append(f"{draw.choice(['', 'a ', '>'])}<{name}>{json.dumps(value)}</>{draw.choice(['', 'z', '<'])}")
    (result,) = run(deepseek, [{"structural_tag": tag, "texts": texts}], tmp_path, "--generate", "60", "--seed", "2")
    assert "error" not in result, result
    taken = 0
    for text, accepted in zip(texts, result["accepted"]):
        expected = tags_of(text, trigger) is not None and (not first or text.startswith("<"))
        assert accepted == expected, text
        taken += accepted
    assert 10 < taken < len(texts) - 20
    written = 0
    for text in result["texts"]:
        assert not text["dead_end"]
        if text["complete"]:
            count = tags_of(text["text"], trigger)
            assert count is not None and count >= first, text
            written += count
    assert written >= (40 if first else 0)


@pytest.mark.parametrize("format, name", [
    ({"type": "any_tokens"}, "any_tokens"), ({"type": "any_text", "max_tokens": 3}, "max_tokens"),
    ({"type": "json_schema", "json_schema": {"uniqueItems": True}}, "uniqueItems")])
def test_structural_tags_that_cannot_be_kept(deepseek, format, name):
    tag = json.dumps({"type": "structural_tag", "format": format})
    done = subprocess.run([deepseek, "grammar", "structural-tag", tag], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and name in done.stdout


def test_the_share_of_masks_is_measured(deepseek):
    done = subprocess.run(
        [deepseek, "grammar", "schema", json.dumps(PERSON), "--measure", "--max-tokens", "60", "--json"], capture_output=True,
        text=True, timeout=300, check=True)
    measure = json.loads(done.stdout)["measure"]
    assert measure["vocabulary"] > 1000 and measure["free_step_ms"] > 0
    for name in ["first_use", "later"]:
        found = measure[name]
        assert found["masks"] >= found["steps"] > 3
        assert 0 < found["mask_us_per_step"] < found["step_ms"] * 1000
        assert abs(found["share_percent"] - found["mask_us_per_step"] / found["step_ms"] / 10) < 1e-6


def doubled(count, body, last):
    rules = [body(f"#/$defs/d{i + 1}") for i in range(count)] + [last]
    return {"$defs": {f"d{i}": rule for i, rule in enumerate(rules)}, "$ref": "#/$defs/d0"}


def refer(keyword):
    return lambda target: {keyword: [{"$ref": target}, {"$ref": target}]}


BOMBS = {
    "rules": {"grammar": "root ::= a0\n" + "".join(f"a{i} ::= a{i + 1} a{i + 1}\n" for i in range(40)) + 'a40 ::= "x" | ""'},
    "rules that grow": {"grammar": "root ::= a0\n" + "".join(
        f'a{i} ::= a{i + 1} a{i + 1} | "y"\n' for i in range(40)) + 'a40 ::= "x" | ""'},
    "references": {"json_schema": doubled(40, refer("allOf"), {"type": "string"})},
    "alternatives": {"json_schema": doubled(40, refer("anyOf"), False)},
    "patterns": {"json_schema": {"type": "string", "allOf": [{"pattern": f".*{c}.*"} for c in "abcdefghijklmnopqrst"]}},
    "multiples": {"json_schema": {"type": "integer", "minimum": -10**60, "maximum": 10**63, "multipleOf": 7919}},
    "lookaheads": {"guided_regex": "".join(f"(?=.*{c})" for c in "abcdefghijk") + ".*"},
    "a chain of rules": {"grammar": "root ::= a0\n" + "".join(f"a{i} ::= a{i + 1}\n" for i in range(20000)) + 'a20000 ::= "x"'},
    "repetitions": {"grammar": 'root ::= "a"' + "*" * 50000},
}


@pytest.mark.parametrize("name", BOMBS)
def test_others_are_answered_beside_hostile_grammars(server, name):
    """What costs more than it looks is answered or refused with the limit's name, and the server goes on for everybody else."""
    import threading

    import requests

    def ask(**fields):
        return requests.post(server.url + "/v1/completions", json={"prompt": "a", "max_tokens": 12, **fields}, timeout=120)

    answers = []
    bomb = threading.Thread(target=lambda: answers.append(ask(**BOMBS[name])))
    bomb.start()
    while bomb.is_alive():
        assert ask().status_code == 200
        assert requests.get(server.url + "/health", timeout=60).status_code == 200
    bomb.join()
    (answer,) = answers
    assert answer.status_code == 200 or "expected at most" in answer.json()["error"]["message"], answer.text
    assert answer.status_code in (200, 400, 500)
    assert ask().status_code == 200


def test_patterns_and_grammars(deepseek, tmp_path):
    import re

    patterns = ["[a-f0-9]{8}", "(foo|ba[rz])+", "\\d{1,3}(\\.\\d{1,3}){3}", "[^\\s]{1,5}@x", "(a|b)*abb", "[\\w.-]{3}"]
    results = run(deepseek, [{"regex": pattern} for pattern in patterns], tmp_path, "--generate", "20", "--seed", "4")
    for pattern, result in zip(patterns, results):
        complete = [text["text"] for text in result["texts"] if text["complete"]]
        assert complete, pattern
        for text in complete:
            assert re.fullmatch(pattern, text), (pattern, text)
