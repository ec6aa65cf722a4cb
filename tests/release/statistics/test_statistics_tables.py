"""UFineBench's Table 1 for any releases: every number against a plain count, every name harmless, every rule named."""

from __future__ import annotations

import io
import json
import re
from collections import Counter

import pytest
from PIL import Image

from release.importing import sets
from release.importing.sets import take
from typed import run_cli, snapshot
from ufine_kit.dataset.reader import open_release
from ufine_kit.dataset.writer import write_release
from ufine_kit.release.statistics import attributes_of, statistics_of
from ufine_kit.release.statistics_tables import latex, markdown, notes_of, tables_of
from ufine_kit.rows import granularity_of
from ufine_kit.text.statistics import estimated_tokens, stats
from ufine_kit.text.words import count as count_words
from ufine_kit.world.retrieval import retrieval_set

pytestmark = pytest.mark.full

ROWS = [
    (f"p{who}", ("train", "val", "test")[who % 3], ("one", "other")[who % 2], sample.captions)
    for number, length in enumerate(("coarse", "medium", "fine"))
    for sample in retrieval_set(8, 2, seed=number, captions_each=1 + number, granularity=length, start=8 * number)
    for who in [sample.person_id]
]  # fmt: skip


def released(folder, rows=ROWS, **more):
    """A release of texts; nobody looks at its pictures."""
    out = []
    for number, (person, split, source, captions) in enumerate(rows):
        origins = [
            {"kind": ("human", "model")[nth % 2], "writer": "w", "parent": None, "words": count_words(text),
             "granularity": granularity_of(count_words(text)), "style": ("plain", "list")[nth % 2]}
            for nth, text in enumerate(captions)
        ]  # fmt: skip
        out.append({
            "image_id": f"i{number}", "person_id": person, "split": split, "source": source,
            "image": {"bytes": b"%d" % number, "path": None}, "captions": list(captions), "caption_origins": origins,
            "image_sha256": "0" * 64, "width": 1, "height": 1, "dhash": "0" * 16,
            "provenance": dict.fromkeys(("crop_id", "video_sha256", "tracklet", "frame", "box_xywh", "upstream_id")),
        })  # fmt: skip
    manifest = {
        "name": folder.parent.name,
        "version": folder.name,
        "kind": "dataset",
        "synthetic": True,
        "recipe": {},
    } | more
    write_release(folder, out, 2, manifest)
    return open_release(folder)


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    return released(tmp_path_factory.mktemp("given") / "work/releases/toy/0.1.0")


@pytest.mark.parametrize("group", ["whole", "train", "val", "test", "one", "other"])
def test_every_number_is_that_of_a_plain_count(release, group):
    found = statistics_of(release)
    numbers = {**found.splits, **found.sources, "whole": found.whole}[group]
    rows = [row for row in ROWS if group in ("whole", row[1], row[2])]
    texts = [text for row in rows for text in row[3]]
    plain = stats(texts)
    assert numbers["images"] == len(rows)
    assert numbers["identities"] == len({row[0] for row in rows})
    assert numbers["texts"] == plain.texts == len(texts)
    assert (numbers["words_max"], numbers["words_min"]) == (plain.words_max, plain.words_min)
    assert numbers["words_average"] == pytest.approx(plain.words_mean)
    assert numbers["unique_words"] == plain.unique_words
    for limit in (77, 168):
        share = sum(estimated_tokens(text) > limit for text in texts) / len(texts)
        assert numbers[f"over_{limit}_tokens"] == pytest.approx(share)
    lengths = Counter(granularity_of(count_words(text)) for text in texts)
    assert numbers["granularity"] == pytest.approx({name: number / len(texts) for name, number in lengths.items()})
    assert sum(numbers["origin"].values()) == pytest.approx(1)
    assert numbers["captions_each"] == dict(sorted(Counter(len(row[3]) for row in rows).items()))


def test_the_world_s_texts_have_the_lengths_that_they_should(release):
    whole = statistics_of(release).whole
    assert whole["over_77_tokens"] > whole["over_168_tokens"] >= 0
    assert set(whole["granularity"]) == {"coarse", "medium", "fine"}


def test_attributes_are_those_that_the_texts_mention():
    found = attributes_of(
        ["A woman in a red coat with a black bag.", "A man wears blue jeans and no hat.", "Somebody."]
    )
    assert found["texts"] == 3
    assert found["items"]["upper"] == pytest.approx(1 / 3)
    assert found["items"]["lower"] == pytest.approx(1 / 3)
    assert "hat" not in found["items"]
    assert found["values"]["colour"] == pytest.approx(2 / 3)
    assert found["person"]["gender"] == pytest.approx(2 / 3)


def test_attributes_are_read_in_about_as_many_texts_as_asked(release):
    texts = sum(len(row[3]) for row in ROWS)
    assert statistics_of(release, attribute_texts=0).attributes is None
    assert 5 <= statistics_of(release, attribute_texts=10).attributes["texts"] <= 10
    assert statistics_of(release, attribute_texts=10**6).attributes["texts"] == texts


