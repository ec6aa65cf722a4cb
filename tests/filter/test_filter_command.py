"""`ufine-kit filter` as it is typed: what it makes, what it refuses in one line, and thresholds as recipe lines."""

from __future__ import annotations

import re
import tomllib

import pytest

from filter.planted import lay_out, rows_of
from filter.test_judge import person_crops
from typed import run_cli
from ufine_kit.cli.filtering import filter_crops
from ufine_kit.errors import KitError
from ufine_kit.recipe import Recipe, load_recipe
from ufine_kit.resources import resource_names

pytestmark = pytest.mark.full


@pytest.fixture
def work(tmp_path):
    crops = [row | {"frame": row["frame"] % 20} for row in person_crops("a", list(range(9)))]
    return lay_out(tmp_path / "work", [crops, person_crops("b", list(range(8)), each=2)])


def refused(ran, *words):
    assert ran.code == 2, ran.err
    problem, hint = re.search(r"^error: (.+)\n\nhint: (.+)$", ran.err, re.MULTILINE).groups()
    assert "Traceback" not in ran.err and hint
    for word in words:
        assert word in problem + "\n" + hint


def test_one_command_measures_judges_and_lists_the_questions(work):
    ran = run_cli("filter", "-w", work, "--workers", 1, "--set", "filter.pair_similarity=-1.0")
    assert ran.code == 0, ran.err
    assert re.search(r"52 crops judged, \d+ kept of \d+ identities \(\d+ tracklets\)", ran.out)
    assert len(rows_of(work / "measures")) == len(rows_of(work / "filter")) == 52
    assert rows_of(work / "pairs")[0]["person_id"].startswith("a")


def test_a_video_that_is_not_whole_yet_is_held_back_and_that_is_said(tmp_path):
    crops = person_crops("a", [1, 2])
    work = lay_out(tmp_path, [crops[:4], crops[4:], person_crops("b", [3])])
    (work / "tracklets/part-00001.json").unlink()
    ran = run_cli("filter", "-w", work, "--workers", 1)
    assert ran.code == 0, ran.err
    assert "filter: 1 part held back until the rest" in ran.err
    assert {row["person_id"] for row in rows_of(work / "filter")} == {"b-0-0"}


WRONG = {
    "weights are missing": ({"embedding": "reid"}, "needs weights", "--embedding-weights"),
    "weights do not exist": ({"embedding": "reid", "embedding_weights": "no.onnx"}, "`no.onnx` do not exist"),
    "pose weights do not exist": ({"pose_weights": "no.onnx"}, "`no.onnx` do not exist", "--pose-weights"),
    "weights for no network": ({"embedding_weights": "no.onnx"}, "`descriptor` takes no weights"),
    "another backend": (
        {"sets": ["filter.calibrated_for=reid"]},
        "thresholds of `reid`",
        "`descriptor`",
        "--calibrate",
    ),
    "colours of a whole video": ({"sets": ["filter.relative=false"]}, "`descriptor`", "against their video"),
    "nothing to mend by": ({"embedding": "none"}, "filter.identities=false"),
    "no such backend": ({"embedding": "hair"}, "measure.embedding"),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_what_cannot_be_is_one_line(tmp_path, case):
    flags, *said = case
    with pytest.raises(KitError) as raised:
        filter_crops(tmp_path, **flags)
    told = f"{raised.value.problem}\n{raised.value.mend}"
    assert told.count("\n") == 1
    for word in said:
        assert word in told
    assert list(tmp_path.iterdir()) == []


def test_too_few_people_seen_together_and_a_rate_that_is_none_are_one_line(work):
    refused(run_cli("filter", "-w", work, "--calibrate", "--false-merge-rate", "0.001"), "too few to tell")
    refused(run_cli("filter", "-w", work, "--calibrate", "--false-merge-rate", "2"), "--false-merge-rate")


def test_thresholds_of_one_network_do_not_pass_for_another(tmp_path):
    weights = tmp_path / "osnet_mine.onnx"
    weights.write_bytes(b"no network")
    for recipe, sets, other in (
        (None, [], "`descriptor`"),
        ("plip", ["filter.calibrated_for=reid:other"], "`reid:other`"),
    ):
        with pytest.raises(KitError, match="do not fit the embedding `reid:osnet_mine`") as raised:
            filter_crops(tmp_path / "work", "reid", weights, recipe=recipe, sets=sets)
        assert other in raised.value.problem
    assert not (tmp_path / "work").exists()


def test_a_pickle_is_not_loaded_unasked(tmp_path):
    (tmp_path / "osnet.pt").write_bytes(b"pickle")
    with pytest.raises(KitError, match="pickle"):
        filter_crops(tmp_path / "work", embedding_weights=tmp_path / "osnet.pt", recipe="plip")


def test_thresholds_are_printed_as_a_recipe_that_can_be_used_at_once(tmp_path, work):
    ran = run_cli("filter", "-w", work, "--workers", 1, "--calibrate", "--false-merge-rate", "0.05")
    assert ran.code == 0, ran.err
    assert not (work / "filter").exists()
    (tmp_path / "mine.toml").write_text(ran.out)
    table = tomllib.loads(ran.out)
    assert table["filter"]["calibrated_for"] == "descriptor"
    assert "0.05 of 36 pairs" in ran.out
    mine = load_recipe(tmp_path / "mine.toml")
    assert mine.filter.merge_similarity == table["filter"]["merge_similarity"]
    assert run_cli("filter", "-w", work, "--workers", 1, "-r", tmp_path / "mine.toml").code == 0
    said = run_cli("filter", "-w", work, "--workers", 1, "--calibrate", "--false-merge-rate", "0.05", "--json").json
    assert (said["merge"], said["different_pairs"]) == (mine.filter.merge_similarity, 36)


def test_no_crops_at_all_is_an_answer(tmp_path):
    ran = run_cli("filter", "-w", lay_out(tmp_path, [[]]), "--workers", 1)
    assert ran.code == 0, ran.err
    assert "0 crops judged, 0 kept" in ran.out


@pytest.mark.parametrize("name", ["plip", "pets09", "select_plip", "select_ufine"])
def test_packaged_recipes_change_what_they_say(name):
    assert f"{name}.toml" in resource_names("recipes", ".toml")
    assert load_recipe(name) != Recipe()
