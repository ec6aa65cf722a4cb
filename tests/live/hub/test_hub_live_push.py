"""A push as a user makes it, by the real client against the loopback Hub: order, resume by looking, takedowns, purge."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from live.hub.making import recipe_text, release, rows, shards_of
from typed import REPO

pytestmark = [pytest.mark.full, pytest.mark.xdist_group("hub")]


def first(hub, method: str, path: str) -> int:
    """When a request was made for the first time."""
    return next(n for n, (m, p) in enumerate(hub.seen) if m == method and re.search(path, p))


def whole(hub, revision: str = "main", name: str = "org/set") -> dict[str, bytes]:
    tree = hub.repo(name).find(revision).tree
    return {path: blob.content for path, blob in tree.items() if path != ".gitattributes"}


def test_a_push_is_private_then_gated_then_proposed_compared_merged_and_tagged(hub, push):
    ran = push("--json")
    assert ran.code == 0, ran.err
    repo, sent = hub.repo(), ran.json["sent"]
    assert (repo.private, repo.gated) == (True, "manual")
    assert repo.history == ["main", "settings private=True gated=manual", "refs/pr/1", "main"], (
        "main moved once, at the end"
    )
    steps = [
        ("POST", "repos/create"), ("PUT", "settings"), ("PUT", "/store/"), ("POST", "/commit/"), ("GET", "/tree/refs"),
        ("POST", "/merge"), ("POST", "/tag/"),
    ]  # fmt: skip
    times = [first(hub, *step) for step in steps]
    assert times == sorted(times)
    assert sorted(whole(hub)) == sorted(sent)
    assert repo.tags == {"v0.1.0": repo.refs["main"]} == {"v0.1.0": ran.json["commit"]}
    made = push.work / "releases/toy/0.1.0"
    for path in made.rglob("*"):
        if path.is_file():
            assert whole(hub)[path.relative_to(made).as_posix()] == path.read_bytes()


def test_a_dry_run_creates_nothing_and_a_second_push_makes_no_commit(hub, push):
    assert push("--dry-run", "--json").json["dry_run"] is True
    assert hub.repos == {}
    assert push().code == 0
    before = (dict(hub.repo().commits), dict(hub.repo().tags), hub.count("PUT", "") + hub.count("POST", ""))
    again = push("--json")
    assert again.code == 0 and again.json["sent"] == []
    assert (hub.repo().commits, hub.repo().tags, hub.count("PUT", "") + hub.count("POST", "")) == before


def test_it_becomes_public_only_behind_its_gate_and_when_asked(hub, push):
    refused = push("--public")
    assert refused.code == 2 and "--yes" in refused.err and not hub.repos, "a public act asks first"
    assert push("--public", "--yes").code == 0
    assert hub.repo().history[-1] == "settings private=False gated=manual"
    assert hub.repo().history.index("settings private=True gated=manual") < hub.repo().history.index("refs/pr/1")


def test_a_new_card_goes_to_main_and_the_tag_keeps_its_own(hub, push):
    assert push().code == 0
    tagged, shards = hub.repo().tags["v0.1.0"], hub.count("PUT", "/store/")
    (push.work / "recipe.toml").write_text(recipe_text(pay="11 EUR an hour"))
    ran = push("--json")
    assert ran.code == 0 and ran.json["sent"] == ["DATASHEET.md", "README.md"]
    assert "keeps the card" in ran.err
    assert b"11 EUR an hour" in whole(hub)["README.md"]
    assert b"11 EUR an hour" not in whole(hub, "v0.1.0")["README.md"]
    assert hub.repo().tags == {"v0.1.0": tagged} and hub.count("PUT", "/store/") == shards


def test_a_takedown_sends_one_shard_of_each_kind_and_a_purge_ends_what_older_tags_serve(hub, push):
    assert push().code == 0
    old, sent = whole(hub), hub.count("PUT", "/store/")
    release(push.work, "0.2.0", without=("p01",))
    ran = push("--json")
    assert ran.code == 0, ran.err
    touched = {name for name in ran.json["sent"] if name.endswith(".parquet")}
    assert touched == shards_of("p01", "train") and hub.count("PUT", "/store/") == sent + 2
    assert ran.json["serve_removed"] == ["v0.1.0"]
    gone = [old[name] for name in touched]
    assert all(content in whole(hub, "v0.1.0").values() for content in gone), "a kept tag keeps serving"
    asked = push("--purge")
    assert asked.code == 2 and "2 stored files" in asked.err and "v0.1.0" in hub.repo().tags
    for point in ("purge.tags", "purge.squashed", "purge.retagged"):
        assert push("--purge", "--yes", crash_at=point).code == 137
    purged = push("--purge", "--yes", "--json")
    assert purged.code == 0, purged.err
    repo = hub.repo()
    assert repo.tags == {"v0.2.0": repo.refs["main"]} and len(repo.log("main")) == 1
    served = [blob.content for commit in repo.commits.values() for blob in commit.tree.values()]
    assert not [content for content in gone if content in served], "no revision serves them"
    assert whole(hub, "v0.2.0") == whole(hub)
    again = push("--purge", "--yes", "--json")
    assert again.code == 0 and again.json["said"].endswith("nothing left to withdraw")
    assert push("--json").json["sent"] == []


def test_a_purge_before_the_new_version_is_pushed_is_refused(hub, push):
    assert push().code == 0
    release(push.work, "0.2.0", without=("p01",))
    ran = push("--purge", "--yes")
    assert ran.code == 2 and "is not version 0.2.0" in ran.err
    assert "v0.1.0" in hub.repo().tags


def test_shards_that_a_version_has_no_more_are_taken_away_and_foreign_files_stay(hub, push):
    from live.hub.world import Blob

    assert push().code == 0
    repo = hub.repo()
    more = {"data/train-00000-of-00009.parquet": Blob(b"old", True), "notes.txt": Blob(b"mine", False)}
    repo.commit("main", repo.find("main").tree | more, "by hand", repo.refs["main"])
    repo.tags.clear()
    ran = push("--json")
    assert ran.code == 0 and ran.json["removed"] == ["data/train-00000-of-00009.parquet"]
    assert "data/train-00000-of-00009.parquet" not in whole(hub) and whole(hub)["notes.txt"] == b"mine"


def test_a_baseline_goes_to_a_model_repository_with_a_card_of_its_own(hub, push):
    checkpoint = push.work / "checkpoints/tiny"
    checkpoint.mkdir(parents=True)
    for name in ("config.json", "model.safetensors", "tokenizer.json", "training.safetensors"):
        (checkpoint / name).write_text(f"{{}} {name}")
    card = {"name": "tiny", "image_height_px": 96, "image_width_px": 48, "synthetic": True}
    (checkpoint / "ufine.json").write_text(json.dumps(card))
    ran = push("--with-model", checkpoint, "--json")
    assert ran.code == 0, ran.err
    model = hub.repo("org/set-baseline", "model")
    sent = whole(hub) and {path for path in model.find("v0.1.0").tree if path != ".gitattributes"}
    assert sent == {"config.json", "model.safetensors", "tokenizer.json", "ufine.json", "README.md", "LICENSE"}
    assert (model.private, model.gated) == (True, "manual")
    text = model.find("main").tree["README.md"].content.decode()
    assert "**Synthetic.**" in text and "org/set-baseline" in text and hub.repo().name in text
    assert push("--with-model", checkpoint, "--json").json["model"]["sent"] == []


LOADED = """
import io, json, os, sys
import datasets
from huggingface_hub import HfApi
from huggingface_hub.errors import GatedRepoError
repo, tag = "org/set", "v0.1.0"
owner, reader = sys.argv[1:]
data = datasets.load_dataset(repo, revision=tag, token=owner)
bare = data.cast_column("image", datasets.Image(decode=False))
stream = datasets.load_dataset(repo, revision=tag, token=owner, streaming=True, split="test")
stream = stream.cast_column("image", datasets.Image(decode=False))
texts = datasets.load_dataset(repo, "texts", revision=tag, token=owner)
try:
    HfApi().hf_hub_download(repo, "release.json", revision=tag, repo_type="dataset", token=reader, cache_dir=sys.argv[0] + ".c")
    refused = False
