"""Things that belong together: sets that grow by joining, each named by its least member."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable


class Unions:
    """Disjoint sets of names. A name that was never joined is a set of its own."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def find(self, name: str) -> str:
        """The name of the set: its least member."""
        root = name
        while (above := self._parent.get(root, root)) != root:
            root = above
        while (above := self._parent.get(name, name)) != root:
            self._parent[name] = root
            name = above
        return root

    def join(self, one: str, other: str) -> str:
        """Make one set of two; returns its name."""
        least, most = sorted((self.find(one), self.find(other)))
        self._parent[most] = least
        return least

    def names(self) -> list[str]:
        """Every name that was joined to another, and those they were joined to."""
        return sorted({*self._parent, *self._parent.values()})

    def sets(self, names: Iterable[str]) -> dict[str, list[str]]:
        """The members of every set among `names`, by the name of the set."""
        found: dict[str, list[str]] = defaultdict(list)
        for name in sorted(names):
            found[self.find(name)].append(name)
        return dict(found)
