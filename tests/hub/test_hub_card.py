"""What card and documents say: numbers computed from the rows, the owner's words where only the owner knows."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest

from hub.preparing import METRICS, ROWS, SOURCE, candidate, record, release, texts_of, told
from ufine_kit.dataset.schema import release_schema
from ufine_kit.hub.card import histogram, linked, plain
from ufine_kit.hub.facts import gather
from ufine_kit.hub.lint import lint
from ufine_kit.hub.metadata import config_names
from ufine_kit.hub.texts import texts_schema, write_texts
from ufine_kit.hub.words import LICENCES, size_category, spdx
from ufine_kit.manifest import Record
from ufine_kit.text.statistics import stats


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return release(tmp_path_factory.mktemp("toy"))


def test_the_words_of_the_card_are_those_of_the_statistics(toy):
    texts = [text for row in ROWS for text in row["captions"]]
    wanted, found = stats(texts), gather(toy).words
    assert (found.texts, found.most, found.fewest, len(found.vocabulary)) == (
        wanted.texts, wanted.words_max, wanted.words_min, wanted.unique_words,
    )  # fmt: skip
    assert found.mean == pytest.approx(wanted.words_mean)
    assert sum(found.bins.values()) == len(texts)


def test_the_card_counts_what_the_rows_are(toy):
    measured = Record.model_validate(record(toy.data_digest))
    text = candidate(told(toy, record=measured)).documents["README.md"]
    assert "| train | 7 | 21 | 42 |" in text and "| 120 | 4 | 3 | 3.5 |" in text
    assert "| " + " | ".join(f"{value:.2f}" for value in METRICS.values()) + " |" in text
    assert "| toy | cc-by-4.0 | yes | signed consent |" in text
    assert "people under pseudonyms 1, models 0" in text
    assert 'load_dataset("org/set", revision="v0.1.0")' in text


@pytest.mark.parametrize(
    ("seeds", "said"),
    [
        (None, None),
        (1, "passed its validation: the model trained on it finds more"),
        (3, "passed its validation: means over 3 seeds, every one of which finds more"),
    ],
)
def test_a_validation_stands_on_the_card_and_one_that_was_not_made_does_not(toy, seeds, said):
    block = {"validation": {"seeds": seeds, "passed": True}} if seeds else {}
    text = candidate(told(toy, record=Record.model_validate(record(toy.data_digest, **block)))).readme
    assert said in text if said else "validation:" not in text


def test_the_reason_for_publishing_unvalidated_and_the_faults_stand_on_the_card(toy):
    text = candidate(told(toy, faults=("Crops are dark: not so for 3.",), known_faults=["Few children."]))
    assert "Published without a baseline: no GPU this week" in text.readme
    assert "- Crops are dark: not so for 3." in text.readme and "- Few children." in text.readme


def test_a_model_that_wrote_is_named_with_its_licence(tmp_path):
    line = ROWS[0]["caption_origins"][0] | {"kind": "model", "writer": "writer-llm@2"}
    rows = [row | {"caption_origins": [line] * 2} for row in ROWS]
    of = candidate(told(release(tmp_path, rows=rows), model_licences={"writer-llm@2": "Apache-2.0"}))
    assert "Model writer-llm@2, licence Apache-2.0" in of.readme and lint(of) == []
    assert of.front["annotations_creators"] == ["machine-generated"]


def test_another_licence_has_its_name_and_link_everywhere(tmp_path):
    owner = {"license_name": "Our Terms 2", "license_link": "https://example.org/terms"}
    of = candidate(told(release(tmp_path, recipe={"license": "other"}), **owner))
    assert lint(of) == []
    assert "[https://example.org/terms](https://example.org/terms)" in of.readme
    assert "https://example.org/terms" in of.documents["LICENSE"]
    assert json.loads(of.documents["croissant.json"])["license"] == "https://example.org/terms"
    assert "license" not in of.documents["CITATION.cff"]


def test_an_evaluation_set_has_a_configuration_of_its_name(tmp_path):
    of = candidate(told(release(tmp_path, kind="ufine3c")))
    assert list(config_names(of.told.release)) == ["default", "texts", "ufine3c"]
    assert [config["config_name"] for config in of.front["configs"]] == ["default", "texts", "ufine3c"]
    assert lint(of) == [] and "the evaluation set of this release" in of.readme


def test_documents_are_the_same_each_time(toy):
    assert candidate(told(toy)).documents == candidate(told(toy)).documents


def test_texts_are_the_rows_without_their_pixels_and_the_same_bytes_each_time(toy, tmp_path):
    folders = [texts_of(toy, tmp_path / name) for name in "ab"]
    for path in folders[0].iterdir():
        assert path.read_bytes() == (folders[1] / path.name).read_bytes()
        whole, thin = pq.read_table(toy.path / "data" / path.name), pq.read_table(path)
        assert thin.equals(whole.drop_columns(["image"]))
        assert "image" not in json.loads(thin.schema.metadata[b"huggingface"])["info"]["features"]
    assert len(texts_schema(release_schema())) == len(release_schema()) - 1


def test_a_shard_that_does_not_read_is_named(tmp_path):
    from ufine_kit.errors import KitError

    (tmp_path / "bad.parquet").write_bytes(b"no parquet")
    with pytest.raises(KitError, match=r"bad\.parquet"):
        write_texts(tmp_path / "bad.parquet", tmp_path / "out.parquet")


@pytest.mark.parametrize(
    ("images", "word"), [(1, "n<1K"), (1_000, "1K<n<10K"), (26_206, "10K<n<100K"), (2_000_000, "1M<n<10M")]
)
def test_the_size_is_told_in_the_hubs_words(images, word):
    assert size_category(images) == word


def test_plain_leaves_plain_words_alone_and_links_are_only_made_of_https():
    assert plain("a plain sentence, 3.5 %") == "a plain sentence, 3.5 %"
    assert linked("https://example.org/a_b").endswith("(https://example.org/a_b)")
    assert linked("https://example.org/a_(b)") == plain("https://example.org/a_(b)")
    assert linked("javascript:alert(1)") == plain("javascript:alert(1)")


def test_licences_have_their_spdx_spelling():
    assert {spdx("cc-by-nc-4.0"), spdx("mit"), spdx("apache-2.0")} == {"CC-BY-NC-4.0", "MIT", "Apache-2.0"}
    assert {"cc0-1.0", "other", "mit"} <= LICENCES and "proprietary" not in LICENCES


def test_bars_of_the_histogram_are_of_the_longest(toy):
    bars = histogram(gather(toy))
    assert max(len(bar) for *_, bar in bars) == 40 and sum(number for _, _, number, _ in bars) == 120


@pytest.mark.full
def test_features_are_those_that_datasets_would_write(toy):
    import datasets
    import yaml

    from ufine_kit.hub.metadata import features

    for schema in (release_schema(), texts_schema(release_schema())):
        assert features(schema) == datasets.Features.from_arrow_schema(schema)._to_yaml_list()
    assert yaml.safe_load(yaml.safe_dump(features(release_schema()))) == features(release_schema())


@pytest.mark.full
@pytest.mark.parametrize("kind", ["synthetic", "shown"])
def test_croissant_and_its_responsible_ai_fields_are_valid(tmp_path, kind):
    import mlcroissant

    made = release(tmp_path, synthetic=kind == "synthetic", sources=[SOURCE])
    path = tmp_path / "croissant.json"
    path.write_text(candidate(told(made)).documents["croissant.json"])
    metadata = mlcroissant.Dataset(jsonld=path).metadata
    assert not metadata.ctx.issues.errors
    assert metadata.personal_sensitive_information and metadata.data_collection
    assert {field.id for field in metadata.record_sets[0].fields} == {
        f"default/{name}" for name in release_schema().names
    }


@pytest.mark.full
def test_the_citation_file_has_what_cff_1_2_asks_for(toy):
    import yaml

    found = yaml.safe_load(candidate(told(toy)).documents["CITATION.cff"])
    assert {"cff-version", "message", "title", "authors"} <= set(found) and found["license"] == "CC0-1.0"
