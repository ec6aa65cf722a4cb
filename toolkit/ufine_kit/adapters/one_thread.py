"""One thread for torch inside a block: a network then gives the same bytes in this process as in a worker."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any


@contextlib.contextmanager
def one_thread(torch: Any) -> Generator[None]:
    """How many threads share a sum changes its last bits; workers have one each. What was set before comes back after."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
