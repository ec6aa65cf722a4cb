"""Ask many rows of several endpoints at once: a window of requests in flight each, patient with faults, one ledger."""

from __future__ import annotations

import asyncio
import queue
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ufine_kit import __version__, crash
from ufine_kit.adapters import openai_api
from ufine_kit.adapters.openai_api import Reply, message_of
from ufine_kit.errors import KitError
from ufine_kit.ledger import Ledger
from ufine_kit.rewrite.answers import Answer, broken, is_answer, read_answer, refused
from ufine_kit.rewrite.asks import Ask, entry_facts, family_of, payload, probe
from ufine_kit.tables import RewriteTable

POISON = (400, 413, 422)
# What no patience mends: the whole run stops.
FATAL = {
    401: ("refuses the key", "set UFINE_API_KEY to the key of this server"),
    402: ("wants to be paid", "add credit, or give another --endpoint"),
    403: ("refuses the key", "set UFINE_API_KEY to a key with the right to chat"),
    404: ("does not serve", "name a model that it serves: --model FAMILY=ID"),
}
RESTS = 10
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.25, 30.0
LINGER_SECONDS = 0.05  # answers that come this close together share one flush
LONGEST_LULL_SECONDS = 2.0  # between two looks at a silent endpoint, a place of its window


@dataclass
class Endpoint:
    """One server: its base URL (`http://host:port/v1`), the family it serves, and how it fares.

    `down_since` is the first fault after its last good answer; until `rest_until` it asked to be left alone.
    """

    url: str
    family: str
    faults: int = 0
    down_since: float | None = None
    rest_until: float = 0.0


@dataclass
class _Run:
    """State of one run: rows to ask by family, how often each was tried, how many are in flight, and the way to disk."""

    table: RewriteTable
    waiting: dict[str, deque[Ask]]
    disk: _Disk
    endpoints: Sequence[Endpoint]
    tries: Counter[str] = field(default_factory=Counter[str])
    flying: Counter[str] = field(default_factory=Counter[str])
    suspects: set[str] = field(default_factory=set[str])


def ask_all(
    asks: Sequence[Ask], endpoints: Sequence[Endpoint], table: RewriteTable, ledger: Ledger, tell: Callable[[int], None]
) -> None:
    """Ask every row and append every answer to the ledger; `tell` hears how many went to disk.

    A row in the ledger is never asked again by a later run. Raises KitError for a fault of all endpoints, a refused key or a
    full disk; what was answered until then is on disk.
    """
    disk = _Disk(ledger, tell)
    try:
        asyncio.run(_ask_all(_Run(table, _queues(asks, endpoints), disk, endpoints)))
    finally:
        disk.close()
    disk.check()


def _queues(asks: Sequence[Ask], endpoints: Sequence[Endpoint]) -> dict[str, deque[Ask]]:
    """Rows by family, the longest first: no long one shall start when all others are done."""
    waiting: dict[str, deque[Ask]] = {endpoint.family: deque() for endpoint in endpoints}
    for one in sorted(asks, key=lambda one: (-len(one.slot.original.text), one.key)):
        waiting[one.slot.family].append(one)
    return waiting


async def _ask_all(run: _Run) -> None:
    places = len(run.endpoints) * run.table.window
    async with openai_api.session(places, run.table.timeout_seconds) as session:
        try:
            async with asyncio.TaskGroup() as group:
                for endpoint in run.endpoints:
                    for _ in range(run.table.window):
                        group.create_task(_place(run, session, endpoint))
        except* Exception as errors:  # one place's fault ends all of them; the first tells why
            raise _first(errors) from None


def _first(errors: BaseExceptionGroup[Any]) -> BaseException:
    """The first single error of a group; one that people can mend goes before others."""
    flat: list[BaseException] = []
    for error in errors.exceptions:
        flat += [_first(error)] if isinstance(error, BaseExceptionGroup) else [error]
    return min(flat, key=lambda error: not isinstance(error, KitError))


async def _place(run: _Run, session: Any, endpoint: Endpoint) -> None:
    """One place of an endpoint's window. It takes the next row when it is free: the quicker server gets more of them."""
    rows = run.waiting[endpoint.family]
    while rows or run.flying[endpoint.family]:
        run.disk.check()
        if not rows:  # a row in flight may yet come back to be asked again
            await asyncio.sleep(0.1)
        elif endpoint.down_since is not None and not await _recovering(run, endpoint):
            return
        elif rows:
            await _once(run, session, endpoint, rows.popleft())


async def _once(run: _Run, session: Any, endpoint: Endpoint, one: Ask) -> None:
    """Ask a row. After a fault this place waits with it and then gives it back, so that its pause is kept by all."""
    run.flying[endpoint.family] += 1
    crash.point("rewrite.ask")
    started = time.monotonic()
    try:
        reply = await openai_api.post(session, f"{endpoint.url}/chat/completions", payload(one, run.table))
        answer = _judged(run, endpoint, one, reply)
        if answer is None and run.tries[one.key] > run.table.retries and await _alive(run, session, endpoint):
            # An outage may have ended just now: a row is to blame once it fails on a server that was seen alive before.
            if one.key in run.suspects:
                answer = broken(reply)
            run.suspects.add(one.key)
        if answer is not None:
            run.disk.put(_entry(run.table, one, endpoint, answer, time.monotonic() - started))
            return
        await asyncio.sleep(_pause(run.tries[one.key], reply))
        run.waiting[endpoint.family].append(one)
    finally:
        run.flying[endpoint.family] -= 1


