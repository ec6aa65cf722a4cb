"""Who stands: of everything that people said in a campaign, what counts now; the rest is kept beside it with its reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ufine_kit.campaign.items import Item, Role, people_asked
from ufine_kit.campaign.spec import FILE, has_campaign, read_campaign
from ufine_kit.campaign.versions import Answer, items_of, last_words, moment, seen
from ufine_kit.errors import KitError
from ufine_kit.files import sha256_file
from ufine_kit.ledger import entries
from ufine_kit.pipeline import LEDGER
from ufine_kit.rows import OriginKind
from ufine_kit.tables import CampaignTable
from ufine_kit.text.copies import lower_words

WRITTEN = ("describe", "fix")


@dataclass(frozen=True, slots=True)
class Text:
    """A description as its writer last left it; `description_id` is the key of its ledger entry.

    `flags` of what stands: `deleted` (on the server, kept here). Of what does not: `superseded`, `tampered` (another user's
    words on a writer's annotation), `surplus` (more people than were asked), `replaced` (by a fix), `confirming` (the answer
    to a `doubt` that left the words as they were: it is no text of its own, the one that was doubted stands), `deleted`.
    """

    description_id: str
    item_key: str | None
    crop_id: str
    text: str
    writer: str
    created_at: str
    lead_seconds: float | None
    origin: OriginKind = "human"
    parent_id: str | None = None
    draft: str | None = None
    doubt: bool = False
    role: Role = "work"
    round: int | None = None
    flags: frozenset[str] = frozenset()
    updated_at: str = ""


@dataclass(frozen=True, slots=True)
class Skip:
    """An item that somebody passed over, with the reason given."""

    item_key: str
    writer: str
    reason: str
    at: str


@dataclass
class Standing:
    """What stands. `texts` in order of writing, all roles; `answers` to review and revise; `decisions` that came by file."""

    overlap: int
    texts: list[Text] = field(default_factory=list[Text])
    aside: list[Text] = field(default_factory=list[Text])
    answers: list[Answer] = field(default_factory=list[Answer])
    skips: list[Skip] = field(default_factory=list[Skip])
    decisions: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    items: dict[str, Item] = field(default_factory=dict[str, Item])

    @property
    def work(self) -> list[Text]:
        """The texts that may become descriptions: none of a qualification and none on a crop whose answer is known."""
        return [text for text in self.texts if text.role == "work"]


def need_ledger(folder: Path) -> None:
    """Raise KitError where nobody has said anything yet."""
    if next(entries(folder / "ledger"), None) is None:
        source = "" if has_campaign(folder) else " --from texts.jsonl"
        mend = f"ufine-kit campaign pull {folder.name}{source} --work {folder.parent.parent}"
        raise KitError(f"nothing in `{folder / 'ledger'}` yet", mend)


def is_decision(row: Mapping[str, Any]) -> bool:
    """Whether a ledger's row is a decision that came by file, and no text."""
    return "event" not in row and "decision" in row


def ledger_inputs(folder: Path) -> dict[str, str | None]:
    """What standing is told from: the ledger as it is, and what was asked of whom where a server campaign was created."""
    asked = [path for path in [folder / FILE, *sorted(folder.glob("items-*.jsonl"))] if path.exists()]
    return {f"{LEDGER}/{folder.name}": None, **{path.name: sha256_file(path) for path in asked}}


def standing(folder: Path, table: CampaignTable) -> Standing:
    """What stands in the campaign of `folder`. Raises KitError for a damaged ledger, items file or campaign."""
    overlap = read_campaign(folder).overlap if has_campaign(folder) else table.overlap
    found = Standing(overlap, items=items_of(folder))
    answers: list[dict[str, Any]] = []
    for key, entry in _entries(folder / "ledger"):
        row = entry["row"]
        if "event" in row:
            answers.append(entry)
        elif is_decision(row):
            found.decisions.append(row)
        else:
            found.texts.append(Text(key, None, **row, updated_at=row["created_at"]))
    last, aside = last_words(seen(answers, found.items))
    _settle(last, aside, found, table)
    _replace_parents(found)
    found.texts.sort(key=lambda text: (moment(text.created_at), text.description_id))
    found.aside.sort(key=lambda text: (moment(text.created_at), text.description_id))
    return found


