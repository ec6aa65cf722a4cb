"""Real engines for the live tests: vLLM from an environment of its own, and `transformers serve` from this one."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from ports import free_port
from typed import REPO

# Made by `make live`; another place may be named.
VLLM_PYTHON = Path(os.environ.get("UFINE_VLLM_PYTHON", REPO / ".venvs/vllm/bin/python"))
# What a model without a GPU wants: float32, no graph capture, one process, no chunked prefill (seeded rows kill it there).
VLLM_ON_CPU = (
    "--dtype float32 --enforce-eager --max-model-len 512 --max-num-seqs 32 --max-num-batched-tokens 8192 "
    "--distributed-executor-backend uni"
)
OFFLINE = {"HF_HUB_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_NO_USAGE_STATS": "1"}


def need_vllm() -> str:
    """The Python that holds vLLM; the test is skipped where there is none."""
    if not VLLM_PYTHON.exists():
        pytest.skip("no vLLM environment: `make live` makes one")
    return str(VLLM_PYTHON)


@contextlib.contextmanager
def transformers_serve(log: Path) -> Iterator[str]:
    """The base URL of a `transformers serve` on loopback."""
    command = shutil.which("transformers", path=str(Path(sys.executable).parent))
    if command is None:
        pytest.skip("no `transformers` command: install the extra `live`")
    port = free_port()
    home = log.parent / "huggingface"
    (home / "hub").mkdir(parents=True)  # the server fails to list models where there is no cache
    env = os.environ | OFFLINE | {"OMP_NUM_THREADS": "1", "HF_HOME": str(home)}
    with log.open("wb") as stream:
        server = subprocess.Popen(
            [command, "serve", "--device", "cpu", "--host", "127.0.0.1", "--port", str(port)],
            stdout=stream, stderr=stream, env=env, start_new_session=True,
        )  # fmt: skip
    try:
        _wait(f"http://127.0.0.1:{port}/health", server, log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait(url: str, server: subprocess.Popen, log: Path, seconds: float = 600.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert server.poll() is None, log.read_text()[-2000:]
        try:
            with urllib.request.urlopen(url, timeout=20):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise AssertionError(log.read_text()[-2000:])
