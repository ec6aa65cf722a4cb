"""The last judgement of a campaign, taken from `qc.json` where nothing has changed since: `status` is asked often."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ufine_kit import __version__
from ufine_kit.campaign.qc import FILE, Quality, judged, known_answers, refusing
from ufine_kit.campaign.standing import Standing
from ufine_kit.errors import KitError
from ufine_kit.files import digest_of, read_json
from ufine_kit.pipeline import BY_NAME
from ufine_kit.tables import CampaignTable
from ufine_kit.text.finding import Finding
from ufine_kit.text.words import count as count_words


def judged_of(found: Standing, table: CampaignTable, crop_people: Mapping[str, str]) -> str:
    """A digest of all that a judgement follows from: what stands, whose the crops are, the table, the version of the rules."""
    texts = [[text.description_id, text.role, crop_people.get(text.crop_id)] for text in found.texts]
    return digest_of([__version__, BY_NAME["descriptions"].version, table.model_dump(mode="json"), texts])


def recalled(folder: Path, found: Standing, table: CampaignTable, crop_people: Mapping[str, str]) -> Quality:
    """The judgement as `campaign qc` left it if it is of the same, else a new one. Nothing that is frozen is told from it."""
    try:
        kept: Any = read_json(folder / FILE)
    except KitError:
        kept = None
    if not isinstance(kept, dict) or kept.get("of") != judged_of(found, table, crop_people):
        return judged(found, table, crop_people)
    try:
        return _told(kept["findings"], found, table)
    except (KeyError, TypeError):  # changed by hand
        return judged(found, table, crop_people)


def _told(entries: list[dict[str, Any]], found: Standing, table: CampaignTable) -> Quality:
    quality = Quality(found, {text.description_id: [] for text in found.texts}, {})
    words = {text.description_id: text.text for text in found.texts}
    for entry in entries:
        name = entry["description_id"]
        told = [Finding(one["rule"], one["level"], (), one["message"]) for one in entry["findings"]]
        quality.findings[name] = told
        if entry["refused"]:
            too_few = count_words(words[name]) < table.min_words
            quality.refused[name] = list(dict.fromkeys([*refusing(told, table), *(["too_short"] if too_few else [])]))
    quality.honeypots = known_answers(found, table)
    return quality
