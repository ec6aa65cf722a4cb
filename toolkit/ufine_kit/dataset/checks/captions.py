"""Checks of one row's captions: each is a clean description, none says the other false, and each says where it came from."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from itertools import combinations

from ufine_kit.dataset.checks.check import checks_of, shown
from ufine_kit.dataset.checks.rows import Seen
from ufine_kit.rows import granularity_of
from ufine_kit.text import language, policy, surface
from ufine_kit.text import lexicon as lx
from ufine_kit.text.attributes import read
from ufine_kit.text.contradictions import conflicts
from ufine_kit.text.finding import Span
from ufine_kit.text.personal import personal_data
from ufine_kit.text.repetition import repeated
from ufine_kit.text.words import count

MOST_LETTERS = 20_000  # of a caption that the rules read: a longer one is a fault by itself
MOST_COMPARED = 12  # captions of one image that are read for contradictions
SPACES = re.compile(r"\s+")


def readable(seen: Seen) -> Iterator[tuple[int, str]]:
    """The captions that rules read, with their places."""
    return ((at, text) for at, text in enumerate(seen.row["captions"]) if text.strip() and len(text) <= MOST_LETTERS)


def _quoted(seen: Seen, rule: Callable[[str], tuple[Span, ...]]) -> Iterator[str]:
    """What a text rule finds, quoted."""
    for at, text in readable(seen):
        if spans := rule(text):
            yield f"caption {at}: `{shown(spans[0].text)[:60]}`"


def no_caption(seen: Seen) -> Iterator[str]:
    """Every image has at least `check.min_captions` captions, and none is empty."""
    captions = seen.row["captions"]
    if len(captions) < seen.table.min_captions:
        yield f"{len(captions)} captions"
    for at, text in enumerate(captions):
        if not text.strip():
            yield f"caption {at} is empty"


def too_short(seen: Seen) -> Iterator[str]:
    """No caption has fewer words than `check.min_words`."""
    for at, text in readable(seen):
        if count(text) < seen.table.min_words:
            yield f"caption {at}: {count(text)} words"


def too_long(seen: Seen) -> Iterator[str]:
    """No caption has more words than `check.max_words`."""
    for at, text in enumerate(seen.row["captions"]):
        if len(text) > MOST_LETTERS or count(text) > seen.table.max_words:
            yield f"caption {at}: {len(text):,} letters"


def caption_twice(seen: Seen) -> Iterator[str]:
    """No image has the same caption twice."""
    keys = [same_words(text) for text in seen.row["captions"]]
    twice = [at for at, key in enumerate(keys) if key in keys[:at] and key]
    if twice:
        yield f"caption {twice[0]} is caption {keys.index(keys[twice[0]])} again"


def same_words(text: str) -> str:
    """A caption by its words alone: case, white space and marks between words left out."""
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))


def unsafe_signs(seen: Seen) -> Iterator[str]:
    """No caption holds control, invisible, direction or replacement signs, or letters of a damaged encoding."""
    for at, text in enumerate(seen.row["captions"]):
        if text.isascii() and text.isprintable():
            continue
        signs = [sign for sign in text if unsafe(sign)]
        broken = language.MOJIBAKE.search(text)
        if signs or broken:
            yield f"caption {at}: `{shown(signs[0] if signs or broken is None else broken.group())}`"


def unsafe(sign: str) -> bool:
    """Whether a sign has no place in a text: controls but white space, format signs, private use, unassigned."""
    return unicodedata.category(sign) in ("Cc", "Cf", "Co", "Cn", "Cs") and sign not in "\t\n\r"


def spacing(seen: Seen) -> Iterator[str]:
    """Captions are in Unicode's composed form (NFC), with single plain spaces and none at the ends."""
    for at, text in enumerate(seen.row["captions"]):
        if tidy(text) != text:
            yield f"caption {at}"


