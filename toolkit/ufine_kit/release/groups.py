"""Splits by identity and by group of videos: who may be seen twice sits in one split, and nobody is ever moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ufine_kit.dataset.splits import apportion, assign, place_key
from ufine_kit.errors import KitError
from ufine_kit.release.unions import Unions
from ufine_kit.rows import Split
from ufine_kit.tables import ReleaseTable


@dataclass
class Drawn:
    """`of` gives every identity that goes out its split, `places` what the ledger keeps of videos and groups of videos.

    `refused` names identities that would tie groups of two splits together, with the reason.
    """

    of: dict[str, Split]
    places: dict[str, Split] = field(default_factory=dict[str, Split])
    refused: dict[str, str] = field(default_factory=dict[str, str])
    notes: list[str] = field(default_factory=list[str])


def draw_splits(
    videos: Mapping[str, Sequence[str]],
    members: Mapping[str, Sequence[str]],
    video_groups: Mapping[str, str],
    held: Mapping[str, Split],
    table: ReleaseTable,
    seen: Mapping[str, set[Split]] | None = None,
) -> Drawn:
    """A split for every identity (`videos`: identity -> the videos it is seen in).

    `members` are the identities that a united one was made of, `video_groups` the group of a video where its source names
    one, `held` the splits of earlier versions, `seen` those that the crops of an identity new to them went out in. Raises
    KitError where nobody could be trained on, or where there is one group.
    """
    old = {person: _held_of(person, members, held) or set((seen or {}).get(person, ())) for person in videos}
    torn = {person: _tied(splits) for person, splits in old.items() if len(splits) > 1}
    known: dict[str, Split] = {person: next(iter(splits)) for person, splits in old.items() if len(splits) == 1}
    fresh = sorted(person for person, splits in old.items() if not splits)
    if table.split_by == "identity":
        drawn = _by_identity(fresh, known, table)
    else:
        drawn = _by_video(fresh, known, videos, video_groups, held, table)
    drawn.refused |= torn
    if "train" not in drawn.of.values():
        raise KitError(
            f"none of {len(drawn.of)} identities falls into train",
            "lower release.test and release.val, or add identities",
        )
    return drawn


def _held_of(person: str, members: Mapping[str, Sequence[str]], held: Mapping[str, Split]) -> set[Split]:
    return {held[name] for name in [person, *members.get(person, ())] if name in held}


def _tied(splits: set[Split]) -> str:
    return f"it would tie {' and '.join(sorted(splits))} together, as earlier versions drew them"


def _targets(total: int, table: ReleaseTable) -> dict[Split, float]:
    """Identities wanted in each split."""
    test = table.test_identities if table.test_identities is not None else table.test * total
    val = table.val_identities if table.val_identities is not None else table.val * total
    if test + val >= total:
        raise KitError(
            f"`val` {val:g} and `test` {test:g} of {total} identities leave no share for train",
            "lower release.val or release.test, or their number of identities",
        )
    return {"train": total - test - val, "val": val, "test": test}


def _by_identity(fresh: list[str], known: Mapping[str, Split], table: ReleaseTable) -> Drawn:
    if table.val_identities is None and table.test_identities is None:
        return Drawn(assign([*known, *fresh], known, table.val, table.test, table.seed))
    targets = _targets(len(known) + len(fresh), table)
    new = apportion(dict.fromkeys(fresh, 1), targets, Counter(known.values()), table.seed)
    return Drawn({**known, **new})


class _Places:
    """Videos and their groups as connected sets, each with the splits that something in it is held to."""

    def __init__(self, held: Mapping[str, Split], video_groups: Mapping[str, str]) -> None:
        self._unions = Unions()
        self._held = held
        self._groups = video_groups
        self._splits: dict[str, set[Split]] = {}

    def add(self, video: str) -> None:
        """Take a video in, joined to its group."""
        names = [place_key("video", video)]
        if group := self._groups.get(video):
            names.append(place_key("group", group))
        for name in names:
            splits = self._splits.setdefault(self._unions.find(name), set())
            if name in self._held:
                splits.add(self._held[name])
        self._join(names)

    def _join(self, names: Sequence[str]) -> str:
        root = self._unions.find(names[0])
        for name in names[1:]:
            splits = self._splits[root] | self._splits[self._unions.find(name)]
            root = self._unions.join(root, name)
            self._splits[root] = splits
        return root

    def splits_of(self, videos: Sequence[str]) -> set[Split]:
        """The splits that the sets of some videos are held to."""
        return {split for video in videos for split in self._splits[self.set_of(video)]}

    def connect(self, videos: Sequence[str], split: Split | None = None) -> str:
        """Make one set of the sets of some videos, held to a split where one is given; returns its name."""
        root = self._join([place_key("video", video) for video in videos])
        if split:
            self._splits[root].add(split)
        return root

    def set_of(self, video: str) -> str:
        """The name of a video's set."""
        return self._unions.find(place_key("video", video))

    def of_set(self, root: str) -> set[Split]:
        """The splits that a set is held to."""
        return self._splits[root]

    def all(self) -> dict[str, list[str]]:
        """Videos and groups by the name of their set, as the ledger writes them."""
        return self._unions.sets({*self._unions.names(), *self._splits})


def _by_video(
    fresh: list[str],
    known: Mapping[str, Split],
    videos: Mapping[str, Sequence[str]],
    video_groups: Mapping[str, str],
    held: Mapping[str, Split],
    table: ReleaseTable,
) -> Drawn:
    places = _Places(held, video_groups)
    for video in sorted({video for seen in videos.values() for video in seen}):
        places.add(video)
    for person in sorted(known):
        places.connect(videos[person], known[person])
    drawn = Drawn(dict(known))
    staying = [person for person in fresh if not _refused(person, videos[person], places, drawn)]
    sizes: Counter[str] = Counter()
    filled: Counter[Split] = Counter(known.values())
    for person in staying:
        root = places.set_of(videos[person][0])
        splits = places.of_set(root)
        if splits:
            (drawn.of[person],) = splits
            filled[drawn.of[person]] += 1
        else:
            sizes[root] += 1
    new = _drawn_groups(sizes, filled, table)
    drawn.of |= {person: new[root] for person in staying if (root := places.set_of(videos[person][0])) in new}
    for root, names in places.all().items():
        splits: set[Split] = {new[root]} if root in new else places.of_set(root)
        if len(splits) == 1:
            drawn.places.update((name, split) for name in names for split in splits)
        elif splits:
            drawn.notes.append(
                f"{len(names)} videos that belong together hold {' and '.join(sorted(splits))}, as earlier versions drew them"
            )
    return drawn


def _refused(person: str, seen: Sequence[str], places: _Places, drawn: Drawn) -> bool:
    """Whether a new identity would tie two splits together; else its videos belong together from now on."""
    splits = places.splits_of(seen)
    if len(splits) > 1:
        drawn.refused[person] = _tied(splits)
        return True
    places.connect(seen)
    return False


def _drawn_groups(sizes: Mapping[str, int], filled: Counter[Split], table: ReleaseTable) -> dict[str, Split]:
    if not sizes:
        return {}
    targets = _targets(sum(sizes.values()) + filled.total(), table)
    alone = len(sizes) == 1 and not filled
    if alone and (targets["val"] or targets["test"]):
        raise KitError(
            f"all {sum(sizes.values())} identities are in one group of videos, which goes to one split as a whole",
            "add videos that share nobody with it, or --set release.split_by=identity",
        )
    return apportion(sizes, targets, filled, table.seed)
