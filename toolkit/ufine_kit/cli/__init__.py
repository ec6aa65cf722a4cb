"""The command line: every verb parses its flags, makes one call and prints one result; `main` answers whatever it raises."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ufine_kit.output import Output


def main() -> None:
    """Run a command and leave with its exit code: 0 done, 1 data failed a check, 2 yours to mend, 101 ours, 130 stopped."""
    heard = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if heard:  # until there is something to stop, Ctrl-C just ends the process
        signal.signal(signal.SIGINT, _leave)
    from ufine_kit.errors import EXIT_INTERRUPTED
    from ufine_kit.output import Output

    out = Output()
    try:
        _run(out, heard)
    except KeyboardInterrupt:
        out.say("\nstopped. Finished parts are kept: the same command goes on from here")
        sys.exit(EXIT_INTERRUPTED)
    finally:
        if heard:  # and so it does again when all is done: an interpreter that is ending would answer with a traceback
            signal.signal(signal.SIGINT, _leave)


def _run(out: Output, heard: bool) -> None:
    from ufine_kit.errors import EXIT_BUG, EXIT_INTERRUPTED, EXIT_USER, KitError

    if sys.argv[1:] == ["--version"]:  # the parser would load a third of a second for one word
        from ufine_kit import __version__

        out.result({}, [__version__])
        sys.exit(0)
    if not sys.argv[1:]:
        sys.argv.append("--help")
    try:
        if heard:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        from ufine_kit.cli.app import command

        code = command()(standalone_mode=False) or 0
        if code == EXIT_INTERRUPTED:  # the parser makes a number of Ctrl-C, and says nothing
            raise KeyboardInterrupt
        sys.exit(code)
    except KitError as error:
        out.error(error)
        if os.environ.get("UFINE_DEBUG"):
            import traceback

            traceback.print_exc()
        sys.exit(error.exit_code)
    except Exception as error:
        usage = _usage_problem(error)
        if usage is not None:
            out.error(KitError(usage, f"{_command_words()} --help"))
            sys.exit(EXIT_USER)
        import traceback

        traceback.print_exc()
        out.say("\nThis is a fault of ufine-kit. Please report the lines above with the command that you ran.")
        sys.exit(EXIT_BUG)


def _leave(number: int, frame: object) -> None:
    os._exit(130)


def _usage_problem(error: Exception) -> str | None:
    """The message of the parser for a wrong flag or value; None for any other exception."""
    from typer.exceptions import TyperException

    if not isinstance(error, TyperException):
        return None
    text = error.format_message().strip().rstrip(".")
    return text[:1].lower() + text[1:]


def _command_words() -> str:
    words = [word for word in sys.argv[1:3] if word.replace("-", "").isalnum() and not word.startswith("-")]
    from ufine_kit.cli.app import GROUPS

    return " ".join(["ufine-kit", *(words[:2] if words and words[0] in GROUPS else words[:1])])
