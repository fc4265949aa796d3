"""The official `tritonclient` (HTTP, gRPC, their asyncio forms) against deepseek-server, used as its examples use it."""

import asyncio
import json
import queue
import re
import time

import numpy as np
import pytest
import requests
import tritonclient.grpc as grpcclient
import tritonclient.grpc.aio as grpcaio
import tritonclient.http as httpclient
import tritonclient.http.aio as httpaio
from tritonclient.grpc._utils import _get_inference_request
from tritonclient.utils import InferenceServerException, np_to_triton_dtype
from tritonclient.utils import shared_memory

from conftest import Server


def grpc_port(server):
    """The port that the log names."""
    for line in server.lines:
        found = re.search(r"listening on grpc://[^:]+:(\d+)", line)
        if found:
            return int(found.group(1))
    raise RuntimeError("no gRPC port:\n" + "".join(server.lines))


@pytest.fixture(scope="session")
def triton():
    server = Server("--port", "0", "--grpc-port", "0", "--conformance-models")
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="session", params=["http", "grpc"])
def client(request, triton):
    """Module and client of either transport: they have the same methods."""
    if request.param == "http":
        return httpclient, httpclient.InferenceServerClient(f"127.0.0.1:{triton.port}", concurrency=8)
    return grpcclient, grpcclient.InferenceServerClient(f"127.0.0.1:{grpc_port(triton)}")


def as_json(value):
    """HTTP's client gives dictionaries, gRPC's gives messages."""
    if isinstance(value, (dict, list)):
        return value
    from google.protobuf import json_format
    return json_format.MessageToDict(value, preserving_proto_field_name=True)


LEFT = np.arange(16, dtype=np.int32).reshape(1, 16)
RIGHT = np.ones((1, 16), dtype=np.int32)


def inputs(module, left=LEFT, right=RIGHT, **options):
    made = []
    for name, values in (("INPUT0", left), ("INPUT1", right)):
        tensor = module.InferInput(name, list(values.shape), np_to_triton_dtype(values.dtype))
        tensor.set_data_from_numpy(values, **options)
        made.append(tensor)
    return made


def check(result, left=LEFT, right=RIGHT):
    assert (result.as_numpy("OUTPUT0") == left + right).all()
    assert (result.as_numpy("OUTPUT1") == left - right).all()


def test_health_and_metadata(client):
    _, client = client
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready("simple") and client.is_model_ready("simple", "1")
    assert not client.is_model_ready("simple", "9") and not client.is_model_ready("nothing")
    metadata = as_json(client.get_server_metadata())
    assert metadata["name"] == "deepseek-server" and "binary_tensor_data" in metadata["extensions"]
    model = as_json(client.get_model_metadata("simple"))
    assert model["name"] == "simple" and model["versions"] == ["1"]
    assert model["inputs"][0]["name"] == "INPUT0" and [int(n) for n in model["inputs"][0]["shape"]] == [-1, 16]
    with pytest.raises(InferenceServerException, match="nothing"):
        client.get_model_metadata("nothing")


def test_configuration(client):
    _, client = client
    config = as_json(client.get_model_config("simple"))
    config = config.get("config", config)
    assert config["max_batch_size"] == 8 and config["input"][1]["data_type"] == "TYPE_INT32"
    text = as_json(client.get_model_config("deepseek"))
    text = text.get("config", text)
    assert text["model_transaction_policy"]["decoupled"] is True


def test_infer(client):
    module, client = client
    check(client.infer("simple", inputs(module)))
    outputs = [module.InferRequestedOutput("OUTPUT1")]
    result = client.infer("simple", inputs(module), outputs=outputs, request_id="7", model_version="1")
    assert (result.as_numpy("OUTPUT1") == LEFT - RIGHT).all() and result.as_numpy("OUTPUT0") is None
    response = as_json(result.get_response())
    assert response["id"] == "7" and response["model_version"] == "1" and len(response["outputs"]) == 1


