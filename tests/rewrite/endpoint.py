"""A scripted OpenAI-compatible server on loopback: it counts what it is asked and fails where a test wants it to."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import threading
from collections import Counter
from collections.abc import Callable

from aiohttp import web

SENTENCE = re.compile(r"[^.]+\.")


def reordered(text: str) -> str:
    """A faithful rewrite: the same sentences, the last one first."""
    return " ".join(part.strip() for part in reversed(SENTENCE.findall(text))) or text


def completion(text: str | None, finish: str = "stop") -> dict:
    return {
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": finish}],
        "usage": {"completion_tokens": len((text or "").split())},
        "system_fingerprint": "scripted-1",
    }


class Endpoint:
    """One server. `answer(source, body, nth)` gives a completion, a `web.Response`, None for a cut connection, or one of
    these to be awaited.

    `nth` counts the askings of this very row (source, model, seed) from 1. `asked` counts every real row; `tokenize` makes it
    tell its template as vLLM does.
    """

    def __init__(
        self,
        models: tuple[str, ...] = ("tiny/qwen",),
        answer: Callable[[str, dict, int], object] | None = None,
        latency: float = 0.0,
        tokenize: bool = False,
        context: int = 4096,
    ) -> None:
        self.models, self.answer, self.latency = (
            models,
            answer or (lambda source, *_: completion(reordered(source))),
            latency,
        )
        self.tokenize, self.context = tokenize, context
        self.pieces = 0
        self.chat_instead: Callable[[dict], web.Response] | None = None
        self.asked: Counter[tuple[str, str, int]] = Counter()
        self.bodies: list[dict] = []
        self.keys: list[str | None] = []
        self.most_in_flight = self._in_flight = 0
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Endpoint:
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        app = web.Application(client_max_size=1 << 24)
        app.add_routes([
            web.get("/v1/models", self._models), web.post("/v1/chat/completions", self._chat),
            web.post("/tokenize", self._tokens), web.get("/version", self._version),
        ])  # fmt: skip
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        self._loop.run_until_complete(runner.setup())
        site = web.TCPSite(runner, "127.0.0.1", 0)
        self._loop.run_until_complete(site.start())
        self.port = site._server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())

    async def _models(self, _: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": name, "max_model_len": self.context} for name in self.models]})

    async def _version(self, _: web.Request) -> web.Response:
        return web.json_response({"version": "scripted 1"})

    async def _tokens(self, request: web.Request) -> web.Response:
        if not self.tokenize:
            return web.json_response({"error": "no such path"}, status=404)
        words = (await request.json())["messages"][0]["content"].split()
        return web.json_response({"tokens": [len(word) for word in words], "count": len(words)})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if body["model"] not in self.models:
            return web.json_response({"error": {"message": "no such model"}}, status=404)
        self.keys.append(request.headers.get("Authorization"))
        prompt = body["messages"][0]["content"]
        _, colon, source = prompt.partition("you like: ")
        if not colon:  # the preflight's own short chat
            return self.chat_instead(body) if self.chat_instead else web.json_response(completion("Yes."))
        row = (source, body["model"], body["seed"])
        self.asked[row] += 1
        self.bodies.append(body)
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            if self.latency:
                await asyncio.sleep(self.latency)
            said = self.answer(source, body, self.asked[row])
            if inspect.isawaitable(said):
                said = await said
        finally:
            self._in_flight -= 1
        if said is None:
            request.transport.abort()
            return web.Response()
        if self.pieces:
            return await self._slowly(request, json.dumps(said).encode())
        return said if isinstance(said, web.StreamResponse) else web.json_response(said)

    async def _slowly(self, request: web.Request, content: bytes) -> web.StreamResponse:
        """An answer in pieces with a pause between them, as a network delivers it."""
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.content_length = len(content)
        await response.prepare(request)
        for start in range(0, len(content), self.pieces):
            await response.write(content[start : start + self.pieces])
            await asyncio.sleep(0.001)
        return response
