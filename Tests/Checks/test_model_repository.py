"""A model repository as Triton has it: layouts, versions, control modes, and memory that comes back."""

import concurrent.futures
import json
import pathlib
import shutil
import time

import numpy as np
import pytest
import requests
import tritonclient.http as httpclient
from tritonclient.utils import InferenceServerException

from conftest import ROOT, Server

MODEL = ROOT / "Sources/CDSDefaultModel/default.ds"


def add(repository, name, versions=(1,), config=None):
    for version in versions:
        folder = repository / name / str(version)
        folder.mkdir(parents=True)
        shutil.copy(MODEL, folder / "model.ds")
    if config is not None:
        (repository / name / "config.pbtxt").write_text(config)


@pytest.fixture
def repository(tmp_path):
    path = tmp_path / "models"
    path.mkdir()
    return path


@pytest.fixture
def start():
    servers = []

    def start(repository, *arguments):
        servers.append(Server("--port", "0", "--model-repository", str(repository), *arguments))
        return servers[-1], httpclient.InferenceServerClient(f"127.0.0.1:{servers[-1].port}", network_timeout=120)

    yield start
    for server in servers:
        assert server.stop() == 0


def states(client, name):
    return {entry["version"]: entry["state"] for entry in client.get_model_repository_index()
            if entry["name"] == name and "version" in entry}


def wait_until(condition):
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("did not happen within 30 s")


def generate(server, name, version=None):
    path = f"/v2/models/{name}" + (f"/versions/{version}" if version else "") + "/generate"
    return requests.post(server.url + path, json=dict(text_input="2 + 3 =", temperature=0, max_tokens=4))


def test_versions_and_policies(repository, start):
    add(repository, "latest", (1, 3, 10))
    add(repository, "both", (1, 2), "version_policy { all { } }")
    add(repository, "chosen", (1, 2, 3), "version_policy: { specific { versions: [1, 3] } }\nmetric_tags { key: \"a\" value: \"b\" }")
    shutil.copy(MODEL, repository / "plain.ds")
    server, client = start(repository)
    assert states(client, "latest") == {"10": "READY"}
    assert states(client, "both") == {"1": "READY", "2": "READY"}
    assert states(client, "chosen") == {"1": "READY", "3": "READY"}
    assert states(client, "plain") == {"1": "READY"}
    assert client.get_model_metadata("both")["versions"] == ["1", "2"]
    assert generate(server, "both", 1).json()["model_version"] == "1"
    assert generate(server, "both").json()["model_version"] == "2"
    assert generate(server, "both", 7).status_code == 404
    assert {m["id"] for m in requests.get(server.url + "/v1/models").json()["data"]} == {"latest", "both", "chosen", "plain"}
    assert any("metric_tags" in line for line in server.lines)


def test_a_wrong_configuration_names_its_line(repository):
    add(repository, "wrong", config="max_batch_size: 0\nmax_bach_size: 1")
    server = Server("--port", "0", "--model-repository", str(repository))
    assert server.process.wait(timeout=60) != 0
    assert any("config.pbtxt line 2: unknown field 'max_bach_size'" in line for line in server.lines), server.lines


BATCHING = """
max_batch_size: 2
instance_group [ { count: 1 kind: KIND_CPU } ]
dynamic_batching {
  preferred_batch_size: [ 2 ]
  max_queue_delay_microseconds: 100
  priority_levels: 3
  default_priority_level: 2
  default_queue_policy { default_timeout_microseconds: 60000000 max_queue_size: 3 }
}
"""


def batched_input(name, datatype, value):
    """Of one row, as a model with a batch dimension takes it."""
    tensor = httpclient.InferInput(name, [1, 1], datatype)
    tensor.set_data_from_numpy(np.array([[value]], np.object_))
    return tensor


