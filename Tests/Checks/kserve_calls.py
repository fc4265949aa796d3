"""Calls of KServe's own client. Its protocol buffers and tritonclient's cannot live in one process, so that
test_kserve_client.py runs this file: kserve_calls.py REST-URL GRPC-ADDRESS"""

import asyncio
import sys

import numpy as np
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig


def request(binary, model="simple"):
    made = []
    for name, values in (("INPUT0", np.arange(16)), ("INPUT1", np.ones(16))):
        tensor = InferInput(name, [1, 16], "INT32")
        tensor.set_data_from_numpy(values.astype(np.int32).reshape(1, 16), binary_data=binary)
        made.append(tensor)
    return InferRequest(model_name=model, infer_inputs=made, request_id="7")


def check(response):
    outputs = {output.name: output.as_numpy() for output in response.outputs}
    assert (outputs["OUTPUT0"].flatten() == np.arange(16) + 1).all()
    assert (outputs["OUTPUT1"].flatten() == np.arange(16) - 1).all()
    assert response.id == "7" and response.model_name == "simple"


async def rest(url):
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    assert await client.is_server_live(url) is True
    assert await client.is_server_ready(url) is True
    assert await client.is_model_ready(url, "simple")
    assert not await client.is_model_ready(url, "nothing")
    for binary in (False, True):
        check(await client.infer(url, request(binary), model_name="simple"))
    try:
        await client.infer(url, request(False), model_name="nothing")
    except Exception as error:
        assert "404" in str(error) and "nothing" in str(error), error
    else:
        raise AssertionError("an unknown model answered")
    await client.close()


async def grpc(address):
    client = InferenceGRPCClient(address, retries=2)
    assert await client.is_server_live() and await client.is_server_ready()
    assert await client.is_model_ready("simple")
    for binary in (False, True):
        check(await client.infer(request(binary)))
    try:
        await client.infer(request(False, "nothing"))
    except Exception as error:
        assert "nothing" in str(error), error
    else:
        raise AssertionError("an unknown model answered")
    await client.close()


asyncio.run(rest(sys.argv[1]))
asyncio.run(grpc(sys.argv[2]))
print("every call answered")
