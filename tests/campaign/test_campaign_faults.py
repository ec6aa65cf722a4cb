"""Planted faults among people's texts and the world's: what each rule finds of them, and what it finds beside them."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from campaign.spoken import ENDINGS
from text.gold import Score, clean_descriptions, faults, pairs
from text.test_text_submissions import CHOICES, COLOURS, FRAMES, lightly_edited
from ufine_kit.campaign.qc import judged
from ufine_kit.campaign.standing import Standing, Text
from ufine_kit.tables import CampaignTable
from ufine_kit.text.words import count, sentences
from ufine_kit.world.retrieval import retrieval_set

pytestmark = pytest.mark.full

STRICT = ("untouched_draft", "copy_self", "copy_pair", "copy_other", "template", "language", "too_short", "too_long")
LOOSE = ("gibberish", "low_coverage")
EACH = 12
DRAFTS = list(dict.fromkeys(pair.source for pair in pairs("held") + pairs("dev") if count(pair.source) >= 30))
LITTLE = (
    "The person in a {c} coat {one}, then {two}, and so the morning passes with nothing else to be seen or to be told."
)


def human() -> list[tuple[str, str, str]]:
    """(person, crop, text): every text of another person."""
    return [(f"p{n}", f"c{n}", text) for n, text in enumerate(clean_descriptions())]


def drawn() -> list[tuple[str, str, str]]:
    """Two texts a crop of drawn people, none of whom looks nearly like another."""
    samples = retrieval_set(90, 1, seed=7, size=(32, 16), near_alike=0.0)
    return [(f"p{sample.person_id}", f"c{sample.person_id}", text) for sample in samples for text in sample.captions]


class Campaign:
    """Texts with the fault that was planted in each."""

    def __init__(self, honest: list[tuple[str, str, str]]) -> None:
        self.texts: list[Text] = []
        self.people: dict[str, str] = {}
        self.truth: dict[str, set[str]] = defaultdict(set)
        for n, (person, crop, text) in enumerate(honest):
            self.add(text, f"w{n % 6}", crop, person)

    def add(
        self, text: str, writer: str, crop: str = "", person: str = "", *planted: str, draft: str | None = None
    ) -> None:
        name = f"t{len(self.texts)}"
        crop, person = crop or f"crop-{name}", person or f"person-{name}"
        at = f"2026-01-01T{len(self.texts) // 3600:02d}:{len(self.texts) // 60 % 60:02d}:{len(self.texts) % 60:02d}Z"
        self.texts.append(Text(name, None, crop, text, writer, at, 200.0, draft=draft))
        self.people[crop] = person
        for rule in planted:
            self.truth[rule].add(name)

    def scores(self) -> dict[str, Score]:
        found = judged(Standing(2, texts=self.texts), CampaignTable(), self.people).findings
        scores = {}
        for rule in (*STRICT, *LOOSE, "contradiction"):
            named = {name for name, findings in found.items() if any(one.rule == rule for one in findings)}
            wanted = self.truth[rule]
            scores[rule] = Score(len(named & wanted), len(named - wanted), len(wanted - named))
        return scores


def planted(honest: list[tuple[str, str, str]]) -> Campaign:
    made, rng = Campaign(honest), np.random.default_rng(3)
    for n in range(EACH):
        text, other = honest[n * 3][2], honest[n * 3 + 1][2]
        made.add(lightly_edited(text, n % 4), f"w{n * 3 % 6}", "", "", "copy_self")
        made.add(lightly_edited(other, n % 4), "pair", honest[n * 3 + 1][1], honest[n * 3 + 1][0], "copy_pair")
        made.add(honest[n * 3 + 2][2], "thief", "", "", "copy_other")
        made.add(DRAFTS[n], f"lazy{n}", "", "", "untouched_draft", draft=DRAFTS[n])
        made.add(" ".join(text.split()[: 5 + n * 2]), f"short{n}", "", "", "too_short")
        more = " ".join(one[2] for one in honest[n : n + 9])
        made.add(" ".join(more.split()[: 230 + n]), f"long{n}", "", "", "too_long", "repeated")
        said = LITTLE.format(c=COLOURS[n % 10], one=ENDINGS[n % 4], two=ENDINGS[(n // 4 + n + 1) % 4])
        made.add(said, f"little{n}", "", "", "low_coverage")
    for number, frame in enumerate(FRAMES[:3]):
        for _ in range(4):
            fill = {key: values[rng.integers(len(values))] for key, values in CHOICES.items()}
            fill |= {f"c{k}": COLOURS[rng.integers(len(COLOURS))] for k in range(1, 5)}
            made.add(frame.format(**fill), f"framer{number}", "", "", "template")
    for rule in ("language", "gibberish"):
        for n, text in enumerate(faults()[rule]["bad"]):
            text = text.replace("{t}", mixed(DRAFTS[n]))
            made.add(text, f"{rule}{n}", "", "", rule, *(["too_short"] if count(text) < 30 else []))
    return made


def mixed(text: str) -> str:
    """The same sentences the other way round: no copy, and no less a description."""
    return " ".join(reversed(sentences(text)))


@pytest.mark.parametrize("honest", [human, drawn], ids=["human", "world"])
def test_planted_faults_are_found_and_honest_texts_are_left_alone(honest):
    given = honest()
    made = planted(given)
    scores = made.scores()
    print(f"\n{honest.__name__}: {len(given)} honest texts, {len(made.texts) - len(given)} planted")
    for rule, score in scores.items():
        print(f"  {rule:16} {score}")
    for rule in STRICT:
        assert scores[rule].precision >= 0.95 and scores[rule].recall >= 0.9, (rule, scores[rule])
    assert scores["gibberish"].precision >= 0.95 and scores["gibberish"].recall >= 0.9
    # People leave parts out without being told to: that is what the rule is for, so only what it misses is counted.
    assert scores["low_coverage"].recall >= 0.9


@pytest.mark.parametrize("honest", [human, drawn], ids=["human", "world"])
def test_honest_texts_alone_are_accepted(honest):
    made = Campaign(honest())
    quality = judged(Standing(2, texts=made.texts), CampaignTable(), made.people)
    print(
        f"{honest.__name__}: {len(quality.failed)} of {len(made.texts)} honest texts held back: {dict(quality.reasons())}"
    )
    assert len(quality.failed) <= 0.02 * len(made.texts)


@pytest.mark.parametrize("honest", [human, drawn], ids=["human", "world"])
def test_who_says_otherwise_of_one_crop_is_told(honest):
    made = Campaign(honest())
    for n, pair in enumerate(
        one for one in pairs("dev") + pairs("held") if one.kind in ("gender", "recolour", "sides")
    ):
        for who, text in (("a", pair.source), ("b", pair.rewrite)):
            made.add(text, f"{who}{n}", f"against{n}", f"against{n}", "contradiction")
    score = made.scores()["contradiction"]
    print(f"\n{honest.__name__}: contradiction    {score}")
    assert score.precision >= 0.9 and score.recall >= 0.7
