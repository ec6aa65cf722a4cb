"""The environment of the Label Studio server and its empty, migrated database: found or made once, kept in the user's cache."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ufine_kit import parts
from ufine_kit.adapters.label_studio_tables import DATABASE, accounts
from ufine_kit.errors import KitError
from ufine_kit.files import make_folder, write_bytes
from ufine_kit.resources import resource, root

Say = Callable[[str], None]
PYTHONS = ">=3.11,<3.14"  # for which the listed versions have wheels
OWN = "name one that is installed: UFINE_LS_BIN=/path/to/label-studio"
# What an installer may see of our environment: where packages come from, and no secret of other services.
_FOR_INSTALLERS = re.compile(
    r"(?i)PATH|HOME|USER|LANG|LC_.*|TMPDIR|TERM|NETRC|SSL_.*|REQUESTS_.*|UV_.*|PIP_.*|XDG_.*|\w+_PROXY"
)
_TOLD = re.compile(r"^(Using|Resolved|Prepared|Installed|Downloading|Building|Collecting)\b")


@dataclass(frozen=True)
class Install:
    """A `label-studio` command and the version it belongs to."""

    binary: Path
    version: str


def find() -> Install | None:
    """The server's environment where there is one: named by UFINE_LS_BIN, the checkout's own, or the cached one.

    Raises KitError when UFINE_LS_BIN names none.
    """
    if named := os.environ.get("UFINE_LS_BIN"):
        return _named(Path(named))
    checkout = root() / ".venvs" / "label-studio"
    if (checkout / ".ready").is_file():
        return _named(checkout / "bin" / "label-studio")
    cached = _cache() / "venv"
    binary = cached / "bin" / "label-studio"
    whole = _mark(cached).is_file() and _mark(cached).read_text() == _listed_digest()
    # A link to a Python that was taken away since counts for nothing.
    whole = whole and os.access(binary, os.X_OK) and (cached / "bin" / "python").exists()
    return Install(binary, listed_version()) if whole else None


def run(command: Sequence[str], said: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the server's command to its end with `said` as its input. Raises KitError where it cannot be started."""
    try:
        return subprocess.run(
            command, input=said, env=env, start_new_session=True, capture_output=True, text=True, encoding="utf-8",
            errors="replace", check=False, umask=0o077,
        )  # fmt: skip
    except OSError as error:
        raise KitError(f"cannot start `{command[0]}`: {error.strerror}", OWN) from None


def environment(say: Say) -> Install:
    """The server's environment, made on first use. Raises KitError when it cannot be (no network, no space)."""
    with _making("venv"):
        return find() or _make(say)


def template(install: Install, say: Say, env: Callable[[Path], Mapping[str, str]]) -> Path:
    """A data folder with all tables, no account and no secret key, made once a version; `env` gives the server's environment.

    Raises KitError when the server cannot make its tables.
    """
    folder = _cache(install.version) / "template"
    with _making("template", install.version):
        if not folder.is_dir():
            _migrate(install, folder, say, env)
    return folder


def listed_version() -> str:
    """The version of the server in the packaged list."""
    found = re.search(r"^label-studio==(\S+)", _list().read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


def _named(binary: Path) -> Install:
    if not (binary.is_file() and os.access(binary, os.X_OK)):
        raise KitError(f"`{binary}` is no command", "UFINE_LS_BIN=/path/to/label-studio")
    places = binary.resolve().parent.parent.glob("lib/python*/*-packages/label_studio-*.dist-info")
    versions = sorted(place.name.removesuffix(".dist-info").partition("-")[2] for place in places)
    if not versions:
        raise KitError(
            f"cannot tell which version `{binary}` is", "name the `label-studio` in the bin folder of its environment"
        )
    return Install(binary.absolute(), versions[-1])


def _list() -> Path:
    return resource("constraints", "label-studio.txt")


def _listed_digest() -> str:
    return hashlib.sha256(_list().read_bytes()).hexdigest()


def _cache(version: str | None = None) -> Path:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "ufine-kit" / "label-studio" / (version or listed_version())


def _mark(environment: Path) -> Path:
    return environment / ".ready"


@contextlib.contextmanager
def _making(what: str, version: str | None = None) -> Generator[None]:
    with parts.lock(make_folder(_cache(version)), what):
        yield


def _make(say: Say) -> Install:
    """An environment holds absolute paths, so it is made in its place; without its mark, written last, it does not exist."""
    folder = _cache() / "venv"
    say(f"installing Label Studio {listed_version()} into {folder} (once, about 800 MB)")
    shutil.rmtree(folder, ignore_errors=True)
    for command in _commands(folder):
        _install(command, say)
    write_bytes(_mark(folder), _listed_digest().encode())
    found = find()
    assert found is not None
    return found


def _commands(folder: Path) -> list[list[str]]:
    python = str(folder / "bin" / "python")
    if uv := shutil.which("uv"):
        return [
            [uv, "venv", "-q", "--clear", "--python", PYTHONS, str(folder)],
            [uv, "pip", "install", "--python", python, "-r", str(_list())],
        ]
    return [
        [sys.executable, "-m", "venv", str(folder)],
        [python, "-m", "pip", "install", "--disable-pip-version-check", "-r", str(_list())],
    ]


def _install(command: Sequence[str], say: Say) -> None:
    env = {name: value for name, value in os.environ.items() if _FOR_INSTALLERS.fullmatch(name)}
    last: list[str] = []
    try:
        process = subprocess.Popen(
            command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            encoding="utf-8", errors="replace",
        )  # fmt: skip
    except OSError as error:
        raise KitError(f"cannot run `{command[0]}`: {error.strerror}", OWN) from None
    assert process.stdout is not None
    with process:
        for line in filter(None, map(str.strip, process.stdout)):
            last = [*last[-39:], line]
            if _TOLD.match(line):
                say(f"  {line[:100]}")
    if process.returncode != 0:
        raise KitError(
            f"cannot install Label Studio: {_first_error(last)}",
            f"run the same command again when the package index can be reached, or {OWN}",
        )


def _first_error(lines: Sequence[str]) -> str:
    """What an installer says was wrong, in one line: causes follow each other, the last says most."""
    told = [line for line in lines if re.match(r"(?i)error|caused by|×", line)]
    return (" ".join(told[:1] + told[-1:] if len(told) > 1 else told or list(lines[-1:])) or "no word")[:300]


def _migrate(install: Install, folder: Path, say: Say, env: Callable[[Path], Mapping[str, str]]) -> None:
    """The `version` command makes all tables and no account; the secret key that it leaves is taken out again."""
    say(f"preparing an empty database for Label Studio {install.version} (once, about a minute)")
    new = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    make_folder(new).chmod(0o700)
    log = new.with_suffix(".log")
    since = time.monotonic()
    with log.open("wb") as stream:
        command = [str(install.binary), "version", "--data-dir", str(new)]
        try:
            process = subprocess.Popen(
                command, env=env(new), stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, umask=0o077
            )
        except OSError as error:
            raise KitError(f"cannot start `{install.binary}`: {error.strerror}", OWN) from None
        while process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(15)
                break
            say(f"  preparing the database: {time.monotonic() - since:.0f} s")
    if process.returncode != 0 or not (new / DATABASE).is_file() or accounts(new):
        raise KitError(f"`{install.binary}` cannot make its tables", f"read the log: {log}")
    (new / ".env").unlink(missing_ok=True)
    shutil.rmtree(new / ".config", ignore_errors=True)
    new.replace(folder)
