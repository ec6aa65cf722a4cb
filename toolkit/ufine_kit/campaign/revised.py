"""Answers to rewrites as the lines that `build-3c --revised` takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ufine_kit.campaign.standing import Standing
from ufine_kit.campaign.versions import moment
from ufine_kit.files import canonical_json, write_bytes

FILE = "revised.jsonl"


def revised(found: Standing) -> Iterator[Mapping[str, Any]]:
    """Answers to rewrites as the lines that `build-3c --revised` takes, in order of time.

    The words decide, not the button: a text that was changed is a revision, and one that was not is accepted as it is.
    """
    answers = [one for one in found.answers if one.kind == "revise" and one.role == "work"]
    for one in sorted(answers, key=lambda one: (moment(one.updated_at), one.key)):
        decision, text, draft = one.said.get("decision"), one.said.get("text"), one.about.get("draft")
        text = text if text and text.strip() else None  # an empty box is no text
        if decision == "revise" and text is not None and text == draft:
            decision, text = "accept", None
        elif decision == "accept" and text is not None and text != draft:
            decision = "revise"
        elif decision not in ("accept", "revise", "drop") or (decision == "revise" and text is None):
            continue  # kept in the ledger; nothing that could be applied
        yield {
            "rewrite_id": one.about.get("rewrite_id"),
            "of": one.about.get("of"),
            "decision": decision,
            "reviser": one.writer,
            "at": one.updated_at,
            "text": text if decision == "revise" else None,
        }


def write_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Write a JSONL file, whole or not at all."""
    write_bytes(path, "".join(canonical_json(line) + "\n" for line in lines).encode())