def test_dynamic_batching_of_a_language_model_is_the_engines(repository, start):
    add(repository, "a", config=BATCHING)
    server, client = start(repository)
    for field in ("preferred_batch_size", "max_queue_delay_microseconds"):
        assert any("warning" in line and field in line for line in server.lines), server.lines
    config = client.get_model_config("a")
    assert config["max_batch_size"] == 2 and int(config["dynamic_batching"]["priority_levels"]) == 3
    assert client.get_model_metadata("a")["inputs"][0]["shape"] == [-1, 1]
    sampling = batched_input("sampling_parameters", "BYTES", json.dumps({"temperature": 0, "max_tokens": 4}).encode())
    inputs = [batched_input("text_input", "BYTES", b"2 + 3 ="), sampling]
    texts = set()
    for extra in ({}, {"priority": 1}, {"priority": 3}, {"timeout": 60_000_000}):
        result = client.infer("a", inputs, **extra).as_numpy("text_output")
        assert result.shape == (1, 1)
        texts.add(result[0][0])
    assert texts == {generate(server, "a").json()["text_output"].encode()}
    with pytest.raises(InferenceServerException, match=r"priority.*1\.\.\.3"):
        client.infer("a", inputs, priority=4)
    # A microsecond is over before the first step.
    with pytest.raises(InferenceServerException, match="timeout"):
        client.infer("a", inputs, timeout=1)
    # Two run, three wait.
    body = dict(text_input="2 + 3 =", max_tokens=400, ignore_eos=True)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        codes = [answer.status_code for answer in pool.map(
            lambda _: requests.post(server.url + "/v2/models/a/generate", json=body), range(16))]
    assert set(codes) == {200, 503} and codes.count(200) >= 5, codes


def test_priorities_of_a_configuration_order_what_waits(repository, start):
    add(repository, "a", config="max_batch_size: 1 dynamic_batching { priority_levels: 3 default_priority_level: 2 }")
    server, _ = start(repository)
    ended = []

    def ask(name, **body):
        requests.post(server.url + "/v2/models/a/generate", json=dict(text_input="2", ignore_eos=True, **body))
        ended.append(name)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        pool.submit(ask, "first", max_tokens=1500, priority=1)
        wait_until(lambda: "deepseek_pending_requests{model_name=\"a\"} 1.0" in metrics(server))
        for count, (name, priority) in enumerate([("low", 3), ("standard", 0), ("high", 1)]):
            # Long enough that clients' threads see the ends in the server's order.
            pool.submit(ask, name, max_tokens=400, priority=priority)
            wait_until(lambda: f"deepseek_pending_requests{{model_name=\"a\"}} {count + 2}.0" in metrics(server))
    assert ended == ["first", "high", "standard", "low"]


def metrics(server):
    return requests.get(server.url + "/metrics").text


@pytest.mark.parametrize("config, message", [
    ("max_batch_size: 4 dynamic_batching { preserve_ordering: true }", "dynamic_batching.preserve_ordering: expected false"),
    ("instance_group [ { count: 2 kind: KIND_CPU } ]", "instance_group: expected 1 instance"),
    ("instance_group [ { kind: KIND_GPU } ]", "instance_group: expected KIND_AUTO"),
    ("dynamic_batching { }", "expected a max_batch_size of at least 1, found 0"),
])
def test_what_a_language_model_cannot_do_is_refused(repository, config, message):
    add(repository, "a", config=config)
    server = Server("--port", "0", "--model-repository", str(repository))
    assert server.process.wait(timeout=60) != 0
    assert any(message in line for line in server.lines), server.lines


def test_explicit_control(repository, start):
    add(repository, "a")
    add(repository, "b", (1, 2))
    server, client = start(repository, "--model-control-mode", "explicit", "--load-model", "a")
    assert client.is_model_ready("a") and not client.is_model_ready("b")
    assert {entry["name"] for entry in client.get_model_repository_index()} == {"a", "b"}
    assert generate(server, "b").status_code == 503
    client.load_model("b")
    assert client.is_model_ready("b") and generate(server, "b").json()["model_version"] == "2"
    client.load_model("b", config=json.dumps({"version_policy": {"specific": {"versions": [1]}}}))
    wait_until(lambda: states(client, "b") == {"1": "READY", "2": "UNAVAILABLE"})
    assert generate(server, "b").json()["model_version"] == "1"
    client.unload_model("b")
    wait_until(lambda: set(states(client, "b").values()) == {"UNAVAILABLE"})
    assert not client.is_model_ready("b")
    assert [m["id"] for m in requests.get(server.url + "/v1/models").json()["data"]] == ["a"]
    with pytest.raises(InferenceServerException, match="nothing"):
        client.load_model("nothing")
    with pytest.raises(InferenceServerException, match="dims"):
        client.load_model("b", config='{"dims": 1}')
    (repository / "b/2/model.ds").write_bytes(b"rubbish")
    with pytest.raises(InferenceServerException, match="failed to load 'b'"):
        client.load_model("b")
    assert states(client, "b")["2"] == "UNAVAILABLE" and client.is_model_ready("a")


