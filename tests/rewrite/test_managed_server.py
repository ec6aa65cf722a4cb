"""A managed engine, with a stand-in for vLLM: its port stays its own over its death, and all that it started ends with it."""

from __future__ import annotations

import os
import signal
import socket
import sys
import textwrap
import time

import pytest

from ufine_kit.adapters import detached, vllm

pytestmark = pytest.mark.full

SCRIPT = """\
    #!{python} -S
    import http.server, pathlib, signal, subprocess, sys

    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a child has it too
    child = subprocess.Popen(["sleep", "300"])
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    pathlib.Path(__file__).with_name("child").write_text(str(child.pid))

    class Healthy(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()

    port = int(sys.argv[sys.argv.index("--port") + 1])
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Healthy).serve_forever()
"""


@pytest.fixture
def engine(tmp_path, monkeypatch):
    """Opens the stand-in, which stands where an environment's Python would."""
    monkeypatch.setattr(detached, "TERM_SECONDS", 0.5)
    python = tmp_path / "python"
    python.write_text(textwrap.dedent(SCRIPT.format(python=sys.executable)))
    python.chmod(0o755)
    return lambda: vllm.serve(str(python), str(tmp_path), "main", tmp_path / "engine.log")


def test_what_an_engine_started_ends_with_it_also_where_it_does_not_hear(engine, tmp_path):
    with engine() as server:
        child = int((tmp_path / "child").read_text())
        assert detached.birth(child)
    assert detached.birth(child) is None
    assert detached.birth(server.process.pid) is None


def test_a_held_port_is_given_to_nobody_else_while_a_server_may_come_and_go_on_it():
    with vllm._held_port() as port:
        for _ in range(2):
            with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
                stranger.bind(("127.0.0.1", port))
            with socket.create_server(("127.0.0.1", port)):
                pass
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_a_dead_engine_comes_back_on_its_port(engine):
    with engine() as server:
        os.killpg(server.process.pid, signal.SIGKILL)
        server.process.wait()
        end = time.monotonic() + 120
        while not vllm._healthy(server.port) and time.monotonic() < end:
            time.sleep(0.05)
        assert vllm._healthy(server.port)
        assert server.deaths == 1


def test_an_engine_that_is_given_up_leaves_nothing_behind(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(vllm, "MOST_DEATHS", 0)
    with engine() as server:
        child = int((tmp_path / "child").read_text())
        server.process.kill()
        end = time.monotonic() + 120
        while detached.birth(child) and time.monotonic() < end:
            time.sleep(0.05)
        assert detached.birth(child) is None
        assert server.deaths == 1
