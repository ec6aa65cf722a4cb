"""File names out of annotation files: made safe before anything is opened, and read only where they may lead."""

from __future__ import annotations

import re
import stat
from functools import lru_cache
from pathlib import Path

from ufine_kit.release.importing.findings import Refused

MOST_NAME_CHARS = 1024
MOST_PICTURE_BYTES = 64 << 20
_BAD = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def safe_name(given: str) -> str:
    """A relative name with `/` between its steps. Raises Refused for one that is absolute, climbs out or is no name."""
    name = given.replace("\\", "/")
    steps = [step for step in name.split("/") if step not in ("", ".")]
    if not steps or len(name) > MOST_NAME_CHARS or _BAD.search(name):
        raise Refused("bad_path", "empty, too long, or with control characters")
    if name.startswith("/") or ".." in steps or re.match(r"[A-Za-z]:", name):
        raise Refused("bad_path", "absolute, or leads out of the folder")
    return "/".join(steps)


def locate(root: Path, name: str) -> tuple[Path, int]:
    """The regular file of a safe name under `root` (resolved), and its bytes. Raises Refused."""
    try:
        path = _followed(root, name)
        found = path.stat()
    except (OSError, RuntimeError, ValueError):  # RuntimeError: links that lead in a circle
        raise Refused("missing") from None
    if not stat.S_ISREG(found.st_mode):
        raise Refused("missing", "no regular file")
    if found.st_size > MOST_PICTURE_BYTES:
        raise Refused("oversized", f"{found.st_size:,} bytes")
    return path, found.st_size


def _followed(root: Path, name: str) -> Path:
    """Where a name leads when every link on its way is followed."""
    above, _, last = name.rpartition("/")
    path = _folder(root, above) / last
    return _inside(root, path) if path.is_symlink() else path


@lru_cache(maxsize=4096)
def _folder(root: Path, name: str) -> Path:
    """A folder under the root with its links followed: asked once, though thousands of pictures lie in it."""
    return _inside(root, root / name)


def _inside(root: Path, path: Path) -> Path:
    real = path.resolve()
    if not real.is_relative_to(root):
        raise Refused("outside", f"leads to a file outside `{root.name}`")
    return real


def read_picture(root: Path, name: str) -> bytes:
    """The bytes of a picture under `root`. Raises Refused."""
    path, _ = locate(root, name)
    try:
        return path.read_bytes()
    except OSError as error:
        raise Refused("missing", error.strerror or "cannot be read") from None