def test_batch_of_several_rows(client):
    module, client = client
    left = np.arange(48, dtype=np.int32).reshape(3, 16)
    check(client.infer("simple", inputs(module, left, left)), left, left)


def test_http_json_and_binary_in_every_mixture(triton):
    client = httpclient.InferenceServerClient(f"127.0.0.1:{triton.port}")
    for binary_in in (True, False):
        for binary_out in (True, False):
            outputs = [httpclient.InferRequestedOutput(name, binary_data=binary_out) for name in ("OUTPUT0", "OUTPUT1")]
            result = client.infer("simple", inputs(httpclient, binary_data=binary_in), outputs=outputs)
            check(result)
            assert ("data" in result.get_response()["outputs"][0]) != binary_out


def test_int8_and_strings(client):
    module, client = client
    left, right = LEFT.astype(np.int8), RIGHT.astype(np.int8)
    check(client.infer("simple_int8", inputs(module, left, right)), left, right)
    texts = [np.array([[str(n).encode() for n in row] for row in a], dtype=np.object_) for a in (LEFT, RIGHT)]
    result = client.infer("simple_string", inputs(module, *texts))
    assert [int(text) for text in result.as_numpy("OUTPUT0").flatten()] == list((LEFT + RIGHT).flatten())


def test_identity_keeps_any_bytes(client):
    module, client = client
    values = np.array([["", "é\n\0", "x" * 1000]], dtype=np.object_)
    tensor = module.InferInput("INPUT0", [1, 3], "BYTES")
    tensor.set_data_from_numpy(values)
    found = client.infer("simple_identity", [tensor]).as_numpy("OUTPUT0")
    assert [text.decode() for text in found.flatten()] == list(values.flatten())


def test_raw_binary_request(triton):
    answer = requests.post(
        f"{triton.url}/v2/models/simple_identity/infer", data=b"abc", headers={"Inference-Header-Content-Length": "0"})
    length = int(answer.headers["Inference-Header-Content-Length"])
    assert json.loads(answer.content[:length])["outputs"][0]["shape"] == [1, 1]
    assert answer.content[length:] == b"\3\0\0\0abc"


def test_async_calls(client):
    module, client = client
    if module is httpclient:
        for call in [client.async_infer("simple", inputs(module)) for _ in range(8)]:
            check(call.get_result())
        return
    results = queue.Queue()
    for _ in range(8):
        client.async_infer("simple", inputs(module), lambda result, error: results.put((result, error)))
    for _ in range(8):
        result, error = results.get(timeout=30)
        assert error is None
        check(result)


def test_asyncio_clients(triton):
    async def run(module, address):
        async with module.InferenceServerClient(address) as client:
            assert await client.is_server_ready()
            results = await asyncio.gather(*[client.infer("simple", inputs(module)) for _ in range(8)])
            for result in results:
                check(result)

    asyncio.run(run(httpaio, f"127.0.0.1:{triton.port}"))
    asyncio.run(run(grpcaio, f"127.0.0.1:{grpc_port(triton)}"))


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda m: inputs(m)[:1], "INPUT1"),
        (lambda m: inputs(m, LEFT[:, :8]), r"\[-1, 16\]"),
        (lambda m: inputs(m, LEFT.astype(np.int64)), "INT32"),
        (lambda m: inputs(m, np.zeros((9, 16), np.int32), np.zeros((9, 16), np.int32)), "1...8"),
    ])
def test_wrong_requests_name_what_is_wrong(client, make, message):
    module, client = client
    with pytest.raises(InferenceServerException, match=message) as error:
        client.infer("simple", make(module))
    assert error.value.status() in ("400", "StatusCode.INVALID_ARGUMENT")
    check(client.infer("simple", inputs(module)))


def test_unknown_model_and_output(client):
    module, client = client
    with pytest.raises(InferenceServerException, match="nothing") as error:
        client.infer("nothing", inputs(module))
    assert error.value.status() in ("404", "StatusCode.NOT_FOUND")
    with pytest.raises(InferenceServerException, match="OUTPUT9"):
        client.infer("simple", inputs(module), outputs=[module.InferRequestedOutput("OUTPUT9")])


