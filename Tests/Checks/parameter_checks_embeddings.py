"""Parameters of `/v1/embeddings`."""

import base64

import numpy
import openai

from parameters import TEXT, check

SECTION = "Embeddings"
PATH = "/v1/embeddings"


def vectors(api, **fields):
    answer = api.post(PATH, {"input": TEXT, **fields})
    assert answer["object"] == "list" and [entry["index"] for entry in answer["data"]] == list(range(len(answer["data"])))
    return numpy.array([entry["embedding"] for entry in answer["data"]])


@check(SECTION, "model", "user")
def model(api):
    assert api.post(PATH, {"model": "deepseek", "input": TEXT, "user": "x"})["model"] == "deepseek"
    api.post(PATH, {"model": "absent", "input": TEXT}, 404)
    api.refused(PATH, {"input": TEXT, "user": 5}, "user")


@check(SECTION, "input")
def embedding_input(api):
    ids = api.post("/tokenize", {"prompt": TEXT})["tokens"]
    (one,) = vectors(api)
    assert abs(numpy.linalg.norm(one) - 1) < 1e-5
    assert (vectors(api, input=ids)[0] == one).all()
    # What stands beside a text changes nothing.
    many = vectors(api, input=[TEXT, "A city in France", ids and "12 + 30"])
    assert (many[0] == one).all() and len(many) == 3 and not (many[1] == one).any()
    usage = api.post(PATH, {"input": [ids, ids]})["usage"]
    assert usage == {"prompt_tokens": 2 * len(ids), "total_tokens": 2 * len(ids)}
    for wrong in ([], [[]], [[1 << 30]]):
        api.refused(PATH, {"input": wrong}, "input")


@check(SECTION, "encoding_format")
def encoding_format(api):
    encoded = api.post(PATH, {"input": TEXT, "encoding_format": "base64"})["data"][0]["embedding"]
    assert numpy.allclose(numpy.frombuffer(base64.b64decode(encoded), "<f4"), vectors(api)[0], atol=1e-7)
    # OpenAI's client asks for base64 by itself.
    client = openai.OpenAI(base_url=api.url + "/v1", api_key="none", max_retries=0)
    found = client.embeddings.create(model="deepseek", input=TEXT).data[0].embedding
    assert numpy.allclose(found, vectors(api)[0], atol=1e-7)
    api.refused(PATH, {"input": TEXT, "encoding_format": "hex"}, "encoding_format")


@check(SECTION, "dimensions")
def dimensions(api):
    (whole,), (short,) = vectors(api), vectors(api, dimensions=16)
    assert numpy.allclose(short, whole[:16] / numpy.linalg.norm(whole[:16]), atol=1e-6)
    api.refused(PATH, {"input": TEXT, "dimensions": len(whole) + 1}, "dimensions")


@check(SECTION, "truncate_prompt_tokens", "truncation_side")
def truncate(api):
    ids = api.post("/tokenize", {"prompt": "one two three four five six"})["tokens"]
    assert (vectors(api, input=ids, truncate_prompt_tokens=2) == vectors(api, input=ids[-2:])).all()
    assert (vectors(api, input=ids, truncate_prompt_tokens=2, truncation_side="right") == vectors(api, input=ids[:2])).all()
    assert api.post(PATH, {"input": ids * 1000, "truncate_prompt_tokens": -1})["usage"]["prompt_tokens"] == 2048
    error = api.post(PATH, {"input": ids * 1000}, 400)["error"]
    assert error["code"] == "context_length_exceeded" and error["param"] == "input"
