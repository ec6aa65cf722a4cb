"""A process that outlives the command that started it: told from a re-used number, watched, stopped with its group."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TERM_SECONDS = 15.0
KILL_SECONDS = 60.0  # nobody refuses it, but a machine may be slow to take a large process down
LISTENS = "0A"  # the state of a listening socket in /proc/net/tcp


@dataclass(frozen=True)
class Detached:
    """A process by its number and its birth: numbers are re-used, also after a reboot; the two together are not."""

    pid: int
    born: str


def start(command: Sequence[str], env: Mapping[str, str], log: Path) -> Detached:
    """Start a command in a session of its own with just this environment; what it writes goes to a log only we may read.

    Files that it makes are readable by their owner alone. Raises OSError when it cannot be started.
    """
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as stream:
        process = subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
            umask=0o077,
        )
    process.returncode = 0  # we part here: nothing shall warn that it still runs when this object goes
    return Detached(process.pid, birth(process.pid) or "")


def birth(pid: int) -> str | None:
    """When a process was started, in words that no other process with this number shares; None where none runs."""
    _reap(pid)
    if PROC.joinpath("self/stat").exists():
        try:
            fields = _fields(PROC / str(pid) / "stat")
            boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
        except OSError:
            return None
        return None if fields[0] in "ZX" and not _threads(pid) else f"{boot} {fields[19]}"
    asked = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, since = asked.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else since.strip()


def _fields(stat: Path) -> list[str]:
    """What follows the name of a process or thread: the name, in brackets, may hold spaces, brackets and any bytes at all."""
    return stat.read_text(errors="replace").rpartition(")")[2].split()


def _threads(pid: int) -> bool:
    """Whether threads outlive the first one: until they are gone too, files and ports stay open."""
    try:
        states = [_fields(path / "stat")[0] for path in (PROC / str(pid) / "task").iterdir()]
    except OSError:
        return False
    return any(state not in "ZX" for state in states)


def alive(process: Detached) -> bool:
    """Whether this very process runs still."""
    return bool(process.born) and birth(process.pid) == process.born


def stop(process: Detached) -> bool:
    """Ask it to end, then end it, with all of its group and nothing else. False where it does not run (any more).

    Its children are waited for as it is: one that does not hear keeps the port, and is ended like the first.
    """
    try:
        if not alive(process) or os.getpgid(process.pid) != process.pid:
            return False
    except ProcessLookupError:  # it ended between the two questions
        return False
    group = _group(process.pid) | {process}
    for sign, seconds in ((signal.SIGTERM, TERM_SECONDS), (signal.SIGKILL, KILL_SECONDS)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        end, late = time.monotonic() + seconds, False
        while not late:
            late = time.monotonic() > end  # asked before the look: who was held up himself looks once more
            # While one of the old lives, the number of the group cannot be another's: whoever joined since is ours.
            group = {one for one in group if alive(one)}
            if not group:
                return True
            group |= _group(process.pid)
            time.sleep(0.05)
    return True


def _group(leader: int) -> set[Detached]:
    """All who live in a process group; nobody on systems that do not tell, where the leader stands for them."""
    found: set[Detached] = set()
    for path in PROC.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ended while we looked
            if int(_fields(path)[2]) == leader:
                pid = int(path.parent.name)
                found.add(Detached(pid, birth(pid) or ""))
    return {one for one in found if one.born}


def listening(pid: int) -> set[tuple[str, int]] | None:
    """Where a process listens: (address in hex as the system keeps it, port); None on systems that do not tell."""
    try:
        handles = {_target(handle) for handle in (PROC / str(pid) / "fd").iterdir()}
        tables = [(PROC / str(pid) / "net" / name).read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
    except OSError:
        return None
    rows = [line.split() for table in tables for line in table]
    held = [row[1].partition(":") for row in rows if row[3] == LISTENS and f"socket:[{row[9]}]" in handles]
    return {(address, int(port, 16)) for address, _, port in held}


def _target(handle: Path) -> str:
    """What a handle stands for; it may be closed while one looks."""
    try:
        return str(handle.readlink())
    except OSError:
        return ""


def _reap(pid: int) -> None:
    """A child of ours that ended stays in the table until it is asked after."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
