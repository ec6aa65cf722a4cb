"""A Label Studio server: the few requests that campaigns need, pages checked against what was asked.

Without the vendor's own client: it pins numpy and a second cv2, repeats what writes, and lets wrong filters pass in silence.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from ufine_kit.adapters.label_studio_line import MOST_BYTES, Line, NotThere, TooLarge
from ufine_kit.errors import KitError

# Nested fields are chosen by the same list: names and addresses of people are not among them, so they are never fetched.
ANSWERED = "id,data,updated_at,annotations,result,completed_by,updated_by,created_at,was_cancelled,lead_time"
PROJECT = "id,title,description,label_config,maximum_annotations,task_number,expert_instruction"
PAGE = 500  # tasks
NAMED = 100  # tasks asked for by number in one address: proxies take no more than a few thousand characters
UPLOAD = 100  # files in one request: more are refused


class LabelStudio:
    """One server, as the token's user sees it. Raises KitError that names its mend for whatever does not work."""

    def __init__(
        self, url: str, token: str, patience_seconds: float = 90.0, page: int = PAGE, most_bytes: int = MOST_BYTES
    ) -> None:
        self.line = Line(url, token, patience_seconds, most_bytes)
        self.page = page

    @property
    def url(self) -> str:
        """The server's address, without a slash at its end."""
        return self.line.url

    @property
    def clock(self) -> str | None:
        """The server's time when it last answered."""
        return self.line.clock

    def close(self) -> None:
        """Let go of the connections."""
        self.line.close()

    def version(self) -> str:
        """Version of Label Studio."""
        return str(_object(self.line.get("/api/version/").json()).get("release", "unknown"))

    def whoami(self) -> int:
        """Number of the token's user."""
        return _number(_object(self.line.get("/api/current-user/whoami").json()), "id")

    def users(self) -> dict[int, str]:
        """E-mail addresses by user number: for the terminal of the manager, and for nothing that is kept."""
        found = _list(self.line.get("/api/users/").json())
        return {_number(user, "id"): str(user.get("email", "")) for user in found}

    def projects(self) -> Iterator[dict[str, Any]]:
        """Every project: `id`, `title`, `description`."""
        number, more = 1, True
        while more:
            params = {"page_size": 100, "page": number, "include": "id,title,description"}
            answer = _object(self.line.get("/api/projects/", params).json())
            yield from _list(answer.get("results"))
            number, more = number + 1, bool(answer.get("next"))

    def project(self, project: int) -> dict[str, Any]:
        """One project. Raises NotThere where it was deleted."""
        return _object(self.line.get(f"/api/projects/{project}/", {"include": PROJECT}).json())

    def create_project(self, **fields: Any) -> dict[str, Any]:
        """Create a project, once. Raises LostAnswer where it may be there although no answer came."""
        made = _object(self.line.write("POST", "/api/projects/", json=fields).json())
        return {**made, "id": _number(made, "id")}

    def change_project(self, project: int, **fields: Any) -> dict[str, Any]:
        """Change fields of a project. Raises KitError where its annotations do not allow it."""
        return _object(self.line.write("PATCH", f"/api/projects/{project}/", json=fields).json())

    def import_tasks(self, project: int, tasks: Sequence[Mapping[str, Any]]) -> list[int]:
        """Send tasks, once, all or none of them; their numbers in the same order.

        Raises LostAnswer where they may be there: the server tells nobody's task from a second one, so ask for `keys` first.
        """
        path = f"/api/projects/{project}/import?return_task_ids=true"
        answer = _object(self.line.write("POST", path, json=list(tasks)).json())
        return [int(number) for number in _list(answer.get("task_ids", []))]

    def totals(self, project: int) -> tuple[int, int]:
        """How many tasks a project has, and how many annotations that are no skips."""
        found = self._page(project, {"include": "id", "page_size": 1})
        return _number(found, "total"), _number(found, "total_annotations")

    def newest(self, project: int) -> str | None:
        """When a task of a project was changed last, by the clock of the server's own base; None without a task.

        Any other clock, such as that of a proxy, may go before it.
        """
        query = _query([_filter("id", "greater", "Number", 0)], "-tasks:updated_at")
        tasks = _list(self._page(project, {"include": "id,updated_at", "page_size": 1, "query": query}).get("tasks"))
        return utc(tasks[0].get("updated_at")) if tasks else None

    def keys(self, project: int) -> Iterator[tuple[int, str]]:
        """Task number and `item_key` of every task; an empty key for a task that has none."""
        for page in self._pages(project, {"include": "id,data"}):
            for task in page:
                yield int(task["id"]), str(_object(task.get("data")).get("item_key", ""))

    def counts(self, project: int) -> Iterator[tuple[int, int]]:
        """Task number and how many annotations, skips among them, of every task."""
        for page in self._pages(project, {"include": "id,total_annotations,cancelled_annotations"}):
            for task in page:
                yield int(task["id"]), _number(task, "total_annotations") + _number(task, "cancelled_annotations")

    def pages(self, project: int, since: str | None = None, after: int = 0) -> Iterator[list[dict[str, Any]]]:
        """Tasks with their annotations in the order of their numbers, from `after` on: all, or those changed after `since`.

        A page begins behind the last task of the one before, so that a task deleted meanwhile hides none.
        """
        changed = [_filter("updated_at", "greater", "Datetime", since)] if since else []
        for page in self._pages(project, {"fields": "all", "include": ANSWERED}, after, changed):
            late = [task["id"] for task in page if since and utc(task.get("updated_at")) <= utc(since)]
            if late:
                raise _ignored(project, f"task {late[0]} is older than {since}")
            yield page

    def tasks(self, project: int, since: str | None = None) -> Iterator[dict[str, Any]]:
        """Tasks with their annotations, one by one."""
        for page in self.pages(project, since):
            yield from page

    def some_tasks(self, project: int, numbers: Sequence[int]) -> Iterator[list[dict[str, Any]]]:
        """These tasks with their annotations, by pages; one that is gone is missing."""
        size = min(self.page, NAMED)
        for start in range(0, len(numbers), size):
            wanted = list(numbers[start : start + size])
            chosen = [_filter("id", "in_list", "List", wanted)]
            for page in self._pages(project, {"fields": "all", "include": ANSWERED}, 0, chosen):
                if not {int(task["id"]) for task in page} <= set(wanted):
                    raise _ignored(project, "tasks came that were not asked for")
                yield page

    def storage(self, project: int, folder: Path) -> int:
        """Let a project show the pictures of a folder below the server's document root; the number of that storage."""
        there = _list(self.line.get("/api/storages/localfiles", {"project": project}).json())
        for entry in there:
            if entry.get("path") == str(folder):
                return int(entry["id"])
        fields = {"project": project, "path": str(folder), "use_blob_urls": True, "title": "ufine-kit"}
        return int(_object(self.line.write("POST", "/api/storages/localfiles", json=fields).json())["id"])

    def upload(self, project: int, files: Mapping[str, bytes]) -> dict[str, str]:
        """Upload pictures without making tasks of them; the path on the server by name."""
        found: dict[str, str] = {}
        names = list(files)
        for start in range(0, len(names), UPLOAD):
            part = names[start : start + UPLOAD]
            sent = [(name, (name, files[name], "image/jpeg")) for name in part]
            answer = self.line.write("POST", f"/api/projects/{project}/import?commit_to_project=false", files=sent)
            numbers = _list(_object(answer.json()).get("file_upload_ids"))
            if len(numbers) != len(part):
                raise KitError(f"{len(part)} pictures sent and {len(numbers)} taken", "run the same command again")
            for name, number in zip(part, numbers, strict=True):
                entry = _object(self.line.get(f"/api/import/file-upload/{int(number)}").json())
                found[name] = f"/data/{entry['file']}"
        return found

    def fetch(self, path: str) -> tuple[int, str, bytes]:
        """Status, content type and bytes of an address as this user gets them; an error is no exception here."""
        answer = self.line.look(path)
        return answer.status, answer.kind, answer.body

    def _pages(
        self, project: int, params: dict[str, Any], after: int = 0, chosen: Iterable[dict[str, Any]] = ()
    ) -> Iterator[list[dict[str, Any]]]:
        last, size, chosen = after, self.page, list(chosen)
        while True:
            items = [_filter("id", "greater", "Number", last), *chosen]
            try:
                found = self._page(project, {**params, "page_size": size, "query": _query(items)})
            except TooLarge:
                if size == 1:
                    raise
                size = max(1, size // 4)  # pictures inside the tasks
                continue
            tasks = _list(found.get("tasks"))
            if not tasks:
                return
            numbers = [_number(task, "id") for task in tasks]
            if numbers[0] <= last or any(a >= b for a, b in pairwise(numbers)):
                raise _ignored(project, f"a page that should begin behind task {last} begins with task {numbers[0]}")
            yield tasks
            last = numbers[-1]
            if len(tasks) >= _number(found, "total"):  # never by the page's own size: a server may give less than asked
                return

    def _page(self, project: int, params: dict[str, Any]) -> dict[str, Any]:
        return _object(self.line.get("/api/tasks", {"project": project, "resolve_uri": "false", **params}).json())


def connect(work: Path) -> LabelStudio:
    """The server of UFINE_LS_URL with the token of LABEL_STUDIO_API_KEY; without an address the local one of `work`.

    UFINE_LS_PATIENCE is how many seconds a server may stay away before a question to it is given up.
    """
    url, token = os.environ.get("UFINE_LS_URL"), os.environ.get("LABEL_STUDIO_API_KEY")
    try:
        patience = float(os.environ.get("UFINE_LS_PATIENCE") or 90)
    except ValueError:
        patience = -1.0
    if not 0 <= patience < float("inf"):
        raise KitError("UFINE_LS_PATIENCE is no number of seconds", "give seconds, like 90")
    if url:
        if not token:
            raise KitError("no token for the server", "set LABEL_STUDIO_API_KEY to a token of its account page")
        return LabelStudio(url, token, patience)
    from ufine_kit.adapters import label_studio_server as local

    here = local.running(work)
    if here is None:
        raise KitError(
            "no Label Studio is running",
            f"ufine-kit campaign serve --work {work}, or set UFINE_LS_URL to another server",
        )
    return LabelStudio(here, local.admin_token(work), patience)


def _filter(name: str, operator: str, kind: str, value: Any) -> dict[str, Any]:
    return {"filter": f"filter:tasks:{name}", "operator": operator, "type": kind, "value": value}


def _query(items: list[dict[str, Any]], order: str = "tasks:id") -> str:
    # In any other form the server ignores it and gives every task.
    query = {"filters": {"conjunction": "and", "items": items}, "ordering": [order]}
    return json.dumps(query, separators=(",", ":"))


def utc(text: Any) -> str:
    """A server's time in the one form in which times sort as text. Raises KitError for what is none."""
    try:
        moment = datetime.fromisoformat(str(text))
        zoned = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        raise KitError(f"`{str(text)[:40]}` is no time of a server", "look at UFINE_LS_URL") from None
    return f"{zoned:%Y-%m-%dT%H:%M:%S.%fZ}"


def _ignored(project: int, why: str) -> KitError:
    return KitError(
        f"the server ignores the filter on project {project}: {why}",
        "this kit was tried with Label Studio 1.23; `ufine-kit campaign pull --full` reads without a filter of time",
    )


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise KitError("the answer is not Label Studio's", "look at UFINE_LS_URL: another program answers there")
    return value


def _number(entry: Any, name: str) -> int:
    value = _object(entry).get(name)
    if not isinstance(value, int):
        raise KitError("the answer is not Label Studio's", "look at UFINE_LS_URL: another program answers there")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise KitError("the answer is not Label Studio's", "look at UFINE_LS_URL: another program answers there")
    return value


__all__ = ["ANSWERED", "LabelStudio", "NotThere", "connect", "utc"]
