"""Every parameter in the tables of docs/api.md, one by one; and that tables, checks and /openapi.json name the same ones."""

import pytest
import requests

import parameter_checks_endpoints
import parameter_checks_messages
import parameter_checks_refused
import parameter_checks_shared
import parameters

_ = parameter_checks_endpoints, parameter_checks_messages, parameter_checks_refused, parameter_checks_shared


@pytest.fixture(scope="session")
def api(server):
    return parameters.API(server.url)


@pytest.mark.parametrize("section, name", sorted(parameters.CHECKS))
def test_parameter(api, section, name):
    parameters.CHECKS[section, name](api)


def test_every_row_is_checked_and_every_check_has_a_row():
    rows = {(section, name) for section, names in parameters.documented().items() for name in names}
    assert rows - set(parameters.CHECKS) == set(), "rows of docs/api.md without a check"
    assert set(parameters.CHECKS) - rows == set(), "checks without a row in docs/api.md"


@pytest.mark.parametrize("path, sections", [
    ("/v1/chat/completions", ["Both", "Chat completions"]), ("/v1/completions", ["Both", "Completions"]),
    ("/v1/responses", ["Responses"]), ("/v1/messages", ["Messages"]),
])
def test_the_served_description_has_the_same_parameters(server, path, sections):
    operation = requests.get(server.url + "/openapi.json").json()["paths"][path]["post"]
    described = set(operation["requestBody"]["content"]["application/json"]["schema"]["properties"])
    rows = parameters.documented()
    expected = {name for section in sections for name in rows[section]}
    # Thinking belongs to conversations.
    assert described == expected, described ^ expected


def test_every_endpoint_is_in_the_table(server):
    text = (parameters.ROOT / "docs/api.md").read_text()
    paths = requests.get(server.url + "/openapi.json").json()["paths"]
    missing = [
        f"{method.upper()} {path}" for path, methods in paths.items() for method in methods
        if f"`{method.upper()} {path}`" not in text]
    assert not missing
