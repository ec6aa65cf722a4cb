"""A campaign's folder made at test time: items frozen as `create` freezes them, and the ledger rows that `pull` writes."""

from __future__ import annotations

from pathlib import Path

from ufine_kit.campaign.items import Item, write_items
from ufine_kit.campaign.spec import Campaign, Round, write_campaign
from ufine_kit.files import digest_of
from ufine_kit.ledger import Ledger

LOOKS = [
    ("red", "jacket", "blue", "jeans", "white", "sneakers", "short brown"),
    ("green", "coat", "grey", "trousers", "black", "boots", "long blond"),
    ("yellow", "shirt", "beige", "shorts", "brown", "sandals", "curly black"),
    ("purple", "sweater", "white", "skirt", "red", "shoes", "grey"),
]
ENDINGS = [
    "walks past a long wall and looks at the ground as the street goes slowly uphill",
    "stands near a tree with both arms folded, waiting beside two parked bicycles",
    "turns to the left at a crossing while a bus goes by on the other side",
    "carries nothing and seems to be in a hurry to get across the open square",
]


def told(n: int) -> str:
    """One of many texts that nothing is wrong with, different in looks and in words."""
    upper, top, lower, legs, shoes, feet, hair = LOOKS[n % 4]
    starts = [
        f"A man with {hair} hair has a {upper} {top} on, over {lower} {legs}, and {shoes} {feet} complete what he wears.",
        f"On his feet are {shoes} {feet}; the {legs} are {lower}, the {top} is {upper}, and {hair} hair covers his head.",
        f"Dressed in {lower} {legs} and a {upper} {top}, he wears {shoes} {feet}. His hair is {hair}.",
        f"His {hair} hair is easy to see. He chose {shoes} {feet} today, a {upper} {top} and {lower} {legs}.",
    ]
    return f"{starts[n // 4 % 4]} He {ENDINGS[n // 16 % 4]}."


class Spoken:
    """A campaign folder under `work`; every call adds what one person said."""

    def __init__(self, work: Path, overlap: int = 2, name: str = "c") -> None:
        self.folder = work / "campaigns" / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.campaign = Campaign(name=name, uid="abc", server="http://127.0.0.1:1", overlap=overlap)
        self.items: dict[str, Item] = {}
        self._clock = 0

    def ask(self, *items: Item) -> None:
        """A round with these items."""
        number = len(self.campaign.rounds)
        file = f"items-{number:03d}.jsonl"
        write_items(self.folder / file, items)
        self.campaign.rounds.append(Round(number=number, kind=items[0].kind, items=file))
        write_campaign(self.folder, self.campaign)
        self.items |= {item.item_key: item for item in items}

    def now(self) -> str:
        """A later time at every call."""
        self._clock += 1
        return self.last()

    def last(self) -> str:
        """The time that the last call gave."""
        return f"2026-01-{1 + self._clock // 20:02d}T10:{self._clock % 20:02d}:00Z"

    def add(self, row: dict, who: str, at: str) -> str:
        """An entry of the ledger; its key."""
        key = digest_of({**row, "lead_seconds": None})[:20]
        entry = {"key": key, "who": who, "version": "0", "at": at, "input": "abc/0/all", "row": row}
        with Ledger(self.folder / "ledger", "pull") as ledger:
            ledger.append(entry)
        return key

    def answer(self, item: str, writer: str, said: dict | str, *, annotation: str = "", **others) -> str:
        """A version of an annotation; another version of the same one where its `annotation` came before."""
        at = others.pop("at", None) or self.now()
        answer = {"text": said, "skip_reason": None} if isinstance(said, str) else said
        about = self.items[item].about if item in self.items else {}
        row = {
            "event": "answer", "item_key": item, "annotation": annotation or f"{item}-{writer}", "writer": writer,
            "by": writer, "created_at": at, "updated_at": at, "lead_seconds": 100.0, "skipped": False, "answer": answer,
            "raw": [], **about, **others,
        }  # fmt: skip
        return self.add(row, writer, row.get("returned") or row["updated_at"])

    def gone(self, item: str, writer: str, annotation: str = "", task: bool = False) -> None:
        """An annotation, or its whole task, is no longer on the server."""
        at = self.now()
        row = {
            "event": "gone", "item_key": item, "annotation": annotation or f"{item}-{writer}", "writer": writer,
            "task": task, "seen_at": at,
        }  # fmt: skip
        self.add(row, writer, at)

    def by_file(self, crop: str, writer: str, text: str) -> str:
        """A text as `campaign pull --from` takes it."""
        at = self.now()
        return self.add(
            {"crop_id": crop, "text": text, "writer": writer, "created_at": at, "lead_seconds": None}, writer, at
        )


def describe(*crops: str, role: str = "work", **about: str) -> list[Item]:
    """Items that ask for descriptions; the crop's name is the item's key."""
    return [
        Item(item_key=crop, kind="describe", role=role, pictures=(crop,), about={"crop_id": crop, **about})
        for crop in crops
    ]
