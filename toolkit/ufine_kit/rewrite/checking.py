"""Whether a rewrite says what its source says: the text rules on every answer, in worker processes, each verdict kept."""

from __future__ import annotations

import functools
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from ufine_kit import __version__
from ufine_kit.files import digest_of, sha256_file
from ufine_kit.ledger import Ledger, read_ledger
from ufine_kit.parquet import grouped
from ufine_kit.rewrite.asks import Ask
from ufine_kit.text import copies
from ufine_kit.text.rules import ERROR, check_rewrite, strip_mechanical

BATCH = 64
ALIKE = 0.9


class Verdict(NamedTuple):
    """What the rules say of one answer. `text` is the words that would go out, `stripped` what was taken off mechanically."""

    passed: bool
    text: str
    errors: list[str]
    warnings: list[str]
    messages: list[str]
    stripped: list[str]


def judge(source: str, raw: str) -> Verdict:
    """Check one rewrite. Only what is mechanical is stripped, and only if the rest then passes; else the raw text stays."""
    rest, removed = strip_mechanical(raw)
    findings = check_rewrite(source, rest)
    errors = sorted({one.rule for one in findings if one.level == ERROR})
    warnings = sorted({one.rule for one in findings if one.level != ERROR})
    text = raw if errors else rest
    return Verdict(not errors, text, errors, warnings, [one.message for one in findings], removed)


@functools.cache
def rules_digest() -> str:
    """What the text rules are: a digest of their own files. With other rules every verdict is given anew, and nothing asked."""
    files = sorted(Path(copies.__file__).parent.glob("*.py"))
    return digest_of([[path.name, sha256_file(path)] for path in files])[:12]


def verdict_key(ask_key: str) -> str:
    """Key of a verdict: the answer and the rules."""
    return digest_of([ask_key, rules_digest()])


def read_verdicts(folder: Path) -> dict[str, Verdict]:
    """All verdicts given so far by the rules as they are now, by verdict key."""
    return {key: Verdict(**entry["row"]) for key, entry in read_ledger(folder).items()}


def check_all(
    answers: Sequence[tuple[Ask, Mapping[str, Any]]], folder: Path, workers: int, tell: Callable[[int], None]
) -> dict[str, Verdict]:
    """Judge what has no verdict yet; returns all verdicts by verdict key. Each batch goes to disk as it is done."""
    known = read_verdicts(folder)
    fresh = [(ask, entry) for ask, entry in answers if verdict_key(ask.key) not in known]
    if not fresh:
        return known
    with Ledger(folder, "rules") as ledger:
        for batch in _judged(fresh, workers):
            ledger.append(*(_entry(ask, entry, verdict) for ask, entry, verdict in batch))
            known.update({verdict_key(ask.key): verdict for ask, _, verdict in batch})
            tell(len(batch))
    return known


def _judged(
    fresh: Sequence[tuple[Ask, Mapping[str, Any]]], workers: int
) -> Iterator[list[tuple[Ask, Mapping[str, Any], Verdict]]]:
    batches = list(grouped(fresh, BATCH))
    pairs = [[(ask.slot.original.text, entry["row"]["raw_text"]) for ask, entry in batch] for batch in batches]
    for batch, verdicts in zip(batches, _mapped(pairs, workers), strict=True):
        yield [(ask, entry, verdict) for (ask, entry), verdict in zip(batch, verdicts, strict=True)]


def _mapped(pairs: list[list[tuple[str, str]]], workers: int) -> Iterable[list[Verdict]]:
    if workers <= 1 or len(pairs) == 1:
        return map(_judge_batch, pairs)
    return _pooled(pairs, workers)


def _pooled(pairs: list[list[tuple[str, str]]], workers: int) -> Iterator[list[Verdict]]:
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(_judge_batch, pairs)


def _judge_batch(pairs: list[tuple[str, str]]) -> list[Verdict]:
    return [judge(source, raw) for source, raw in pairs]


def _entry(ask: Ask, entry: Mapping[str, Any], verdict: Verdict) -> dict[str, Any]:
    return {
        "key": verdict_key(ask.key),
        "who": f"rules {rules_digest()}",
        "version": __version__,
        "at": entry["at"],  # of the answer: a verdict given again is the same entry
        "input": ask.key,
        "row": verdict._asdict(),
    }


def alike(a: str, b: str) -> bool:
    """Whether two rewrites of one original are nearly the same text: then the later one adds nothing."""
    first, second = copies.lower_words(a), copies.lower_words(b)
    if len(set(first) & set(second)) < ALIKE * max(len(set(first)), len(set(second))):
        return False  # spares the slow comparison: texts that share fewer words cannot be alike
    return copies.similarity(first, second) >= ALIKE
