"""Take what people answered from the server into the ledger, page by page; what happens there is recorded, never followed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from ufine_kit import crash, parts
from ufine_kit.adapters.label_studio import LabelStudio, NotThere, utc
from ufine_kit.campaign.held import Held, Items, Live, read_held
from ufine_kit.campaign.intake import Pseudonyms
from ufine_kit.campaign.items import people_asked
from ufine_kit.campaign.server_events import Origin, annotation_id, answer_entry, gone_entry
from ufine_kit.campaign.spec import Campaign, Project, Round, read_campaign
from ufine_kit.errors import KitError
from ufine_kit.files import read_json, write_json
from ufine_kit.ledger import Ledger

CURSOR = "cursor.json"
CHANGED = "had their data changed: answers stay with the items they were given to"
WRITER = "server"  # the ledger's file
# Read again what changed shortly before the last look: something may have been on its way into the server's base then.
OVERLAP_SECONDS = 30.0


@dataclass
class Pulled:
    """What a pull brought. `said` are lines for the manager; `lost` are projects that are no longer there."""

    answers: int = 0
    versions: int = 0
    skipped: int = 0
    tampered: int = 0
    gone: int = 0
    surplus: int = 0
    tasks: int = 0
    lost: list[int] = field(default_factory=list[int])
    said: list[str] = field(default_factory=list[str])

    @property
    def added(self) -> int:
        """Entries that are new in the ledger."""
        return self.versions + self.gone


def pull(
    folder: Path,
    server: LabelStudio,
    full: bool = False,
    write: bool = True,
    step: Callable[[str, int], None] = lambda line, tasks: None,
) -> Pulled:
    """Bring what is new on the server into `<folder>/ledger/`; `full` reads all of it again, and adds only what is new.

    Memory holds a page and the keys, never the project. Broken off anywhere, a next pull goes on and nothing is there twice. A
    project that was deleted is told in `lost`, the others are read. Raises KitError with its mend; what was read stays.
    """
    campaign = read_campaign(folder)
    with parts.lock(folder, "pull") if write else contextlib.nullcontext():
        cursor = _Cursor(folder / CURSOR, campaign.uid, write)
        pulled = Pulled()
        with (
            ThreadPoolExecutor(1) as aside,
            Ledger(folder / "ledger", WRITER) if write else contextlib.nullcontext() as ledger,
        ):
            held = aside.submit(read_held, folder / "ledger").result  # while the server looks for the first page
            people = _People(folder, campaign, held, write)
            for made in campaign.rounds:
                with Items(folder / made.items) as items:
                    for entry in made.projects:
                        reading = _Reading(campaign, made, entry, items, server, held, people, ledger, pulled, step)
                        reading.read(cursor, full)
        return pulled


class _Page(BaseModel):
    """Where a reading that was broken off stands."""

    since: str | None
    after: int
    started: str


class _Known(BaseModel):
    """What the cursor holds of a project."""

    since: str | None = None
    tasks: int = 0
    extra: int = 0
    reading: _Page | None = None


class _Cursor:
    """Until when each project was read. A cache: without it everything is read again and nothing is added."""

    def __init__(self, path: Path, uid: str, write: bool) -> None:
        self._path, self._write = path, write
        self._kept: dict[str, Any] = {"uid": uid, "projects": {}}
        with contextlib.suppress(KitError):
            kept = read_json(path)
            if isinstance(kept, dict) and kept.get("uid") == uid and isinstance(kept.get("projects"), dict):
                self._kept = kept

    def of(self, project: int) -> dict[str, Any]:
        """What is known of a project; nothing where it was never read."""
        known = self._kept["projects"].get(str(project))
        try:
            return _Known.model_validate(known).model_dump(exclude_unset=True) if known else {}
        except ValidationError:  # damaged: as good as lost
            return {}

    def set(self, project: int, **known: Any) -> None:
        """Keep it, once the ledger has what it speaks of."""
        self._kept["projects"][str(project)] = known
        if self._write:
            write_json(self._path, self._kept)


class _People:
    """Pseudonyms of the server's users, kept before the first entry that names one."""

    def __init__(self, folder: Path, campaign: Campaign, held: Callable[[], Held], write: bool) -> None:
        self._path, self._held = folder / "writers.json", held
        self._server, self._write = campaign.server, write
        self._met: set[int] = set()
        self._saved = 0

    @cached_property
    def _names(self) -> Pseudonyms:
        held = self._held()
        if (held.gone or any(held.live.values())) and not self._path.exists():
            raise KitError(
                f"`{self._path}` is missing: everybody would get a second pseudonym",
                "restore it from a copy, or write {} into it to go on with new pseudonyms",
            )
        return Pseudonyms(self._path, held.writers)

    def of(self, user: int) -> str:
        """The pseudonym of a user's number. Neither names nor addresses are asked for."""
        self._met.add(user)
        return self._names.of(f"{self._server} user {user}")

    def knows(self, pseudonym: str) -> bool:
        """Whether the key file still names somebody by it: pseudonyms that were given anew say nothing of older ones."""
        return self._names.gave(pseudonym)

    def save(self) -> None:
        """Keep the key file if somebody new was met."""
        if self._write and len(self._met) > self._saved:
            self._names.save()
            self._saved = len(self._met)


