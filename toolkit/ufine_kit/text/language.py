"""Language and script: finds other scripts and stretches of other languages in English descriptions, gibberish and mojibake."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import lru_cache

from ufine_kit.text import lexicon as lx
from ufine_kit.text.finding import Span
from ufine_kit.text.words import WORD, word_set
from ufine_kit.text.wordsets import word_sets

MOJIBAKE = re.compile(
    "\ufffd|Ã[\x80-\xbf¡-¿€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|â€[\x80-\xbf™œžš˜¦“”\x9d]|Â[\xa0-¿]|ï»¿|ï¿½|[äåæçèé][\x80-\xbf¡-¿][\x80-\xbf¡-¿]|Ð[\x80-\xbf°-¿]"
)
NO_LETTER = re.compile(r"[\W\d_]")
ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "poiuytrewq", "lkjhgfdsa", "mnbvcxz")
SETS = word_sets("language")
NO_NOUN_NEXT = SETS["no_noun_next"]
ALLOWED_ACCENTS = SETS["allowed_accents"]


@lru_cache(maxsize=1)
def vocabularies() -> tuple[frozenset[str], frozenset[str]]:
    """Common English words beside the lexicon's, and words that mark other languages in Latin script."""
    tables = tomllib.loads((lx.DATA / "languages.toml").read_text("utf-8"))
    english = frozenset(str(tables["english"]["common"]).split())
    foreign = frozenset(word for text in tables["other"].values() for word in str(text).split())
    return english, foreign - english


@lru_cache(maxsize=1)
def trigrams() -> frozenset[str]:
    """Letter triples of all listed English words, with word ends; what no English word has looks like noise."""
    english, _ = vocabularies()
    known = [word for word, entry in lx.load().entries.items() if entry.listed and word.isalpha()]
    return frozenset(triple for word in (*known, *english) for triple in triples(word))


def triples(word: str) -> list[str]:
    """Letter triples of a word with its ends marked."""
    marked = f"^{word}$"
    return [marked[i : i + 3] for i in range(len(marked) - 2)]


def is_english(word: str, lexicon: lx.Lexicon) -> bool:
    """Whether a lower-case word is one that English descriptions use, as far as the lists know."""
    known = lexicon.english.get(word)
    if known is None:
        known = looks_english(word, lexicon)
        if len(lexicon.english) < 200_000:
            lexicon.english[word] = known
    return known


def looks_english(word: str, lexicon: lx.Lexicon) -> bool:
    """`is_english` without the memory."""
    if word in vocabularies()[0] or any(letter.isdigit() for letter in word):
        return True
    entry = lexicon.entries[word]
    if entry.listed or entry.head is not None:
        return True
    if "-" in word or "'" in word or "’" in word:
        return any(is_english(part, lexicon) for part in re.split("[-'’]", word) if part)
    stem = next(
        (
            word.removesuffix(end)
            for end in ("ing", "ed", "es", "s", "ly", "er", "ish")
            if word.endswith(end) and len(word) > 5
        ),
        word,
    )
    return stem != word and (
        stem in vocabularies()[0] or lexicon.entries[stem].listed or lexicon.entries[stem + "e"].listed
    )


def strange(text: str, lexicon: lx.Lexicon) -> set[str]:
    """The lower-case words of a text that the lists do not know."""
    return {word for word in word_set(text) if not is_english(word, lexicon)}


def other_script(text: str) -> tuple[Span, ...]:
    """Runs of letters that are not Latin (CJK, kana, Hangul, Cyrillic, Greek, Arabic, ...)."""
    if text.isascii():
        return ()
    found: list[Span] = []
    start = -1
    for at, letter in enumerate(text):
        foreign = letter > "\u02ff" and letter.isalpha() and not is_latin(letter)
        if foreign and start < 0:
            start = at
        elif not foreign and start >= 0 and not letter.isspace():
            found.append(Span(start, at, text[start:at]))
            start = -1
    if start >= 0:
        found.append(Span(start, len(text), text[start:]))
    return tuple(found[:5])


@lru_cache(maxsize=4096)
def is_latin(letter: str) -> bool:
    """Whether Unicode names the letter a Latin one (or a plain modifier letter)."""
    name = unicodedata.name(letter, "")
    return name.startswith(("LATIN", "FULLWIDTH LATIN", "MODIFIER", "MATHEMATICAL", "FEMININE", "MASCULINE"))


