"""A vLLM server in an environment of its own: started on loopback by module path, watched, restarted, stopped with us."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ufine_kit.adapters import detached
from ufine_kit.errors import KitError

MODULE = "vllm.entrypoints.openai.api_server"
START_SECONDS = 900.0  # large weights load for minutes
MOST_DEATHS = 3


@dataclass
class Server:
    """One managed server: its base URL, and how often it died."""

    command: list[str]
    port: int
    log: Path
    deaths: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Base URL for an OpenAI client."""
        return f"http://127.0.0.1:{self.port}/v1"


@contextlib.contextmanager
def serve(python: str, model: str, revision: str, log: Path, arguments: Sequence[str] = ()) -> Generator[Server]:
    """Start a server for one model, wait until it is healthy, restart it when it dies, stop it at the end.

    `arguments` go to vLLM as they are (`--tensor-parallel-size 4`). Raises KitError when it does not come up; the log says why.
    """
    with _held_port() as port:
        command = [
            python, "-m", MODULE, "--model", model, "--served-model-name", model,
            # What the model's own generation_config would fill in is not in the recipe: it must not shape the answers.
            "--generation-config", "vllm", *([] if Path(model).is_dir() else ["--revision", revision]),
            "--host", "127.0.0.1", "--port", str(port), *arguments,
        ]  # fmt: skip
        server = Server(command, port, log)
        stopping = threading.Event()
        _start(server)
        watch = threading.Thread(target=_watch, args=(server, stopping), name="vllm", daemon=True)
        try:
            _wait_healthy(server)
            watch.start()
            yield server
        finally:
            stopping.set()
            if watch.is_alive():
                watch.join()
            _stop(server)


def find_python(given: str | None) -> str:
    """The interpreter that holds vLLM: the given one, else this one if it has it. Raises KitError with the way to make one."""
    mend = "uv venv vllm && uv pip install -p vllm 'ufine-kit[vllm]', then --engine-python vllm/bin/python"
    if given is None:
        if importlib.util.find_spec("vllm") is None:
            raise KitError("no vLLM in this environment (it pins its own torch, so it wants one of its own)", mend)
        return sys.executable
    probe = "import importlib.util, sys; sys.exit(importlib.util.find_spec('vllm') is None)"
    try:
        known = subprocess.run([given, "-c", probe], check=False, capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired) as error:
        raise KitError(f"cannot run `{given}`: {error}", mend) from None
    if not known:
        raise KitError(f"`{given}` has no vLLM", mend)
    return given


def _start(server: Server) -> None:
    with server.log.open("ab") as log:
        try:
            server.process = subprocess.Popen(
                server.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"},
            )  # fmt: skip
        except OSError as error:
            raise KitError(
                f"cannot start `{server.command[0]}`: {error.strerror}",
                "give the Python of an environment with vLLM: --engine-python PATH",
            ) from None


def _wait_healthy(server: Server) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        assert server.process is not None
        if server.process.poll() is not None:
            raise KitError(
                f"the vLLM server stopped while it started: {_last_words(server.log)}", f"read the log: {server.log}"
            )
        if _healthy(server.port):
            return
        time.sleep(0.5)
    raise KitError(f"the vLLM server was not ready after {START_SECONDS:.0f} s", f"read the log: {server.log}")


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def _watch(server: Server, stopping: threading.Event) -> None:
    """Start a dead server again, a few times: rows that were in flight are asked again by the client."""
    while not stopping.wait(1.0):
        if server.process is not None and server.process.poll() is not None and not stopping.is_set():
            server.deaths += 1
            with contextlib.suppress(ProcessLookupError):  # what it started may outlive it, and hold its memory
                os.killpg(server.process.pid, signal.SIGKILL)
            if server.deaths > MOST_DEATHS:
                return
            _start(server)


def _stop(server: Server) -> None:
    """The server and all that it started: an engine that outlives it would hold the memory of the machine."""
    process = server.process
    if process is not None and process.poll() is None:
        detached.stop(detached.Detached(process.pid, detached.birth(process.pid) or ""))
        process.poll()


@contextlib.contextmanager
def _held_port() -> Generator[int]:
    """A port of loopback that the system gives to nobody else, neither while weights load nor between two lives of a server."""
    with socket.socket() as held:
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):  # the server asks for both, and may listen beside us
            held.setsockopt(socket.SOL_SOCKET, option, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def _last_words(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    said = [line.strip() for line in lines if "Error" in line or "error" in line]
    return (said or lines or ["no word"])[-1].strip()[:200]
