"""Ports for servers that a test starts by number, now or later: the system gives them to nobody else meanwhile."""

from __future__ import annotations

import contextlib
import socket

# Bound and never listening: whoever asks for any port passes it by, and whoever is told its number may listen there.
_held: list[socket.socket] = []


def free_port(others: int = 0) -> int:
    """A port of loopback that stays ours while this process lives, with so many more right behind it."""
    while True:
        taken: list[socket.socket] = []
        try:
            first = _bound(0, taken)
            for more in range(others):
                _bound(first + 1 + more, taken)
        except (OSError, OverflowError):  # a neighbour is somebody's, or there is none
            for one in taken:
                one.close()
            continue
        _held.extend(taken)
        return first


def _bound(port: int, taken: list[socket.socket]) -> int:
    with contextlib.ExitStack() as closing:
        one = closing.enter_context(socket.socket())
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(("127.0.0.1", port))
        closing.pop_all()
    taken.append(one)
    return one.getsockname()[1]
