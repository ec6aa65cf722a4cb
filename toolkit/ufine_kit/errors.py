"""What the kit raises for people: a problem in one line and its mend; every other exception is a bug of ours."""

from __future__ import annotations

import importlib
import os
from types import ModuleType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from pydantic import ValidationError

NOT_BLANK = r"\S"  # the pattern of a text that says something

EXIT_DONE = 0
EXIT_CHECK_FAILED = 1
EXIT_USER = 2
EXIT_BUG = 101
EXIT_INTERRUPTED = 130


class KitError(Exception):
    """The user can mend this: `problem` in one line (lower case, values in backticks), `mend` a command or flag."""

    exit_code = EXIT_USER

    def __init__(self, problem: str, mend: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.mend = mend

    def __reduce__(self) -> tuple[type[KitError], tuple[str, str]]:
        """Both texts must survive the way back from a worker process."""
        return type(self), (self.problem, self.mend)


class CheckFailed(KitError):
    """The command worked and the data did not pass: exit 1."""

    exit_code = EXIT_CHECK_FAILED


class BadInput(KitError):
    """One input of a part cannot be used: the part fails with this reason, the other parts go on."""


def need(module: str, extra: str) -> ModuleType:
    """Import an optional dependency, or say in one line which extra brings it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.partition(".")[0] != module.partition(".")[0]:
            raise
        raise KitError(f"`{missing.name}` is not installed", f"uv pip install 'ufine-kit[{extra}]'") from None


def storage_error(error: OSError, path: os.PathLike[str] | str) -> NoReturn:
    """Turn a full disk, a quota, a size limit or missing rights into one line with its mend; anything else stays."""
    import errno

    elsewhere = "choose another folder (--work, --out, --to)"
    mends = {
        errno.EISDIR: ("a folder stands where a file is to be written:", "name a file, or another place"),
        errno.ENAMETOOLONG: ("the name is too long for this file system:", "choose a shorter one"),
        errno.ELOOP: ("links lead in a circle:", elsewhere),
        errno.ENOTDIR: ("a file stands where a folder is needed for", "choose another folder"),
        errno.ENOSPC: ("no space left for", "free some space and run the same command again: finished parts are kept"),
        errno.EDQUOT: ("disk quota reached for", "raise the quota and run the same command again"),
        errno.EFBIG: ("file size limit reached for", "raise `ulimit -f` and run the same command again"),
        errno.EACCES: ("no right to write", elsewhere),
        errno.EPERM: ("no right to write", elsewhere),
        errno.EROFS: ("read-only file system:", elsewhere),
    }
    if error.errno not in mends:
        raise error
    what, mend = mends[error.errno]
    raise KitError(f"{what} `{error.filename or path}`", mend) from error


def first_fault(error: ValidationError, whole: str) -> str:
    """The first field that a model refuses and why, for one line; `whole` names what is read where no field is to blame."""
    first = error.errors()[0]
    where = ".".join(str(step) for step in first["loc"]) or whole
    if first["type"] == "string_pattern_mismatch" and first.get("ctx", {}).get("pattern") == NOT_BLANK:
        return f"`{where}` is empty"
    if first["type"] == "model_type":
        return f"`{where}` is no JSON object"
    said = first["msg"].removeprefix("Value error, ")
    said = f"{said[:1].lower()}{said[1:]}"
    return said if first["type"] == "value_error" and not first["loc"] else f"`{where}` {said}"