def other_language(text: str, lexicon: lx.Lexicon | None = None) -> tuple[Span, ...]:
    """The stretch of a text that reads as another language in Latin script, if there is one."""
    lexicon = lexicon or lx.load()
    if len(strange(text, lexicon)) < 3:
        return ()
    _, foreign = vocabularies()
    best, score, start, known, total = (0.0, 0, 0), 0.0, 0, 0, 0
    for match in WORD.finditer(text):
        word = match.group().lower()
        total += 1
        if word in foreign or (not word.isascii() and word not in ALLOWED_ACCENTS):
            weight = 2.0
        elif is_english(word, lexicon):
            weight = -1.5
            known += 1
        else:
            weight = 0.4
        if score <= 0:
            score, start = 0.0, match.start()
        score += weight
        if score > best[0]:
            best = (score, start, match.end())
    if best[0] >= 5.0:
        return (Span(best[1], best[2], text[best[1] : best[2]]),)
    if total >= 8 and known < 0.4 * total:
        return (Span(0, len(text), text),)
    return ()


def gibberish(text: str, lexicon: lx.Lexicon | None = None) -> tuple[Span, ...]:
    """Keyboard runs, impossible words, damaged encoding, or articles that stand before no noun (words thrown together)."""
    lexicon = lexicon or lx.load()
    damaged = (
        tuple(Span(m.start(), m.end(), m.group()) for m in MOJIBAKE.finditer(text))[:5] if not text.isascii() else ()
    )
    if damaged:
        return damaged
    odd, total, longest = noise(text, lexicon)
    if odd and (
        len(odd) >= 0.3 * total or longest >= 3 or len(odd) >= 5 or any(is_keyboard(span.text.lower()) for span in odd)
    ):
        return tuple(odd[:5])
    letters = len(text) - len(NO_LETTER.findall(text))
    if len(text) >= 20 and letters < 0.4 * len(text):
        return (Span(0, len(text), text),)
    loose = len(LOOSE_ARTICLE.findall(text))
    if loose >= 3 and loose >= 0.3 * len(ARTICLE.findall(text)):
        return (Span(0, len(text), text),)
    return ()


ARTICLE = re.compile(r"\b(?:the|an?)\b", re.IGNORECASE)
LOOSE_ARTICLE = re.compile(rf"\b(?:the|an?)\s+(?:{'|'.join(sorted(NO_NOUN_NEXT))})\b", re.IGNORECASE)


def noise(text: str, lexicon: lx.Lexicon) -> tuple[list[Span], int, int]:
    """Words like no English word, the number of all words, and the longest run of such words."""
    total = text.count(" ") + 1
    if not strange(text, lexicon):
        return [], total, 0
    odd: list[Span] = []
    total = run = longest = 0
    for match in WORD.finditer(text):
        total += 1
        word = match.group().lower()
        if word.isascii() and is_noise(word, lexicon):
            odd.append(Span(match.start(), match.end(), match.group()))
            run += 1
            longest = max(longest, run)
        else:
            run = 0
    return odd, total, longest


def is_noise(word: str, lexicon: lx.Lexicon) -> bool:
    """A word that no English word resembles: a run on the keyboard, one letter thrice, or mostly impossible triples."""
    if len(word) < 4 or word.isdigit() or is_english(word, lexicon):
        return len(word) >= 4 and len(set(word)) == 1
    if is_keyboard(word) or re.search(r"([a-z])\1\1", word):
        return True
    if any(letter.isdigit() for letter in word) or "-" in word or "'" in word:
        return False
    found = triples(word)
    return sum(triple not in trigrams() for triple in found) > 0.5 * len(found)


def is_keyboard(word: str) -> bool:
    """Five neighbours of one keyboard row, or two such halves (`asdfasdf`)."""
    if len(word) < 4:
        return False
    half = word[: len(word) // 2]
    return (
        any(word[i : i + 5] in row for row in ROWS for i in range(len(word) - 4))
        or (len(word) in (6, 8, 10, 12) and half * 2 == word and any(half in row for row in ROWS))
        or (
            len(word) == 4 and any(word in row for row in ROWS) and word not in ("were", "pore", "rope", "poke", "trew")
        )
    )
