"""Differences: pairs the items of two readings and says for each slot what is missing, new, moved or in conflict."""

from __future__ import annotations

from dataclasses import dataclass

from ufine_kit.text import lexicon as lx
from ufine_kit.text.items import Item, agree
from ufine_kit.text.pairing import align
from ufine_kit.text.person import Person

SLOTS = (
    "colour",
    "pattern",
    "material",
    "fit",
    "length",
    "reach",
    "sleeve",
    "neck",
    "closure",
    "hairstyle",
    "arrangement",
    "size",
    "side",
    "marking colour",
)
EXCLUSIVE = frozenset(
    (
        "colour",
        "pattern",
        "material",
        "fit",
        "length",
        "reach",
        "sleeve",
        "neck",
        "hairstyle",
        "arrangement",
        "size",
        "side",
        "marking colour",
    )
)
QUIET_VALUES = {
    "pattern": {"plain"}, "closure": {"laceup", "heeled", "closed", "button", "zip"}, "fit": {"pleated"}, "neck": {"collared"},
    "material": {"cloth_made", "metal", "straw", "paper_made"}, "colour": {"multicolour"},
    "hairstyle": {"loose_hair", "dyed", "tied"},
    "arrangement": {"locks"},
}  # fmt: skip
QUIET_LOST = frozenset(("neck", "reach"))
CONTRARY = {"young": {"old", "middle"}, "old": {"young", "middle"}, "middle": {"young", "old"}}
BUILD_CONTRARY = {
    "thin": {"heavy", "strong"},
    "heavy": {"thin"},
    "strong": {"thin"},
    "average": set[str](),
    "tall": {"short"},
    "short": {"tall"},
}


@dataclass(frozen=True)
class Difference:
    """One difference: the kinds it counts as, item and slot, what the first text says and what the second, spans in both."""

    kinds: frozenset[str]
    item: str
    slot: str
    was: str
    now: str
    span_a: tuple[int, int] | None = None
    span_b: tuple[int, int] | None = None

    def __str__(self) -> str:
        change = (
            " -> ".join(part for part in (self.was, self.now or "nothing") if part) if self.was else f"+ {self.now}"
        )
        return f"{self.item} {self.slot}: {change}"


@dataclass(frozen=True)
class Comparison:
    """What the second text lost, added, swapped between items and contradicted; all empty for a faithful paraphrase."""

    lost: tuple[Difference, ...]
    added: tuple[Difference, ...]
    swapped: tuple[Difference, ...]
    contradicted: tuple[Difference, ...]

    def __bool__(self) -> bool:
        """True where anything differs."""
        return bool(self.lost or self.added or self.swapped or self.contradicted)


@dataclass
class Change:
    """What one slot of one aligned pair misses and has new."""

    a: Item
    b: Item
    slot: str
    missing: set[str]
    extra: set[str]


def difference(kinds: str, a: Item | None, b: Item | None, slot: str, was: str, now: str) -> Difference:
    """A difference with the spans of its items."""
    item = a or b
    assert item is not None, "a difference speaks of at least one item"
    spans = [None if x is None else (x.start, x.end) for x in (a, b)]
    return Difference(frozenset(kinds.split()), item.named or item.head, slot, was, now, spans[0], spans[1])


def item_differences(a: list[Item], b: list[Item], lexicon: lx.Lexicon) -> list[Difference]:
    """All differences between two lists of items."""
    pairs = align(a, b, lexicon)
    found: list[Difference] = []
    matched_a, matched_b = {id(x) for x, _ in pairs}, {id(y) for _, y in pairs}
    alone_a = [x for x in a if id(x) not in matched_a and not ignorable(x, b, lexicon)]
    alone_b = [y for y in b if id(y) not in matched_b and not ignorable(y, a, lexicon)]
    changes: list[Change] = []
    for x, y in pairs:
        if x.absent != y.absent:
            found.append(
                difference(
                    "contradicted",
                    x,
                    y,
                    "polarity",
                    "absent" if x.absent else "present",
                    "absent" if y.absent else "present",
                )
            )
            continue
        if x.absent or x.head == "hairline":
            continue
        found += count_difference(x, y)
        changes += slot_changes(x, y, lexicon)
    found += moves(changes, lexicon)
    for change in changes:
        found += slot_differences(change)
    found += [difference("lost", x, None, "item", said(x), "") for x in alone_a]
    found += [difference("added", None, y, "item", "", said(y)) for y in alone_b]
    return found


def said(item: Item) -> str:
    """An item in words: `no` where absent, its values, its name."""
    values = [v for slot in SLOTS for v in sorted(item.values.get(slot, ()))]
    return " ".join([*(["no"] if item.absent else []), *values, item.named or item.head])


def ignorable(item: Item, others: list[Item], lexicon: lx.Lexicon) -> bool:
    """General words (clothes, footwear, outfit) and bare details say nothing that the other text must repeat."""
    if item.kind == "generic":
        same = [
            other
            for other in others
            if other.concept in ("upper", "lower", "dress", "skirt", "shoes") and not other.absent
        ]
        wanted = item.values.get("colour", set())
        if item.head not in ("clothes", "garment"):
            return not item.values and any(other.concept == item.concept for other in others)
        return all(
            any(agree("colour", v, w, lexicon.colours) for o in same for w in o.values.get("colour", ()))
            for v in wanted
        )
    if (
        item.head in ("hair", "build", "skin", "face", "head", "makeup", "jewelry")
        and not item.values
        and not item.absent
    ):
        return True
    if item.kind == "body":
        return item.head == "build" or not item.values
    if item.head in ("hairline", "facing") or (
        item.head == "print" and any("printed" in o.values.get("pattern", ()) for o in others)
    ):
        return True
    if item.kind == "detail":
        return any(o.head == item.head for o in others) or not item.values
    return False


