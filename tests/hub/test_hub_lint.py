"""Every rule of the linter: silent on a clean card, and loud on the one fault that is planted for it."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from hub.preparing import SOURCE, candidate, release, told
from typed import REPO
from ufine_kit.errors import CheckFailed
from ufine_kit.hub.lint import OWED, RULES, Candidate, lint, refuse_dirty
from ufine_kit.tables import CardTable
from ufine_kit.text.finding import Finding


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    return candidate(told(release(tmp_path_factory.mktemp("clean"))))


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """A release that shows people."""
    return candidate(told(release(tmp_path_factory.mktemp("shown"), synthetic=False)))


def edited(of: Candidate, path: str, old: str, new: str) -> Candidate:
    assert old in of.documents[path], f"nothing to plant in: {old}"
    return replace(of, documents={**of.documents, path: of.documents[path].replace(old, new)})


def without(of: Candidate, path: str) -> Candidate:
    return replace(of, documents={name: text for name, text in of.documents.items() if name != path})


def added(of: Candidate, path: str, text: str) -> Candidate:
    return replace(of, documents={**of.documents, path: of.documents[path] + text})


def owner(of: Candidate, **changes: object) -> Candidate:
    card = of.told.recipe.card.model_copy(update=changes)
    return replace(of, told=replace(of.told, recipe=of.told.recipe.model_copy(update={"card": card})))


def manifest(of: Candidate, **changes: object) -> Candidate:
    changed = replace(of.told.release, manifest={**of.told.release.manifest, **changes})
    return replace(of, told=replace(of.told, release=changed))


def writers(of: Candidate, **kinds: dict) -> Candidate:
    return replace(of, told=replace(of.told, facts=replace(of.told.facts, writers=kinds)))


CARD, SHEET = "README.md", "DATASHEET.md"
PLANTED = {
    "owner_answered": [
        lambda c: owner(c, pay="  "), lambda c: owner(c, authors=[]), lambda c: owner(c, authors=["A", ""]),
        lambda c: owner(c, year=0),
    ],
    "yaml_reads": [lambda c: edited(c, CARD, "license: cc0-1.0", "license: [cc0"), lambda c: without(c, CARD)],
    "licence_known": [
        lambda c: edited(c, CARD, "license: cc0-1.0", "license: mine"),
        lambda c: edited(c, CARD, "license: cc0-1.0", "license: unknown"),
        lambda c: edited(c, CARD, "license: cc0-1.0", "license: other\nlicense_name: mine"),
    ],
    "task_known": [lambda c: edited(c, CARD, "- text-retrieval", "- finding-people")],
    "size_known": [lambda c: edited(c, CARD, "n<1K", "1K<n<10K")],
    "configs_match": [
        lambda c: edited(c, CARD, "path: data/val-*.parquet", "path: data/dev-*.parquet"),
        lambda c: replace(c, shards=(*c.shards, "data/extra-00000-of-00001.parquet")),
        lambda c: replace(c, shards=tuple(name for name in c.shards if "texts/val" not in name)),
    ],
    "info_computed": [
        lambda c: edited(c, CARD, "num_examples: 18", "num_examples: 19"),
        lambda c: edited(c, CARD, "dtype: image", "dtype: string"),
    ],
    "gate_filled": [
        lambda c: edited(c, CARD, "  Affiliation: text\n", ""), lambda c: edited(c, CARD, "extra_gated_prompt:", "prompt:"),
        lambda c: edited(c, CARD, "- do not pass the data on", "- pass the data on"),
    ],
    "models_licensed": [lambda c: writers(c, model={"mixtral@1": 3})],
    "contact_named": [
        lambda c: owner(c, contact="the office"), lambda c: edited(c, SHEET, "owner@example.org", "the office"),
    ],
    "nothing_open": [
        lambda c: added(c, CARD, "\nTODO: the rest\n"), lambda c: added(c, "CHANGELOG.md", "tbd"),
        lambda c: edited(c, SHEET, "The tests.\n\nQuestions and takedowns", "## Other\n\nQuestions"),
        lambda c: added(c, CARD, "\n## Thanks\n"),
    ],
    "no_html": [
        lambda c: added(c, CARD, "\n<script>alert(1)</script>\n"), lambda c: added(c, SHEET, "\n<img src=x>"),
        lambda c: added(c, CARD, "\n[x](javascript:alert(1))\n"),
        lambda c: edited(c, CARD, "pretty_name: toy", "pretty_name: <b>toy"),
    ],
    "no_picture": [lambda c: added(c, CARD, "\n![a person](data/face.jpg)\n")],
    "no_other_email": [lambda c: added(c, SHEET, "\njane@example.com\n"), lambda c: added(c, "CHANGELOG.md", "jo&#95;e@x.org")],
    "no_secret": [
        lambda c: added(c, "CHANGELOG.md", "hf_" + "aB3" * 8), lambda c: added(c, CARD, "\nAKIA" + "A1" * 8),
        lambda c: added(c, "release.json", "Bearer abcdefghijklmnop"), lambda c: added(c, SHEET, "-----BEGIN PRIVATE KEY-----"),
    ],
    "no_own_path": [lambda c: added(c, "CHANGELOG.md", "from /mnt/ann/set"), lambda c: added(c, SHEET, "C:\\data\\x")],
    "synthetic_marked": [
        lambda c: edited(c, CARD, "- synthetic\n", ""), lambda c: edited(c, CARD, "**Synthetic.**", "Real."),
        lambda c: manifest(c, synthetic=False, sources=[SOURCE]),
    ],
    "of_these_rows": [lambda c: edited(c, CARD, c.told.release.data_digest, "f" * 64)],
    "datasheet_whole": [lambda c: edited(c, SHEET, "## Uses", "## Usage"), lambda c: without(c, SHEET)],
    "citation_reads": [lambda c: edited(c, "CITATION.cff", "title:", "titel:"), lambda c: added(c, "CITATION.cff", "\n[")],
    "croissant_whole": [
        lambda c: edited(c, "croissant.json", "rai:dataBiases", "rai:x"), lambda c: without(c, "croissant.json"),
        lambda c: edited(c, "croissant.json", '"@id": "data/val-00000', '"@id": "data/vol-00000'),
    ],
    "licence_shipped": [lambda c: edited(c, "LICENSE", "CC0-1.0", "mine")],
}  # fmt: skip
# Planted in a release that shows people, where the rule asks more.
PLANTED_SHOWN = {
    "sources_licensed": [
        lambda c: manifest(c, sources=[]), lambda c: manifest(c, sources=[{**SOURCE, "licence": "unknown"}]),
        lambda c: manifest(c, sources=[{**SOURCE, "redistribution": False}]),
        lambda c: manifest(c, sources=[{**SOURCE, "licence": "unknown"}, SOURCE]),
        lambda c: manifest(c, sources=[SOURCE, {**SOURCE, "redistribution": False}, SOURCE]),
    ],
}  # fmt: skip
CASES = [(rule, number) for rule, plants in {**PLANTED, **PLANTED_SHOWN}.items() for number in range(len(plants))]


def test_every_rule_has_a_planted_case():
    assert set(RULES) == set(PLANTED) | set(PLANTED_SHOWN)


def test_a_clean_card_has_no_finding(clean, shown):
    assert lint(clean) == [] and lint(shown) == []


@pytest.mark.parametrize(("rule", "number"), CASES, ids=str)
def test_a_planted_fault_is_found_by_its_rule(clean, shown, rule, number):
    fault = PLANTED[rule][number](clean) if rule in PLANTED else PLANTED_SHOWN[rule][number](shown)
    found = lint(fault)
    assert rule in {finding.rule for finding in found}, found
    assert all(isinstance(finding, Finding) and finding.message for finding in found)


@pytest.mark.parametrize("key", OWED)
def test_a_blank_is_named_with_the_line_that_mends_it(clean, key):
    blank = {"authors": [], "year": 0}.get(key, "")
    with pytest.raises(CheckFailed, match=rf"card\.{key} is blank") as caught:
        refuse_dirty(owner(clean, **{key: blank}))
    assert f'under [card], {key} = "..."' in caught.value.mend
    assert "\n" not in caught.value.problem + caught.value.mend


def test_a_secret_is_never_repeated_in_full(clean):
    token = "hf_" + "aB3" * 8
    (found,) = [entry for entry in lint(added(clean, "CHANGELOG.md", token)) if entry.rule == "no_secret"]
    assert token not in found.message


HOSTILE = ["<script>alert(1)</script>", "![x](http://evil)", "a | b", "**bold**", "line\nbreak", "`code`", "{{ 7 * 7 }}",
           "x\n---\ngated: false", "```\n# own heading"]  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE)
def test_words_from_outside_stay_words_on_every_document(clean, hostile):
    owned = dict.fromkeys(("takedown", "purpose", "instructions", "consent", "maintenance"), hostile)
    source = {**SOURCE, "consent_basis": hostile, "url": hostile}
    made = replace(clean.told.release, manifest={**clean.told.release.manifest, "sources": [source]})
    of = candidate(told(made, faults=(hostile,), known_faults=[hostile], **owned))
    assert lint(of) == []
    assert "49" not in of.documents[CARD].split("Ground:")[1].split("\n")[0]
    for path in (CARD, SHEET):
        prose = of.documents[path].partition("\n---\n")[2] or of.documents[path]
        prose = re.sub(r"^```.*?^```", "", prose, flags=re.DOTALL | re.MULTILINE)
        assert "<script" not in prose and "](http://evil" not in prose and "\n# own heading" not in prose
    assert json.loads(of.documents["croissant.json"])["rai:dataAnnotationProtocol"] == hostile


def test_a_name_cannot_break_out_of_the_yaml_block(clean):
    licence = 'mit"\ngated: false\nx: "'
    of = candidate(
        told(replace(clean.told.release, manifest={**clean.told.release.manifest, "recipe": {"license": licence}}))
    )
    assert of.front["license"] == licence and "gated" not in of.front
    assert "licence_known" in {finding.rule for finding in lint(of)}


def test_every_rule_and_every_key_of_the_owner_stands_in_the_documentation():
    text = (REPO / "docs/hub.md").read_text()
    assert [name for name in (*RULES, *OWED) if f"`{name}`" not in text and f"\n{name} = " not in text] == []
    assert set(OWED) <= set(CardTable.model_fields)