def test_statistics_count(client):
    module, client = client

    def count():
        stats = as_json(client.get_inference_statistics("simple"))["model_stats"][0]
        return int(stats.get("inference_count", 0)), int(stats["inference_stats"]["success"].get("count", 0))

    before = count()
    three = np.zeros((3, 16), np.int32)
    client.infer("simple", inputs(module, three, three))
    assert count() == (before[0] + 3, before[1] + 1)
    names = [m["name"] for m in as_json(client.get_inference_statistics())["model_stats"]]
    assert {"simple", "deepseek"} <= set(names)


def test_sequences(client):
    module, client = client

    def send(value, **options):
        tensor = module.InferInput("INPUT", [1, 1], "INT32")
        tensor.set_data_from_numpy(np.array([[value]], np.int32))
        return client.infer("simple_sequence", [tensor], **options).as_numpy("OUTPUT")[0][0]

    for sequence in (1001, "named"):
        values = [0, 11, 7, 5]
        found = [
            send(value, sequence_id=sequence, sequence_start=i == 0, sequence_end=i == len(values) - 1)
            for i, value in enumerate(values)]
        assert found == [1, 11, 7, 5]
        with pytest.raises(InferenceServerException, match="sequence_start"):
            send(3, sequence_id=sequence)


def stream(triton, requests_):
    """Sends requests over one stream; returns what came, until an answer is the last of each."""
    found = queue.Queue()
    client = grpcclient.InferenceServerClient(f"127.0.0.1:{grpc_port(triton)}")
    client.start_stream(callback=lambda result, error: found.put((result, error)))
    for arguments in requests_:
        client.async_stream_infer(**arguments)
    return client, found


def test_stream_of_sequences(triton):
    calls = []
    for i, value in enumerate([0, 3, 4]):
        tensor = grpcclient.InferInput("INPUT", [1, 1], "INT32")
        tensor.set_data_from_numpy(np.array([[value]], np.int32))
        calls.append(dict(
            model_name="simple_sequence", inputs=[tensor], sequence_id=77, sequence_start=i == 0, sequence_end=i == 2))
    client, found = stream(triton, calls)
    answers = [found.get(timeout=30) for _ in calls]
    client.stop_stream()
    assert [int(result.as_numpy("OUTPUT")[0][0]) for result, _ in answers] == [1, 3, 4]


def repeat(values):
    made = []
    for name, data, kind in (("IN", values, np.int32), ("DELAY", [0] * len(values), np.uint32), ("WAIT", [0], np.uint32)):
        array = np.array(data, kind)
        tensor = grpcclient.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
        tensor.set_data_from_numpy(array)
        made.append(tensor)
    return made


def test_decoupled_stream_with_empty_final_answer(triton):
    client, found = stream(triton, [dict(
        model_name="repeat_int32", inputs=repeat([4, 2, 0]), request_id="a", enable_empty_final_response=True)])
    answers = [found.get(timeout=30)[0] for _ in range(4)]
    client.stop_stream()
    assert [int(answer.as_numpy("OUT")[0]) for answer in answers[:3]] == [4, 2, 0]
    final = [answer.get_response().parameters["triton_final_response"].bool_param for answer in answers]
    assert final == [False, False, False, True]
    assert {answer.get_response().id for answer in answers} == {"a"}


def test_errors_in_a_stream_do_not_end_it(triton):
    client, found = stream(triton, [
        dict(model_name="nothing", inputs=repeat([1]), request_id="bad"),
        dict(model_name="repeat_int32", inputs=repeat([5]), request_id="good")])
    _, error = found.get(timeout=30)
    assert "nothing" in error.message()
    result, error = found.get(timeout=30)
    assert error is None and int(result.as_numpy("OUT")[0]) == 5
    client.stop_stream()


