"""Programs under test come from the environment (scripts/check.sh sets it)."""

import importlib
import os
import pathlib
import re
import subprocess
import threading

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def program(variable):
    path = os.environ.get(variable)
    if not path or not pathlib.Path(path).exists():
        pytest.fail(f"{variable}: expected the path of a built program, found {path!r} (run scripts/check.sh)")
    return path


@pytest.fixture(scope="session")
def deepseek():
    return program("DEEPSEEK")


@pytest.fixture(scope="session")
def ds_convert():
    return program("DS_CONVERT")


def skip(reason):
    """A tool is missing, which must not go unnoticed where all are installed (`.ci/run`). Also for whole files."""
    if os.environ.get("CHECKS_NEED_ALL_TOOLS"):
        pytest.fail(reason)
    pytest.skip(reason, allow_module_level=True)


def package(name):
    """A Python package; the test or file that asks for it is skipped if it is missing. A broken one is an error."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        skip(f"{name}: {error} (pip install -r Tests/requirements.txt)")


class Server:
    """deepseek-server on a free port of this machine, with the built-in model; ready unless `wait` is false."""

    def __init__(self, *arguments, environment=None, wait=True):
        self.process = subprocess.Popen(
            [program("DEEPSEEK_SERVER"), *(arguments or ("--port", "0"))], stderr=subprocess.PIPE, text=True,
            env={**os.environ, **(environment or {})})
        self.lines = []
        self.port = None
        for line in self.process.stderr:
            self.lines.append(line)
            found = re.search(r"listening on (?:https?://[^:]+:(\d+)|(/\S+))", line)
            if found:
                self.port = int(found.group(1) or 0)
                break
        if self.port is None:
            raise RuntimeError("the server did not start:\n" + "".join(self.lines))
        # The port opens at once; models load while it answers.
        self.ready = threading.Event()
        threading.Thread(target=self.drain, daemon=True).start()
        if wait and not self.ready.wait(300):
            raise RuntimeError("the server is not ready:\n" + "".join(self.lines))

    def drain(self):
        for line in self.process.stderr:
            self.lines.append(line)
            if "ready after" in line:
                self.ready.set()
        self.ready.set()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=30)


@pytest.fixture(scope="session")
def server():
    server = Server()
    yield server
    assert server.stop() == 0