async def _alive(run: _Run, session: Any, endpoint: Endpoint) -> bool:
    """Whether the server answers another chat at this moment: only then is a fault the row's own."""
    body = probe(family_of(run.table, endpoint.family))
    return is_answer(await openai_api.post(session, f"{endpoint.url}/chat/completions", body))


def _judged(run: _Run, endpoint: Endpoint, one: Ask, reply: Reply) -> Answer | None:
    """The answer, or None where the row shall be asked again. Raises KitError for what ends the run."""
    if is_answer(reply):
        endpoint.faults, endpoint.down_since = 0, None
        return read_answer(reply)
    if reply.status in FATAL:
        what, mend = FATAL[reply.status]
        model = family_of(run.table, endpoint.family).model
        said = f" `{model}`" if reply.status == 404 else ""
        raise KitError(f"`{endpoint.url}` {what}{said}: {message_of(reply.body) or reply.status}", mend)
    if reply.status in POISON:
        return refused(reply)
    now = time.monotonic()
    endpoint.faults += 1
    endpoint.down_since = endpoint.down_since or now
    if reply.wait_seconds:
        endpoint.rest_until = max(endpoint.rest_until, now + reply.wait_seconds)
    # A server that is away or busy says nothing about the row; an error or a cut connection may be the row's own doing.
    run.tries[one.key] += reply.status != 429 and not reply.refused
    return None


async def _recovering(run: _Run, endpoint: Endpoint) -> bool:
    """Give a failing endpoint time; False once it is given up for others. Raises KitError when no other is there."""
    assert endpoint.down_since is not None
    rest = endpoint.rest_until - time.monotonic()
    if rest > 0:
        await asyncio.sleep(rest)
        return True
    down = time.monotonic() - endpoint.down_since
    # A server that names its own pauses is granted more of them, but not for ever: a spent quota answers like a busy hour.
    if down > run.table.patience_seconds * (RESTS if endpoint.rest_until else 1):
        others = [one for one in run.endpoints if one.family == endpoint.family and one.down_since is None]
        if others:
            return False
        raise KitError(
            f"`{endpoint.url}` has not answered for {down:.0f} s; every answer so far is kept",
            "start the server again and repeat the command: it goes on where it stopped",
        )
    await asyncio.sleep(min(0.05 * 2 ** min(endpoint.faults, 8), LONGEST_LULL_SECONDS) * random.uniform(0.5, 1.0))
    return True


def _pause(tries: int, reply: Reply) -> float:
    """Seconds before a row is asked again: what the server says, else twice as long each time, never all at once."""
    if reply.wait_seconds is not None:
        return reply.wait_seconds
    return min(FIRST_WAIT_SECONDS * 2 ** max(tries - 1, 0), LONGEST_WAIT_SECONDS) * random.uniform(0.5, 1.0)


class _Disk:
    """The way to the ledger, in a thread of its own: one flush carries all answers that came since the last one."""

    def __init__(self, ledger: Ledger, tell: Callable[[int], None]) -> None:
        self._ledger, self._tell = ledger, tell
        self._queue: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="ledger")
        self._thread.start()

    def put(self, entry: dict[str, Any]) -> None:
        """Hand over an entry."""
        self._queue.put(entry)

    def check(self) -> None:
        """Raise what the disk raised, if anything."""
        if self._fault is not None:
            raise self._fault

    def close(self) -> None:
        """Wait until everything handed over is on disk, or cannot be."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        over = False
        while not over:
            batch = [self._queue.get()]
            if batch[0] is not None:
                time.sleep(LINGER_SECONDS)
            while not self._queue.empty():
                batch.append(self._queue.get())
            over = None in batch
            entries = [entry for entry in batch if entry is not None]
            if entries and self._fault is None:
                try:
                    self._ledger.append(*entries)
                    crash.point("rewrite.answered")
                    self._tell(len(entries))
                except BaseException as error:  # whatever it is, it is raised where the run is waited for
                    self._fault = error


def _entry(table: RewriteTable, one: Ask, endpoint: Endpoint, answer: Answer, seconds: float) -> dict[str, Any]:
    family = family_of(table, one.slot.family)
    return {
        "key": one.key,
        "who": f"{family.model}@{family.revision}",
        "version": __version__,
        "at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "input": one.slot.original.text_sha256,
        "row": {
            **entry_facts(one),
            "status": answer.status,
            "raw_text": answer.raw_text,
            "finish_reason": answer.finish_reason,
            "tokens": answer.tokens,
            "fingerprint": answer.fingerprint,
            "fault": answer.fault,
            "endpoint": endpoint.url,
            "seconds": round(seconds, 3),
        },
    }
