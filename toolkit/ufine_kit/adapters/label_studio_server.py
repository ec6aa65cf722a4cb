"""The local Label Studio of a work folder: started detached, found again, stopped, and asked for what only its owner may know.

Its accounts, tokens and answers live in its own data folder; the kit keeps none of them.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ufine_kit import parts
from ufine_kit.adapters import detached, label_studio_boot, label_studio_install
from ufine_kit.adapters.label_studio_boot import ADMIN, HOST
from ufine_kit.adapters.label_studio_install import Install
from ufine_kit.adapters.label_studio_tables import DATABASE, accounts, administrator, token
from ufine_kit.errors import KitError, storage_error
from ufine_kit.files import make_folder, read_json, write_json

Say = Callable[[str], None]
SHORTEST_PASSWORD = 8
AGAIN = "free some space, or mend what it says, and run the same command again"


@dataclass(frozen=True)
class Running:
    """A server that answers. `password` is set once, at the first boot, where it was made up here; it is kept nowhere."""

    url: str
    version: str
    first_boot: bool
    admin: str
    password: str | None
    started: bool = True


@dataclass(frozen=True)
class State:
    """`server.json`: the process, and the port, which stays with the work folder: people and campaigns know the address."""

    port: int
    version: str
    pid: int | None = None
    born: str = ""
    url: str = ""

    @property
    def process(self) -> detached.Detached | None:
        """The process as it was started, if it runs still: not one that was given its number later."""
        process = None if self.pid is None else detached.Detached(self.pid, self.born)
        return process if process is not None and detached.alive(process) else None


def serve(work: Path, say: Say, port: int | None = None) -> Running:
    """The server of a work folder, started unless it runs already; returns when it answers.

    `port` is taken instead of the one it had before, or of the first free one from 8080 on. Raises KitError when the
    environment cannot be made, the port is taken, or the server does not come up.
    """
    folder = make_folder(_folder(work))
    with parts.lock(folder, "serve"):
        held = _state(folder)
        if held is not None and (process := held.process):
            if port not in (None, held.port):
                raise KitError(
                    f"the server runs already at {held.url}", f"ufine-kit campaign serve --stop --work {work}"
                )
            label_studio_boot.wait(process, held.port, label_studio_boot.log_of(folder), say)
            return Running(held.url, held.version, False, _admin(folder), None, started=False)
        chosen = label_studio_boot.ports(held and held.port, port)
        install = label_studio_install.environment(say)
        _refuse_older(held, install)
        return _boot(folder, install, chosen, held, say)


def stop(work: Path) -> bool:
    """End the server of a work folder and what it started, nothing else. False where none runs."""
    folder = _folder(work)
    if (held := _state(folder)) is None or held.pid is None:
        return False
    with parts.lock(folder, "serve"):
        if (held := _state(folder)) is None:  # as it is now: another may have started it anew while we waited
            return False
        process = held.process
        ended = process is not None and detached.stop(process)
        _keep(folder, State(held.port, held.version))
    return ended


def running(work: Path) -> str | None:
    """The address of the work folder's server, or None where it does not run."""
    held = _state(_folder(work))
    return held.url if held is not None and held.process else None


def admin_token(work: Path) -> str:
    """The administrator's token, read from the server's own tables. Raises KitError where there is no server."""
    found = token(_folder(work) / "data")
    if found is None:
        raise KitError(f"no Label Studio server in `{work}`", f"ufine-kit campaign serve --work {work}")
    return found


def invite(work: Path) -> str:
    """The link under which a person makes an account. Raises KitError where the server does not run or refuses."""
    held = _state(_folder(work))
    if held is None or not held.process:
        raise KitError(f"no Label Studio server runs for `{work}`", f"ufine-kit campaign serve --work {work}")
    base = label_studio_boot.public_url() or held.url
    try:
        status, said = label_studio_boot.get(held.port, "/api/invite", {"Authorization": f"Token {admin_token(work)}"})
        if status == 200:
            return base + str(json.loads(said)["invite_url"])
    except (OSError, http.client.HTTPException, ValueError, TypeError, KeyError) as error:
        log = label_studio_boot.log_of(_folder(work))
        raise KitError(f"the server gives no invite link ({type(error).__name__})", f"read the log: {log}") from None
    raise KitError(f"the server gives no invite link: {status}", "switch legacy tokens on in its organization page")


def new_password(work: Path) -> str | None:
    """Give the administrator another password: that of UFINE_LS_PASSWORD, else one made up here, which is returned.

    Raises KitError where there is no account yet or the server refuses.
    """
    folder = _folder(work)
    who = administrator(folder / "data")
    install = label_studio_install.find()
    if who is None or install is None:
        raise KitError(f"no Label Studio server in `{work}`", f"ufine-kit campaign serve --work {work}")
    held = _state(folder)
    if held is not None and held.version != install.version:  # it would change the tables under the server that runs
        raise KitError(
            f"the server is Label Studio {held.version}, and `{install.binary}` is {install.version}",
            f"ufine-kit campaign serve --stop --work {work}, then serve again",
        )
    given = _given_password()
    password = given or _make_password()
    done = label_studio_install.run(
        [str(install.binary), "reset_password", "--username", who, "--data-dir", str((folder / "data").absolute())],
        # By its input, for every user of the machine can read a command line; without a terminal it asks there.
        f"{password}\n", label_studio_boot.environment(folder / "data", folder / "files"),
    )  # fmt: skip
    if "successfully" not in done.stdout:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise KitError(f"the password was not changed: {(said or ['no word'])[-1][:200]}", "try another password")
    return None if given else password