@dataclass
class _Reading:
    """One project being read into the ledger."""

    campaign: Campaign
    made: Round
    entry: Project
    items: Items
    server: LabelStudio
    known: Callable[[], Held]
    people: _People
    ledger: Ledger | None
    pulled: Pulled
    step: Callable[[str, int], None]
    strangers: set[int] = field(default_factory=set[int])
    changed: set[int] = field(default_factory=set[int])
    newest: str = ""  # when a task changed last, by the server's base

    def __post_init__(self) -> None:
        self.origin = Origin(self.campaign.uid, self.made.number, self.entry.seat)

    @cached_property
    def held(self) -> Held:
        """What the ledger holds: waited for where it is first asked."""
        return self.known()

    @cached_property
    def live(self) -> dict[int, dict[str, Live]]:
        """The annotations of this project that are on the server as far as the ledger knows."""
        return self.held.live[self.origin.input]

    def read(self, cursor: _Cursor, full: bool) -> None:
        """Read what is new, look whether something is missing, and only then move the cursor."""
        number = self.entry.project
        if not number or not self._is_ours():
            return
        known, self.newest = cursor.of(number), self.server.newest(number) or ""
        started = _earlier(self.server.clock or "", self.newest)
        left = known.get("reading") or {}
        since = None if full else left.get("since", known.get("since"))
        resumed = bool(left) and not full
        if resumed:
            started = str(left["started"])
        seen: set[int] = set()
        for page in self.server.pages(number, since, int(left.get("after", 0)) if resumed else 0):
            seen |= self._page(page)
            reading = {"since": since, "after": int(page[-1]["id"]), "started": started}
            cursor.set(number, **{**known, "reading": reading})
        missing = [task for task in self.live if task not in seen] if since is None and not resumed else []
        tasks, extra = self._audit(missing, known, started)
        cursor.set(number, since=started, tasks=tasks, extra=extra)
        for found, what in ((self.strangers, "are none of this campaign's: left out"), (self.changed, CHANGED)):
            if found:
                self.pulled.said.append(f"{len(found)} tasks of project {number} {what}")

    def _is_ours(self) -> bool:
        """Whether the project is there and this campaign's: a number may be given again after a deletion."""
        number, mark = self.entry.project, self.campaign.mark(self.made.number, self.entry.seat)
        try:
            there = self.server.project(number)
            if mark in str(there.get("description") or "").splitlines():
                return True
            first = next(self.server.tasks(number), None)
            if first is not None and (first.get("data") or {}).get("campaign") == self.campaign.uid:
                return True
            what = "is another one now"
        except NotThere:
            what = "was deleted"
        kept = sum(len(task) for task in self.live.values())
        self.pulled.lost.append(number)
        self.pulled.said.append(
            f"project {number} of round {self.made.number} {what} on `{self.server.url}`: "
            f"the {kept} answers pulled from it are kept"
        )
        return False

    def _page(self, page: Sequence[dict[str, Any]]) -> set[int]:
        """Append what is new of a page; the numbers of its tasks."""
        fresh: list[dict[str, Any]] = []
        for task in page:
            self.newest = max(self.newest, utc(task.get("updated_at")))
            fresh += self._task(task)
        crash.point("pull.page")
        self._append(fresh)
        crash.point("pull.appended")
        self.pulled.tasks += len(page)
        self.step(f"project {self.entry.project}: {len(fresh)} new in {len(page)} tasks", len(page))
        return {int(task["id"]) for task in page}

    def _append(self, fresh: Sequence[dict[str, Any]]) -> None:
        if not fresh:
            return
        self.people.save()
        if self.ledger is not None:
            self.ledger.append(*fresh)
        for entry in fresh:
            self.held.add(entry)

    def _task(self, task: dict[str, Any]) -> list[dict[str, Any]]:
        number, data = int(task["id"]), task.get("data")
        key = str(data.get("item_key", "")) if isinstance(data, dict) else ""
        annotations = [one for one in task.get("annotations") or [] if isinstance(one, dict)]
        present = {annotation_id(self.origin.uid, one): one for one in annotations}
        held = self.live.get(number, {})
        fresh = self._gone(number, [name for name in held if name not in present], False)
        # Whoever may answer may write other data into a task: what was answered on it says what it asks.
        asks = next((held[name].item_key for name in present if name in held), key)
        if asks != key:
            self.changed.add(number)
        item = self.items.get(asks)
        if item is None:
            self.strangers.add(number)
            return fresh
        for name, one in present.items():
            missed, before = self.held.gone.get(name, (None, held.get(name)))
            back = _after(self._now(), missed) if missed else None
            owner = before.writer if before and self.people.knows(before.writer) else None
            entry = answer_entry(self.origin, item, number, one, self.people.of, back, owner)
            if entry["key"] not in self.held.known:
                fresh.append(entry)
                self._count(entry["row"], name in held)
        asked = 1 if self.entry.seat else people_asked(item.kind, self.campaign.overlap)
        people = {str(one.get("completed_by")) for one in annotations if not one.get("was_cancelled")}
        self.pulled.surplus += len(people) > asked and item.role != "qualify"
        return fresh

    def _count(self, row: dict[str, Any], known: bool) -> None:
        self.pulled.versions += 1
        self.pulled.answers += not known
        self.pulled.skipped += row["skipped"]
        self.pulled.tampered += row["by"] != row["writer"]

    def _gone(self, task: int, names: Iterable[str], whole: bool) -> list[dict[str, Any]]:
        held = self.live.get(task, {})
        found = [gone_entry(self.origin, task, name, held[name], whole, self._now()) for name in names if name in held]
        self.pulled.gone += len(found)
        return found

    def _now(self) -> str:
        """The server's time, and not before what its base has said already: a proxy's clock may be behind."""
        return max(_end(self.server.clock), self.newest)

    def _audit(self, missing: list[int], known: dict[str, Any], started: str) -> tuple[int, int]:
        """Compare the server's totals with what is held; where they differ, look at every task's counts.

        Gives what the next look compares with: the number of tasks, and how many answers are on tasks that are none of ours.
        """
        number, origin = self.entry.project, self.origin.input
        expected, extra = int(known.get("tasks") or self.entry.tasks), int(known.get("extra") or 0)
        tasks, answers = self.server.totals(number)
        if answers > self.held.answered(origin) + extra:  # somebody is at work, or a clock is wrong
            for page in self.server.pages(number, started):
                self._page(page)
            tasks, answers = self.server.totals(number)
        # More tasks than before were read just now as changed ones; fewer, or another number of answers, is a deletion.
        if tasks < expected or answers != self.held.answered(origin) + extra or missing:
            self._compare(missing)
            if tasks < expected:
                self.pulled.said.append(
                    f"{expected - tasks} tasks were deleted in project {number}; what was pulled of them is kept"
                )
        return tasks, answers - self.held.answered(origin)

    def _compare(self, missing: list[int]) -> None:
        """Read the tasks again whose number of annotations is not what is held, and note those that are gone."""
        number = self.entry.project
        counts = dict(self.server.counts(number))
        uneven = [task for task, count in counts.items() if count != len(self.live.get(task, {}))]
        doubtful = sorted({*missing, *uneven, *(task for task in self.live if task not in counts)})
        there: set[int] = set()
        for page in self.server.some_tasks(number, doubtful):  # asked for by name before anything is said to be gone
            there |= self._page(page)
        deleted = [task for task in doubtful if task not in there and task not in counts]
        self._append([entry for task in deleted for entry in self._gone(task, list(self.live.get(task, {})), True)])


def _end(clock: str | None) -> str:
    """The end of the second that a server's clock shows: what was seen by then happened before."""
    return (clock or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000000Z")).replace(".000000Z", ".999999Z")


def _after(now: str, missed: str) -> str:
    """When something is there again: now, and surely after it was missed."""
    later = datetime.fromisoformat(missed) + timedelta(microseconds=1)
    return max(now, later.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))


def _earlier(clock: str, newest: str) -> str:
    """From when on the next pull reads: a little before this one began, and before all that it cannot have seen.

    A clock in front of the server's base hides nothing: what is changed later is newer than the `newest` of today.
    """
    moment = datetime.fromisoformat(clock) if clock else datetime.now(UTC) - timedelta(days=1)
    begun = (moment - timedelta(seconds=OVERLAP_SECONDS)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return min(begun, newest or begun)
