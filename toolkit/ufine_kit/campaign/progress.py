"""What a campaign's ledger says of its progress and of each writer."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from statistics import fmean
from typing import Any

from ufine_kit.campaign.decisions import is_decision
from ufine_kit.errors import KitError
from ufine_kit.ledger import read_ledger
from ufine_kit.text import oov
from ufine_kit.text.words import count as count_words


def progress(folder: Path) -> dict[str, Any]:
    """Counts of texts, crops and writers; words are counted as everywhere in the kit. Raises KitError where nothing is."""
    entries = read_ledger(folder / "ledger")
    if not entries:
        raise KitError(
            f"nothing in `{folder / 'ledger'}` yet", f"ufine-kit campaign pull {folder.name} --from texts.jsonl"
        )
    words: dict[str, list[int]] = defaultdict(list)
    entries = {key: entry for key, entry in entries.items() if not is_decision(entry["row"])}
    for entry in entries.values():
        words[entry["who"]].append(count_words(entry["row"]["text"]))
    writers = [
        {"writer": who, "texts": len(lengths), "words_mean": round(fmean(lengths), 2)}
        for who, lengths in sorted(words.items())
    ]
    crops = {entry["row"]["crop_id"] for entry in entries.values()}
    return {"descriptions": len(entries), "crops": len(crops), "writers": writers}


def unknown_words(folder: Path) -> dict[str, int]:
    """Nouns beside colour words that the lexicon does not know, with how often they stand there: candidates to add to it."""
    rows = [entry["row"] for entry in read_ledger(folder / "ledger").values()]
    found = oov.report(row["text"] for row in rows if not is_decision(row))
    return {word: times for word, times, _ in found}
