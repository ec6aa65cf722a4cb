"""Bring a campaign's items to a server: frozen first, then a project for each who is asked, then what is missing there.

Every step can be broken off and done again: projects are found by their mark, tasks by their key, nothing is sent on a guess.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

from ufine_kit import crash, parts
from ufine_kit.adapters.label_studio import LabelStudio
from ufine_kit.adapters.label_studio_line import LostAnswer, NotThere
from ufine_kit.campaign import faces, seats
from ufine_kit.campaign.delivery import Put, put_all
from ufine_kit.campaign.held import answered_by
from ufine_kit.campaign.items import Item, Kind, people_asked, read_items, write_items
from ufine_kit.campaign.server_events import Origin
from ufine_kit.campaign.spec import Campaign, Project, Round, has_campaign, read_campaign, write_campaign
from ufine_kit.errors import KitError
from ufine_kit.files import digest_of, make_folder
from ufine_kit.tables import CampaignTable

AGAIN = "run the same command again: it goes on from here"
# After a lost answer the server may still be writing: how long until what it did must be seen, in growing pauses.
SETTLE_SECONDS = 30.0


class Source(Protocol):
    """Pictures of some items: their bytes, and the order in which they are read with the least effort."""

    def __call__(self, name: str) -> bytes:
        """The encoded bytes of a picture."""
        ...

    def by_place(self) -> list[str]:
        """All their names, as they lie on disk."""
        ...


@dataclass(frozen=True)
class Pictures:
    """Where the pictures of items come from and how they reach people.

    `delivery(project)` opens the act that makes a picture seen in a project and says its address.
    """

    of: Callable[[Sequence[Item]], Source]
    delivery: Callable[[int], Put]


@dataclass
class Created:
    """What was made: a line for each project, and what a person should know of them."""

    projects: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    said: list[str] = field(default_factory=list[str])

    @property
    def added(self) -> int:
        """Tasks that were sent by this run."""
        return sum(entry["added"] for entry in self.projects)


@dataclass(frozen=True)
class Mending:
    """What of a person's changes on the server is undone when asked."""

    config: bool = False
    tasks: bool = False


def plan_round(folder: Path, kind: Kind, items: Sequence[Item], table: CampaignTable, chairs: int) -> list[list[Item]]:
    """The rounds that are still to be made: items that no round asks yet, one list for each face, with their seats."""
    before: list[Item] = []
    overlap = table.overlap
    if has_campaign(folder):
        campaign = read_campaign(folder)
        overlap = campaign.overlap
        for made in campaign.rounds:
            before += read_items(folder / made.items)
    asked = {item.item_key for item in before}
    fresh = [item for item in items if item.item_key not in asked]
    if all(item.role != "work" for item in fresh):
        return []  # known answers and tests of writers without anything to mix them into
    by_face = groupby(sorted(fresh, key=faces.face_of), faces.face_of)
    rounds = [list(group) for _, group in by_face]
    if not chairs:
        return rounds
    alike = [item for item in before if item.kind == kind]
    return [seats.plan(group, chairs, people_asked(kind, overlap), table.seed, alike) for group in rounds]


def create(
    folder: Path,
    kind: Kind,
    items: Sequence[Item],
    server: LabelStudio,
    table: CampaignTable,
    pictures: Pictures,
    chairs: int = 0,
    mending: Mending | None = None,
    settle_seconds: float = SETTLE_SECONDS,
) -> Created:
    """Freeze what is new as a further round, then bring every round of this kind to the server as far as it is not there.

    A second run adds nothing; one after a crash goes on. `chairs` are seats (0: one project for all, whose stream gives each
    task to `overlap` people). Raises KitError with its mend; whatever reached the disk or the server by then stays.
    """
    with parts.lock(make_folder(folder), "create"):
        campaign = read_campaign(folder) if has_campaign(folder) else None
        fresh = plan_round(folder, kind, items, table, chairs)
        if campaign is None:
            if not fresh:
                raise KitError(f"nothing to {kind}", "ufine-kit status")
            campaign = Campaign(name=folder.name, server=server.url, overlap=table.overlap)
            write_campaign(folder, campaign)
        for group in fresh:
            _freeze(folder, campaign, kind, group)
        bringing = _Bringing(folder, campaign, server, table, pictures, mending or Mending(), settle_seconds)
        if table.overlap != campaign.overlap:
            bringing.done.said.append(f"the campaign began with an overlap of {campaign.overlap}: it stays so")
        for made in campaign.rounds:
            if made.kind == kind:
                bringing.round(made)
        return bringing.done