def tidy(text: str) -> str:
    """A text with single plain spaces, in composed form; its words stay as they are."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    return SPACES.sub(" ", unicodedata.normalize("NFC", text)).strip()


_TAG = re.compile(
    r"<[/!?]?[A-Za-z][^<>]{0,300}>?|\[[^\[\]\n]{0,200}\]\([^()\s]{1,300}\)|\{\{.{0,100}?\}\}|\{%|javascript:",
    re.IGNORECASE,
)


def markup(seen: Seen) -> Iterator[str]:
    """No caption holds HTML, Markdown, template or special tokens, or stands in quotes."""
    return _quoted(seen, lambda text: surface.spans(_TAG, text, 1) or surface.markup(text))


# Only what no description of a person has: `a print (flowers)` and `from behind; ` are English.
_CODE = re.compile(
    r"\bdef \w+\(|\bclass \w+[(:]|(?:^|[;\n]\s*)import \w+|\bfrom [\w.]+ import\b|\blambda \w+:|\bself\.\w|#include\b"
    r"|\b[A-Za-z_]\w*\.[A-Za-z_]\w*\(|\b\w+\[['\"\d:]|\bprint\(['\"\w]+[.,\[(]|\bconsole\.log|\bfor \w+ in range\("
    r"|[=!]==?|=>|&&|\|\||[{}]|\b\w+ ?= ?[\"'\[{(\d]|\bSELECT \S+ FROM\b|\\[nrtu]\b|\\x[0-9a-f]{2}|\breturn \w+[;(]"
)


def code(seen: Seen) -> Iterator[str]:
    """No caption holds program code."""
    return _quoted(seen, lambda text: surface.spans(_CODE, text, 1))


def other_language(seen: Seen) -> Iterator[str]:
    """Every caption is English in Latin script."""
    return _quoted(seen, lambda text: language.other_script(text) or language.other_language(text))


def refusal(seen: Seen) -> Iterator[str]:
    """No caption is a model that declines or speaks of its task."""
    return _quoted(seen, _meta)


def _meta(text: str) -> tuple[Span, ...]:
    return surface.refusal(text) or surface.meta(text)


def personal(seen: Seen) -> Iterator[str]:
    """No caption holds an e-mail address, link, phone number, number plate or titled name."""
    for at, text in readable(seen):
        if spans := personal_data(text):  # not quoted: findings are passed around
            yield f"caption {at}, letters {spans[0].start} to {spans[0].end}"


def picture_talk(seen: Seen) -> Iterator[str]:
    """Captions speak of the person, not of the picture."""
    return _quoted(seen, lambda text: surface.picture_talk(text) or (() if _meta(text) else surface.boilerplate(text)))


def repeats(seen: Seen) -> Iterator[str]:
    """No caption says the same words again and again."""
    return _quoted(seen, repeated)


def gibberish(seen: Seen) -> Iterator[str]:
    """No caption is letters or words without sense."""
    return _quoted(seen, language.gibberish)


def judgement(seen: Seen) -> Iterator[str]:
    """No caption judges ethnicity, skin or attractiveness."""
    return _quoted(seen, lambda text: tuple(span for spans in policy.policy_words(text).values() for span in spans))


PAIRS = (("(", ")"), ("[", "]"), ("“", "”"))


def unclosed(seen: Seen) -> Iterator[str]:
    """Every quote and bracket of a caption is closed."""
    for at, text in readable(seen):
        odd = [left for left, right in PAIRS if text.count(left) != text.count(right)]
        # After a digit the sign means inches.
        if len(re.findall(r'(?<!\d)"', text)) % 2:
            odd.append('"')
        if odd:
            yield f"caption {at}: `{odd[0]}`"


def contradiction(seen: Seen) -> Iterator[str]:
    """No two captions of an image disagree on a colour, a side, the gender, or whether something is there."""
    told = list(readable(seen))[:MOST_COMPARED]
    if len(told) < 2:
        return
    words = lx.load()
    readings = [(at, read(text, words)) for at, text in told]
    for (a, first), (b, second) in combinations(readings, 2):
        if found := conflicts(first, second, words):
            yield f"{shown(found[0].slot)}: `{shown(found[0].was)}` in caption {a}, `{shown(found[0].now)}` in caption {b}"
            return


def origins(seen: Seen) -> Iterator[str]:
    """Every caption has its origin: kind, word count, granularity, and a parent among the others without a circle."""
    captions, told = seen.row["captions"], seen.row["caption_origins"]
    if len(captions) != len(told):
        yield f"{len(captions)} captions, {len(told)} origins"
        return
    for at, (text, origin) in enumerate(zip(captions, told, strict=True)):
        if origin["kind"] not in ("human", "model", "model_revised", "imported"):
            yield f"caption {at}: kind `{shown(origin['kind'])}`"
        words = count(text)
        if (origin["words"], origin["granularity"]) != (words, granularity_of(words)):
            yield f"caption {at}: {words} words, the row says {origin['words']} and {shown(origin['granularity'])}"
        if origin["parent"] is not None and not _leads_out(at, [one["parent"] for one in told]):
            yield f"caption {at}: parent {origin['parent']}"


def _leads_out(at: int, parents: list[int | None]) -> bool:
    for _ in parents:
        parent = parents[at]
        if parent is None:
            return True
        if not 0 <= parent < len(parents) or parent == at:
            return False
        at = parent
    return False


_WRITER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,119}")
_MAIL = re.compile(r"[^\s@]+@[^\s@]+\.[A-Za-z]{2,}$")
_FULL_NAME = re.compile(r"[A-Z][a-z]+(?:[ ._-][A-Z][a-z]*\.?)*[ ._-][A-Z][a-z]+|[A-Z][a-z]+[A-Z][a-z]+")


def writers(seen: Seen) -> Iterator[str]:
    """Writers are pseudonyms: no e-mail address, no first and last name."""
    for at, origin in enumerate(seen.row["caption_origins"]):
        writer, person = origin["writer"], origin["kind"] == "human"
        # A dataset or model may be called like a person; only people are named here by mistake.
        if _MAIL.search(writer) or (person and _FULL_NAME.fullmatch(writer)):
            yield f"caption {at} is signed with a name or address"
        elif not _WRITER.fullmatch(writer):
            yield f"caption {at}: `{shown(writer)}`"


CHECKS = checks_of(
    "captions",
    (
        no_caption,
        too_short,
        caption_twice,
        unsafe_signs,
        markup,
        code,
        other_language,
        refusal,
        personal,
        origins,
        writers,
    ),
    (too_long, spacing, picture_talk, repeats, gibberish, judgement, unclosed, contradiction),
)
