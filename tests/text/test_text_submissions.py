"""Checks on submissions: every rule on planted faults in people's texts, with look-alikes and honest texts beside them."""

from __future__ import annotations

import tomllib
import weakref

import numpy as np
import pytest

from text.gold import DATA, Score, clean_descriptions, faults, pairs
from ufine_kit.errors import KitError
from ufine_kit.text import submissions
from ufine_kit.text.attributes import read
from ufine_kit.text.rules import RULES, Limits, check_submissions

pytestmark = pytest.mark.full

HONEST = clean_descriptions()
ALONE = ("boilerplate", "language", "personal_data", "gibberish", "policy", "repeated")
LOOKALIKES = [text for table in faults().values() for text in table.get("clean", [])]


def row(name: str, text: str, **others) -> dict:
    base = {
        "id": name,
        "writer": None,
        "crop": None,
        "identity": None,
        "text": text,
        "lead_seconds": None,
        "draft": None,
    }
    return base | others


def rules_of(text: str, **others) -> set[str]:
    return {finding.rule for finding in check_submissions([row("a", text, **others)])["a"]}


@pytest.mark.parametrize("rule", ALONE)
def test_faults_of_one_text_reach_the_gate(rule):
    bad = [text.replace("{t}", HONEST[k % len(HONEST)]) for k, text in enumerate(faults()[rule]["bad"])]
    clean = HONEST + [text.replace("{t}", HONEST[k % len(HONEST)]) for k, text in enumerate(LOOKALIKES)]
    found = [rule in rules_of(text) for text in bad]
    false = [text for text in clean if rule in rules_of(text)]
    score = Score(sum(found), len(false), len(found) - sum(found))
    print(f"submission {rule}: {score}, {len(false)} false of {len(clean)}")
    assert score.recall >= 0.97 and score.precision >= 0.97, false


LENGTHS = [(29, "too_short"), (30, None), (218, None), (219, "too_long"), (0, "too_short")]


@pytest.mark.parametrize(("count", "rule"), LENGTHS)
def test_length_is_counted_to_the_word(count, rule):
    text = " ".join(f"w{k}" for k in range(count))
    assert rules_of(text) & {"too_short", "too_long"} == ({rule} if rule else set())


PADDING = "The person goes along a quiet road next to a wall, and it looks as if the day was warm and the wind was weak today."
COVERAGE = [
    ("He has brown hair, a shirt, trousers and shoes.", False),
    ("He has brown hair, a shirt and trousers.", False),
    ("She has a bun and wears a dress and sandals.", False),
    ("She wears a jumpsuit and is barefoot.", False),
    ("The bald man wears a suit.", False),
    ("He has a shirt and trousers.", True),
    ("She carries a bag and an umbrella.", True),
    ("She wears a dress.", True),
    ("He wears a coat, gloves and a hat, and white socks.", True),
]


@pytest.mark.parametrize(("text", "low"), COVERAGE)
def test_two_parts_unsaid_are_low_coverage(text, low):
    assert ("low_coverage" in rules_of(f"{text} {PADDING}")) == low


def test_a_short_text_is_not_also_called_low_coverage():
    assert rules_of("He has a shirt.") == {"too_short"}


TEXT = HONEST[0]
WORDS = len(TEXT.split())
SPEEDS = [(WORDS / 8, True), (WORDS / 1.2, False), (None, False), (0.0, True), (WORDS * 5, False)]


@pytest.mark.parametrize(("seconds", "fast"), SPEEDS)
def test_nobody_writes_that_fast(seconds, fast):
    assert ("too_fast" in rules_of(TEXT, lead_seconds=seconds)) == fast


def test_a_revision_is_timed_by_its_new_words():
    draft = TEXT.replace("black", "blue", 1)
    assert "too_fast" not in rules_of(TEXT, lead_seconds=6, draft=draft)


DRAFTS = [
    (TEXT, True),
    (TEXT.upper(), True),
    (f"  {TEXT.replace('.', ' .')}\n", True),
    (TEXT.replace(" a ", " one ", 1), False),
    ("", False),
]


@pytest.mark.parametrize(("draft", "untouched"), DRAFTS)
def test_an_untouched_draft_is_seen(draft, untouched):
    assert ("untouched_draft" in rules_of(TEXT, draft=draft)) == untouched


REUSE = tomllib.loads((DATA / "reuse.toml").read_text("utf-8"))
HABIT = REUSE["habit"]
FRAMES = REUSE["frames"]
CHOICES = REUSE["choices"]
COLOURS = ["black", "white", "red", "blue", "green", "grey", "brown", "yellow", "pink", "beige"]


