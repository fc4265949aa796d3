"""schemathesis over the served description: no request that it makes may fail inside the server."""

import os

import pytest
import requests

import conftest

schemathesis = conftest.package("schemathesis")
hypothesis = conftest.package("hypothesis")

EXAMPLES = int(os.environ.get("OPENAPI_EXAMPLES", "40"))
# Random names reach no model.
MODELS = ["deepseek", "simple", "simple_string", "simple_identity", "repeat_int32", "absent"]


@pytest.fixture(scope="module")
def fuzzed():
    """A server of its own, so that hostile requests leave nothing behind for other tests."""
    server = conftest.Server("--port", "0", "--conformance-models")
    yield server
    assert server.process.poll() is None, "the server died"
    assert server.stop() == 0


def operations():
    """Known before a server runs: pytest collects first, so the test itself goes over what is served."""
    return ["/v1", "/tokenize", "/detokenize", "/v2", "/other"]


def group(path):
    return next((prefix for prefix in operations() if path.startswith(prefix)), "/other")


@pytest.mark.parametrize("prefix", operations())
def test_nothing_that_the_description_allows_breaks_the_server(fuzzed, prefix):
    schema = schemathesis.openapi.from_url(fuzzed.url + "/openapi.json")
    failures, statuses, tried = [], set(), 0
    for result in schema.get_all_operations():
        operation = result.ok()
        if group(operation.path) != prefix or operation.path.startswith("/admin"):
            continue

        @hypothesis.settings(
            max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
            suppress_health_check=list(hypothesis.HealthCheck), phases=[hypothesis.Phase.generate])
        @hypothesis.given(case=operation.as_strategy())
        def send(case):
            nonlocal tried
            tried += 1
            if "model" in (case.path_parameters or {}) and tried % 4:
                case.path_parameters["model"] = MODELS[tried % len(MODELS)]
            if "version" in (case.path_parameters or {}) and tried % 3:
                case.path_parameters["version"] = "1"
            # Short answers: a description cannot bound what is absent.
            if isinstance(case.body, dict) and case.path.startswith("/v1/"):
                for name in ["max_tokens", "max_completion_tokens", "max_output_tokens"]:
                    if not isinstance(case.body.get(name), int) or case.body[name] > 8:
                        case.body[name] = 4
            response = case.call(timeout=60)
            statuses.add(response.status_code)
            if response.status_code >= 500 and response.status_code != 503:
                failures.append((case.method, case.formatted_path, response.status_code, response.text[:200]))

        send()
    assert not failures, failures
    assert tried > 0 and 200 in statuses
    assert prefix != "/v2" or {400, 404} <= statuses


def test_the_description_is_valid(fuzzed):
    document = requests.get(fuzzed.url + "/openapi.json").json()
    assert document["openapi"] == "3.1.0" and document["info"]["version"]
    names = [
        operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(names) == len(set(names)) > 10
    validator = conftest.package("openapi_spec_validator")
    validator.validate(document)