def text_inputs(module, text, streams=False, **parameters):
    prompt = module.InferInput("text_input", [1], "BYTES")
    prompt.set_data_from_numpy(np.array([text.encode()], np.object_))
    flag = module.InferInput("stream", [1], "BOOL")
    flag.set_data_from_numpy(np.array([streams]))
    sampling = module.InferInput("sampling_parameters", [1], "BYTES")
    sampling.set_data_from_numpy(np.array([json.dumps({"temperature": 0, "max_tokens": 12, **parameters})], np.object_))
    return [prompt, flag, sampling]


PROMPT = "What is 2 + 3?"


def expected_text(triton):
    """The same prompt over OpenAI's API."""
    answer = requests.post(triton.url + "/v1/completions", json=dict(
        model="deepseek", prompt=PROMPT, temperature=0, max_tokens=12)).json()
    return answer["choices"][0]["text"]


def test_language_model_infer(client, triton):
    module, client = client
    result = client.infer("deepseek", text_inputs(module, PROMPT))
    assert result.as_numpy("text_output")[0].decode() == PROMPT + expected_text(triton)
    asked = [module.InferRequestedOutput(name) for name in ("text_output", "finish_reason", "num_output_tokens")]
    result = client.infer("deepseek", text_inputs(module, PROMPT), outputs=asked)
    assert result.as_numpy("finish_reason")[0] in (b"length", b"stop")
    assert 0 < result.as_numpy("num_output_tokens")[0] <= 12
    with pytest.raises(InferenceServerException, match="temperature"):
        client.infer("deepseek", text_inputs(module, PROMPT, temperature="hot"))
    for text in (b"hot", b"[1]"):
        inputs = text_inputs(module, PROMPT)
        inputs[2].set_data_from_numpy(np.array([text], np.object_))
        with pytest.raises(InferenceServerException, match="'sampling_parameters'"):
            client.infer("deepseek", inputs)
    for index, name in ((0, "text_input"), (2, "sampling_parameters")):
        inputs = text_inputs(module, PROMPT)
        inputs[index].set_data_from_numpy(np.array([b'{"seed": "\xff"}'], np.object_))
        with pytest.raises(InferenceServerException, match=f"'{name}': expected UTF-8"):
            client.infer("deepseek", inputs)


def test_language_model_stream(triton):
    client, found = stream(triton, [dict(
        model_name="deepseek", inputs=text_inputs(grpcclient, PROMPT, True), enable_empty_final_response=True)])
    pieces = []
    while True:
        result, error = found.get(timeout=60)
        assert error is None
        if result.get_response().parameters["triton_final_response"].bool_param:
            break
        pieces.append(result.as_numpy("text_output")[0].decode())
    client.stop_stream()
    assert "".join(pieces) == expected_text(triton) and len(pieces) > 2


def running(triton):
    return requests.get(triton.url + "/health").json()["models"]["deepseek"]["running_requests"]


def wait_until(condition):
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("did not happen within 30 s")


def test_cancelled_streams_end_their_requests(triton):
    client, found = stream(triton, [dict(
        model_name="deepseek", inputs=text_inputs(grpcclient, PROMPT, True, max_tokens=1500, ignore_eos=True))])
    assert found.get(timeout=60)[1] is None
    assert running(triton) == 1
    client.stop_stream(cancel_requests=True)
    wait_until(lambda: running(triton) == 0)


def test_generate(triton):
    url = triton.url + "/v2/models/deepseek/generate"
    body = dict(text_input=PROMPT, parameters=dict(temperature=0, max_tokens=12, exclude_input_in_output=True))
    answer = requests.post(url, json={**body, "id": "x"}).json()
    assert answer == {
        "model_name": "deepseek", "model_version": "1", "id": "x", "text_output": expected_text(triton)}
    echoed = requests.post(url, json=dict(text_input=PROMPT, temperature=0, max_tokens=12)).json()
    assert echoed["text_output"] == PROMPT + expected_text(triton)
    wrong = requests.post(url, json=dict(parameters={}))
    assert wrong.status_code == 400 and "text_input" in wrong.json()["error"]
    assert requests.post(triton.url + "/v2/models/x/generate", json=body).status_code == 404


