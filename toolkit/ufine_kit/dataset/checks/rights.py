"""Checks of licences and consent: every source is named with its terms, and the release is no looser than its strictest one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import numpy as np

from ufine_kit.dataset.checks.check import Fault, checks_of, shown
from ufine_kit.dataset.checks.gathered import Gathered
from ufine_kit.dataset.checks.subject import Subject
from ufine_kit.manifest import ReleaseSource

# From loose to strict; the first pattern that fits gives the rank. What is not known is taken as the strictest.
ORDER: tuple[tuple[str, str], ...] = (
    ("public domain", r"cc0(-.*)?|pddl(-.*)?|unlicense|public-?domain"),
    ("attribution", r"cc-by-\d.*|cc-by|mit|apache-2\.0|bsd-.*|isc|odc-by(-.*)?|cdla-permissive-.*"),
    ("share alike", r"cc-by-sa(-.*)?|odbl(-.*)?|cdla-sharing-.*|a?gpl-.*|lgpl-.*"),
    ("non-commercial", r"cc-by-nc-\d.*|cc-by-nc"),
    ("non-commercial, share alike", r"cc-by-nc-sa(-.*)?"),
    ("no derivatives", r"cc-by-nd(-.*)?|cc-by-nc-nd(-.*)?"),
    ("research only, or other", r".*"),
)


def rank(licence: str) -> int:
    """Place of a licence in ORDER, case left out."""
    word = licence.strip().lower()
    return next(at for at, (_, form) in enumerate(ORDER) if re.fullmatch(form, word, re.DOTALL))


def sources(subject: Subject, rows: Gathered) -> Iterator[Fault]:
    """Every source of the rows stands in release.json with its licence, and with as many images."""
    told = subject.known.sources
    if not told:
        yield Fault("no source is named", file="release.json")
        return
    said = Counter[str]()
    for source in told:
        said[source.source] += source.images
    codes, many = np.unique(rows.source, return_counts=True)
    found = {rows.sources[code]: int(number) for code, number in zip(codes, many, strict=True)}
    for name in sorted({*found, *said}):
        if name not in said:
            yield Fault(f"`{shown(name)}` of {found[name]:,} rows is not among the sources", file="release.json")
        elif said[name] != found.get(name, 0):
            yield Fault(
                f"`{shown(name)}`: {found.get(name, 0):,} images, release.json says {said[name]:,}", file="release.json"
            )
    for source in told:
        if not source.licence.strip():
            yield Fault(f"`{shown(source.source)}` has no licence", file="release.json")


def licence(subject: Subject, _: Gathered) -> Iterator[Fault]:
    """The release has a licence, and it is no looser than that of any source."""
    own = subject.known.recipe.get("license")
    if not isinstance(own, str) or not own.strip():
        yield Fault("the release has no licence", file="release.json")
        return
    for source in subject.known.sources:
        if rank(own) < rank(source.licence):
            theirs, ours = (f"{shown(word)} ({ORDER[rank(word)][0]})" for word in (source.licence, own))
            yield Fault(f"{_described(source)} is under {theirs}, the release under {ours}", file="release.json")


def consent(subject: Subject, rows: Gathered) -> Iterator[Fault]:
    """Every source of images cut from videos says on what ground people in them may be shown."""
    built = {rows.sources[code] for code in np.unique(rows.source[rows.built])}
    for source in subject.known.sources:
        if source.source in built and not source.consent_basis.strip():
            yield Fault(f"{_described(source)} has no consent basis", file="release.json")


def redistribution(subject: Subject, _: Gathered) -> Iterator[Fault]:
    """Every source may be passed on; where nobody said so, this warns."""
    for source in subject.known.sources:
        if source.redistribution is False:
            yield Fault(f"{_described(source)} may not be passed on", file="release.json")
        elif source.redistribution is None:
            yield Fault(
                f"{_described(source)} does not say whether it may be passed on", file="release.json", level="warn"
            )


def _described(source: ReleaseSource) -> str:
    return f"`{shown(source.source)}`" + (f" of {shown(source.date)}" if source.date else "")


CHECKS = checks_of("rights", (sources, licence, consent, redistribution), ())