def test_tables_side_by_side_mark_what_is_synthetic_and_name_the_rules(release, tmp_path):
    real, _ = take(tmp_path / "work", "cuhk-pedes", sets.cuhk(tmp_path / "in"))
    found = [statistics_of(one, attribute_texts=50) for one in (release, real)]
    first = tables_of(found)[0]
    assert [row[0] for row in first.rows] == ["toy 0.1.0 (synthetic)", "cuhk-pedes 0.1.0"]
    assert first.rows[1][1:8] == ("14", "7", "28", "23", "20", "21.5", "38")
    notes = " ".join(notes_of(found))
    for said in ("T-shirt is one word", "estimated", "Synthetic:"):
        assert said in notes
    assert "Synthetic:" not in " ".join(notes_of(found[1:]))


def test_published_numbers_stand_beside_ours_when_asked(release):
    rows = {row[0]: row for row in tables_of([statistics_of(release)], published=True)[0].rows}
    assert rows["UFine6926 (published)"][1:8] == ("26,206", "6,926", "52,412", "218", "30", "80.8", "8,475")
    assert rows["CUHK-PEDES (published)"][4:8] == ("96", "15", "23.5", "9,408")
    assert len(tables_of([statistics_of(release)])[0].rows) == 1


SHAPED = "a|b <b>x</b> *y* \\input{/etc/passwd} $x$ 100% & # _ ~ ^ `c` [l](javascript:x)\n## title"


def test_names_out_of_a_release_are_harmless_in_markdown_and_latex(tmp_path):
    release = released(
        tmp_path / "releases/toy/0.1.0", [("p", "test", SHAPED, ["A man walks."]), ("q", "test", "b", ["Hi."])]
    )
    found = [statistics_of(release)]
    page = "\n".join(markdown(tables_of(found), notes_of(found)))
    (line,) = [line for line in page.splitlines() if "javascript" in line]
    assert line.count("|") == 11
    assert not re.search(r"[<`\[\\*]", line)
    paper = "\n".join(latex(tables_of(found), notes_of(found)))
    (line,) = [line for line in paper.splitlines() if "javascript" in line]
    assert line.count("&") - line.count("\\&") == 9
    assert "\\input" not in line
    assert "\\textbackslash{}input\\{" in line


def test_a_table_of_latex_has_as_many_columns_as_it_says(release):
    paper = latex(tables_of([statistics_of(release, attribute_texts=20)]), [])
    width = 0
    for line in paper:
        if "begin{tabular}" in line:
            width = len(re.search(r"\{(lr*)\}", line).group(1))
        elif line.endswith(r"\\"):
            assert line.count(" & ") == width - 1
    assert sum("begin{table}" in line for line in paper) == sum("end{table}" in line for line in paper) >= 6


def test_the_command_answers_as_markdown_latex_and_one_object(release):
    words = ["stats", "-w", release.path.parents[2], "--attributes", "5"]
    held = snapshot(release.path.parents[2])
    assert run_cli(*words).out.startswith("## Sizes and words\n\n| release | images |")
    read = run_cli(*words, "--json").json
    assert read["releases"][0]["synthetic"] is True
    assert read["releases"][0]["whole"]["texts"] == sum(len(row[3]) for row in ROWS)
    both = run_cli(*words, "--json", "--latex")
    assert (both.code, "two answers" in both.err) == (2, True)
    assert snapshot(release.path.parents[2]) == held


@pytest.mark.full
def test_plots_are_pictures_and_the_same_each_time(release, tmp_path):
    pytest.importorskip("matplotlib")
    for name in "ab":
        words = ["stats", release.path, release.path, "--plots", tmp_path / name, "--json"]
        ran = run_cli(*words)
        assert ran.code == 0, ran.err
    assert len(ran.json["plots"]) == 3
    assert snapshot(tmp_path / "a") == snapshot(tmp_path / "b")
    for path in (tmp_path / "a").iterdir():
        with Image.open(io.BytesIO(path.read_bytes())) as image:
            image.load()
            assert min(image.size) > 150
            assert "Software" not in image.info


@pytest.mark.full
def test_a_tokenizer_counts_instead_of_the_estimate(release, tmp_path):
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0, "<unk>": 1}, "<unk>"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    (tmp_path / "tokenizer").mkdir()
    tokenizer.save(str(tmp_path / "tokenizer/tokenizer.json"))
    (tmp_path / "tokenizer/tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"})
    )
    found = statistics_of(release, str(tmp_path / "tokenizer"))
    texts = [text for row in ROWS for text in row[3]]
    counted = sum(len(re.findall(r"\w+|[^\w\s]+", text)) > 77 for text in texts) / len(texts)
    assert found.whole["over_77_tokens"] == pytest.approx(counted)
    assert found.tokens == "counted"
    assert "counted by the tokenizer" in " ".join(notes_of([found]))
