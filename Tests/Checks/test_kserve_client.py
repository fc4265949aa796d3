"""KServe's own client (`kserve`, REST and gRPC) against deepseek-server."""

import pathlib
import subprocess
import sys

from conftest import Server
from test_triton_client import grpc_port


def test_kserve_client():
    server = Server("--port", "0", "--grpc-port", "0", "--conformance-models")
    script = pathlib.Path(__file__).with_name("kserve_calls.py")
    calls = subprocess.run(
        [sys.executable, script, server.url, f"127.0.0.1:{grpc_port(server)}"], capture_output=True, text=True,
        timeout=120)
    assert calls.returncode == 0 and "every call answered" in calls.stdout, calls.stderr
    assert server.stop() == 0
