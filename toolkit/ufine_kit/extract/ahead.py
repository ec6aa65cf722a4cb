"""Overlap: run an iterator in a thread of its own, a bounded number of items in front of whoever reads it."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterator
from typing import TypeVar

Item = TypeVar("Item")

_END = object()


def ahead(items: Iterator[Item], depth: int, name: str) -> Iterator[Item]:
    """The same items in the same order, made in a thread named `name`, at most `depth` of them waiting.

    What the iterator raises is raised here, at its place in the order. Closing this iterator stops the thread and closes
    the inner one, so that a failed part leaves neither threads nor open files behind.
    """
    waiting: queue.Queue[object] = queue.Queue(max(1, depth))
    stop = threading.Event()
    thread = threading.Thread(target=_work, args=(items, waiting, stop), name=name, daemon=True)
    thread.start()
    try:
        while (item := waiting.get()) is not _END:
            if isinstance(item, _Raised):
                raise item.error
            yield item  # type: ignore[misc]
    finally:
        stop.set()
        while thread.is_alive():  # the worker may stand before a full queue: make room until it has seen `stop`
            with contextlib.suppress(queue.Empty):
                waiting.get_nowait()
            thread.join(0.01)


class _Raised:
    def __init__(self, error: BaseException) -> None:
        self.error = error


def _work(items: Iterator[Item], waiting: queue.Queue[object], stop: threading.Event) -> None:
    try:
        with contextlib.closing(items) if hasattr(items, "close") else contextlib.nullcontext():  # type: ignore[type-var]
            for item in items:
                if stop.is_set():
                    return
                waiting.put(item)
    except BaseException as error:  # carried to the reader, who raises it where it belongs
        waiting.put(_Raised(error))
    else:
        waiting.put(_END)
