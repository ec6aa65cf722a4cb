"""What a look at a release came to: one outcome a check, kept as `report.json` beside the findings for those who publish."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from ufine_kit import __version__
from ufine_kit.dataset.checks.check import Level
from ufine_kit.errors import KitError
from ufine_kit.files import digest_of, make_folder, read_json, sha256_file, write_json
from ufine_kit.manifest import read_manifest
from ufine_kit.tables import CheckTable

State = Literal["passed", "warned", "failed", "not run"]
FILE = "report.json"
NOT_ASKED = "not asked for"
FINDINGS = "findings.parquet"


@dataclass(frozen=True)
class Outcome:
    """One check: what it demands, what became of it, and how many rows (or files) offend. `reason` says why it was not run."""

    name: str
    tier: str
    level: Level
    what: str
    state: State
    rows: int = 0
    reason: str | None = None
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """All checks of one release. `findings`: check -> level -> offending rows, for the checks that found something."""

    folder: str
    name: str
    version: str
    data_digest: str
    release_sha256: str
    sums_sha256: str
    recipe: str
    checks: tuple[Outcome, ...]
    findings: dict[str, dict[Level, int]]
    kit: str = __version__

    @property
    def passed(self) -> bool:
        """Whether nothing failed. Warnings do not fail; a check that was not run did not pass: see `complete`."""
        return not any(check.state == "failed" for check in self.checks)

    @property
    def complete(self) -> bool:
        """Whether every check was run."""
        return not any(check.state == "not run" for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "passed": self.passed, "complete": self.complete}


def report_folder(work: Path, name: str, version: str) -> Path:
    """Where findings and report of a release lie: `<work>/checks/<name>-<version>/`."""
    return work / "checks" / f"{name}-{version}"


def named(folder: Path) -> tuple[str, str]:
    """Name and version of a release, as its report lies under; of one whose manifest cannot be used, plain stand-ins."""
    try:
        manifest = read_manifest(folder)
    except KitError:
        return "unknown", "0.0.0"
    return manifest.name, manifest.version


def recipe_digest(table: CheckTable) -> str:
    """Digest of the limits that were checked against."""
    return digest_of(table.model_dump(mode="json"))


def keep(report: Report, folder: Path) -> None:
    """Write `report.json`, last: the findings lie there already."""
    write_json(make_folder(folder) / FILE, report.to_dict())


def kept_report(work: Path, release: Path, table: CheckTable) -> Report | None:
    """The report of exactly these files, these limits and this kit; None where a check has to be run anew.

    One of a run that was asked for some checks only does not count.
    """
    for path in sorted((work / "checks").glob(f"*/{FILE}")):
        report = _read(path)
        if report is None or any(check.reason == NOT_ASKED for check in report.checks):
            continue
        same_kit = (report.recipe, report.kit) == (recipe_digest(table), __version__)
        if same_kit and (report.release_sha256, report.sums_sha256) == hashes(release):
            return report
    return None


def hashes(release: Path) -> tuple[str, str]:
    """sha256 of `release.json`, and of SHA256SUMS, which speaks for every other file; empty where there is none."""
    found = (release / "release.json", release / "SHA256SUMS")
    one, other = (sha256_file(path) if path.is_file() else "" for path in found)
    return one, other


def _read(path: Path) -> Report | None:
    """A kept report; None where the file is torn, or of another kit."""
    try:
        held: dict[str, Any] = read_json(path)
        told: list[dict[str, Any]] = held.pop("checks")
        examples = [tuple(check.pop("examples")) for check in told]
        checks = tuple(Outcome(**check, examples=some) for check, some in zip(told, examples, strict=True))
        return Report(**{key: held[key] for key in held if key not in ("passed", "complete")}, checks=checks)
    except (KitError, TypeError, AttributeError, KeyError):
        return None