def _entries(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """A ledger in order of time, without the server's own form of the answers: it is half of what a ledger weighs."""
    held: dict[str, dict[str, Any]] = {}
    for entry in entries(folder):
        entry["row"].pop("raw", None)
        if entry["key"] not in held or entry["at"] < held[entry["key"]]["at"]:
            held[entry["key"]] = entry
    return sorted(held.items(), key=lambda item: (item[1]["at"], item[0]))


def _settle(last: Iterable[Answer], aside: list[Answer], found: Standing, table: CampaignTable) -> None:
    """One answer a person and item, `overlap` persons an item."""
    by_item: dict[str, dict[str, list[Answer]]] = defaultdict(lambda: defaultdict(list))
    for answer in last:
        if table.deleted == "drop" and "deleted" in answer.flags:
            aside.append(answer)
        else:
            by_item[answer.item_key][answer.writer].append(answer)
    for writers in by_item.values():
        chosen: list[tuple[str, Answer]] = []
        for answers in writers.values():
            # What is still on the server goes before what was deleted, and words before a skip.
            answers.sort(key=lambda one: (not _empty(one), "deleted" not in one.flags, moment(one.created_at), one.key))
            *others, newest = answers
            aside += [one.flagged("superseded") for one in others]
            chosen.append((_came(answers), newest))
        _keep_overlap(chosen, aside, found)
    found.aside += [_text(answer) for answer in aside if answer.kind in WRITTEN and answer.text is not None]
    found.skips.sort(key=lambda skip: (moment(skip.at), skip.item_key, skip.writer))


def _empty(answer: Answer) -> bool:
    return answer.skipped or (answer.kind in WRITTEN and answer.text is None)


def _came(answers: list[Answer]) -> str:
    """When a person first answered as the newest answer does: who says it anew keeps the place."""
    newest = answers[-1]
    same = [one for one in answers if (_empty(one), one.flags) == (_empty(newest), newest.flags)]
    return min(moment(one.created_at) for one in same)


def _keep_overlap(chosen: list[tuple[str, Answer]], aside: list[Answer], found: Standing) -> None:
    """The first people to answer an item stand; items that everybody answers keep all."""
    chosen.sort(key=lambda pair: ("deleted" in pair[1].flags, pair[0], pair[1].key))
    said = [one for _, one in chosen if not _empty(one)]
    for _, one in chosen:
        if _empty(one):
            reason = str(one.said.get("skip_reason") or "no reason given")
            found.skips.append(Skip(one.item_key, one.writer, reason, one.updated_at))
    limit = len(said)
    if said and said[0].role == "work":
        limit = people_asked(said[0].kind, found.overlap)
    aside += [one.flagged("surplus") for one in said[limit:]]
    for one in said[:limit]:
        if one.kind in WRITTEN:
            found.texts.append(_text(one))
        else:
            found.answers.append(one)


def _text(answer: Answer) -> Text:
    return Text(
        description_id=answer.key,
        item_key=answer.item_key,
        crop_id=str(answer.about.get("crop_id", "")),
        text=answer.text or "",
        writer=answer.writer,
        created_at=answer.created_at,
        lead_seconds=answer.lead_seconds,
        parent_id=answer.about.get("parent_id"),
        draft=answer.about.get("draft"),
        doubt=answer.about.get("doubt") is True,
        role=answer.role,
        round=answer.round,
        flags=answer.flags,
        updated_at=answer.updated_at,
    )


def _replace_parents(found: Standing) -> None:
    """A fix takes the place of the text it mends, or of what stands there by now; never of what was written later.

    Where nothing stands there any more it stands by itself, unless others have come in its place. What confirms a doubted
    text takes no place: whatever asks for it means that text.
    """
    by_id = {text.description_id: text for text in [*found.aside, *found.texts]}
    confirming = {text.description_id for text in found.texts if text.doubt and _unchanged(text)}
    gone = dict.fromkeys(confirming, "confirming")
    place = {_slot(text): text.description_id for text in found.texts}
    heir: dict[str, str] = {}  # what stands where a text of `gone` stood
    alone = set(confirming)  # and what comes after one whose doubted text is gone
    # Of one moment what confirms comes first: it makes room for what mends a former version of it.
    order = {
        text.description_id: (moment(text.updated_at), text.description_id not in confirming) for text in found.texts
    }
    for fix in sorted(found.texts, key=lambda text: (order[text.description_id], text.description_id)):
        parent = by_id.get(fix.parent_id or "")
        if parent is None or fix.description_id in heir:
            continue
        if fix.description_id in confirming:
            if _slot(parent) in place:
                heir[fix.description_id] = _last(place[_slot(parent)], heir)
            continue
        at = _last(place.setdefault(_slot(parent), fix.description_id), heir)
        if at == fix.description_id:
            alone.add(at)
            continue
        later = moment(by_id[at].updated_at) > moment(fix.updated_at)
        loses, stays = (fix.description_id, at) if later else (at, fix.description_id)
        gone[loses], heir[loses] = "superseded" if later else "replaced", stays
        if at in alone:
            alone.add(stays)
    gone |= dict.fromkeys(_too_many(found, by_id, gone, alone), "surplus")
    found.aside += [replace(text, flags=text.flags | {gone[text.description_id]}) for text in _in(found.texts, gone)]
    found.texts = [text for text in found.texts if text.description_id not in gone]


def _last(at: str, heir: Mapping[str, str]) -> str:
    """What stands by now where a text stood."""
    while at in heir:
        at = heir[at]
    return at


def _unchanged(text: Text) -> bool:
    """Whether the words of a draft came back as they were, by the rule that tells an untouched draft."""
    return lower_words(text.text) == lower_words(text.draft or "")


def _too_many(found: Standing, by_id: Mapping[str, Text], gone: Mapping[str, str], alone: set[str]) -> list[str]:
    """Of the fixes that stand by themselves those that come on top of as many texts as were asked for, the last ones."""
    by_root: dict[str, list[str]] = defaultdict(list)
    for text in sorted(found.texts, key=lambda text: (moment(text.created_at), text.description_id)) if alone else ():
        if text.description_id not in gone:
            by_root[_root(text, by_id)].append(text.description_id)
    return [
        name
        for names in by_root.values()
        for name in [*(n for n in names if n not in alone), *(n for n in names if n in alone)][found.overlap :]
        if name in alone
    ]


def _root(text: Text, by_id: Mapping[str, Text]) -> str:
    """The question that a text answers in the end: of a fix that of the text it mends."""
    while (parent := by_id.get(text.parent_id or "")) is not None:  # an id is a digest: no text is its own ancestor
        text = parent
    return text.item_key or text.description_id


def _in(texts: Iterable[Text], ids: Mapping[str, str]) -> list[Text]:
    return [text for text in texts if text.description_id in ids]


def _slot(text: Text) -> tuple[str, str]:
    """Where a text stands: of one person and item only one does."""
    return (text.item_key, text.writer) if text.item_key else (text.description_id, "")