def test_generate_stream(triton):
    url = triton.url + "/v2/models/deepseek/generate_stream"
    body = dict(text_input=PROMPT, stream=True, temperature=0, max_tokens=12)
    with requests.post(url, json=body, stream=True) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = [json.loads(line[6:]) for line in answer.iter_lines() if line.startswith(b"data: ")]
    assert "".join(event["text_output"] for event in events) == expected_text(triton) and len(events) > 2
    wrong = requests.post(url, json={**body, "temperature": "hot"})
    assert wrong.status_code == 400 and "temperature" in wrong.json()["error"]


def test_dropped_generate_stream_ends_its_request(triton):
    body = dict(text_input=PROMPT, stream=True, max_tokens=1500, ignore_eos=True)
    with requests.post(triton.url + "/v2/models/deepseek/generate_stream", json=body, stream=True) as answer:
        lines = answer.iter_lines(chunk_size=1)
        next(lines)
        assert running(triton) == 1
    wait_until(lambda: running(triton) == 0)


def test_generate_of_a_tensor_model(triton):
    answer = requests.post(triton.url + "/v2/models/simple/generate", json=dict(
        INPUT0=list(range(16)), INPUT1=[1] * 16)).json()
    assert answer["OUTPUT0"] == list(range(1, 17))


def test_system_shared_memory(client):
    module, client = client
    client.unregister_system_shared_memory()
    client.unregister_cuda_shared_memory()
    size = LEFT.nbytes
    source = shared_memory.create_shared_memory_region("in", f"/ds_in_{module.__name__}", 2 * size)
    target = shared_memory.create_shared_memory_region("out", f"/ds_out_{module.__name__}", 2 * size)
    try:
        shared_memory.set_shared_memory_region(source, [LEFT, RIGHT])
        client.register_system_shared_memory("in", f"/ds_in_{module.__name__}", 2 * size)
        client.register_system_shared_memory("out", f"/ds_out_{module.__name__}", 2 * size)
        status = as_json(client.get_system_shared_memory_status())
        assert "in" in json.dumps(status) and "out" in json.dumps(status)
        tensors, outputs = [], []
        for i in range(2):
            tensors.append(module.InferInput(f"INPUT{i}", [1, 16], "INT32"))
            tensors[i].set_shared_memory("in", size, offset=i * size)
            outputs.append(module.InferRequestedOutput(f"OUTPUT{i}"))
            outputs[i].set_shared_memory("out", size, offset=i * size)
        client.infer("simple", tensors, outputs=outputs)
        found = shared_memory.get_contents_as_numpy(target, np.int32, [2, 16])
        assert (found[0] == LEFT + RIGHT).all() and (found[1] == LEFT - RIGHT).all()
        tensors[0].set_shared_memory("in", size, offset=10 * size)
        with pytest.raises(InferenceServerException, match="'in'"):
            client.infer("simple", tensors)
        client.unregister_system_shared_memory("in")
        with pytest.raises(InferenceServerException, match="registered"):
            client.infer("simple", tensors)
        with pytest.raises(InferenceServerException, match="no_such"):
            client.register_system_shared_memory("x", "/no_such_object", 8)
    finally:
        client.unregister_system_shared_memory()
        shared_memory.destroy_shared_memory_region(source)
        shared_memory.destroy_shared_memory_region(target)


def test_logging_and_trace_settings(client):
    _, client = client
    assert as_json(client.get_log_settings())
    assert as_json(client.get_trace_settings())


def test_grpc_health_service(triton):
    import grpc
    channel = grpc.insecure_channel(f"127.0.0.1:{grpc_port(triton)}")
    check_ = channel.unary_unary("/grpc.health.v1.Health/Check")
    assert check_(b"") == b"\x08\x01"
    name = b"simple"
    assert check_(b"\x0a" + bytes([len(name)]) + name) == b"\x08\x01"
    with pytest.raises(grpc.RpcError) as error:
        check_(b"\x0a\x01x")
    assert error.value.code() == grpc.StatusCode.NOT_FOUND


