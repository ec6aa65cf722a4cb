"""What `check-release` found, brought to the images it speaks of."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ufine_kit.errors import KitError
from ufine_kit.parquet import read_rows
from ufine_kit.report.counts import Table, table

COLUMNS = ("check", "level", "image_id", "person_id", "message")
Finding = tuple[str, str, str]  # check, level, message


@dataclass
class Findings:
    """Findings by image and by identity; `counts` has every line by check and level, `whole` those of the release itself."""

    by_image: dict[str, list[Finding]] = field(default_factory=lambda: defaultdict(list))
    by_person: dict[str, list[Finding]] = field(default_factory=lambda: defaultdict(list))
    whole: list[Finding] = field(default_factory=list[Finding])
    counts: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])

    def of(self, image_id: Hashable, person_id: Hashable) -> list[Finding]:
        """What is said of an image, or of the identity it shows."""
        return [*self.by_image.get(str(image_id), []), *self.by_person.get(str(person_id), [])]

    def tables(self) -> list[Table]:
        """Counts by check, and what concerns no single image; nothing where all is well."""
        counts = [(check, level, number) for (check, level), number in sorted(self.counts.items())]
        found = [table("Findings", ("check", "level", "rows"), counts)] if counts else []
        return found + (
            [table("Findings on the whole release", ("check", "level", "what"), self.whole)] if self.whole else []
        )


def findings_path(work: Path, name: str, version: str) -> Path:
    """Where `check-release` leaves its findings on a release."""
    return work / "checks" / f"{name}-{version}" / "findings.parquet"


def read_findings(path: Path | None) -> Findings:
    """The findings of a Parquet file; none without a path. Raises KitError for a file without the columns."""
    found = Findings()
    for row in _rows(path) if path else ():
        finding = (str(row["check"]), str(row["level"]), str(row["message"]))
        found.counts[finding[:2]] += 1
        if row["image_id"]:
            found.by_image[row["image_id"]].append(finding)
        elif row["person_id"]:
            found.by_person[row["person_id"]].append(finding)
        else:
            found.whole.append(finding)
    return found


def _rows(path: Path) -> Iterable[dict[str, Any]]:
    for row in read_rows(path):
        if missing := [name for name in COLUMNS if name not in row]:
            raise KitError(f"`{path}` has no column `{missing[0]}`", "give the file that check-release wrote")
        yield row
