"""Whether people see the pictures of a campaign: three of them fetched as a browser would fetch them."""

from __future__ import annotations

import html
import itertools
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from ufine_kit.adapters.label_studio import LabelStudio, connect
from ufine_kit.campaign.spec import FILE, Campaign, read_campaign
from ufine_kit.errors import KitError

LOOKED_AT = 3
SECONDS = 10
_SOURCE = re.compile(r'<img[^>]* src="([^"]*)"|url\((data:image/jpeg;base64,[^)]*)\)')
# What an answer means to who runs the campaign.
MEANS = {
    401: "401, the server takes no such token: see LABEL_STUDIO_API_KEY",
    403: "403, this user may not see it",
    500: "500, the server fails, or has no such upload (any more)",
    404: "404, no storage record or the file is gone: `ufine-kit campaign create KIND NAME --restore-tasks` puts both back",
}


def pictures_seen(work: Path, open_server: Callable[[Path], LabelStudio] = connect) -> dict[str, Any] | None:
    """One finding of `doctor` on the newest campaign of a work folder; None where none was created on a server."""
    newest = max(work.glob(f"campaigns/*/{FILE}"), key=lambda path: path.stat().st_mtime, default=None)
    if newest is None:
        return None
    try:
        campaign = read_campaign(newest.parent)
        server = open_server(work)
        bad = fetch(server, addresses_of(campaign, server))
    except KitError as error:
        return _line(False, f"{newest.parent.name}: {error.problem}: {error.mend}")
    told = "; ".join(bad) or "shown to people as they should be"
    return _line(not bad, f"{campaign.name}: {told}")


def _line(fine: bool, detail: str) -> dict[str, Any]:
    return {"what": "campaign pictures", "ok": fine, "detail": " ".join(detail.split())}


def addresses_of(campaign: Campaign, server: LabelStudio) -> list[str]:
    """Addresses of pictures in the first tasks of the newest round. Raises KitError where none has a picture."""
    for made in reversed(campaign.rounds):
        for project in made.projects:
            tasks = server.tasks(project.project) if project.project else iter(())
            held = [task.get("data") or {} for task in itertools.islice(tasks, LOOKED_AT)]
            # On another server the number may be somebody else's.
            found = [next(sources(data), None) for data in held if data.get("campaign") == campaign.uid]
            if any(found):
                return [address for address in found if address]
    raise KitError("no task with a picture is on the server", "ufine-kit campaign create")


def sources(value: Any) -> Iterator[str]:
    """Every address of a picture in a task's data, in its order."""
    if isinstance(value, str):
        yield from (html.unescape(address or inside) for address, inside in _SOURCE.findall(value))
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from sources(inner)


def fetch(server: LabelStudio, addresses: Iterable[str]) -> list[str]:
    """A line for each fault, with the addresses that have it. The token goes to the campaign's own server only."""
    bad: dict[str, list[str]] = {}
    for address in addresses:
        if address.startswith("data:image/"):
            continue
        status, kind = server.fetch(address)[:2] if _own(address) else _outside(address)
        if status != 200:
            bad.setdefault(MEANS.get(status, str(status) if status else "no answer"), []).append(address)
        elif not kind.startswith("image/"):
            bad.setdefault(f"`{kind[:40]}`, no picture", []).append(address)
    return [
        f"`{found[0]}`{f' and {len(found) - 1} more' if found[1:] else ''}: {fault}" for fault, found in bad.items()
    ]


def _own(address: str) -> bool:
    """Whether an address is on the campaign's server: `//host/...` is not."""
    return address.startswith("/") and not address.startswith("//")


def _outside(address: str) -> tuple[int, str]:
    """Status (0: no answer) and content type of an address on another host."""
    if not address.startswith(("http://", "https://")):
        return 0, ""
    try:
        with urllib.request.urlopen(address, timeout=SECONDS) as answer:  # noqa: S310
            return answer.status, answer.headers.get_content_type()
    except urllib.error.HTTPError as error:
        return error.code, ""
    except (OSError, ValueError):
        return 0, ""
