"""One chat request to any OpenAI-compatible server, and what such servers tell of themselves; retries are the caller's."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any

from ufine_kit.errors import need

# A reply far larger than any rewrite is a broken or hostile server.
MOST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class Reply:
    """What came back. `status` is the HTTP status, 0 where no answer came; `fault` says why in a few words,
    and `refused` that nobody listens there."""

    status: int
    body: dict[str, Any]
    fault: str = ""
    wait_seconds: float | None = None
    refused: bool = False


@contextlib.asynccontextmanager
async def session(connections: int, timeout_seconds: float) -> AsyncGenerator[Any]:
    """A connection pool. The key of `UFINE_API_KEY` goes with every request and stands nowhere else.

    Raises KitError when aiohttp is not installed.
    """
    aiohttp = need("aiohttp", "rewrite")
    key = os.environ.get("UFINE_API_KEY")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    connector = aiohttp.TCPConnector(limit=connections)
    timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=min(10.0, timeout_seconds))
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, headers=headers) as opened:
        yield opened


async def post(opened: Any, url: str, body: Mapping[str, Any]) -> Reply:
    """Send one request. Nothing is raised for what a network or a server may do: the reply says it."""
    return await _exchange(opened.post, url, json=dict(body))


async def get(opened: Any, url: str) -> Reply:
    """Ask a server something about itself."""
    return await _exchange(opened.get, url)


async def _exchange(verb: Any, url: str, **kwargs: Any) -> Reply:
    aiohttp = need("aiohttp", "rewrite")
    try:
        async with verb(url, allow_redirects=False, **kwargs) as response:
            raw = bytearray()
            async for piece in response.content.iter_any():
                raw += piece
                if len(raw) > MOST_BYTES:
                    return Reply(0, {}, "an answer of more than 8 MiB")
            return Reply(response.status, _object(bytes(raw)), "", _wait(response.headers.get("Retry-After")))
    except asyncio.TimeoutError:  # noqa: UP041 (the name that aiohttp documents)
        return Reply(0, {}, "no answer in time")
    except (aiohttp.ClientError, OSError) as error:
        words = f"{type(error).__name__}: {error}".partition("\n")[0][:200]
        return Reply(0, {}, words, refused=isinstance(error, aiohttp.ClientConnectorError))


def _object(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _wait(header: str | None) -> float | None:
    try:
        return min(max(float(header), 0.0), 300.0) if header else None
    except ValueError:
        return None


def message_of(body: Mapping[str, Any]) -> str:
    """The server's own words for an error, in one line; servers differ in where they put them."""
    error = body.get("error", body)
    words = error.get("message", "") if isinstance(error, dict) else error
    return " ".join(str(words).split())[:300]
