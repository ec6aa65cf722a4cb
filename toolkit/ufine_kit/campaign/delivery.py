"""How pictures reach people: files that a local server shows, uploads, addresses by a template, or bytes inside the task."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from ufine_kit.adapters.label_studio import LabelStudio
from ufine_kit.campaign.spec import has_campaign, read_campaign
from ufine_kit.errors import KitError, storage_error
from ufine_kit.files import canonical_json, make_folder
from ufine_kit.parquet import grouped
from ufine_kit.tables import CampaignTable

UPLOADS = "uploads.jsonl"  # in the campaign's folder: what was uploaded to which project, so that nothing goes twice
AT_ONCE = 100  # files that one request may hold
GONE = (403, 404, 500)  # what the server answers where it knows no such upload (500), or another's

Put = Callable[[str, bytes], str]


def open_delivery(name: str, server: LabelStudio, project: int, folder: Path, table: CampaignTable) -> Put:
    """Gives the act that brings one picture to a project's people and says its address.

    `name` is `local`, `upload`, `url` or `inline`; `folder` is `<work>/label-studio/files/<campaign>`. Doing it again for a
    picture that is there already costs nothing and gives the same address. Raises KitError for a template that is none.
    """
    if name == "local":
        _show(server, project, make_folder(folder.resolve()))
        return lambda picture, jpeg: _put_file(folder, picture, jpeg)
    if name == "upload":
        campaign = make_folder(folder.parents[2] / "campaigns" / folder.name)
        return Uploads(server, _shelf(server, campaign), campaign / UPLOADS)
    if name == "url":
        template = checked_template(table.url_template)
        return lambda picture, jpeg: template.replace("{crop_id}", quote(picture, safe=""))
    return lambda picture, jpeg: f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def _shelf(server: LabelStudio, campaign: Path) -> int:
    """The project that holds a campaign's uploads and no task, found by its mark or made.

    The server takes no picture into a project whose tasks have more than one field; it shows those of any project.
    """
    mark = f"ufine-kit {read_campaign(campaign).uid if has_campaign(campaign) else campaign.name} pictures"
    found = [int(one["id"]) for one in server.projects() if mark in str(one.get("description") or "").splitlines()]
    if found:
        return min(found)
    title = f"{campaign.name[:36]} · pictures"
    return int(server.create_project(title=title, description=mark, label_config="<View></View>")["id"])


def _show(server: LabelStudio, project: int, folder: Path) -> None:
    try:
        server.storage(project, folder)
    except KitError as refused:
        if not refused.problem.startswith("the server refuses"):
            raise
        mend = "a server that runs elsewhere sees no files of this machine: --set campaign.delivery=upload"
        raise KitError(refused.problem, mend) from None


def put_all(put: Put, pictures: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    """Addresses of many pictures by id, few of them in memory at a time."""
    if not isinstance(put, Uploads):
        return {name: put(name, jpeg) for name, jpeg in pictures}
    found: dict[str, str] = {}
    for group in grouped(pictures, AT_ONCE):
        found |= put.many(group)
    return found


def checked_template(template: str) -> str:
    """The template of `url`, if it names an address that a browser opens and the crop in it. Raises KitError."""
    if not re.fullmatch(r"(https?://[^\s/]+)?/[^\s]*", template) or "{crop_id}" not in template:
        raise KitError(
            f"`{template}` is no template of an address",
            "give --set campaign.url_template=https://host/folder/{crop_id}.jpg",
        )
    return template


def file_name(picture: str) -> str:
    """A plain file name for a picture: its id where that is plain, else a digest of it."""
    plain = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", picture)
    return f"{picture if plain else hashlib.sha256(picture.encode()).hexdigest()[:32]}.jpg"


def _put_file(folder: Path, picture: str, jpeg: bytes) -> str:
    path = folder / file_name(picture)
    with suppress(OSError):  # not there, or not to be read: then it is written
        if path.stat().st_size == len(jpeg) and path.read_bytes() == jpeg:
            return _local_address(path)
    # Not flushed to the disk one by one: a picture that a power cut takes is written again by the next run.
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        temporary.write_bytes(jpeg)
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        storage_error(error, path)
    return _local_address(path)


def _local_address(path: Path) -> str:
    return f"/data/local-files/?d={quote(f'{path.parent.name}/{path.name}')}"


class Uploads:
    """Pictures uploaded to one project. What was uploaded is known by the sha256 of its bytes, also to the next run."""

    def __init__(self, server: LabelStudio, project: int, path: Path) -> None:
        self.server = server
        self.project = project
        self.path = path
        self._held: dict[str, str] = dict(_uploaded(path, server.url, project))
        if self._held and self._lost(next(reversed(self._held.values()))):
            # The project was deleted, or the whole server was, and its number was given again.
            self._held = {}

    def _lost(self, address: str) -> bool:
        return self.server.fetch(address)[0] in GONE

    def __call__(self, picture: str, jpeg: bytes) -> str:
        """The address of one picture."""
        return self.many([(picture, jpeg)])[picture]

    def many(self, pictures: Sequence[tuple[str, bytes]]) -> dict[str, str]:
        """The addresses of up to 100 pictures by id: one request for those that are not there yet."""
        shas = {name: hashlib.sha256(jpeg).hexdigest() for name, jpeg in pictures}
        fresh = {
            f"{shas[name][:32]}.jpg": (shas[name], jpeg) for name, jpeg in pictures if shas[name] not in self._held
        }
        if fresh:
            there = self.server.upload(self.project, {name: jpeg for name, (_, jpeg) in fresh.items()})
            found = {sha: there[name] for name, (sha, _) in fresh.items()}
            lines = [
                {"server": self.server.url, "project": self.project, "sha256": sha, "address": address}
                for sha, address in found.items()
            ]
            _append(self.path, "".join(canonical_json(line) + "\n" for line in lines).encode())
            self._held |= found
        return {name: self._held[sha] for name, sha in shas.items()}


def _uploaded(path: Path, url: str, project: int) -> Iterable[tuple[str, str]]:
    for line in path.read_bytes().splitlines() if path.exists() else []:
        with suppress(ValueError, KeyError, TypeError):  # a torn line: its pictures go out once more
            entry = json.loads(line)
            if (entry["server"], entry["project"]) == (url, project):
                yield str(entry["sha256"]), str(entry["address"])


def _append(path: Path, lines: bytes) -> None:
    try:
        with path.open("ab") as stream:
            stream.write(lines if stream.tell() == 0 else b"\n" + lines)  # never on to a torn line
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        storage_error(error, path)
