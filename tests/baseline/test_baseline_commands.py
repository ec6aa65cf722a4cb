"""The commands of the baseline as a user types them: one run of each, and what they refuse."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs ufine-kit[baseline]")
from baseline.releases import flags, world_rows, written  # noqa: E402
from release.works import write  # noqa: E402
from typed import run_cli  # noqa: E402
from ufine_kit.campaign.suspects import read_suspects  # noqa: E402
from ufine_kit.rows import Description, Verdict  # noqa: E402

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A work folder with a release and a series of two seeds."""
    folder = tmp_path_factory.mktemp("commands") / "work"
    rows = [*world_rows("train", 8, 0), *world_rows("val", 3, 8), *world_rows("test", 4, 11)]
    (folder / "releases/world").mkdir(parents=True)
    written(folder / "releases/world/0.1.0", rows)
    ran = run_cli("baseline-train", release(folder), "--seeds", 2, "-w", folder, *flags(steps=4), "--json")
    assert ran.code == 0, ran.err
    assert ran.json["sd"].keys() == ran.json["mean"].keys()
    return folder


def release(work):
    return work / "releases/world/0.1.0"


def test_evaluate_keeps_a_record_a_release_and_a_table(work):
    ran = run_cli("evaluate", work / "checkpoints/tiny-seed0", release(work), "--matrix", "-w", work, "--json")
    assert ran.code == 0, ran.err
    assert (work / "baselines/matrix-test.md").read_text().count("tiny-seed0") == 1
    assert ran.json["matrix"] == [str(work / "baselines/matrix-test.md"), str(work / "baselines/matrix-test.tex")]
    kept = json.loads(Path(ran.json["record"]).read_text())
    assert kept["metrics"] == ran.json["metrics"]
    again = run_cli("evaluate", work / "checkpoints/tiny-seed0", release(work), release(work), "-w", work, "--json")
    assert [each["metrics"] for each in again.json["records"]] == [kept["metrics"]] * 2


def test_a_release_that_cannot_be_measured_leaves_the_records_before_it(work, tmp_path):
    taught = written(tmp_path / "taught", world_rows("test", 4, 0), name="taught")  # persons of the train split
    ran = run_cli("evaluate", work / "checkpoints/tiny-seed0", release(work), taught.path, "-w", tmp_path)
    assert (ran.code, "were trained on" in ran.err) == (2, True), ran.err
    assert len([*tmp_path.glob("baselines/*/tiny-seed0-test.json")]) == 1


def test_a_release_that_does_not_teach_leaves_with_exit_1(work):
    ran = run_cli("evaluate", work / "checkpoints/tiny", release(work), "--validate", "-w", work, "--json")
    assert ran.code == 1, ran.err
    assert ran.json["validation"]["passed"] is False
    assert ran.json["checkpoint"]["name"] == "tiny-2-seeds"
    shown = run_cli("evaluate", work / "checkpoints/tiny", release(work), "--validate", "-w", work)
    block, lines = ran.json["validation"], shown.out.splitlines()
    assert lines[0].startswith(f"R@1 {ran.json['metrics']['R@1']:.2f} ± {block['sd']['R@1']:.2f}  ")
    for words, each in (("above zero shot: NO, R@1", block["above_zero_shot"]), *cut_lines(block)):
        told = [
            f"{one['R@1']['difference']:+.2f} ({one['R@1']['low']:.2f} to {one['R@1']['high']:.2f})" for one in each
        ]
        assert f"{words} {'; '.join(told)}" in lines
    luck = [f"{one['hits']} of {one['queries']} hit, chance {one['low']} to {one['high']}" for one in block["shuffled"]]
    assert f"shuffled at chance: yes, {'; '.join(luck)}" in lines


def cut_lines(block):
    return [
        (f"full texts over their first {words} words: R@1", [one[words] for one in block["full_minus_cut"]])
        for words in ("24", "37")
    ]


def test_run_says_how_far_it_lies_from_the_published_row(work, tmp_path):
    shutil.copytree(work / "checkpoints/tiny-seed0", tmp_path / "tiny")
    card = json.loads((tmp_path / "tiny/ufine.json").read_text())
    card["recipe"]["targets"] = {"world": {"paper": "A paper, Table 4", "metrics": {"R@1": 99.0}, "tolerance": 1.5}}
    (tmp_path / "tiny/ufine.json").write_text(json.dumps(card))
    words = ["evaluate", tmp_path / "tiny", release(work), "-w", tmp_path]
    found = run_cli(*words, "--json").json["metrics"]["R@1"] - 99
    assert f"against A paper, Table 4: R@1 {found:+.2f}, NOT within 1.5\n" in run_cli(*words).out


def test_of_several_releases_the_own_one_is_to_be_pushed(work, tmp_path):
    """And none where all are of others, or where val was measured, which no push asks for."""
    others = [written(tmp_path / name, world_rows("test", 4, 60), name=name).path for name in ("one", "other")]
    for releases, split, pushed in (
        ([others[0], release(work)], "test", release(work)),
        (others, "test", None),
        ([release(work)], "val", None),
    ):
        ran = run_cli("evaluate", work / "checkpoints/tiny-seed0", *releases, "--split", split, "-w", tmp_path)
        said = [line for line in ran.err.splitlines() if line.startswith("next:")]
        assert said == ([f"next: ufine-kit push-hub {pushed} --to DIR --work {tmp_path}"] if pushed else [])


