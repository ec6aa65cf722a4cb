"""What is wrong with the texts of a campaign: the rules of `text`, asked with what the campaign knows; and honeypots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from ufine_kit.campaign.plain import message, reasons
from ufine_kit.campaign.standing import Standing, Text, standing
from ufine_kit.errors import KitError
from ufine_kit.files import write_json
from ufine_kit.tables import CampaignTable
from ufine_kit.text.attributes import compare
from ufine_kit.text.finding import ERROR, RULES, Finding, finding
from ufine_kit.text.rules import Limits, check_submissions
from ufine_kit.text.words import count as count_words

FILE = "qc.json"
REFUSABLE = sorted({*(name for name, rule in RULES.items() if rule.where != "rewrite"), "honeypot"})


@dataclass(frozen=True)
class Honeypot:
    """A text on a crop whose right description is known: what it contradicts, and whether that is too much."""

    description_id: str
    writer: str
    conflicts: tuple[str, ...]
    passed: bool


@dataclass
class Quality:
    """`findings` of every standing text by its id; `refused` the rules that keep a text out; the rest is accepted."""

    standing: Standing
    findings: dict[str, list[Finding]]
    refused: dict[str, list[str]]
    honeypots: list[Honeypot] = field(default_factory=list[Honeypot])

    @property
    def accepted(self) -> list[Text]:
        """The texts that may become descriptions, in order of writing."""
        return [text for text in self.standing.work if text.description_id not in self.refused]

    @property
    def failed(self) -> list[Text]:
        """The texts that are held back, in order of writing."""
        return [text for text in self.standing.work if text.description_id in self.refused]

    def reasons(self) -> Counter[str]:
        """How many of the texts that could become descriptions each rule keeps out."""
        return Counter(rule for text in self.failed for rule in self.refused[text.description_id])


def qc(folder: Path, table: CampaignTable, crop_people: Mapping[str, str]) -> Quality:
    """Judge every standing text of a campaign. `crop_people` says whose a crop is. Raises KitError for a damaged ledger."""
    return judged(standing(folder, table), table, crop_people)


def judged(found: Standing, table: CampaignTable, crop_people: Mapping[str, str]) -> Quality:
    """The rules over what stands. All roles are read together, since a writer's habits show in all; each is judged alone.

    Raises KitError where the recipe refuses by a rule that does not exist: a misspelt one would let everything pass.
    """
    for rule in table.refuse or ():
        if rule not in REFUSABLE:
            raise KitError(f"`campaign.refuse` names no rule `{rule}`", f"one of: {', '.join(REFUSABLE)}")
    rows = [
        {
            "id": text.description_id,
            "writer": text.writer,
            "crop": text.crop_id,
            "identity": crop_people.get(text.crop_id),
            "text": text.text,
            "lead_seconds": text.lead_seconds,
            "draft": text.draft,
        }
        for text in found.texts
    ]
    limits = Limits(table.words_min, table.words_max, table.words_per_second)
    findings = check_submissions(rows, limits)
    quality = Quality(found, findings, {})
    quality.honeypots = known_answers(found, table)
    for pot in quality.honeypots:
        if not pot.passed:
            findings[pot.description_id].append(Finding("honeypot", ERROR, (), "; ".join(pot.conflicts)))
    for text in found.texts:
        told = findings[text.description_id]
        against = refusing(told, table)
        words = count_words(text.text)
        if words < table.min_words and "too_short" not in against:
            told.append(finding("too_short", (), f"{words} words; at least {table.min_words} are asked for"))
            against.append("too_short")
        if against:
            quality.refused[text.description_id] = against
    return quality


def refusing(findings: Iterable[Finding], table: CampaignTable) -> list[str]:
    """The rules among a text's findings that keep it out of the descriptions."""
    against = [
        one.rule for one in findings if (one.level == ERROR if table.refuse is None else one.rule in table.refuse)
    ]
    return list(dict.fromkeys(against))


def known_answers(found: Standing, table: CampaignTable) -> list[Honeypot]:
    """Every text on a crop whose right description is known, held against it."""
    return [
        _honeypot(text, trusted, table)
        for text in found.texts
        if text.role == "honeypot" and (trusted := _trusted(found, text)) is not None
    ]


def _trusted(found: Standing, text: Text) -> str | None:
    item = found.items.get(text.item_key or "")
    return item.about.get("trusted") if item else None


def _honeypot(text: Text, trusted: str, table: CampaignTable) -> Honeypot:
    """What a text says against a description that is known to be right; what it leaves out or adds is no conflict."""
    against = compare(trusted, text.text)
    conflicts = dict.fromkeys(
        f"{one.item} {one.slot}: {one.now or 'absent'} instead of {one.was or 'absent'}"
        for one in (*against.contradicted, *against.swapped)
    )
    return Honeypot(text.description_id, text.writer, tuple(conflicts), len(conflicts) <= table.honeypot_conflicts)


def to_mend(quality: Quality) -> list[dict[str, Any]]:
    """What a fix round asks about: every text held back, with the reasons in plain words."""
    return [
        {
            "description_id": text.description_id,
            "crop_id": text.crop_id,
            "writer": text.writer,
            "text": text.text,
            "reasons": reasons(
                one for one in quality.findings[text.description_id] if one.rule in quality.refused[text.description_id]
            ),
        }
        for text in quality.failed
    ]


def report(quality: Quality, table: CampaignTable) -> dict[str, Any]:
    """What `qc.json` holds: counts, the words of the accepted texts, honeypots, and every text with something against it."""
    lengths = [count_words(text.text) for text in quality.accepted]
    texts = [text for text in quality.standing.texts if quality.findings[text.description_id]]
    warned = Counter(
        rule
        for text in quality.standing.work
        for rule in {one.rule for one in quality.findings[text.description_id] if one.level != ERROR}
    )
    return {
        "schema": 1,
        "texts": len(quality.standing.work),
        "accepted": len(quality.accepted),
        "refused": len(quality.failed),
        "rules": dict(sorted(quality.reasons().items())),
        "warnings": dict(sorted(warned.items())),
        "words": {
            "mean": round(fmean(lengths), 2) if lengths else None,
            "asked": table.words_mean,
            "least": min(lengths, default=None),
            "most": max(lengths, default=None),
        },
        "honeypots": [
            {"description_id": one.description_id, "writer": one.writer, "passed": one.passed, "conflicts": len(one.conflicts)}
            for one in quality.honeypots
        ],
        "findings": [_told(text, quality) for text in texts],
    }  # fmt: skip


def _told(text: Text, quality: Quality) -> dict[str, Any]:
    return {
        "description_id": text.description_id,
        "crop_id": text.crop_id,
        "writer": text.writer,
        "role": text.role,
        "refused": text.description_id in quality.refused,
        "findings": [
            {"rule": one.rule, "level": one.level, "message": message(one)}
            for one in quality.findings[text.description_id]
        ],
    }


def write_qc(folder: Path, content: Mapping[str, Any]) -> None:
    """Keep the result beside the ledger it is of; it is made again by every `campaign qc`."""
    write_json(folder / FILE, dict(content))
