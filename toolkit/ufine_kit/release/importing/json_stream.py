"""A JSON list read row by row, so that a file of any size costs the memory of its longest row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from ufine_kit.errors import KitError

# A row with six captions of 218 words has about 10,000 characters.
MOST_ROW_CHARS = 1 << 22
PIECE_CHARS = 1 << 20
_LONGEST_INTEGER = 18
_SPACE = " \t\r\n"
_MEND = "restore the file from the archive that you were given"


class DoubleKeys(dict[str, Any]):
    """An object that names a key twice: which of the two values is meant nobody knows. `doubled` is the first such key."""

    doubled: str = ""


def json_rows(path: Path) -> Iterator[Any]:
    """The values of a JSON list, one after the other. Raises KitError that names the file and the row that is torn."""
    try:
        with path.open(encoding="utf-8-sig") as stream:
            yield from _values(stream, path)
    except UnicodeDecodeError as error:
        raise KitError(f"`{path}` is no UTF-8 text: {error.reason}", _MEND) from None
    except OSError as error:
        raise KitError(f"cannot read `{path}`: {error.strerror}", "check that it exists and may be read") from None


def json_lines(path: Path) -> Iterator[Any]:
    """The values of a JSONL file, a line each; empty lines are passed over. Raises KitError that names the line."""
    try:
        with path.open(encoding="utf-8-sig", newline="\n") as stream:
            number = 0
            while line := stream.readline(MOST_ROW_CHARS):
                number += 1
                if len(line) == MOST_ROW_CHARS:
                    raise KitError(f"`{path}` line {number} is longer than {MOST_ROW_CHARS:,} characters", _MEND)
                if line.strip():
                    yield _one(line, path, number)
    except UnicodeDecodeError as error:
        raise KitError(f"`{path}` is no UTF-8 text: {error.reason}", _MEND) from None
    except OSError as error:
        raise KitError(f"cannot read `{path}`: {error.strerror}", "check that it exists and may be read") from None


def _one(line: str, path: Path, number: int) -> Any:
    try:
        return DECODER.decode(line.strip())
    except (json.JSONDecodeError, RecursionError) as error:
        raise KitError(f"`{path}` line {number} is no JSON: {_said(error)}", _MEND) from None


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    names = [name for name, _ in pairs]
    marked = DoubleKeys(plain)
    marked.doubled = next(name for name in names if names.count(name) > 1)
    return marked


def _integer(digits: str) -> int | str:
    """A number too long for any identity stays text: turning millions of digits into a number takes hours."""
    return int(digits) if len(digits) <= _LONGEST_INTEGER else digits


DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_int=_integer)


def _values(stream: TextIO, path: Path) -> Iterator[Any]:
    text, at, row = stream.read(PIECE_CHARS), 0, 0
    at = _past(text, at, _SPACE)
    if text[at : at + 1] != "[":
        raise KitError(f"`{path}` is no JSON list of rows", _MEND)
    at += 1
    while True:
        at = _past(text, at, _SPACE + ",")
        if text[at : at + 1] == "]":
            return
        value, end, problem = _decode(text, at)
        if value is _TORN or end == len(text):  # it may go on in what was not read yet
            more = stream.read(max(PIECE_CHARS, len(text) - at))
            if not more or len(text) - at > MOST_ROW_CHARS:
                why = f"longer than {MOST_ROW_CHARS:,} characters, or " if more else ""
                raise KitError(f"`{path}` row {row} is {why}no JSON: {problem or 'the list has no end'}", _MEND)
            text, at = text[at:] + more, 0
            continue
        yield value
        row, at = row + 1, end
        if at > PIECE_CHARS:
            text, at = text[at:], 0


_TORN = object()


def _decode(text: str, at: int) -> tuple[Any, int, str]:
    """A value with its end; `_TORN` with what is wrong where there is no whole one."""
    if at == len(text):
        return _TORN, at, ""
    try:
        value, end = DECODER.raw_decode(text, at)
    except (json.JSONDecodeError, RecursionError) as error:
        return _TORN, at, _said(error)
    return value, end, ""


def _said(error: json.JSONDecodeError | RecursionError) -> str:
    return error.msg.lower() if isinstance(error, json.JSONDecodeError) else "nested too deeply"


def _past(text: str, at: int, signs: str) -> int:
    while at < len(text) and text[at] in signs:
        at += 1
    return at