def test_not_explicit_refuses_to_load(client):
    _, client = client
    with pytest.raises(InferenceServerException, match="explicit"):
        client.unload_model("deepseek")
    assert client.is_model_ready("deepseek")


def test_hostile_bodies_are_4xx(triton):
    url = triton.url + "/v2/models/simple/infer"
    tensor = dict(name="INPUT0", shape=[1, 16], datatype="INT32")
    bodies = [
        b"", b"[]", b"{", b"{}", json.dumps(dict(inputs=[1])).encode(), json.dumps(dict(inputs=[tensor])).encode(),
        json.dumps(dict(inputs=[{**tensor, "data": [1]}])).encode(),
        json.dumps(dict(inputs=[{**tensor, "shape": [-1, 16], "data": []}])).encode(),
        json.dumps(dict(inputs=[{**tensor, "shape": [2**62, 2**62], "data": []}])).encode(),
        json.dumps(dict(inputs=[{**tensor, "parameters": {"binary_data_size": 64}}])).encode(),
        json.dumps(dict(inputs=[{**tensor, "parameters": {"binary_data_size": -1}}])).encode(),
        json.dumps(dict(inputs=[{**tensor, "parameters": {"shared_memory_region": "x"}}])).encode(),
    ]
    for body in bodies:
        for headers in ({}, {"Inference-Header-Content-Length": str(len(body))},
                        {"Inference-Header-Content-Length": "99999"}, {"Inference-Header-Content-Length": "x"},
                        {"Inference-Header-Content-Length": "-1"}):
            answer = requests.post(url, data=body, headers=headers)
            assert 400 <= answer.status_code < 500 and isinstance(answer.json()["error"], str), (body, headers)
    assert requests.get(triton.url + "/v2/models/simple/versions/x").status_code == 400
    assert requests.get(url).status_code == 405


def test_hostile_messages_are_errors(triton):
    import grpc
    channel = grpc.insecure_channel(f"127.0.0.1:{grpc_port(triton)}")
    good = _get_inference_request(
        inputs=inputs(grpcclient), model_name="simple", model_version="", outputs=None, request_id="",
        sequence_id=0, sequence_start=False, sequence_end=False, priority=0, timeout=None, parameters=None,
    ).SerializeToString()
    infer = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
    assert infer(good)
    wrong = [good[:n] for n in range(0, len(good) - 1, 7)] + [
        b"\xff" * 20, b"\x0a\xff\xff\xff\xff\x0f", b"\x0b", b"\x0a\x02\xff\xfe",
        good.replace(b"INT32", b"INT33"), good.replace(b"INT32", b"BYTES")]
    for message in wrong:
        with pytest.raises(grpc.RpcError) as error:
            infer(message)
        assert error.value.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND), message
    for method in ("ModelMetadata", "RepositoryModelLoad", "SystemSharedMemoryRegister", "ModelConfig"):
        with pytest.raises(grpc.RpcError):
            channel.unary_unary(f"/inference.GRPCInferenceService/{method}")(b"\x0a\xff\xff")
    with pytest.raises(grpc.RpcError) as error:
        channel.unary_unary("/inference.GRPCInferenceService/Nothing")(b"")
    assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert infer(good)


def test_keys_hold_for_grpc_too():
    server = Server("--port", "0", "--grpc-port", "0", "--conformance-models", "--api-key", "secret")
    client = grpcclient.InferenceServerClient(f"127.0.0.1:{grpc_port(server)}")
    assert client.is_server_live()
    for headers in ({}, {"authorization": "Bearer wrong"}):
        with pytest.raises(InferenceServerException, match="key") as error:
            client.infer("simple", inputs(grpcclient), headers=headers)
        assert error.value.status() == "StatusCode.UNAUTHENTICATED"
    for headers in ({"authorization": "Bearer secret"}, {"x-api-key": "secret"}):
        check(client.infer("simple", inputs(grpcclient), headers=headers))
    assert server.stop() == 0
