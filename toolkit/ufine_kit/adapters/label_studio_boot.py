"""How a Label Studio server is started: its whole environment, its command, its port, and the wait until it answers."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from ufine_kit.adapters import detached
from ufine_kit.adapters.label_studio_install import Install
from ufine_kit.errors import KitError

Say = Callable[[str], None]
ADMIN = "admin@ufine.local"
HOST = "127.0.0.1"
LOOPBACK = "0100007F"  # as /proc/net/tcp spells 127.0.0.1
PORTS = range(8080, 8180)
READY_SECONDS = 600.0  # a newer version may have to change all tables of a large campaign first
LOG_BYTES = 10_000_000
_KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "TZ")


def environment(data: Path, files: Path) -> dict[str, str]:
    """All that the server sees of an environment: no secret of ours, nothing sent out, pictures below `files` alone.

    Raises KitError where UFINE_LS_PUBLIC_URL is no address of a server.
    """
    names, origins = [HOST, "localhost"], dict[str, str]()
    if public := public_url():
        names.append(str(urlsplit(public).hostname))
        origins["LABEL_STUDIO_CSRF_TRUSTED_ORIGINS"] = public
    return {name: os.environ[name] for name in _KEPT if name in os.environ} | {
        "HOME": str(data.absolute()),
        "PYTHONUNBUFFERED": "1",
        "DJANGO_DB": "sqlite",
        "LABEL_STUDIO_BASE_DATA_DIR": str(data.absolute()),
        "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "true",
        "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT": str(files.resolve()),
        "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
        # Pages of other sites, and names of other sites that are made to point here, get no answer.
        "LABEL_STUDIO_ALLOWED_HOSTS": ",".join(names),
        **origins,
        "LABEL_STUDIO_CORS_ALLOW_ALL_ORIGINS": "false",
        "COLLECT_ANALYTICS": "false",
        "LATEST_VERSION_CHECK": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
    }


def public_url() -> str | None:
    """Where a reverse proxy of the team offers the server (UFINE_LS_PUBLIC_URL), without which only loopback is answered.

    Raises KitError for what is no `https://name`.
    """
    given = os.environ.get("UFINE_LS_PUBLIC_URL", "").rstrip("/")
    if not given:
        return None
    try:
        parts = urlsplit(given)
        right = parts.scheme in ("http", "https") and parts.hostname and parts.netloc == given.partition("://")[2]
        right = right and parts.username is None and (parts.port is None or parts.port > 0)
        # `*` and `.org` would let in every name.
        right = right and re.fullmatch(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?", str(parts.hostname))
    except ValueError:
        right = False
    if not right:
        raise KitError(f"`{given}` is no public address", "UFINE_LS_PUBLIC_URL=https://labels.example.org")
    return given


def first_account(password: str) -> dict[str, str]:
    """What the first boot is told beside: it makes the administrator. Later boots are told of no token and no password."""
    return {
        "LABEL_STUDIO_USERNAME": ADMIN,
        "LABEL_STUDIO_PASSWORD": password,
        "LABEL_STUDIO_USER_TOKEN": secrets.token_hex(20),
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
    }


def launch(install: Install, folder: Path, port: int, extra: Mapping[str, str]) -> detached.Detached:
    """Start the server of a folder (`data/`, `files/`, `server.log`) on loopback; it does not answer yet."""
    log = log_of(folder)
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_name(f"{log.name}.1"))
    command = [
        str(install.binary), "start", "--no-browser", "--internal-host", HOST, "-p", str(port),
        "--data-dir", str((folder / "data").absolute()), "--log-level", "WARNING",
    ]  # fmt: skip
    try:
        return detached.start(command, {**environment(folder / "data", folder / "files"), **extra}, log)
    except OSError as error:
        raise KitError(
            f"cannot start `{install.binary}`: {error.strerror}", "UFINE_LS_BIN=/path/to/label-studio"
        ) from None


def wait(process: detached.Detached, port: int, log: Path, say: Say) -> None:
    """Until it answers. Raises KitError when it ends before, with its last words, or is not ready in time."""
    since = told = time.monotonic()
    while time.monotonic() < since + READY_SECONDS:
        if not detached.alive(process):
            raise KitError(f"Label Studio stopped while it started: {_last_words(log)}", f"read the log: {log}")
        with contextlib.suppress(OSError, http.client.HTTPException):
            if get(port, "/health")[0] == 200:
                return
        if time.monotonic() > told + 15:
            told = time.monotonic()
            say(f"  waiting for Label Studio: {told - since:.0f} s")
        time.sleep(0.1)
    raise KitError(f"Label Studio was not ready after {READY_SECONDS:.0f} s", f"read the log: {log}")


def settled(process: detached.Detached, port: int) -> bool:
    """Whether it listens where it was told to: it moves on without a word where another program was faster.

    Raises KitError when it can be reached from beyond this machine.
    """
    sockets = detached.listening(process.pid)
    if sockets is None:  # a system that does not tell; the port was free a moment ago
        return True
    if any(address != LOOPBACK for address, _ in sockets):
        raise KitError("the server listened beyond this machine and was stopped", "UFINE_LS_BIN=another version of it")
    return (LOOPBACK, port) in sockets


def get(port: int, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
    """Status and body. Straight to loopback: a proxy that the environment names must not come between."""
    with contextlib.closing(http.client.HTTPConnection(HOST, port, timeout=60)) as connection:
        connection.request("GET", path, headers=dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read()


def ports(held: int | None, wanted: int | None) -> list[int]:
    """The ports to try: the wanted one, else the one it had (`held`), else the free ones from 8080 on.

    Raises KitError where the one that it must be is taken.
    """
    if wanted is not None and not _free(wanted):
        raise KitError(f"port {wanted} is taken by another program", "choose another with --port")
    if wanted is None and held is not None and not _free(held):
        raise KitError(
            f"port {held}, where this server had its address, is taken by another program",
            "end that program, or move the server with --port",
        )
    if chosen := wanted or held:
        return [chosen]
    free = [port for port in PORTS if _free(port)]
    if not free:
        raise KitError(f"no port from {PORTS[0]} to {PORTS[-1]} is free", "choose one with --port")
    return free


def log_of(folder: Path) -> Path:
    """Where the server writes."""
    return folder / "server.log"


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what just ended does not count
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _last_words(log: Path, lines: int = 3) -> str:
    said = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return " | ".join([line.strip()[:200] for line in said if line.strip()][-lines:]) or "it said nothing"