def test_captions_that_were_cut_are_told(work, tmp_path):
    long = [row | {"captions": ["a man in red " * 60, "a man"]} for row in world_rows("test", 4, 70)]
    ran = run_cli("evaluate", work / "checkpoints/tiny-seed0", written(tmp_path / "long", long).path, "-w", tmp_path)
    assert "8 of 16 captions are longer than the model reads" in ran.err


def test_series_without_a_val_split_is_one_line(tmp_path):
    plain = written(tmp_path / "plain", world_rows("train", 6, 0))
    ran = run_cli("baseline-train", plain.path, "--seeds", 2, "-w", tmp_path, *flags(steps=1))
    assert ran.out == f"{tmp_path / 'checkpoints/tiny'}: 2 seeds, selected by last\n", ran.err


@pytest.mark.parametrize(("recipe", "steps", "epochs"), [("baseline_world", 700, None), ("cfam_b16", None, 60)])
def test_dry_run_says_steps_or_epochs(work, recipe, steps, epochs):
    ran = run_cli("baseline-train", release(work), "-r", recipe, "--dry-run", "--json", "-w", work)
    assert (ran.json["steps"], ran.json["epochs"]) == (steps, epochs)


def test_under_torchrun_the_first_process_alone_measures(work, tmp_path):
    ran = run_cli("evaluate", work / "checkpoints/tiny-seed0", release(work), "-w", tmp_path, RANK="1")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert not (tmp_path / "baselines").exists()


def test_noise_is_written_as_lines(work, tmp_path):
    words = [
        "evaluate",
        work / "checkpoints/tiny-seed1",
        release(work),
        "--noise",
        tmp_path / "a/noise.jsonl",
        "-w",
        work,
    ]
    ran = run_cli(*words, "--json")
    assert ran.code == 0, ran.err
    lines = [json.loads(line) for line in (tmp_path / "a/noise.jsonl").read_text().splitlines()]
    assert sum(value for kind, value in ran.json["noise"].items() if kind != "file") == len(lines)


@pytest.mark.parametrize("described", [("street",), ("street", "square")], ids=str)
def test_a_list_of_crops_of_the_work_folder_leads_to_the_people_who_look(work, tmp_path, described):
    rows = [
        row | {"provenance": row["provenance"] | {"crop_id": row["image_id"]}} for row in world_rows("test", 12, 40)
    ]
    cut = written(tmp_path / "1.0.0", rows).path
    here = tmp_path / "here"
    words = ["evaluate", work / "checkpoints/tiny-seed1", cut, "--noise", tmp_path / "noise.jsonl", "-w", here]
    elsewhere = run_cli(*words)
    assert "next: ufine-kit push-hub" in elsewhere.err and "campaign" not in elsewhere.err
    verdicts = [
        {"crop_id": row["image_id"], "person_id": row["person_id"], "kept": True, "reasons": []} for row in rows
    ]
    write(here / "filter", "part-00000", verdicts, Verdict)
    for name in described:
        write(here / "descriptions" / name, "part-00000", [], Description)
    ran = run_cli(*words)
    assert ran.code == 0, ran.err
    found = read_suspects(tmp_path / "noise.jsonl")
    assert found.crops and found.texts, "so many persons are strange to a model of four steps"
    assert {text.origin for text in found.texts} == {"model"}
    asks = f"--noise {tmp_path / 'noise.jsonl'} --work {here}"
    name = described[0] if len(described) == 1 else "NAME"
    assert [line for line in ran.err.splitlines() if line.startswith("next:")] == [
        f"next: ufine-kit campaign create fix {name} {asks}",
        f"next: ufine-kit campaign create review NAME {asks}",
    ]


def test_search_names_its_hits(work, tmp_path):
    words = ["search", work / "checkpoints/tiny-seed0", release(work), "a man in red", "--top", "3", "--out", tmp_path]
    ran = run_cli(*words, "--json")
    assert ran.code == 0, ran.err
    (found,) = ran.json["results"]
    assert [hit["rank"] for hit in found["hits"]] == [1, 2, 3]
    assert found["strip"].startswith(str(tmp_path))
    shown = run_cli(*words)
    assert shown.out.count("\n") == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["evaluate"], "no checkpoint is named"),
        (["evaluate", "gone", "RELEASE"], "no checkpoint `gone`"),
        (["evaluate", "--zero-shot", "gone", "--validate"], "`--validate` is about a training"),
        (["evaluate", "--zero-shot", "gone", "RELEASE", "--noise", "."], "`.` is a folder"),
        (["evaluate", "--zero-shot", "/nowhere/clip", "RELEASE"], "does not open as a CLIP model"),
        (["search", "gone", "RELEASE", "a man"], "no checkpoint `gone`"),
        (["baseline-train", "RELEASE", "--set", "baseline.pretrained=/nowhere/clip"], "does not open as a CLIP model"),
    ],
)
def test_wrong_words_are_one_line(work, words, said, tmp_path):
    typed = [str(release(work)) if word == "RELEASE" else word for word in words]
    ran = run_cli(*typed, "-w", work, cwd=tmp_path, HF_HUB_OFFLINE="1")
    assert ran.code == 2
    assert "Traceback" not in ran.err
    assert said in ran.err
