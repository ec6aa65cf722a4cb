"""How the kit answers: data on stdout, talk on stderr, one progress bar on a terminal and one line a part elsewhere."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import sys
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any, Protocol

from ufine_kit.errors import KitError

# What moves the cursor, sends commands to the terminal, reorders a line, or cannot be written at all.
_ACTING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def shown(text: str) -> str:
    """Text as it may reach a terminal: names and captions come from others, and must not act there."""
    return _ACTING.sub(lambda sign: sign.group().encode("unicode_escape").decode(), text)


def pasteable(command: str) -> str:
    """A command as a shell takes it: a path that was given with spaces or other signs of a shell is quoted."""
    given = [*sys.argv[1:], os.environ.get("UFINE_WORK", "")]
    values = (word.partition("=")[2] if word.startswith("--") and "=" in word else word for word in given)
    odd = {str(Path(word)) for word in values if len(word) > 1 and shlex.quote(word) != word}  # as commands name it
    if not odd:
        return command
    longest_first = sorted(odd, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest_first)), lambda found: shlex.quote(found.group()), command)


def _as_json(value: dict[str, Any]) -> str:
    # A file name that is no UTF-8 holds signs which no stream takes; written with a backslash they are JSON all the same.
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace").decode()


class Bar(Protocol):
    """What the work sees of a progress bar."""

    def step(self, line: str, amount: float = 1) -> None:
        """Go on by `amount`; `line` is what there is to say of it."""
        ...


class Output:
    """The one place that writes to the streams. With `json_mode` stdout gets exactly one JSON object and no hints follow."""

    def __init__(self, json_mode: bool = False) -> None:
        self.json_mode = json_mode

    def say(self, line: str) -> None:
        """Talk: goes to stderr and never disturbs a pipe."""
        print(shown(line), file=sys.stderr, flush=True)  # noqa: T201

    def result(self, value: dict[str, Any], lines: Iterable[str] = ()) -> None:
        """The answer of a command: the object for `--json`, else its lines."""
        text = _as_json(value) if self.json_mode else shown("\n".join(lines))
        try:
            if text:
                print(text, flush=True)  # noqa: T201
        except BrokenPipeError:  # `ufine-kit ... | head`: the reader has what it wanted
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def next(self, command: str) -> None:
        """What one would run now."""
        if not self.json_mode:
            self.say(f"next: {pasteable(command)}")

    def error(self, error: KitError) -> None:
        """One line for the problem, a blank one, and the mend."""
        problem = error.problem.replace("\n", r"\n")  # a name may hold a line break
        self.say(f"error: {problem}\n\nhint: {pasteable(error.mend)}")

    def confirm(self, question: str, yes: bool) -> None:
        """Ask before an act that destroys or publishes. Raises KitError without a terminal, or when the answer is no."""
        if yes:
            return
        if not sys.stdin.isatty():
            raise KitError(f"{question} This needs a yes", "repeat the command with --yes")
        print(f"{shown(question)} [y/N] ", end="", file=sys.stderr, flush=True)  # noqa: T201
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise KitError("not confirmed, nothing was changed", "repeat the command and answer y, or give --yes")

    @contextlib.contextmanager
    def progress(self, total: float, unit: str) -> Generator[Bar]:
        """A bar with rate and time left on a terminal, else a line for every step."""
        if self.json_mode or not sys.stderr.isatty() or os.environ.get("UFINE_NO_PROGRESS"):
            yield _Lines(self)
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task(unit, total=total)

            class _Shown:
                def step(self, line: str, amount: float = 1) -> None:
                    if "failed" in line:
                        bar.console.print(shown(line), markup=False, highlight=False)
                    bar.update(task, advance=amount, description=shown(line.strip()[:60]))

            yield _Shown()


class _Lines:
    def __init__(self, out: Output) -> None:
        self._out = out

    def step(self, line: str, amount: float = 1) -> None:
        self._out.say(line)


def count(number: int, noun: str) -> str:
    """`1 crop`, `12,400 crops`, `2 identities`."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"
