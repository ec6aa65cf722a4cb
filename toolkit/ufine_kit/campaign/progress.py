"""How far a campaign is: texts of those wanted, crops through, pace and forecast, and a row a writer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from ufine_kit.campaign.forecast import by_day, forecast
from ufine_kit.campaign.items import people_asked
from ufine_kit.campaign.qc import Quality
from ufine_kit.campaign.recall import recalled
from ufine_kit.campaign.spec import has_campaign
from ufine_kit.campaign.standing import Standing, need_ledger, standing
from ufine_kit.campaign.versions import moment
from ufine_kit.campaign.writers import writers
from ufine_kit.tables import CampaignTable
from ufine_kit.text import oov
from ufine_kit.text.statistics import histogram
from ufine_kit.text.words import count as count_words

BIN = 10  # words


def progress(
    folder: Path, table: CampaignTable | None = None, crop_people: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Everything that `campaign status` tells of one campaign. Raises KitError where nothing was asked nor said yet."""
    table = table or CampaignTable()
    if not has_campaign(folder):
        need_ledger(folder)
    return told(recalled(folder, standing(folder, table), table, crop_people or {}), table)


def told(quality: Quality, table: CampaignTable) -> dict[str, Any]:
    """The same of a campaign that was judged already."""
    found = quality.standing
    accepted = quality.accepted
    lengths = [count_words(text.text) for text in accepted]
    wanted = sum(asks(found, "describe").values())
    days = by_day(text.created_at for text in accepted)
    return {
        "descriptions": len(found.work),
        "crops": len({text.crop_id for text in found.work}),
        "accepted": len(accepted),
        "refused": len(quality.failed),
        "rules": dict(sorted(quality.reasons().items())),
        "wanted": wanted or None,
        "crops_done": _crops_done(found, quality),
        "decisions": len(found.decisions),
        "reviews": _given(found, "review"),
        "revisions": _given(found, "revise"),
        "aside": dict(sorted(Counter(flag for text in found.aside for flag in text.flags).items())),
        "deleted": sum("deleted" in text.flags for text in found.texts),
        "words": {"mean": round(fmean(lengths), 2) if lengths else None, "asked": table.words_mean},
        "histogram": {str(low): texts for low, texts in histogram((text.text for text in accepted), BIN).items()},
        "days": days,
        "forecast": forecast(days, wanted - len(accepted)),
        "writers": writers(quality, table),
    }


def asks(found: Standing, kind: str) -> dict[str, int]:
    """How many answers each item of one kind waits for; those of a qualification or with a known answer are no work."""
    people = people_asked(kind, found.overlap)
    return {key: people for key, item in found.items.items() if item.kind == kind and item.role == "work"}


def _crops_done(found: Standing, quality: Quality) -> int | None:
    """Crops with as many accepted texts as were asked for; None where nothing was asked and texts just came."""
    if not asks(found, "describe"):
        return None
    have = Counter(text.crop_id for text in quality.accepted)
    wanted = {found.items[key].about.get("crop_id"): number for key, number in asks(found, "describe").items()}
    return sum(have[str(crop)] >= number for crop, number in wanted.items())


def _given(found: Standing, kind: str) -> dict[str, int] | None:
    wanted = sum(asks(found, kind).values())
    given = sum(answer.kind == kind and answer.role == "work" for answer in found.answers)
    return {"wanted": wanted, "given": given} if wanted or given else None


def glance(folder: Path, table: CampaignTable) -> dict[str, Any]:
    """One line of the list of campaigns: counts alone, nothing judged."""
    found = standing(folder, table)
    return {
        "campaign": folder.name,
        "rounds": len(sorted(folder.glob("items-*.jsonl"))),
        "descriptions": len(found.work),
        "wanted": sum(asks(found, "describe").values()) or None,
        "answers": len(found.answers),
        "decisions": len(found.decisions),
        "writers": len({text.writer for text in found.texts} | {answer.writer for answer in found.answers}),
        "last": max((text.created_at for text in found.texts), key=moment, default=None),
    }


def unknown_words(folder: Path, table: CampaignTable | None = None) -> dict[str, int]:
    """Nouns beside colour words that the lexicon does not know, with how often they stand there: candidates to add to it."""
    found = oov.report(text.text for text in standing(folder, table or CampaignTable()).texts)
    return {word: times for word, times, _ in found}
