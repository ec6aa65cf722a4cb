"""What the loopback Hub holds: repositories with commits, refs, pull requests, gates and stored files, all in memory."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, field

DATE = "2026-01-01T00:00:00.000Z"
LARGE = (".parquet", ".safetensors", ".bin", ".arrow")


def git_sha1(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@dataclass(frozen=True)
class Blob:
    """One file's content. A large one is known by its sha256, as behind an LFS pointer."""

    content: bytes
    large: bool
    xet: str | None = None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def oid(self) -> str:
        return self.sha256 if self.large else git_sha1(self.content)

    def entry(self, path: str) -> dict:
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\nsize {len(self.content)}\n"
        said = {"type": "file", "path": path, "size": len(self.content), "oid": git_sha1(self.content)}
        if self.large:
            lfs = {"oid": self.sha256, "size": len(self.content), "pointerSize": len(pointer)}
            said |= {"oid": git_sha1(pointer.encode()), "lfs": lfs}
        return said | ({"xetHash": self.xet} if self.xet else {})


@dataclass(frozen=True)
class Commit:
    oid: str
    parent: str | None
    title: str
    tree: dict[str, Blob]


@dataclass
class PullRequest:
    number: int
    title: str
    author: str
    base: str
    status: str = "draft"
    merged: str | None = None


@dataclass
class Repo:
    """One repository. `refs` are branches and `refs/pr/N`; the Hub keeps every large file until it is deleted for good."""

    name: str
    kind: str
    owner: str
    private: bool = True
    gated: str | bool = False
    allowed: set[str] = field(default_factory=set)
    refs: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)
    requests: list[PullRequest] = field(default_factory=list)
    stored: dict[str, tuple[str, int]] = field(default_factory=dict)
    history: list[str] = field(default_factory=list)
    numbers: itertools.count = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.commit("main", {".gitattributes": Blob(b"*.parquet filter=lfs\n", False)}, "initial commit", None)

    def commit(self, ref: str, tree: dict[str, Blob], title: str, parent: str | None) -> str:
        told = repr((next(self.numbers), parent, title, sorted((path, blob.oid) for path, blob in tree.items())))
        oid = hashlib.sha1(told.encode()).hexdigest()
        self.commits[oid] = Commit(oid, parent, title, tree)
        self.refs[ref] = oid
        self.history.append(ref)
        for path, blob in tree.items():
            if blob.large:
                self.stored[blob.sha256] = (path, len(blob.content))
        return oid

    def find(self, revision: str) -> Commit | None:
        oid = self.refs.get(revision) or self.tags.get(revision) or revision
        return self.commits.get(oid)

    def log(self, revision: str) -> list[Commit]:
        found, at = [], self.find(revision)
        while at is not None:
            found.append(at)
            at = self.commits.get(at.parent) if at.parent else None
        return found

    def squash(self, title: str) -> None:
        head = self.find("main")
        self.commit("main", head.tree, title, None)

    def forget(self, oids: set[str]) -> None:
        """Delete large files for good: no revision serves them any more."""
        for oid in oids:
            self.stored.pop(oid, None)
        for at, commit in list(self.commits.items()):
            kept = {path: blob for path, blob in commit.tree.items() if not (blob.large and blob.sha256 in oids)}
            self.commits[at] = Commit(commit.oid, commit.parent, commit.title, kept)

    def merge(self, number: int) -> None:
        request = self.requests[number - 1]
        head, main = self.find(f"refs/pr/{number}"), self.find("main")
        if main.oid == request.base:
            self.refs["main"] = head.oid
        else:  # what the pull request changed, laid over what main is now
            base = self.commits[request.base].tree
            changed = {path: blob for path, blob in head.tree.items() if base.get(path) != blob}
            tree = {path: blob for path, blob in main.tree.items() if path in head.tree or path not in base}
            self.commit("main", tree | changed, request.title, main.oid)
        request.status, request.merged = "merged", self.refs["main"]
        self.history.append("main")