def lightly_edited(text: str, how: int) -> str:
    """A copy as people make one: as it is, two words changed, cut short, or in lower case with a word left out."""
    words = text.split(" ")
    if how == 1:
        words[5], words[9] = "really", "nice"
    if how == 2:
        words = words[: len(words) * 5 // 6]
    if how == 3:
        words = [word.lower() for word in words[:3] + words[4:]]
    return " ".join(words)


def campaign() -> tuple[list[dict], dict[str, str]]:
    """Rows of honest writers, then the planted reuse, and the rule that each planted row must meet."""
    rng = np.random.default_rng(5)
    rows = [
        row(
            f"h{k}",
            text,
            writer=f"w{k % 6}" if k < len(HONEST) else "habit",
            crop=f"c{k}",
            identity=f"p{k}",
            lead_seconds=200,
        )
        for k, text in enumerate(HONEST + HABIT)
    ]
    truth: dict[str, str] = {}

    def plant(rule: str, text: str, **where) -> None:
        truth[name := f"{rule}{len(rows)}"] = rule
        rows.append(
            row(name, text, **({"lead_seconds": 200, "crop": f"x{len(rows)}", "identity": f"y{len(rows)}"} | where))
        )

    for number, frame in enumerate(FRAMES):
        for _ in range(4):
            fill = {key: values[rng.integers(len(values))] for key, values in CHOICES.items()}
            colours = {f"c{k}": COLOURS[rng.integers(len(COLOURS))] for k in range(1, 5)}
            plant("template", frame.format(**fill, **colours), writer=f"framer{number}")
    for k in range(12):
        plant("copy_self", lightly_edited(rows[k]["text"], k % 4), writer=rows[k]["writer"])
        source = rows[k + 12]
        text = lightly_edited(source["text"], k % 4)
        plant("copy_pair", text, writer="other", crop=source["crop"], identity=source["identity"])
    return rows, truth


def test_reuse_reaches_the_gate():
    rows, truth = campaign()
    found = check_submissions(rows)
    for rule in ("template", "copy_self", "copy_pair"):
        named = {name for name, findings in found.items() if any(one.rule == rule for one in findings)}
        wanted = {name for name, fault in truth.items() if fault == rule}
        score = Score(len(named & wanted), len(named - wanted), len(wanted - named))
        print(f"submission {rule}: {score}")
        assert score.recall >= 0.95 and score.precision >= 0.95, (named - wanted, wanted - named)


def test_uses_of_a_template_are_not_also_copies():
    rows, truth = campaign()
    found = check_submissions(rows)
    for name, fault in truth.items():
        if fault == "template":
            assert {one.rule for one in found[name]} & {"copy_self", "copy_pair"} == set()


def test_the_same_words_on_the_same_person_are_no_copy_of_oneself():
    rows = [row("a", TEXT, writer="w", crop="1", identity="p"), row("b", TEXT, writer="w", crop="2", identity="p")]
    assert all("copy_self" not in {one.rule for one in findings} for findings in check_submissions(rows).values())


def test_the_later_text_is_the_copy():
    rows = [
        row("late-by-name", TEXT, writer="w", crop="1", identity="p"),
        row("a", TEXT, writer="v", crop="1", identity="p"),
    ]
    found = check_submissions(rows)
    assert "copy_pair" not in {one.rule for one in found["late-by-name"]}
    (copy,) = [one for one in found["a"] if one.rule == "copy_pair"]
    assert copy.evidence[-1].of == "late-by-name"


def test_another_writers_text_on_another_crop_is_named_otherwise():
    rows = [row("a", TEXT, writer="w", crop="1", identity="p"), row("b", TEXT, writer="v", crop="2", identity="q")]
    found = {one.rule for one in check_submissions(rows)["b"]}
    assert "copy_other" in found and not found & {"copy_self", "copy_pair"}


def test_a_large_writer_goes_through_minhash_and_is_found_too():
    rows, truth = campaign()
    for number, text in enumerate(HONEST * 3):
        words = text.split()
        mixed = " ".join([*words[len(words) // 2 :], f"filler{number}", *words[: len(words) // 2]])
        rows.append(row(f"more{number}", mixed, writer="w0", crop=f"m{number}", identity=f"n{number % len(HONEST)}"))
    copied = [
        name
        for name, fault in truth.items()
        if fault == "copy_self" and next(r for r in rows if r["id"] == name)["writer"] == "w0"
    ]
    found = check_submissions(rows)
    assert copied and all("copy_self" in {one.rule for one in found[name]} for name in copied)


def test_contradictions_between_the_texts_of_a_crop_reach_the_gate():
    counts = [0, 0, 0]
    for pair in pairs("dev") + pairs("held"):
        rows = [
            row("a", pair.source, crop="1", identity="p", writer="x"),
            row("b", pair.rewrite, crop="1", identity="p", writer="y"),
        ]
        got = any(one.rule == "contradiction" for one in check_submissions(rows)["b"])
        want = pair.kind in ("negated", "gender", "sides", "recolour")
        if pair.kind in ("same", "lost", "added") or want:
            counts[0] += got and want
            counts[1] += got and not want
            counts[2] += want and not got
    score = Score(*counts)
    print(f"submission contradiction: {score}")
    assert score.precision >= 0.95 and score.recall >= 0.80


RED, BLUE = (
    f"A man with brown hair wears a {colour} jacket, grey jeans and white shoes, and he walks along."
    for colour in ("red", "blue")
)


def test_who_disagrees_with_more_texts_carries_the_contradiction():
    rows = [
        row(name, text, crop="1", identity="p")
        for name, text in (("a", RED), ("b", BLUE), ("c", RED.replace("A man", "Here a man")))
    ]
    named = {
        name
        for name, findings in check_submissions(rows).items()
        if any(one.rule == "contradiction" for one in findings)
    }
    assert named == {"b"}


def test_a_tie_marks_both_and_names_the_other():
    rows = [row("a", RED, crop="1", identity="p"), row("b", BLUE, crop="1", identity="p")]
    found = check_submissions(rows)
    for name, other in (("a", "b"), ("b", "a")):
        (one,) = [one for one in found[name] if one.rule == "contradiction"]
        assert other in one.message and one.evidence[-1].of == other


def test_other_crops_of_a_person_may_differ_in_what_is_carried():
    bag = "A man with brown hair wears a red jacket, grey jeans and white shoes and has a bag."
    rows = [
        row("a", bag, crop="1", identity="p"),
        row("b", bag.replace("has a bag", "has no bag"), crop="2", identity="p"),
    ]
    assert all(one.rule != "contradiction" for findings in check_submissions(rows).values() for one in findings)


def test_a_recipe_chooses_what_policy_refuses():
    text = f"{TEXT} He has dark skin."
    assert "policy" in rules_of(text)
    kept = check_submissions([row("a", text)], Limits(policy=("ethnicity",)))["a"]
    assert all(one.rule != "policy" for one in kept)
    aged = check_submissions([row("a", f"{TEXT} An elderly man.")], Limits(policy=("age",)))["a"]
    assert any(one.rule == "policy" for one in aged)


def test_names_are_found_when_a_finder_is_given():
    text = f"{TEXT} Alice waves."
    at = text.index("Alice")
    found = check_submissions([row("a", text)], names=lambda _: [(at, at + 5)])["a"]
    assert [span.text for one in found if one.rule == "personal_data" for span in one.evidence] == ["Alice"]


def test_findings_have_exact_evidence_and_stand_in_the_table():
    rows, _ = campaign()
    rows += [
        row(f"f{k}", text.replace("{t}", TEXT))
        for k, text in enumerate(t for rule in ALONE for t in faults()[rule]["bad"])
    ]
    text_of = {one["id"]: one["text"] for one in rows}
    for name, findings in check_submissions(rows).items():
        for finding in findings:
            assert finding.rule in RULES and finding.level in ("error", "warning") and finding.message
            for span in finding.evidence:
                if span.of == "text":
                    assert text_of[name][span.start : span.end] == span.text
                else:
                    assert span.of in text_of


def test_every_row_is_answered_in_order_and_twice_the_same():
    rows, _ = campaign()
    first, second = check_submissions(rows), check_submissions(rows)
    assert list(first) == [one["id"] for one in rows]
    assert first == second


BAD_ROWS = [
    [{"text": "no id"}],
    [{"id": "a"}],
    [{"id": "a", "text": None}],
    [{"id": "a", "text": "x"}, {"id": "a", "text": "y"}],
]


@pytest.mark.parametrize("rows", BAD_ROWS)
def test_rows_that_cannot_be_used_are_one_clear_line(rows):
    with pytest.raises(KitError) as caught:
        check_submissions(rows)
    assert caught.value.mend


def test_only_id_and_text_are_needed():
    assert check_submissions([{"id": 7, "text": TEXT}]) == {7: []}
    assert check_submissions([]) == {}


def test_what_texts_say_is_held_for_one_person_at_a_time(monkeypatch):
    alive: list[int] = [0]
    most: list[int] = [0]

    def counted(text, words):
        reading = read(text, words)
        alive[0] += 1
        most[0] = max(most[0], alive[0])
        weakref.finalize(reading, lambda: alive.__setitem__(0, alive[0] - 1))
        return reading

    monkeypatch.setattr(submissions, "read", counted)
    rows = [row(f"{n}", HONEST[n % len(HONEST)], identity=f"p{n % 40}", crop=f"c{n % 80}") for n in range(240)]
    check_submissions([*rows, *(row(f"one{n}", HONEST[n % 9], identity="one", crop="one") for n in range(60))])
    assert most[0] <= submissions.MOST_TEXTS + 2
