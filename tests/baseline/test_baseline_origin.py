"""Starts with a past: whom they have seen is refused for good, and replaced weights are another start."""

from __future__ import annotations

import json
import shutil

import pytest

torch = pytest.importorskip("torch", reason="needs ufine-kit[baseline]")
from baseline.cliplike import write_cliplike  # noqa: E402
from baseline.releases import small_table, world_rows, written  # noqa: E402
from ufine_kit.baseline import origin  # noqa: E402
from ufine_kit.baseline.checkpoint import read_card, trained_on  # noqa: E402
from ufine_kit.baseline.evaluate import evaluate  # noqa: E402
from ufine_kit.baseline.origin import ancestry, weights_of  # noqa: E402
from ufine_kit.baseline.progress import check_same, made_of  # noqa: E402
from ufine_kit.baseline.subject import zero_shot_subject  # noqa: E402
from ufine_kit.baseline.train import train  # noqa: E402
from ufine_kit.errors import KitError  # noqa: E402
from ufine_kit.files import sha256_file  # noqa: E402

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def first(small_release, tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints") / "first"
    train(small_release, small_table(steps=1), folder, lambda _: None)
    return folder


@pytest.mark.parametrize("taken", [(), ("ufine.json",), ("trained_on.json",)])
def test_checkpoint_of_the_kit_is_no_zero_shot(first, tmp_path, taken):
    folder = shutil.copytree(first, tmp_path / "first")
    for name in taken:
        (folder / name).unlink()
    with pytest.raises(KitError, match="first` was trained by the kit") as error:
        zero_shot_subject(str(folder))
    assert error.value.mend == f"ufine-kit evaluate {folder}"


def test_checkpoint_of_the_kit_on_the_hub_is_no_zero_shot(first, monkeypatch):
    monkeypatch.setattr(origin, "cached_file", lambda name, file, **_: str(first / file))
    with pytest.raises(KitError, match="`me/first` was trained by the kit") as error:
        zero_shot_subject("me/first")
    assert "hf download me/first" in error.value.mend
    assert ancestry("me/first").people == trained_on(first)[0]


def test_hub_name_that_cannot_be_reached_has_no_known_past(monkeypatch):
    def unreached(*_: object, **__: object) -> None:
        raise OSError("no such repository")

    monkeypatch.setattr(origin, "cached_file", unreached)
    assert ancestry("me/other") == origin.Ancestry()
    assert weights_of("me/other") is None


def test_weights_on_the_hub_are_told_by_their_commit(monkeypatch):
    commit = "0123456789abcdef0123456789abcdef01234567"
    monkeypatch.setattr(origin, "cached_file", lambda name, file, **_: f"/c/models--me--a/snapshots/{commit}/{file}")
    assert weights_of("me/a") == commit


@pytest.fixture(scope="module")
def second(first, tmp_path_factory):
    """Trained on other persons under another name, from the first one's weights; no image of it is synthetic."""
    folder = tmp_path_factory.mktemp("second")
    rows = [row | {"source": "other"} for row in (*world_rows("train", 3, 30), *world_rows("test", 3, 40))]
    release = written(folder / "release", rows, name="other", synthetic=False)
    train(release, small_table(name="second", steps=1, pretrained=str(first)), folder / "second", lambda _: None)
    return folder / "second", release


def test_weights_remember_whom_their_start_was_trained_on(first, second, small_release):
    (people, images), (people_before, images_before) = trained_on(second[0]), trained_on(first)
    assert people_before < people and len(people) == 12 + 3
    assert images_before < images and len(images) == 24 + 6
    with pytest.raises(KitError, match="12 of 12 identities were trained on"):
        evaluate(second[0], small_release, split="train", device="cpu")


def test_sources_and_the_mark_of_the_synthetic_are_carried_over(second):
    card = read_card(second[0])
    assert card["trained_on"]["sources"] == ["other", "synthetic world"]
    assert card["synthetic"] is True
    assert evaluate(*second, device="cpu")["synthetic"] is True


def test_start_without_its_list_of_persons_is_refused(first, small_release, tmp_path, quiet):
    folder = shutil.copytree(first, tmp_path / "first")
    (folder / "trained_on.json").unlink()
    with pytest.raises(KitError, match=r"trained_on\.json"):
        train(small_release, small_table(pretrained=str(folder)), tmp_path / "b", quiet)


def test_replaced_start_weights_are_noticed(small_release, tmp_path, quiet):
    clip = write_cliplike(tmp_path / "clip")
    table = small_table(pretrained=str(clip), steps=1, text_tokens=90, learning_rate=1e-4)
    train(small_release, table, tmp_path / "a", quiet)
    assert read_card(tmp_path / "a")["made_of"]["start"] == sha256_file(clip / "model.safetensors")
    assert train(small_release, table, tmp_path / "a", quiet).already_done
    write_cliplike(clip, seed=1)
    with pytest.raises(KitError, match=r"another start: the weights of `baseline\.pretrained`"):
        train(small_release, table, tmp_path / "a", quiet)


def test_start_that_was_not_told_apart_before_is_no_other(small_release, tmp_path):
    wanted = made_of(small_release, small_table(pretrained=str(write_cliplike(tmp_path / "clip"))))
    old = {key: value for key, value in wanted.items() if key != "start"}
    check_same(old, wanted, tmp_path)
    assert "start" not in made_of(small_release, small_table())
    assert json.loads(json.dumps(wanted)) == wanted


def test_weights_in_several_files_are_one_digest(tmp_path):
    clip = write_cliplike(tmp_path / "clip", max_shard_size="20KB")
    assert not (clip / "model.safetensors").exists()
    before = weights_of(str(clip))
    write_cliplike(clip, seed=1, max_shard_size="20KB")
    assert weights_of(str(clip)) not in (None, before)
