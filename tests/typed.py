"""A command line run as a user types it, and what it leaves on disk."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).parent.parent


@dataclass(frozen=True)
class Ran:
    """A finished command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict:
        return json.loads(self.out)


def run_cli(*words: object, cwd: Path | None = None, crash_at: str | None = None, **env: str) -> Ran:
    """Run `ufine-kit` in a fresh process; `crash_at` pulls the plug at that named point."""
    # Set as the environment of the child alone, so that tests stay free of each other.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("UFINE_")}
    if crash_at:
        clean["UFINE_CRASH_AT"] = crash_at
    done = subprocess.run(
        [sys.executable, "-m", "ufine_kit", *map(str, words)],
        capture_output=True, text=True, cwd=cwd or REPO, env={**clean, **env}, timeout=600, check=False,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout, done.stderr)


def snapshot(folder: Path, *patterns: str) -> dict[str, str]:
    """Relative name -> sha256 of every file under a folder that fits one of the patterns (all files without any)."""
    files = sorted({path for pattern in patterns or ("**/*",) for path in folder.glob(pattern) if path.is_file()})
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
