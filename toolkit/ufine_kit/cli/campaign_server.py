"""`ufine-kit campaign serve`: the local Label Studio of a work folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from ufine_kit.cli.options import DEFAULT_WORK, DryRun, Json, Work
from ufine_kit.errors import EXIT_DONE, KitError
from ufine_kit.output import Output


def serve(
    port: Annotated[
        int | None, typer.Option("--port", min=1024, max=65535, help="Port on loopback; first free one from 8080 on.")
    ] = None,
    stop: Annotated[bool, typer.Option("--stop", help="End the server; its data stay.")] = False,
    invite: Annotated[
        bool,
        typer.Option(
            "--invite",
            help="Also print the link by which annotators join; UFINE_LS_PUBLIC_URL: under a proxy of yours.",
        ),
    ] = False,
    new_password: Annotated[
        bool,
        typer.Option(
            "--new-password", help="Give the administrator a new password: UFINE_LS_PASSWORD or a random one."
        ),
    ] = False,
    work: Work = DEFAULT_WORK,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Run Label Studio on this machine alone, in an environment of its own that is installed on first use. Then --stop it."""
    from ufine_kit.adapters import label_studio_server as server

    out = Output(json)
    if stop and (invite or new_password or port is not None):
        raise KitError("--stop goes with none of --port, --invite and --new-password", "give it alone")
    if stop:
        return _stop(out, work, dry_run)
    if dry_run:
        planned: dict[str, Any] = {**server.plan(work, port), "dry_run": True}
        out.result(planned, [f"{planned['state']}: Label Studio {planned['version']} at {planned['url']}"])
        return EXIT_DONE
    if os.environ.get("UFINE_LS_URL"):
        out.say("UFINE_LS_URL is set: the other commands use that server, not this one")
    runs = server.serve(work, out.say, port)
    password = server.new_password(work) if new_password else runs.password
    link, refused = _invite(work) if invite else (None, None)
    state = "started" if runs.started else "running"
    lines = [f"Label Studio {runs.version} {'at' if runs.started else 'runs already at'} {runs.url}"]
    lines += [f"login {runs.admin}"]
    lines += [f"password {password}  (shown this once, kept nowhere)"] if password else []
    lines += [f"invite annotators with {link}"] if link else []
    out.result(
        {
            "state": state, "url": runs.url, "version": runs.version, "first_boot": runs.first_boot,
            "admin": runs.admin, "password": password, "invite": link, "dry_run": False,
        },
        lines,
    )  # fmt: skip
    if refused is not None:  # after the password, which nobody could be told again
        raise refused
    if not password and not runs.first_boot:
        out.say("the administrator's password is unknown or lost? --new-password gives another")
    out.next(f"ufine-kit campaign create describe NAME --work {work}")
    return EXIT_DONE


def _invite(work: Path) -> tuple[str | None, KitError | None]:
    """The link, or why there is none."""
    from ufine_kit.adapters import label_studio_server as server

    try:
        return server.invite(work), None
    except KitError as error:
        return None, error


def _stop(out: Output, work: Path, dry_run: bool) -> int:
    from ufine_kit.adapters import label_studio_server as server

    url = server.running(work)
    ended = server.stop(work) if not dry_run else False
    said = f"stopped {url}" if ended else f"would stop {url}" if url and dry_run else f"no server runs for `{work}`"
    out.result({"state": "stopped", "url": url, "was_running": url is not None, "dry_run": dry_run}, [said])
    return EXIT_DONE
