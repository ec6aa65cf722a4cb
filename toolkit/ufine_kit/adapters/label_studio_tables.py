"""What the kit reads in the Label Studio server's own database: whether it has accounts, who runs it, that person's token."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from ufine_kit.errors import KitError

DATABASE = "label_studio.sqlite3"


def accounts(data: Path) -> int:
    """How many people a data folder knows; 0 where it has no table of them."""
    return int(_first(data, "SELECT count(*) FROM htx_user") or 0)


def administrator(data: Path) -> str | None:
    """The address under which the first administrator logs in; it may have been changed on the server."""
    return _first(data, "SELECT email FROM htx_user WHERE is_superuser ORDER BY id LIMIT 1")


def token(data: Path) -> str | None:
    """The first administrator's token; None where there is none."""
    return _first(
        data,
        "SELECT key FROM authtoken_token JOIN htx_user ON htx_user.id = authtoken_token.user_id"
        " WHERE htx_user.is_superuser ORDER BY htx_user.id LIMIT 1",
    )


def _first(data: Path, asked: str) -> str | None:
    """The first field of the first row; None also where there is no database or it has no such table yet.

    Raises KitError where it cannot be read: what is not known must not pass for empty.
    """
    path = (data / DATABASE).absolute()
    if not path.exists():
        return None
    try:
        # Not read-only: after a crash, what was half written must be taken back before anything can be read.
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=30)) as tables:
            row = tables.execute(asked).fetchone()
    except sqlite3.DatabaseError as error:
        if str(error).startswith("no such table"):
            return None
        raise KitError(
            f"cannot read `{path}`: {error}", "run the same command again, or restore it from a copy"
        ) from None
    return None if row is None else str(row[0])
