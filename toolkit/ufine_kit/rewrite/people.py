"""What people decide of rewrites: rows laid out for them in JSONL, and their word taken back into the ledger."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from ufine_kit import __version__
from ufine_kit.dataset.splits import draw
from ufine_kit.errors import KitError, first_fault
from ufine_kit.files import canonical_json, digest_of, sha256_file, write_bytes
from ufine_kit.ledger import Ledger, read_ledger
from ufine_kit.rewrite.asks import Slot
from ufine_kit.rewrite.rounds import Standing, Tried
from ufine_kit.tables import RewriteTable
from ufine_kit.text.surface import strip_mechanical


class Word(BaseModel):
    """One line that comes back: accept the rewrite as it is, revise it, or drop it."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    rewrite_id: Annotated[str, Field(min_length=1)]
    decision: Literal["accept", "revise", "drop"]
    reviser: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$", description="pseudonym")]
    at: AwareDatetime
    text: str | None = None
    of: str | None = None  # the attempt that was looked at; what comes from elsewhere need not say


def slot_id(slot: Slot) -> str:
    """`rewrite_id` of a slot: which original, which family, which number. Attempts do not change it."""
    original = slot.original
    return digest_of([original.image_id, original.caption_index, original.text_sha256, slot.family, slot.number])[:20]


def for_people(found: Standing, table: RewriteTable) -> Iterator[dict[str, Any]]:
    """The rows that people look at: what no attempt mended, what a rule doubts, and a drawn share of the rest."""
    for slot, history in found.for_people.items():
        yield _laid_out(slot, history, "failed", [one.against for one in history][-1])
    for slot, tried in found.accepted.items():
        assert tried.verdict is not None
        if tried.verdict.warnings:
            yield _laid_out(slot, [tried], "suspicious", tried.verdict.warnings)
        elif draw(table.seed, f"sampled/{slot_id(slot)}") < table.sampled:
            yield _laid_out(slot, [tried], "sampled", [])


def _laid_out(slot: Slot, history: Sequence[Tried], why: str, checks: list[str]) -> dict[str, Any]:
    spoken = [one for one in history if one.verdict is not None]
    best = min(spoken, key=lambda one: len(one.against), default=None)
    # People mend words, not wrappings: what is mechanical is taken off what they see.
    rewrite = strip_mechanical(best.row["raw_text"])[0] if best else ""
    return {
        "rewrite_id": slot_id(slot),
        "of": (best or history[-1]).ask.key,
        "why": why,
        "checks": checks,
        "messages": best.verdict.messages if best and best.verdict else [],
        "image_id": slot.original.image_id,
        "family": slot.family,
        "source": slot.original.text,
        "rewrite": rewrite,
    }


def write_for_people(path: Path, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Write the JSONL that people (or a revise campaign) work on; False where somebody has changed it since.

    A file that people work in is theirs: it is written anew only while it is as the kit left it.
    """
    mark = path.with_name(f".{path.name}.sha256")
    if path.exists() and (not mark.exists() or sha256_file(path) != mark.read_text(encoding="ascii")):
        return False
    content = "".join(canonical_json(row) + "\n" for row in rows).encode()
    write_bytes(mark, hashlib.sha256(content).hexdigest().encode())
    write_bytes(path, content)
    return True


def take_back(source: Path, folder: Path, known: Mapping[str, Mapping[str, Any]], write: bool = True) -> list[str]:
    """Append the decisions of a JSONL file to the ledger `folder`; returns a line for each that could not be used.

    `known` are the rows laid out, by `rewrite_id`. The same line twice adds nothing; of two decisions on one row the later
    stands. Raises KitError when the file cannot be read.
    """
    if not source.is_file():
        raise KitError(f"no file `{source}`", "give the JSONL that came back from the revisers to --revised")
    held = read_ledger(folder)
    refused: list[str] = []
    fresh: dict[str, dict[str, Any]] = {}
    origin = f"{source.name}@{sha256_file(source)[:12]}"
    for number, line in enumerate(source.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            entry = _entry(Word.model_validate(json.loads(line)), known, origin)
        except ValidationError as error:
            refused.append(f"{source} line {number}: {first_fault(error, 'line')}")
        except KitError as error:
            refused.append(f"{source} line {number}: {error.problem}")
        except (ValueError, RecursionError):
            refused.append(f"{source} line {number}: no JSON")
        else:
            if entry["key"] not in held:
                fresh[entry["key"]] = entry
    if write and fresh:
        with Ledger(folder, "revised") as ledger:
            ledger.append(*fresh.values())
    return refused


def _entry(word: Word, known: Mapping[str, Mapping[str, Any]], origin: str) -> dict[str, Any]:
    row = known.get(word.rewrite_id)
    if row is None:
        raise KitError(f"no rewrite `{word.rewrite_id}` waits for people", "")
    if word.decision == "revise" and not (word.text and word.text.strip()):
        raise KitError("`revise` needs a `text`", "")
    if word.decision == "accept" and word.of not in (None, row["of"]):
        raise KitError(f"`{word.rewrite_id}` was accepted as it stood in another attempt", "")
    if word.decision == "accept" and not row["rewrite"].strip():
        raise KitError("no rewrite to accept: revise or drop it", "")
    text = word.text if word.decision == "revise" else row["rewrite"] if word.decision == "accept" else None
    fact = {
        "rewrite_id": word.rewrite_id,
        "of": row["of"],
        "decision": word.decision,
        "text": text,
        "changed": changed_words(row["rewrite"], text) if text is not None else [],
    }
    at = word.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return {
        "key": digest_of([word.reviser, at, fact]),
        "who": word.reviser,
        "version": __version__,
        "at": at,
        "input": origin,
        "row": fact,
    }


def changed_words(before: str, after: str) -> list[list[str]]:
    """Which words a reviser changed: pairs of what stood there and what stands there now."""
    old, new = before.split(), after.split()
    steps = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [[" ".join(old[a:b]), " ".join(new[c:d])] for kind, a, b, c, d in steps if kind != "equal"]


def decisions(folder: Path, found: Standing) -> dict[str, dict[str, Any]]:
    """The standing decision on every row, by `rewrite_id`: the latest one, with its reviser under `who`.

    A word said of another model's text, or of an attempt that no longer counts, is kept and not applied.
    """
    shown = {slot_id(slot): {one.ask.key for one in history} for slot, history in found.for_people.items()}
    shown |= {slot_id(slot): {tried.ask.key} for slot, tried in found.accepted.items()}
    standing: dict[str, dict[str, Any]] = {}
    for entry in read_ledger(folder).values():  # in order of time
        if entry["row"]["of"] in shown.get(entry["row"]["rewrite_id"], ()):
            standing[entry["row"]["rewrite_id"]] = {**entry["row"], "who": entry["who"]}
    return standing