def _freeze(folder: Path, campaign: Campaign, kind: Kind, items: Sequence[Item]) -> None:
    number = len(campaign.rounds)
    name = f"items-{number:03d}.jsonl"
    write_items(folder / name, items)
    chairs = sorted({seat for item in items for seat in item.seats})
    projects = [Project(project=0, seat=seat) for seat in chairs or [None]]
    campaign.rounds.append(Round(number=number, kind=kind, items=name, projects=projects))
    write_campaign(folder, campaign)
    crash.point("create.frozen")


@dataclass
class _Bringing:
    """The rounds of one campaign on their way to one server. A `Project.project` of 0 is none yet."""

    folder: Path
    campaign: Campaign
    server: LabelStudio
    table: CampaignTable
    pictures: Pictures
    mending: Mending
    settle_seconds: float
    done: Created = field(default_factory=Created)

    def round(self, made: Round) -> None:
        """Bring one round there: its projects, then their tasks."""
        items = list(read_items(self.folder / made.items))
        for entry in made.projects:
            mine = [item for item in items if entry.seat is None or entry.seat in item.seats]
            ordered = seats.order(mine, self.table.seed, entry.seat)
            added = self._project(made, entry, ordered)
            title = faces.title(self.campaign.name, faces.face_of(items[0]), made.number, entry.seat)
            self.done.projects.append({
                "round": made.number, "project": entry.project, "seat": entry.seat, "title": title, "tasks": len(ordered),
                "added": added, "url": f"{self.server.url}/projects/{entry.project}/data",
            })  # fmt: skip

    def _project(self, made: Round, entry: Project, items: Sequence[Item]) -> int:
        mark = self.campaign.mark(made.number, entry.seat)
        complete = bool(entry.project) and entry.tasks > 0
        face = faces.face_of(items[0])
        fields = faces.project_fields(face, self.table, people_asked(made.kind, self.campaign.overlap), entry.seat)
        try:
            there = self._found(entry, mark)
        except NotThere:
            if not self.mending.tasks:
                raise KitError(
                    f"project {entry.project} of round {made.number} is no longer on `{self.server.url}`; "
                    "every answer that was pulled is kept",
                    f"ufine-kit campaign create {made.kind} {self.folder.name} --restore-tasks makes it anew",
                ) from None
            there, complete = None, False
        if there is None:
            title = faces.title(self.campaign.name, face, made.number, entry.seat)
            there = self._make({"title": title, "description": mark, **fields}, mark)
            crash.point("create.project")
        if entry.project != int(there["id"]):
            entry.project, entry.tasks = int(there["id"]), 0
            write_campaign(self.folder, self.campaign)
        self._config(entry.project, there, str(fields["label_config"]))
        if complete and not self.mending.tasks:
            return 0
        return self._tasks(entry, self._unanswered(made, entry, items))

    def _unanswered(self, made: Round, entry: Project, items: Sequence[Item]) -> Sequence[Item]:
        """Of what may be sent again, the items that too few people answered as far as was pulled: the others are kept."""
        if not self.mending.tasks or self.table.deleted == "drop":
            return items
        asked = 1 if entry.seat else people_asked(made.kind, self.campaign.overlap)
        done = answered_by(self.folder / "ledger", Origin(self.campaign.uid, made.number, entry.seat).input)
        return [item for item in items if item.role == "qualify" or len(done.get(item.item_key, ())) < asked]

    def _found(self, entry: Project, mark: str) -> dict[str, Any] | None:
        """The project as it is on the server; None where it was never made. Raises NotThere for one that was deleted."""
        if entry.project:
            there = self.server.project(entry.project)
            if _marked(there, mark) or self._ours(entry.project):
                return there
            raise NotThere(f"project {entry.project} is another one now", AGAIN)
        found = sorted(int(one["id"]) for one in self.server.projects() if _marked(one, mark))
        if len(found) > 1:
            others = ", ".join(str(number) for number in found[1:])
            self.done.said.append(f"projects {others} carry the mark of project {found[0]} too: `{mark}`")
        return self.server.project(found[0]) if found else None

    def _ours(self, project: int) -> bool:
        """Whether the first task is this campaign's: somebody may have written another description."""
        for task in self.server.tasks(project):
            return (task.get("data") or {}).get("campaign") == self.campaign.uid
        return False

    def _make(self, fields: Mapping[str, Any], mark: str) -> dict[str, Any]:
        try:
            return self.server.create_project(**fields)
        except LostAnswer as lost:
            for _ in _pauses(self.settle_seconds):
                found = [one for one in self.server.projects() if _marked(one, mark)]
                if found:
                    return self.server.project(min(int(one["id"]) for one in found))
            raise lost from None

    def _config(self, project: int, there: Mapping[str, Any], ours: str) -> None:
        """Say where the labelling config is not ours any more, or put ours back."""
        if " ".join(str(there.get("label_config", "")).split()) == " ".join(ours.split()):
            return
        if not self.mending.config:
            self.done.said.append(
                f"the labelling config of project {project} was changed: --restore-config puts ours back"
            )
            return
        try:
            self.server.change_project(project, label_config=ours)
            self.done.said.append(f"the labelling config of project {project} is ours again")
        except LostAnswer:
            raise
        except KitError as refused:
            self.done.said.append(f"the labelling config of project {project} stays as it is: {refused.problem}")

    def _tasks(self, entry: Project, items: Sequence[Item]) -> int:
        held = self._held(entry.project)
        missing = [item for item in items if item.item_key not in held]
        added = len(missing)
        if missing or self.mending.tasks:
            # Who asks for lost tasks may have lost pictures too: those of every item go out, as far as they are not there.
            build = self._tasks_of(entry.project, items if self.mending.tasks else missing)
            for start in range(0, len(missing), self.table.batch):
                self._send(entry.project, missing[start : start + self.table.batch], build)
                crash.point("create.batch")
        entry.tasks = len({*held, *(item.item_key for item in items)} - {""})
        write_campaign(self.folder, self.campaign)
        return added

    def _held(self, project: int) -> Counter[str]:
        """How often each key is on the server; doubled ones are told and left alone: one of them may hold work."""
        held = Counter(key for _, key in self.server.keys(project))
        doubled = [key for key, times in held.items() if key and times > 1]
        if doubled:
            self.done.said.append(
                f"project {project} has {len(doubled)} items more than once ({', '.join(doubled[:5])}): left as they are"
            )
        return held

    def _send(self, project: int, batch: Sequence[Item], build: Callable[[Item], dict[str, Any]]) -> None:
        """One batch, sent until it is there; what is there is asked after every doubt and before anything is sent again."""
        left, doubt = list(batch), LostAnswer("nothing was sent", AGAIN)
        for _ in range(3):
            try:
                if len(self.server.import_tasks(project, [build(item) for item in left])) == len(left):
                    return
                doubt = LostAnswer(f"project {project} did not say that it took all tasks", AGAIN)
            except LostAnswer as lost:
                doubt = lost
            for _ in _pauses(self.settle_seconds):
                held = {key for _, key in self.server.keys(project)}
                left = [item for item in left if item.item_key not in held]
                if not left:
                    return
        raise doubt

    def _tasks_of(self, project: int, items: Sequence[Item]) -> Callable[[Item], dict[str, Any]]:
        """An act that makes the task of an item, its pictures delivered.

        Pictures go out in the order in which they lie on disk, before the first task; those inside tasks with their task.
        """
        picture, put = self.pictures.of(items), self.pictures.delivery(project)
        addresses: dict[str, str] = {}
        if self.table.delivery != "inline":
            addresses = put_all(put, ((name, picture(name)) for name in picture.by_place()))

        def build(item: Item) -> dict[str, Any]:
            mine = {name: addresses[name] if name in addresses else put(name, picture(name)) for name in item.pictures}
            shown = faces.shown(item, mine)
            content = digest_of([item.kind, item.pictures, item.shown])[:20]
            return {
                "data": {
                    "item_key": item.item_key,
                    "campaign": self.campaign.uid,
                    "content_sha": content,
                    **shown,
                }
            }

        return build


def _marked(project: Mapping[str, Any], mark: str) -> bool:
    return mark in str(project.get("description") or "").splitlines()


def _pauses(seconds: float) -> Iterator[None]:
    """Now, and then again and again in growing pauses until `seconds` are over."""
    until, pause = time.monotonic() + seconds, min(0.5, seconds / 8)
    while True:
        yield
        left = until - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(pause, left))
        pause *= 2
