"""Requests that share what was computed, and what happens when there is more work than time; with the built-in model."""

import concurrent.futures

import openai
import pytest

from conftest import Server

SYSTEM = "You answer in one short sentence. " * 30


def client(server):
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0, timeout=60)


def ask(server, question, *, tokens=16, **extra):
    return client(server).chat.completions.create(
        model="deepseek", messages=[{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}],
        temperature=0, max_tokens=tokens, logprobs=True, top_logprobs=3, extra_body=extra)


def text(answer):
    return [(item.token, item.logprob, [(top.token, top.logprob) for top in item.top_logprobs])
            for item in answer.choices[0].logprobs.content]


def cached(answer):
    return answer.usage.prompt_tokens_details.cached_tokens


@pytest.fixture(scope="module")
def fresh():
    server = Server("--port", "0")
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def forgetful():
    server = Server("--port", "0", "--no-prefix-cache")
    yield server
    assert server.stop() == 0


def test_hits_show_and_change_nothing(fresh, forgetful):
    first, second, other = (ask(fresh, q) for q in ("What is two plus three?", "What is two plus three?", "Why?"))
    assert cached(first) == 0
    assert cached(second) == (second.usage.prompt_tokens - 1) // 32 * 32 or cached(second) > second.usage.prompt_tokens - 65
    assert 0 < cached(other) < other.usage.prompt_tokens
    for answer, question in ((first, "What is two plus three?"), (second, "What is two plus three?"), (other, "Why?")):
        alone = ask(forgetful, question)
        assert cached(alone) == 0
        assert text(answer) == text(alone)


@pytest.mark.parametrize("options, finds", [((), True), (("--no-prefix-cache-answers",), False)])
def test_the_next_turn_finds_the_answer(options, finds):
    server = Server("--port", "0", *options)
    try:
        prompt = list(range(100, 140))

        def turn():
            return client(server).completions.create(
                model="deepseek", prompt=prompt, temperature=0, max_tokens=160,
                extra_body={"ignore_eos": True, "return_token_ids": True})

        first = turn()
        prompt += first.choices[0].token_ids + [100, 101, 102]
        second, third = turn(), turn()
        # The first prompt's full block is found in either case, the answer's only where they are kept; then the whole prompt.
        assert [cached(answer) for answer in (first, second)] == [0, 192 if finds else 32]
        assert cached(third) == 192
    finally:
        assert server.stop() == 0


def test_tenants_do_not_share(fresh):
    question = "Whose turn is it?"
    assert cached(ask(fresh, question, cache_salt="one")) == 0
    assert cached(ask(fresh, question, cache_salt="two")) == 0
    assert cached(ask(fresh, question, cache_salt="one")) > 0
    with pytest.raises(openai.BadRequestError, match="cache_salt"):
        ask(fresh, question, cache_salt="")


def test_many_with_one_beginning(fresh, forgetful):
    questions = [f"What is {n} plus {n + 1}?" for n in range(16)]
    expected = [text(ask(forgetful, question)) for question in questions]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda question: ask(fresh, question, cache_salt="together"), questions))
    assert [text(answer) for answer in answers] == expected
    # All but the first find at least the system prompt's full blocks.
    assert sum(cached(answer) == 0 for answer in answers) <= 1


def test_timeout_is_an_error(fresh):
    with pytest.raises(openai.APIStatusError) as caught:
        ask(fresh, "Count to a thousand.", tokens=1500, timeout=0.05, ignore_eos=True)
    assert caught.value.status_code == 504
    assert caught.value.code == "deadline_exceeded"


def test_waiting_too_long_is_refused():
    server = Server("--port", "0", "--max-batch-size", "1", "--max-queue-delay-ms", "100")
    try:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            def one(_):
                try:
                    return ask(server, "Count.", tokens=1500, ignore_eos=True).choices[0].finish_reason
                except openai.APIStatusError as error:
                    return error.status_code, error.code, error.response.headers.get("retry-after")
            results = list(pool.map(one, range(8)))
        assert ("length" in results) and ((503, "queue_timeout", "1") in results), results
    finally:
        assert server.stop() == 0


def test_flags_are_checked():
    for flags, name in (
        (("--scheduling-policy", "sjf"), "scheduling-policy"),
        (("--max-queue-delay-ms", "0"), "max-queue-delay-ms"),
        (("--max-queued-tokens", "0"), "max-queued-tokens"),
        (("--max-inter-token-latency-ms", "-1"), "max-inter-token-latency-ms"),
    ):
        with pytest.raises(RuntimeError, match=name):
            Server("--port", "0", *flags)


def test_other_names_of_flags():
    server = Server(
        "--port", "0", "--no-enable-prefix-caching", "--max-num-queued-tokens", "5000", "--batch-size", "4",
        "--scheduling-policy", "priority")
    try:
        assert cached(ask(server, "Hello?", priority=-3)) == 0
        assert cached(ask(server, "Hello?", priority=5)) == 0
    finally:
        assert server.stop() == 0
