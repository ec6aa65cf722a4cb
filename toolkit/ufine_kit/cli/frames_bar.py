"""A progress bar that counts frames over all parts at work: frames a second and time left, on a terminal only."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

from ufine_kit.output import Bar, Output


@contextlib.contextmanager
def frames_bar(out: Output, plan: Any, paths: dict[str, str], place: Path) -> Generator[Bar]:
    """The bar of a planned run of `extract-tracklets`; `place` is where its parts leave their counts."""
    if out.json_mode or not sys.stderr.isatty() or os.environ.get("UFINE_NO_PROGRESS"):
        with out.progress(len(plan.todo), "tracklets") as lines:
            yield lines
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from ufine_kit.extract.progress import counts, frames_in

    total = sum(frames_in(task.rows, paths) for task in plan.todo)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn())
    stop = threading.Event()
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("tracklets", total=total or None, rate="")

        def look() -> None:
            while not stop.wait(0.5):
                speed = bar.tasks[task].speed
                rate = f"{speed:,.0f} frames/s" if speed else ""
                bar.update(task, completed=sum(counts(place).values()), rate=rate)

        class _Shown:
            def step(self, line: str, amount: float = 1) -> None:
                bar.console.print(line, highlight=False)

        watcher = threading.Thread(target=look, daemon=True)
        watcher.start()
        try:
            yield _Shown()
        finally:
            stop.set()
            watcher.join()
