"""Statistics as tables: for a page (Markdown) and for a paper (LaTeX), names out of releases made harmless in both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ufine_kit.release.importing.layouts import LAYOUTS
from ufine_kit.release.importing.published import PUBLISHED
from ufine_kit.release.statistics import WORD_RULE, Statistics

MISSING = "–"
TABLE_1 = (
    "images",
    "identities",
    "texts",
    "max words",
    "min words",
    "average",
    "unique words",
    "> 77 tokens",
    "> 168 tokens",
)
MOST_ROWS = 24


@dataclass(frozen=True)
class Table:
    """A titled table of words; the first column names the row, all others are numbers."""

    title: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]


def tables_of(found: Sequence[Statistics], published: bool = False) -> list[Table]:
    """Every table of `stats`: sizes and words, splits and sources, shares, attributes."""
    tables = [Table("Sizes and words", ("release", *TABLE_1), [(one.title, *_numbers(one.whole)) for one in found])]
    if published:
        tables[0].rows.extend(_published())
    groups = [
        (f"{one.title}: {name}", *_numbers(numbers))
        for one in found
        for names in (one.splits, one.sources)
        if len(names) > 1 or names is one.splits
        for name, numbers in names.items()
    ]
    tables.append(Table("By split and source", ("group", *TABLE_1), groups))
    for name in ("granularity", "style", "origin"):
        tables.append(_share_table(f"Texts by {name}", name, found, [one.whole[name] for one in found]))
    read = [one for one in found if one.attributes]
    for name, what in (("items", "item"), ("values", "value"), ("person", "word on the person")):
        if read:
            title = f"Share of texts with each {what}"
            tables.append(_share_table(title, what, read, [(one.attributes or {})[name] for one in read]))
    return tables


def _numbers(numbers: dict[str, Any]) -> tuple[str, ...]:
    whole = [f"{numbers[key]:,}" for key in ("images", "identities", "texts", "words_max", "words_min")]
    over = [_percent(numbers[f"over_{limit}_tokens"]) for limit in (77, 168)]
    return (*whole, f"{numbers['words_average']:.1f}", f"{numbers['unique_words']:,}", *over)


def _published() -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name, known in PUBLISHED.items():
        if known.total == (None, None, None):
            continue
        identities, images, texts = (f"{number:,}" if number else MISSING for number in known.total)
        said = known.words
        spoken = (f"{said.most}", f"{said.least}", f"{said.average}", f"{said.unique:,}") if said else (MISSING,) * 4
        rows.append((f"{LAYOUTS[name].source} (published)", images, identities, texts, *spoken, MISSING, MISSING))
    return rows


def _share_table(title: str, what: str, found: Sequence[Statistics], shares: Sequence[dict[str, float]]) -> Table:
    largest = {
        name: max(held.get(name, 0.0) for held in shares) for name in dict.fromkeys(n for s in shares for n in s)
    }
    names = sorted(largest, key=lambda name: (-largest[name], name))[:MOST_ROWS]
    rows = [(name, *(_percent(held.get(name, 0.0)) for held in shares)) for name in names]
    return Table(title, (what, *(one.title for one in found)), rows)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def notes_of(found: Sequence[Statistics]) -> list[str]:
    """How the numbers were counted, and what they must not be taken for."""
    rules = {one.tokens for one in found}
    how = (
        "counted by the tokenizer given"
        if rules == {"counted"}
        else "estimated from words and marks (--tokenizer counts)"
    )
    notes = [f"Words: {WORD_RULE}.", f"Tokens: CLIP's, with both end marks, {how}."]
    notes += [
        f"Attributes of {one.title}: read in {one.attributes['texts']:,} of {one.whole['texts']:,} texts, evenly drawn."
        for one in found
        if one.attributes
    ]
    if any(one.synthetic for one in found):
        notes.append(
            "Synthetic: drawn and composed by a program; these numbers say nothing of real people or datasets."
        )
    return notes


def markdown(tables: Sequence[Table], notes: Sequence[str]) -> list[str]:
    """Lines of Markdown."""
    lines: list[str] = []
    for table in tables:
        lines += [f"## {_plain(table.title)}", ""]
        lines += [_bar(table.head, _plain), "|" + " --- |" + " ---: |" * (len(table.head) - 1)]
        lines += [*(_bar(row, _plain) for row in table.rows), ""]
    return [*lines, *(f"{_plain(note)}\n" for note in notes)]


def _bar(cells: Sequence[str], plain: Callable[[str], str]) -> str:
    return "| " + " | ".join(plain(cell) for cell in cells) + " |"


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, on one line; `_` inside a word is left, since it means nothing there."""
    return "".join(f"&#{ord(sign)};" if sign in "<&[]*`#|!\\{}" else sign for sign in " ".join(text.split()))


_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "–": "--",
    "<": r"$<$",
    ">": r"$>$",
}


def _tex(text: str) -> str:
    one_line = " ".join(text.split())
    return "".join(_LATEX.get(sign) or (f"\\{sign}" if sign in "&%$#_{}" else sign) for sign in one_line)


def latex(tables: Sequence[Table], notes: Sequence[str]) -> list[str]:
    """Lines of LaTeX: a `table` each, with the rules of booktabs."""
    lines = ["% needs \\usepackage{booktabs}", *(f"% {' '.join(note.split())}" for note in notes)]
    for table in tables:
        lines += [
            "\\begin{table}",
            f"  \\caption{{{_tex(table.title)}}}",
            f"  \\begin{{tabular}}{{l{'r' * (len(table.head) - 1)}}}",
        ]
        lines += [
            "    \\toprule",
            f"    {_row(table.head)}",
            "    \\midrule",
            *(f"    {_row(row)}" for row in table.rows),
        ]
        lines += ["    \\bottomrule", "  \\end{tabular}", "\\end{table}"]
    return lines


def _row(cells: Sequence[str]) -> str:
    return " & ".join(_tex(cell) for cell in cells) + r" \\"
