"""Overlap: run an iterator in a thread of its own, a bounded number of items in front of whoever reads it."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterator
from typing import TypeVar

Item = TypeVar("Item")

_END = object()
# Items that a thread hands over at once where it is told so: every hand-over wakes somebody up, which costs more than
# many an item.
BURST = 4


def ahead(items: Iterator[Item], depth: int, name: str, burst: int = 1) -> Iterator[Item]:
    """The same items in the same order, made in a thread named `name`, at most `depth` of them waiting, handed over
    `burst` at a time.

    What the iterator raises is raised here, at its place in the order. Closing this iterator stops the thread and closes
    the inner one, so that a failed part leaves neither threads nor open files behind.
    """
    waiting: queue.Queue[object] = queue.Queue(max(1, depth // burst))
    stop = threading.Event()
    thread = threading.Thread(target=_work, args=(items, waiting, stop, burst), name=name, daemon=True)
    thread.start()
    try:
        while (item := waiting.get()) is not _END:
            if isinstance(item, _Raised):
                raise item.error
            yield from item  # type: ignore[misc]
    finally:
        stop.set()
        while thread.is_alive():  # the worker may stand before a full queue: make room until it has seen `stop`
            with contextlib.suppress(queue.Empty):
                waiting.get_nowait()
            thread.join(0.01)


class _Raised:
    def __init__(self, error: BaseException) -> None:
        self.error = error


def _work(items: Iterator[Item], waiting: queue.Queue[object], stop: threading.Event, burst: int) -> None:
    held: list[Item] = []
    try:
        with contextlib.closing(items) if hasattr(items, "close") else contextlib.nullcontext():  # type: ignore[type-var]
            for item in items:
                if stop.is_set():
                    return
                held.append(item)
                if len(held) == burst:
                    waiting.put(held)
                    held = []
    except BaseException as error:  # carried to the reader, who raises it where it belongs
        waiting.put(held)
        waiting.put(_Raised(error))
    else:
        waiting.put(held)
        waiting.put(_END)
