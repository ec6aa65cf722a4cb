"""A Hub on loopback that the real `huggingface_hub`, `datasets` and hf-xet talk to: protocol, faults, and a log of requests."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import signal
import socket
import struct
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, unquote

from live.hub.routes import Answer, Request, answer
from live.hub.world import Blob, Repo


@dataclass
class Fault:
    """What goes wrong with the next `times` that fit: a status, `cut` (the line), `lost` (only the answer) or `kill`."""

    method: str
    path: str
    what: int | str
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    skip: int = 0


@dataclass
class Hub:
    """The double. `tokens` maps a token to its user; a user writes to repositories of his own name and of `orgs`."""

    tokens: dict[str, str] = field(
        default_factory=lambda: {"hf_ownerownerownerowner": "owner", "hf_readerreaderreader": "reader"}
    )
    orgs: dict[str, set[str]] = field(default_factory=lambda: {"org": {"owner"}})
    repos: dict[tuple[str, str], Repo] = field(default_factory=dict)
    lfs: dict[tuple[str, str, str], bytes] = field(default_factory=dict)  # a store for each repository
    faults: list[Fault] = field(default_factory=list)
    seen: list[tuple[str, str]] = field(default_factory=list)
    authorised: set[str] = field(default_factory=set)
    flip_stored: str | None = None  # a byte of this file is flipped where it is kept
    flip_served: str | None = None  # ... or only where it is read
    expire_after: int | None = None  # requests after which no token is taken any more
    refuse_card: str | None = None
    cas: Path | None = None
    victim: int = 0  # the client's process: fault `kill` ends it
    url: str = ""

    def fault(self, method: str, path: str, what: int | str, **more: object) -> None:
        self.faults.append(Fault(method, path, what, **more))

    def repo(self, name: str = "org/set", kind: str = "dataset") -> Repo:
        return self.repos[kind, name]

    def count(self, method: str, path: str) -> int:
        """How many requests fitted so far."""
        return sum(m == method and re.search(path, p) is not None for m, p in self.seen)

    # --- the server -------------------------------------------------------------------------------------------------

    def __enter__(self) -> Hub:
        import uvicorn

        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        settings = uvicorn.Config(
            self._serve,
            log_level="critical",
            lifespan="off",
            interface="asgi3",
            timeout_graceful_shutdown=1,
            timeout_keep_alive=600,
        )
        self._server = uvicorn.Server(settings)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listening]}, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()

    async def _serve(self, scope: dict, receive: Callable, send: Callable) -> None:
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        # A segment may hold `%2F`: it is split before it is unquoted.
        raw = scope["raw_path"].decode().partition("?")[0]
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
        steps = [unquote(step) for step in raw.strip("/").split("/")]
        request = Request(scope["method"], raw, steps, query, headers, bytes(body))
        token = headers.get("authorization", "").removeprefix("Bearer ")
        self.seen.append((request.method, raw))
        fault = self._due(request)
        if fault is not None and fault.what == "kill":
            while not self.victim:  # it was quicker than who started it
                await asyncio.sleep(0.005)
            os.kill(self.victim, signal.SIGKILL)
            return
        if fault is not None and fault.what == "lost":
            answer(self, request, self._user(token))
        if fault is not None and fault.what in ("cut", "lost"):
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
            await send({"type": "http.response.body", "body": b"{", "more_body": True})
            await asyncio.sleep(0)
            raise asyncio.CancelledError  # the line is cut
        if fault is not None:
            told = Answer(int(fault.what), b"", dict(fault.headers))
        else:
            told = answer(self, request, self._user(token))
        lines = [(name.encode(), str(value).encode()) for name, value in told.headers.items()]
        if request.method != "HEAD":
            lines.append((b"content-length", str(len(told.body)).encode()))
        await send({"type": "http.response.start", "status": told.status, "headers": lines})
        await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else told.body})

    def _user(self, token: str) -> str | None:
        if self.expire_after is not None and len(self.seen) > self.expire_after:
            return None
        return self.tokens.get(token)

    def _due(self, request: Request) -> Fault | None:
        for fault in self.faults:
            if fault.method == request.method and re.search(fault.path, request.raw) and fault.times:
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                return fault
        return None

    # --- Xet: hf-xet's own store in a folder, written by the client and read back here ---------------------------------

    def content(self, repo: Repo, sha256: str) -> Blob | None:
        """The large file that a commit names, if it was sent by either way."""
        key = (*repo.name.split("/"), sha256)
        if key in self.lfs:
            return Blob(self.lfs[key], True)
        return self._from_xet(sha256) if self.cas else None

    def _from_xet(self, sha256: str) -> Blob | None:
        import hf_xet

        known = self._xet_hash(sha256)
        if known is None:
            return None
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "content"
            with hf_xet.XetSession().new_file_download_group(endpoint=f"local://{self.cas}") as group:
                group.start_download_file(hf_xet.XetFileInfo(known), str(target))
            content = target.read_bytes()
        assert hashlib.sha256(content).hexdigest() == sha256
        return Blob(content, True, known)

    def _xet_hash(self, sha256: str) -> str | None:
        """The Xet name of a file: shards (.mdb) hold 48-byte records, and the one with flag 0x40000000 bears the sha256."""

        def words(raw: bytes) -> str:
            return "".join(f"{word:016x}" for word in struct.unpack("<4Q", raw))

        for path in sorted(self.cas.glob("**/*.mdb")):
            raw, at = path.read_bytes(), 48
            while raw[at : at + 32] != b"\xff" * 32:
                name = raw[at : at + 32]
                flags, segments = struct.unpack("<II", raw[at + 32 : at + 40])
                at += 48 * (1 + segments * (2 if flags & 0x80000000 else 1))
                if flags & 0x40000000:
                    if words(raw[at : at + 32]) == sha256:
                        return words(name)
                    at += 48
        return None
