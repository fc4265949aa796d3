"""Blocks of the prefix cache below memory: a disk, and buckets of an S3 server by others (moto, which checks signatures)."""

import json
import os

import pytest
import requests

# Three requests make the user; every later one must be signed by a user who may do what it asks for.
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "3"
import boto3
import moto.server

from conftest import Server

PROMPT = " ".join(f"In year {year} the harvest weighed {year * 7 % 991} tons." for year in range(1900, 1925))
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


def complete(server, prompt=PROMPT):
    body = {"prompt": prompt, "max_tokens": 8, "temperature": 0, "logprobs": 1}
    response = requests.post(server.url + "/v1/completions", json=body)
    assert response.status_code == 200, response.text
    return response.json()["choices"], response.json()["usage"]["prompt_tokens_details"]["cached_tokens"]


def test_prompts_survive_a_restart_on_disk(tmp_path):
    arguments = ("--port", "0", "--prefix-cache-dir", str(tmp_path / "cache"))
    server = Server(*arguments)
    computed, cached = complete(server)
    assert cached == 0
    assert server.stop() == 0
    files = list((tmp_path / "cache").rglob("*.block"))
    assert files

    server = Server(*arguments)
    found, cached = complete(server)
    assert cached > 500 and found == computed
    assert server.stop() == 0

    # What is damaged is computed again.
    for file in files:
        content = bytearray(file.read_bytes())
        content[-1] ^= 1
        file.write_bytes(content)
    server = Server(*arguments)
    found, cached = complete(server)
    assert cached == 0 and found == computed
    assert server.stop() == 0
    # The log says so once, not for every file.
    [line] = [line for line in server.lines if "was removed" in line]
    assert str(tmp_path) in line and "expected the digest at its end" in line


def test_the_directory_keeps_to_its_limit(tmp_path):
    server = Server("--port", "0", "--prefix-cache-dir", str(tmp_path), "--prefix-cache-dir-size", "1")
    for number in range(12):
        complete(server, f"{number} {PROMPT}")
    assert server.stop() == 0
    sizes = [file.stat().st_size for file in tmp_path.rglob("*.block")]
    assert sizes and sum(sizes) <= 1 << 20


@pytest.fixture(scope="module")
def bucket():
    """An S3 server that knows one user, and the environment with which that user signs."""
    server = moto.server.ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://127.0.0.1:{port}"
    anonymous = {"endpoint_url": endpoint, "region_name": "eu-central-1",
                 "aws_access_key_id": "x", "aws_secret_access_key": "x"}
    iam = boto3.client("iam", **anonymous)
    iam.create_user(UserName="engine")
    iam.put_user_policy(UserName="engine", PolicyName="s3", PolicyDocument=json.dumps(POLICY))
    key = iam.create_access_key(UserName="engine")["AccessKey"]
    signed = {**anonymous, "aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    s3 = boto3.client("s3", **signed)
    s3.create_bucket(Bucket="kv-blocks", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    yield endpoint, s3, {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    server.stop()


def arguments(endpoint):
    return ("--port", "0", "--prefix-cache-s3", "s3://kv-blocks/models/test run", "--prefix-cache-s3-endpoint",
            endpoint, "--prefix-cache-s3-region", "eu-central-1")


def objects(s3):
    return s3.list_objects_v2(Bucket="kv-blocks").get("Contents", [])


def test_prompts_are_shared_over_a_bucket(bucket):
    endpoint, s3, environment = bucket
    server = Server(*arguments(endpoint), environment=environment)
    computed, cached = complete(server)
    assert cached == 0
    assert server.stop() == 0
    stored = objects(s3)
    assert stored and all(item["Key"].startswith("models/test run/") for item in stored)

    server = Server(*arguments(endpoint), environment=environment)
    found, cached = complete(server)
    assert cached > 500 and found == computed
    assert server.stop() == 0


def test_an_object_store_that_does_not_answer_costs_no_request(bucket):
    _, _, environment = bucket
    server = Server(*arguments("http://127.0.0.1:9"), environment=environment)
    _, cached = complete(server)
    assert cached == 0
    assert server.stop() == 0
