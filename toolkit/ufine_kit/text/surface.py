"""Rules that read the surface of one text: refusal, talk about the task or the picture, markup, unfinished sentences."""

from __future__ import annotations

import re

from ufine_kit.text.finding import Span
from ufine_kit.text.patterns import pattern
from ufine_kit.text.words import word_set
from ufine_kit.text.wordsets import word_sets

REFUSAL = pattern("refusal", re.IGNORECASE)
META = pattern("meta", re.IGNORECASE | re.MULTILINE)
TASK_WORDS = pattern("task_words", re.IGNORECASE)
PICTURE_TALK = pattern("picture_talk", re.IGNORECASE)
BOILERPLATE_EXTRA = pattern("boilerplate_extra", re.IGNORECASE)
MARKUP = pattern("markup", re.IGNORECASE)
QUOTES = {'"': '"', "“": "”", "'": "'", "‘": "’", "«": "»", "「": "」", "”": "”"}
CLOSERS = "\"'”’)]»」"
ENDINGS = ".!?。！？"
SETS = word_sets("surface")
DANGLING = SETS["dangling"]


def spans(pattern: re.Pattern[str], text: str, limit: int = 5) -> tuple[Span, ...]:
    """The first few matches of a pattern as evidence."""
    found: list[Span] = []
    for match in pattern.finditer(text):
        found.append(Span(match.start(), match.end(), match.group()))
        if len(found) == limit:
            break
    return tuple(found)


# A pattern is only tried where one of its words occurs: the patterns are slow, nearly all texts hold none of these.
META_WORDS = SETS["meta_words"]
REFUSAL_WORDS = SETS["refusal_words"]
PICTURE_WORDS = SETS["picture_words"]
EXTRA_WORDS = SETS["extra_words"]


def speaks_of(text: str, wanted: frozenset[str]) -> bool:
    """Whether any of the words occurs."""
    return not wanted.isdisjoint(word_set(text))


def refusal(text: str) -> tuple[Span, ...]:
    """Words in which a model declines; a description never speaks of `I`."""
    return spans(REFUSAL, text) if speaks_of(text, REFUSAL_WORDS) else ()


def meta(text: str) -> tuple[Span, ...]:
    """Words about the task: openings, notes, offers, headings, echo of the prompt."""
    return spans(META, text) if ":" in text or speaks_of(text, META_WORDS) else ()


def task_words(text: str) -> tuple[Span, ...]:
    """Words about texts (`description`, `rewritten`): in a rewrite they speak of the task."""
    return spans(TASK_WORDS, text) if speaks_of(text, META_WORDS) else ()


def picture_talk(text: str) -> tuple[Span, ...]:
    """`The image shows`, `in this photo`; a picture printed on clothes is none."""
    if not speaks_of(text, PICTURE_WORDS):
        return ()
    return tuple(span for span in spans(PICTURE_TALK, text) if not on_clothes(text, span))


PRINTED = pattern("printed", re.IGNORECASE)
ON_GARMENT = pattern("on_garment", re.IGNORECASE)


def on_clothes(text: str, span: Span) -> bool:
    """Whether picture words speak of a print: `with a picture showing a bear`, `the image on her shirt`."""
    before = text[max(0, span.start - 24) : span.start]
    if ON_GARMENT.match(text[span.end : span.end + 60]):
        return True
    if ARTICLE.match(span.text) is None:
        return False
    opens_sentence = re.search(r"(?:^|[.!?]\s)\W*$", text[max(0, span.start - 3) : span.start]) is not None
    return BEARING.search(before) is not None or (not opens_sentence and PRINTED.search(before) is not None)


ARTICLE = re.compile(r"an? ", re.IGNORECASE)
BEARING = pattern("bearing", re.IGNORECASE)


def boilerplate(text: str) -> tuple[Span, ...]:
    """All talk about picture, task or model in a description."""
    extra = spans(BOILERPLATE_EXTRA, text) if speaks_of(text, EXTRA_WORDS) else ()
    return picture_talk(text) + extra + meta(text) + refusal(text)


def markup(text: str) -> tuple[Span, ...]:
    """Tags, Markdown, special tokens, entities, list marks, and quotes around the whole text."""
    found = spans(MARKUP, text)
    stripped = text.strip()
    if len(stripped) > 2 and QUOTES.get(stripped[0]) == stripped[-1] and stripped[0] not in stripped[1:-1]:
        at = text.index(stripped[0])
        found += (Span(at, at + len(stripped), stripped),)
    return found


def truncated(text: str, source: str = "") -> tuple[Span, ...]:
    """An end without a closing mark: always where the last word cannot end a sentence, else where the source has the mark."""
    stripped = text.rstrip()
    if not stripped:
        return (Span(0, 0, ""),)
    bare = stripped.rstrip(CLOSERS + "*_`")
    last = re.search(r"[^\W_]+(?:[-'’][^\W_]+)*\W*$", stripped[-60:])
    tail = Span(
        len(stripped) - len(last.group()) if last else len(stripped) - 1,
        len(stripped),
        last.group() if last else stripped[-1],
    )
    if bare.endswith(("...", "…", "..")):
        return (tail,)
    word = last.group().strip().rstrip(".!?,;:").lower() if last else ""
    if bare and bare[-1] in ENDINGS:
        return (tail,) if word in HARD_DANGLING else ()
    ended = source.rstrip().rstrip(CLOSERS)[-1:] in tuple(ENDINGS) if source.strip() else True
    if bare[-1:] in ",;:-–—(/&" or word in DANGLING or ended:
        return (tail,)
    return ()


HARD_DANGLING = SETS["hard_dangling"]


MOST_STRIPS = 50  # of one kind; a text with more is no text to be mended


def strip_mechanical(text: str) -> tuple[str, list[str]]:
    """Remove what can go without touching the description: reasoning blocks, special tokens, an opening line, outer quotes.

    Gives the rest and what was removed, in order. The caller keeps the raw text and checks the rest again.
    """
    removed: list[str] = []
    rest = without_thinking(text, removed).strip()
    for one in (SPECIAL, OPENING, CLOSING, BOLD):
        for _ in range(MOST_STRIPS):
            match = one.search(rest)
            if match is None:
                break
            removed.append(match.group().strip())
            rest = (
                rest[: match.start()] + (match.group("keep") if "keep" in one.groupindex else "") + rest[match.end() :]
            )
    rest = rest.strip()
    if len(rest) > 2 and QUOTES.get(rest[0]) == rest[-1] and rest[0] not in rest[1:-1]:
        removed.append(rest[0] + rest[-1])
        rest = rest[1:-1].strip()
    return rest, removed


def without_thinking(text: str, removed: list[str]) -> str:
    """The text after the last closing `</think>`; an opened block that never closes is left to the markup rule."""
    for tag in ("</think>", "</thinking>"):
        at = text.lower().rfind(tag) if len(text.lower()) == len(text) else text.rfind(tag)
        if at >= 0:
            removed.append(text[: at + len(tag)].strip())
            return text[at + len(tag) :]
    return text


SPECIAL = pattern("special", re.IGNORECASE)
OPENING = pattern("opening", re.IGNORECASE)
CLOSING = pattern("closing", re.IGNORECASE)
BOLD = pattern("bold")
