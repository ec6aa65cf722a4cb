"""What the lexicon does not know: nouns that stand where a garment would, counted over texts, for users who extend it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ufine_kit.text import lexicon as lx
from ufine_kit.text.tokens import tokenize


def report(
    texts: Iterable[str], lexicon: lx.Lexicon | None = None, examples: int = 1
) -> list[tuple[str, int, list[str]]]:
    """Unlisted words after a colour, a material or `wearing a`, most frequent first: (word, times, short examples)."""
    words = lexicon or lx.load()
    counted: Counter[str] = Counter()
    seen: dict[str, list[str]] = {}
    for text in texts:
        tokens = tokenize(text, words)
        for at, word in enumerate(tokens.words):
            entry = words.entries[word]
            if (
                entry.listed
                or not word.isalpha()
                or len(word) < 3
                or tokens.tags[at] == lx.AND
                or not after_look(tokens.words, tokens.tags, at, words)
            ):
                continue
            counted[word] += 1
            shown = seen.setdefault(word, [])
            if len(shown) < examples:
                start, end = tokens.starts[max(0, at - 3)], tokens.ends[min(len(tokens) - 1, at + 2)]
                shown.append(text[start:end])
    return [(word, times, seen[word]) for word, times in sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))]


def after_look(words: list[str], tags: list[str], at: int, lexicon: lx.Lexicon) -> bool:
    """Whether an unlisted word ends a run that a colour, pattern or material opens, with no head noun after it."""
    if at + 1 < len(tags) and tags[at + 1] in (lx.HEAD, lx.MODIFIER, lx.UNKNOWN):
        return False
    if at == 0:
        return False
    if tags[at - 1] == lx.MODIFIER or words[at - 1] in lexicon.modifying:
        return True
    return (
        words[at - 1] in ("a", "an")
        and at > 1
        and words[at - 2] in ("wearing", "wears", "carrying", "carries", "holding", "holds", "with")
    )
