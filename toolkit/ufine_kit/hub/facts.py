"""What the card says, computed: sizes, words, writers, sources, recipes and the features of every configuration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ufine_kit import parts
from ufine_kit.dataset.reader import Release, shard_paths
from ufine_kit.files import inside
from ufine_kit.text.words import words

BIN_WORDS = 10


@dataclass
class TextCount:
    """Words of the captions of one split (or all): the columns of UFineBench's Table 1, gathered as they pass."""

    texts: int = 0
    most: int = 0
    fewest: int = 0
    total: int = 0
    vocabulary: set[str] = field(default_factory=set[str])
    bins: Counter[int] = field(default_factory=Counter[int])

    def add(self, text: str) -> None:
        """Count one caption; unique words are counted in lower case."""
        found = words(text)
        self.fewest = min(self.fewest, len(found)) if self.texts else len(found)
        self.most = max(self.most, len(found))
        self.texts += 1
        self.total += len(found)
        self.bins[len(found) // BIN_WORDS * BIN_WORDS] += 1
        self.vocabulary.update([word.lower() for word in found])

    @property
    def mean(self) -> float:
        """Words a caption."""
        return self.total / self.texts if self.texts else 0.0


@dataclass
class Facts:
    """All that is computed for the card of one release. Writers and kinds are counted by caption."""

    words: TextCount = field(default_factory=TextCount)
    kinds: Counter[str] = field(default_factory=Counter[str])
    writers: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    granularities: Counter[str] = field(default_factory=Counter[str])
    styles: Counter[str] = field(default_factory=Counter[str])
    row_bytes: dict[str, int] = field(default_factory=dict[str, int])
    text_bytes: dict[str, int] = field(default_factory=dict[str, int])
    file_bytes: int = 0
    texts_file_bytes: int = 0
    stages: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def models(self) -> list[str]:
        """Writers that are models, as they stand in the rows."""
        return sorted({name for kind in ("model", "model_revised") for name in self.writers.get(kind, ())})

    def people(self) -> int:
        """Pseudonyms of people among the writers."""
        return len(self.writers.get("human", ()))


def gather(release: Release, work: Path | None = None) -> Facts:
    """Read the thin columns of every shard once. With `work`, the recipes of the stages it was built from are looked up."""
    facts = Facts()
    for split in release.splits:
        facts.row_bytes[split] = facts.text_bytes[split] = 0
        for path in shard_paths(release, split):
            _count(facts, split, path)
    facts.stages = stages_of(release, work) if work is not None else []
    return facts


def _count(facts: Facts, split: str, path: Path) -> None:
    with pq.ParquetFile(path) as file:
        _sizes(facts, split, file)
        facts.file_bytes += path.stat().st_size
        for batch in file.iter_batches(batch_size=4096, columns=["captions", "caption_origins"]):
            for text in batch.column(0).flatten().to_pylist():
                facts.words.add(text)
            for kind, writer, granularity, style in _origins(batch.column(1).flatten()):
                facts.kinds[kind] += 1
                facts.writers.setdefault(kind, Counter())[writer] += 1
                facts.granularities[granularity] += 1
                facts.styles[style] += 1


def _origins(structs: Any) -> Iterator[tuple[str, str, str, str]]:
    return zip(*(structs.field(name).to_pylist() for name in ("kind", "writer", "granularity", "style")), strict=True)


def _sizes(facts: Facts, split: str, file: Any) -> None:
    """Unpacked bytes from the footer: what `datasets` shows as the size of a split."""
    footer = file.metadata
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        for column in range(group.num_columns):
            chunk = group.column(column)
            facts.row_bytes[split] += chunk.total_uncompressed_size
            if not chunk.path_in_schema.startswith("image."):
                facts.text_bytes[split] += chunk.total_uncompressed_size


def stages_of(release: Release, work: Path) -> list[dict[str, Any]]:
    """Recipe and versions of every stage whose parts, as they lie in `work`, are those that the release was built from."""
    found: dict[str, dict[str, Any]] = {}
    for name, sha256 in release.manifest.get("inputs", {}).items():
        stage, _, part = name.rpartition("/")
        done = parts.read_done(inside(work, stage), part) if stage else None
        if done is not None and done.sha256 == sha256:
            entry = {"stage": done.stage, "recipe": done.recipe, "versions": done.versions}
            found.setdefault(str(entry), entry)
    return list(found.values())