def plan(work: Path, port: int | None) -> dict[str, Any]:
    """What `serve` would do; nothing is written. Raises KitError where it could not."""
    folder = _folder(work)
    held = _state(folder)
    if held is not None and held.process:
        return {"state": "running", "url": held.url, "version": held.version, "would_install": False}
    found = label_studio_install.find()
    return {
        "state": "would start",
        "url": _url(label_studio_boot.ports(held and held.port, port)[0]),
        "version": found.version if found else label_studio_install.listed_version(),
        "would_install": found is None,
        "first_boot": accounts(folder / "data") == 0,
    }


def _boot(folder: Path, install: Install, ports: list[int], held: State | None, say: Say) -> Running:
    data = folder / "data"
    given = _given_password()
    fresh = not (data / DATABASE).exists()
    if fresh:
        _fill(data, label_studio_install.template(install, say, lambda new: label_studio_boot.environment(new, new)))
    elif held is not None and held.version != install.version:
        _save_tables(data, held.version, say)
    make_folder(folder / "files")
    first = accounts(data) == 0
    password = given or _make_password()
    say(f"starting Label Studio {install.version}")
    try:
        extra = label_studio_boot.first_account(password) if first else {}
        state = _start(folder, install, ports, held, extra, say)
    except BaseException:
        if fresh:  # an account whose password nobody was told, and not a word of anybody
            shutil.rmtree(data, ignore_errors=True)
        raise
    return Running(state.url, state.version, first, _admin(folder), password if first and not given else None)


def _start(
    folder: Path, install: Install, ports: list[int], held: State | None, extra: Mapping[str, str], say: Say
) -> State:
    """Try one port after the other until the server settles on one; what was started in vain is ended."""
    for port in ports:
        process = label_studio_boot.launch(install, folder, port, extra)
        state = State(port, install.version, process.pid, process.born, _url(port))
        _keep(folder, state)  # before it answers: whoever comes after a crash of ours finds it
        settled = False
        try:
            label_studio_boot.wait(process, port, label_studio_boot.log_of(folder), say)
            settled = label_studio_boot.settled(process, port)
        finally:
            if not settled:
                detached.stop(process)
                _forget(folder, held)
        if settled:
            return state
    raise KitError(f"port {ports[-1]} was taken while the server started", "choose another with --port")


def _forget(folder: Path, held: State | None) -> None:
    """As it was before the start: the port stays known."""
    if held is None:
        (folder / "server.json").unlink(missing_ok=True)
    else:
        _keep(folder, State(held.port, held.version))


def _fill(data: Path, empty: Path) -> None:
    """Copy the empty database, whole or not at all, readable by nobody else."""
    new = data.with_name(f".{data.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    try:
        shutil.copytree(empty, new)
        new.chmod(0o700)
        shutil.rmtree(data, ignore_errors=True)  # no database in it, or we were not here
        new.replace(data)
    except OSError as error:
        shutil.rmtree(new, ignore_errors=True)
        if isinstance(error, shutil.Error):  # it names every file; the first says enough
            raise KitError(f"cannot write `{data}`: {error.args[0][0][2]}", AGAIN) from None
        storage_error(error, data)


def _save_tables(data: Path, version: str, say: Say) -> None:
    """Another version changes the tables, and there is no way back. A change that broke off leaves the first copy alone."""
    names = [f"{DATABASE}.{version}", *(f"{DATABASE}.{version}.{number}" for number in range(2, 1000))]
    copy = next(data / name for name in names if not (data / name).exists())
    new = data / f".{DATABASE}.copy"
    say(f"keeping a copy of the database of version {version}: {copy}")
    try:
        new.unlink(missing_ok=True)
        # Not the bare file: after a crash, half of what was written may stand in the journal beside it.
        with (
            contextlib.closing(sqlite3.connect(data / DATABASE)) as tables,
            contextlib.closing(sqlite3.connect(new)) as kept,
        ):
            tables.backup(kept)
        new.chmod(0o600)
        new.replace(copy)
    except (OSError, sqlite3.Error) as error:
        raise KitError(f"cannot keep a copy of `{data / DATABASE}`: {error}", AGAIN) from None


def _refuse_older(held: State | None, install: Install) -> None:
    if held is not None and _numbers(held.version) > _numbers(install.version):
        raise KitError(
            f"the database was last used by Label Studio {held.version}, and {install.version} may not know its tables",
            "UFINE_LS_BIN=/path/to/label-studio of that version or a newer one",
        )


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdigit()]


def _given_password() -> str | None:
    given = os.environ.get("UFINE_LS_PASSWORD")
    if given and len(given) < SHORTEST_PASSWORD:
        raise KitError("the password in UFINE_LS_PASSWORD is too short", f"give {SHORTEST_PASSWORD} signs or more")
    if given and not given.isprintable():
        raise KitError("the password in UFINE_LS_PASSWORD has a sign that nobody can type", "give one line of text")
    return given or None


def _make_password() -> str:
    return secrets.token_urlsafe(12)


def _admin(folder: Path) -> str:
    return administrator(folder / "data") or ADMIN


def _state(folder: Path) -> State | None:
    path = folder / "server.json"
    if not path.exists():
        return None
    try:
        return State(**read_json(path))
    except TypeError:
        raise KitError(f"`{path}` is damaged", "remove it; a server that still runs must be ended by hand") from None


def _keep(folder: Path, state: State) -> None:
    write_json(folder / "server.json", asdict(state), mode=0o600)


def _folder(work: Path) -> Path:
    return work / "label-studio"


def _url(port: int) -> str:
    return f"http://{HOST}:{port}"