except GatedRepoError:
    refused = True
def told(row):
    return {name: value for name, value in row.items() if name not in ("image", "provenance")}
print(json.dumps({
    "rows": {s: {r["image_id"]: [r["image"]["bytes"].hex(), told(r)] for r in bare[s]} for s in bare},
    "stream": {r["image_id"]: r["image"]["bytes"].hex() for r in stream},
    "texts": {s: [told(r) for r in texts[s]] for s in texts}, "columns": texts["train"].column_names,
    "size": data["test"][0]["image"].size, "refused": refused,
    "features": data["train"].features.arrow_schema.metadata[b"huggingface"].decode(),
}))
os._exit(0 if sys.stdout.flush() is None else 1)
"""


def loaded(hub, home, script) -> dict:
    script.write_text(LOADED)
    env = {
        "PATH": "/usr/bin:/bin",
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    typed = [sys.executable, str(script), "hf_ownerownerownerowner", "hf_readerreaderreader"]
    done = subprocess.run(typed, env=env, capture_output=True, text=True, timeout=900, check=False, cwd=REPO)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_what_is_loaded_from_the_tag_is_what_was_released_to_the_byte(hub, push, tmp_path):
    from ufine_kit.dataset.schema import release_schema

    assert push("--public", "--yes").code == 0
    found = loaded(hub, tmp_path / "fresh", tmp_path / "load.py")
    for split, held in found["rows"].items():
        wanted = {row["image_id"]: row for row in rows() if row["split"] == split}
        assert {name: bytes.fromhex(told[0]) for name, told in held.items()} == {
            name: row["image"]["bytes"] for name, row in wanted.items()
        }
        for name, (_, told) in held.items():
            assert told == {key: wanted[name][key] for key in told}
        assert sorted(row["image_id"] for row in found["texts"][split]) == sorted(wanted)
    assert found["stream"] == {name: told[0] for name, told in found["rows"]["test"].items()}
    assert "image" not in found["columns"] and "captions" in found["columns"]
    assert found["size"] == [48, 96]
    assert json.loads(found["features"]) == json.loads(release_schema().metadata[b"huggingface"])
    assert found["refused"], "who was not let in reads nothing, though the repository is public"
