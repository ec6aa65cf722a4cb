"""Writing files so that a reader sees all of a file or none of it, and hashing what lies on disk."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Generator
from pathlib import Path
from typing import Any

from ufine_kit.errors import KitError, storage_error


def sha256_file(path: Path) -> str:
    """Hex sha256 of a file's bytes, read in pieces."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise KitError(
            f"cannot read `{path}`: {error.strerror}", "check that it exists and that you may read it"
        ) from None


def canonical_json(value: Any) -> str:
    """One spelling for one value: sorted keys, no spaces, so that a digest of it means the value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest_of(value: Any) -> str:
    """Hex sha256 of the canonical JSON of a value."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


@contextlib.contextmanager
def replacing(path: Path) -> Generator[Path]:
    """Give a temporary name beside `path`; move it there, flushed to disk, only if the block ends well.

    Raises KitError for a full disk, a quota or missing rights; the temporary file is taken away.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        flush(temporary)
        temporary.replace(path)
        flush(path.parent)
    except OSError as error:
        if str(error.filename) == str(temporary):
            error.filename = str(path)  # the name that somebody gave
        storage_error(error, path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Bring a file, or a folder's list of names, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_bytes(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Replace a small file as a whole; `mode` are its rights from the first byte on, less the user's mask."""
    with (
        replacing(path) as temporary,
        os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream,
    ):
        stream.write(content)


def write_json(path: Path, value: Any, mode: int = 0o666) -> None:
    """Replace a JSON file as a whole: indented, so that a person can read it, keys in the order given."""
    write_bytes(path, (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode(), mode)


def read_json(path: Path) -> Any:
    """The value in a JSON file. Raises KitError when it is missing or torn."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise KitError(
            f"cannot read `{path}`: {why}", "restore it from a copy, or remove it and make it again"
        ) from None


def make_folder(path: Path) -> Path:
    """Create a folder and its parents. Raises KitError without the right to."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise KitError(f"`{path}` is a file, not a folder", "choose another folder (--work, --out, --to)") from None
    except OSError as error:
        storage_error(error, path)
    return path


def inside(root: Path, name: str) -> Path:
    """The path of `name` under `root`. Raises KitError for an absolute name or one that climbs out."""
    path = (root / name).resolve()
    if not path.is_relative_to(root.resolve()):
        raise KitError(f"`{name}` points outside `{root}`", "use names relative to that folder")
    return path
