"""Records of many models on many releases as one table, in Markdown and LaTeX, beside the rows that papers print."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ufine_kit.baseline.evaluate import CHOSEN, SHARED
from ufine_kit.errors import KitError
from ufine_kit.files import read_json, write_bytes

COLUMNS = ("R@1", "mAP", "mSD")
MARKS = {SHARED: "shared origin", CHOSEN: "chosen on it"}

# UFineBench (CVPR 2024), its tables of results; trained on the train split of the same name, UFine3C on UFine6926's.
# Where its running text quotes other numbers, these are the tables'.
PUBLISHED = {
    "ufine3c": {
        "NAFS": (43.69, 39.31, 30.32), "LGUR": (51.26, 49.22, 38.13), "SSAN": (53.67, 51.40, 39.66),
        "IRRA": (56.34, 54.24, 42.92), "CFAM B/16": (59.61, 56.53, 45.22), "CFAM L/14": (64.62, 61.13, 48.34),
        "PLIP": (64.59, 60.43, 47.76),
    },
    "ufine6926": {
        "NAFS": (64.11, 63.47, 49.61), "LGUR": (70.69, 68.93, 56.23), "SSAN": (75.09, 73.14, 59.41),
        "IRRA": (83.53, 82.79, 66.35), "CFAM B/16": (86.65, 85.23, 67.49), "CFAM L/14": (89.61, 88.19, 69.45),
    },
    "cuhkpedes": {
        "IRRA": (73.38, 66.13, 51.49), "CFAM B/16": (73.67, 65.94, 51.32), "CFAM L/14": (76.71, 68.47, 52.93),
    },
    "icfgpedes": {
        "IRRA": (63.46, 38.06, 29.54), "CFAM B/16": (63.57, 38.34, 29.01), "CFAM L/14": (66.58, 40.46, 31.78),
    },
    "rstpreid": {
        "IRRA": (60.20, 47.17, 35.22), "CFAM B/16": (60.51, 47.64, 35.67), "CFAM L/14": (63.54, 50.48, 37.96),
    },
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One row of a table."""

    measured_on: str
    trained_on: str
    model: str
    values: tuple[float, ...]
    mark: str  # what a reader must know: published, synthetic, or one of MARKS
    data: tuple[str, str] = ("", "")  # version and digest of the release that was measured
    deviations: tuple[float, ...] = ()  # of the seeds, where `values` are their means


def lines_of(records: Iterable[dict[str, Any]]) -> list[Line]:
    """A line for every record, and the published ones for every dataset that was measured."""
    own = [_line(record) for record in records]
    measured = sorted({line.measured_on for line in own})
    printed = [
        Line(name, "ufine6926" if _key(name) == "ufine3c" else name, model, values, "published")
        for name in measured
        for model, values in PUBLISHED.get(_key(name), {}).items()
    ]
    apart = [replace(line, measured_on=" ".join([line.measured_on, *_which(line, own)])) for line in own]
    return sorted([*apart, *printed], key=lambda line: (line.measured_on, line.trained_on, line.mark, line.model))


def _which(line: Line, lines: Sequence[Line]) -> list[str]:
    """What tells data from others of the same name: the version, and the digest where a version was built anew."""
    same = {other.data for other in lines if other.measured_on == line.measured_on}
    digests = {digest for version, digest in same if version == line.data[0]}
    return [line.data[0]] * (len(same) > 1) + [line.data[1][:8]] * (len(digests) > 1)


def _line(record: dict[str, Any]) -> Line:
    trained = record["checkpoint"]["trained_on"]
    marks = ["synthetic"] if record["synthetic"] else []
    warned = " ".join(record.get("warnings", ()))
    marks += [mark for words, mark in MARKS.items() if words in warned]
    deviations = tuple(record.get("validation", {}).get("sd", {}).get(name) for name in COLUMNS)
    return Line(
        measured_on=record["release"]["name"],
        trained_on=trained["name"] if trained else "zero-shot",
        model=record["checkpoint"]["name"],
        values=tuple(record["metrics"][name] for name in COLUMNS),
        mark=", ".join(marks),
        data=(record["release"]["version"], record["data_digest"]),
        deviations=() if None in deviations else deviations,
    )


def _key(release: str) -> str:
    plain = re.sub(r"[^a-z0-9]", "", release.lower())
    return {"cuhk": "cuhkpedes", "icfg": "icfgpedes", "rstp": "rstpreid"}.get(plain, plain)


def markdown(lines: Sequence[Line]) -> str:
    """The table as Markdown."""
    head = ["measured on", "trained on", "model", *COLUMNS, ""]
    rows = [[line.measured_on, line.trained_on, line.model, *_numbers(line, "±"), line.mark] for line in lines]
    rule = ["---", "---", "---", *["---:"] * len(COLUMNS), "---"]
    return "".join(f"| {' | '.join(_plain(cell) for cell in row)} |\n" for row in [head, rule, *rows])


def latex(lines: Sequence[Line]) -> str:
    """The table as LaTeX (booktabs), a rule between two datasets."""
    body: list[str] = []
    for number, line in enumerate(lines):
        if number and line.measured_on != lines[number - 1].measured_on:
            body.append(r"\midrule")
        words = [_escaped(cell) for cell in (line.measured_on, line.trained_on, line.model)]
        body.append(" & ".join([*words, *_numbers(line, r"$\pm$"), _escaped(line.mark)]) + r" \\")
    head = " & ".join(_escaped(cell) for cell in ["measured on", "trained on", "model", *COLUMNS, ""]) + r" \\"
    columns = "lll" + "r" * len(COLUMNS) + "l"
    inner = [
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        head,
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(inner) + "\n"


def write_matrix(baselines: Path, split: str) -> list[Path]:
    """`matrix-<split>.md` and `.tex` from every record of that split under `baselines/`. Raises KitError for another file."""
    records = [_readable(path) for path in sorted(baselines.glob(f"*/**/*-{split}.json"))]
    lines = lines_of(records)
    paths = baselines / f"matrix-{split}.md", baselines / f"matrix-{split}.tex"
    for path, text in zip(paths, (markdown(lines), latex(lines)), strict=True):
        write_bytes(path, text.encode())
    return list(paths)


def _readable(path: Path) -> dict[str, Any]:
    record = read_json(path)
    try:
        _line(record)
    except (AttributeError, KeyError, TypeError):
        raise KitError(f"`{path}` is no record of `evaluate`", "measure again, or take the file away") from None
    return record


def _numbers(line: Line, plus_minus: str) -> list[str]:
    means = [f"{value:.2f}" for value in line.values]
    if not line.deviations:
        return means
    return [f"{mean} {plus_minus} {sd:.2f}" for mean, sd in zip(means, line.deviations, strict=True)]


def _plain(cell: str) -> str:
    return re.sub(r"[|<>`\[\]\\\r\n]", " ", cell)


def _escaped(cell: str) -> str:
    return re.sub(r"([&%$#_{}])", r"\\\1", re.sub(r"[\\~^\n]", " ", cell))