def test_a_failed_reload_keeps_what_answers(repository, start):
    add(repository, "a")
    server, client = start(repository, "--model-control-mode", "explicit", "--load-model", "*")
    before = generate(server, "a").json()
    (repository / "a/1/new.ds").write_bytes(b"rubbish")
    (repository / "a/config.pbtxt").write_text('default_model_filename: "new.ds"')
    with pytest.raises(InferenceServerException):
        client.load_model("a")
    assert generate(server, "a").json() == before
    entry = next(e for e in client.get_model_repository_index() if e["name"] == "a")
    assert entry["state"] == "READY" and "newer" in entry["reason"]


def test_the_index_says_why_a_model_cannot_be_loaded(repository, start):
    add(repository, "a")
    add(repository, "broken", config="max_batch_size {")
    _, client = start(repository, "--model-control-mode", "explicit", "--load-model", "a")
    entries = {entry["name"]: entry for entry in client.get_model_repository_index()}
    assert entries["a"]["state"] == "READY"
    assert entries["broken"]["state"] == "UNAVAILABLE" and "config.pbtxt" in entries["broken"]["reason"]


def test_running_requests_survive_unloading(repository, start):
    add(repository, "a")
    server, client = start(repository, "--model-control-mode", "explicit", "--load-model", "*")
    body = dict(text_input="2 + 3 =", stream=True, max_tokens=300, ignore_eos=True, return_num_output_tokens=True)
    with requests.post(server.url + "/v2/models/a/generate_stream", json=body, stream=True) as answer:
        lines = answer.iter_lines()
        next(lines)
        client.unload_model("a")
        assert generate(server, "a").status_code == 503
        events = [json.loads(line[6:]) for line in lines if line.startswith(b"data: ")]
    assert events[-1].get("num_output_tokens") == 300
    wait_until(lambda: states(client, "a") == {"1": "UNAVAILABLE"})


def test_polling_follows_the_folder(repository, start):
    add(repository, "a")
    server, client = start(repository, "--model-control-mode", "poll", "--repository-poll-secs", "1")
    assert states(client, "a") == {"1": "READY"}
    add(repository, "b")
    wait_until(lambda: client.is_model_ready("b"))
    add(repository, "a", (2,))
    wait_until(lambda: states(client, "a") == {"1": "UNAVAILABLE", "2": "READY"})
    shutil.rmtree(repository / "b")
    wait_until(lambda: not client.is_model_ready("b"))
    with pytest.raises(InferenceServerException, match="explicit"):
        client.load_model("a")


def test_the_limit_of_loaded_models_makes_room(repository, start):
    for name in ("a", "b"):
        add(repository, name)
    server, client = start(
        repository, "--model-control-mode", "explicit", "--load-model", "a", "--max-loaded-models", "1")
    client.load_model("b")
    assert client.is_model_ready("b") and not client.is_model_ready("a")


def resident(server):
    """KiB of private memory: files that are mapped are not ours to give back."""
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("RssAnon")).split()[1])


def test_unloading_gives_the_memory_back(repository, start):
    add(repository, "a")
    server, client = start(repository, "--model-control-mode", "explicit", "--cache-memory", "64")
    # Nothing is loaded, and whoever loads something must be able to reach it.
    assert requests.get(server.url + "/ready").status_code == 200
    refused = requests.post(server.url + "/v1/completions", json={"prompt": "a"})
    assert refused.status_code == 503 and "/v2/repository/models" in refused.json()["error"]["message"]
    empty = []
    loaded = []
    for _ in range(8):
        client.load_model("a")
        assert generate(server, "a").status_code == 200
        loaded.append(resident(server))
        client.unload_model("a")
        wait_until(lambda: states(client, "a") == {"1": "UNAVAILABLE"})
        empty.append(resident(server))
    print(f"KiB loaded: {loaded}, unloaded: {empty}")
    # The first cycle sets up threads and tables that stay. A leak of the model would grow with every cycle.
    model = MODEL.stat().st_size // 1024
    assert empty[-1] < empty[0] + max(4096, (loaded[0] - empty[0]) // 2)
    assert max(loaded) - min(empty) > model // 4