def count_difference(x: Item, y: Item) -> list[Difference]:
    """Two bags against three, one against two; a pair of things that come in pairs has no count."""
    if x.count is None or y.count is None or x.count == y.count or x.kind == "body":
        return (
            []
            if not (x.count or 0) > 1 or y.count is not None or x.kind != "item"
            else [difference("lost", x, y, "count", str(x.count), "")]
        )
    return [difference("contradicted", x, y, "count", str(x.count), str(y.count))]


def slot_changes(x: Item, y: Item, lexicon: lx.Lexicon) -> list[Change]:
    """Per slot: values of the first text with no like in the second, and the other way round."""
    changes: list[Change] = []
    for slot in SLOTS:
        missing, extra = unmatched(x, y, slot, lexicon), unmatched(y, x, slot, lexicon)
        if x.head == "trousers" or x.head == "jeans" or y.head == "trousers":
            missing, extra = (missing - {"long"}, extra - {"long"}) if slot == "length" else (missing, extra)
        quiet = QUIET_VALUES.get(slot, set[str]())
        if not (missing and extra) or missing | extra <= quiet:
            missing, extra = missing - quiet, extra - quiet
        if missing or extra:
            changes.append(Change(x, y, slot, missing, extra))
    return changes


def unmatched(x: Item, y: Item, slot: str, lexicon: lx.Lexicon) -> set[str]:
    """Values of `x` in a slot that neither values nor soft values of `y` agree with."""
    if slot == "marking colour" and not y.values.get(slot):
        return set()
    have = y.values.get(slot, set()) | y.soft.get(slot, set())
    return {
        v
        for v in x.values.get(slot, ())
        if not any(agree("colour" if slot == "marking colour" else slot, v, w, lexicon.colours) for w in have)
    }


def moves(changes: list[Change], lexicon: lx.Lexicon) -> list[Difference]:
    """Values that left one item and stand on another: the words are the same, the binding is not."""
    found: list[Difference] = []
    for change in changes:
        for other in changes:
            if other is change or other.slot != change.slot or other.a is change.a:
                continue
            moved = {v for v in change.missing for w in other.extra if agree(change.slot, v, w, lexicon.colours)}
            for value in sorted(moved):
                arrived = {w for w in other.extra if agree(change.slot, value, w, lexicon.colours)}
                kind = "contradicted" if change.slot == "side" else "swapped"
                found.append(
                    difference(kind, change.a, other.b, change.slot, value, f"{value} {other.b.named or other.b.head}")
                )
                change.missing.discard(value)
                other.extra -= arrived
    return found


def slot_differences(change: Change) -> list[Difference]:
    """Changed, lost or added values of one slot of one item."""
    was, now = ", ".join(sorted(change.missing)), ", ".join(sorted(change.extra))
    if change.missing and change.extra and change.slot in EXCLUSIVE:
        kinds = "contradicted" if change.slot == "side" else "swapped contradicted"
        return [difference(kinds, change.a, change.b, change.slot, was, now)]
    found: list[Difference] = []
    if change.missing and change.slot not in QUIET_LOST:
        found.append(difference("lost", change.a, change.b, change.slot, was, ""))
    if change.extra and change.slot not in QUIET_LOST:
        found.append(difference("added", change.a, change.b, change.slot, "", now))
    return found


def person_differences(a: Person, b: Person) -> list[Difference]:
    """Gender, age, build, height and actions."""
    found: list[Difference] = []
    if a.gender and b.gender - a.gender:
        found.append(plain("contradicted", "gender", a.gender, b.gender))
    elif a.gender and not b.gender:
        found.append(plain("lost", "gender", a.gender, b.gender))
    elif b.gender and not a.gender:
        found.append(plain("added", "gender", a.gender, b.gender))
    found += scale("age", a.age, b.age, a.age_implied, b.age_implied, CONTRARY)
    found += scale("build", a.build, b.build, frozenset(), frozenset(), BUILD_CONTRARY)
    found += scale("height", a.height, b.height, frozenset(), frozenset(), BUILD_CONTRARY)
    lost, added = a.actions - b.actions, b.actions - a.actions
    if lost:
        found.append(plain("lost", "action", lost, frozenset()))
    if added:
        found.append(plain("added", "action", frozenset(), added))
    return found


def scale(
    slot: str,
    a: frozenset[str],
    b: frozenset[str],
    soft_a: frozenset[str],
    soft_b: frozenset[str],
    contrary: dict[str, set[str]],
) -> list[Difference]:
    """A slot whose values lie on one scale: opposite ends contradict, a value named by one text only is lost or added."""
    conflict = any(y in contrary.get(x, ()) for x in a for y in b | soft_b if not a & b)
    if conflict:
        return [plain("contradicted", slot, a, b | soft_b)]
    found: list[Difference] = []
    if a and not b | soft_b:
        found.append(plain("lost", slot, a, b))
    if b and not a | soft_a:
        found.append(plain("added", slot, a, b))
    return found


def plain(kinds: str, slot: str, was: frozenset[str], now: frozenset[str]) -> Difference:
    """A difference on the person as a whole."""
    return Difference(frozenset(kinds.split()), "person", slot, ", ".join(sorted(was)), ", ".join(sorted(now)))
