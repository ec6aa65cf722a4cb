"""A command line run as a user types it, and what it leaves on disk.

A process that has loaded already what every command loads is forked for each command: the same `main`, the same exit code
and streams, without loading it a hundred times. `fresh=True` starts a new interpreter instead.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).parent.parent
LIBRARIES = ["numpy", "pyarrow.parquet", "pydantic", "typer.main", "PIL.JpegImagePlugin", "av", "jinja2", "filelock"]
# The parser and the models of rows and recipes; the modules of a verb are loaded by its own command, as they are by a user.
OURS = ["ufine_kit.cli.app", "ufine_kit.recipe", "ufine_kit.pipeline"]
SECONDS = 900

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload([*LIBRARIES, *OURS])


def unsynced() -> None:
    """Let this process wait for no disk: what a killed process wrote is there all the same, and no test cuts the power.

    The call itself stays, and still fails for a file that is closed.
    """
    os.fsync = os.fstat


@dataclass(frozen=True)
class Ran:
    """A finished command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict:
        return json.loads(self.out)


def run_cli(
    *words: object, cwd: Path | None = None, crash_at: str | None = None, fresh: bool = False, **env: str
) -> Ran:
    """Run `ufine-kit`; `crash_at` pulls the plug at that named point. `env` is set for this command alone."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("UFINE_")} | env
    if crash_at:
        clean["UFINE_CRASH_AT"] = crash_at
    typed = [str(word) for word in words]
    if fresh or env:
        done = subprocess.run(
            [sys.executable, "-m", "ufine_kit", *typed],
            capture_output=True, text=True, cwd=cwd or REPO, env=clean, timeout=SECONDS, check=False,
        )  # fmt: skip
        return Ran(done.returncode, done.stdout, done.stderr)
    with tempfile.TemporaryDirectory() as folder:
        streams = [str(Path(folder) / name) for name in ("out", "err")]
        process = _forks.Process(target=_command, args=(typed, str(cwd or REPO), clean, *streams))
        process.start()
        process.join(SECONDS)
        assert process.exitcode is not None, f"still running: {typed}"
        out, err = (Path(stream).read_text(encoding="utf-8") for stream in streams)
        return Ran(process.exitcode, out, err)


def _command(typed: list[str], cwd: str, env: dict[str, str], out: str, err: str) -> None:
    unsynced()
    for stream, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream)
    sys.stdout, sys.stderr = (os.fdopen(stream, "w", encoding="utf-8", closefd=False) for stream in (1, 2))
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.argv = ["ufine-kit", *typed]
    from ufine_kit.cli import main

    main()


def snapshot(folder: Path, *patterns: str) -> dict[str, str]:
    """Relative name -> sha256 of every file under a folder that fits one of the patterns (all files without any)."""
    files = sorted({path for pattern in patterns or ("**/*",) for path in folder.glob(pattern) if path.is_file()})
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
