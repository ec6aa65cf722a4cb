"""The same push over Xet, the Hub's own way by default: into hf-xet's local store, read back and compared by the double."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from typed import REPO

pytestmark = [pytest.mark.full, pytest.mark.xdist_group("hub")]

# Client and Hub in one process: the local store is locked by the process that has it open.
SCRIPT = """
import contextlib, io, json, os, sys
from pathlib import Path
root = Path(sys.argv[1])
os.environ |= {"HF_HOME": str(root / "home"), "HF_XET_CACHE": str(root / "xet"), "HF_TOKEN": "hf_ownerownerownerowner"}
from live.hub.double import Hub
from live.hub.making import recipe_text, release
from ufine_kit import cli
work = root / "work"
release(work)
(work / "recipe.toml").write_text(recipe_text())
(root / "cas").mkdir()
told = []
with Hub(cas=root / "cas") as hub:
    os.environ["HF_ENDPOINT"] = hub.url
    def push():
        sys.argv = ["ufine-kit", "push-hub", "--repo", "org/set", "-w", str(work), "-r", str(work / "recipe.toml"),
                    "--without-baseline", "a test", "--json"]
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
            cli.main()
        return json.loads(out.getvalue() or "{}")
    hub.fault("POST", "/commit/", 503)
    first = push()
    commits = len(hub.repo().commits)
    second = push()
    release(work, "0.2.0", without=("p01",))
    third = push()
    repo = hub.repo()
    tree = {path: blob for path, blob in repo.find("v0.2.0").tree.items()}
    made = work / "releases/toy/0.2.0"
    same = all(tree[p.relative_to(made).as_posix()].content == p.read_bytes() for p in made.rglob("*") if p.is_file())
    print(json.dumps({
        "first": len(first.get("sent", [])), "second": second.get("sent"), "third": third.get("sent"), "same": same,
        "commits": [commits, len(repo.commits)], "tags": sorted(repo.tags), "lfs": len(hub.lfs),
        "xet": sum(blob.xet is not None for blob in tree.values()), "history": repo.history,
    }), flush=True)
os._exit(0)
"""


def test_a_push_a_second_one_and_a_takedown_over_xet(tmp_path):
    pytest.importorskip("hf_xet")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "UFINE_"))}
    env["PYTHONPATH"] = os.pathsep.join([str(REPO / "tests"), env.get("PYTHONPATH", "")])
    typed = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    done = subprocess.run(typed, env=env, capture_output=True, text=True, timeout=900, check=False, cwd=REPO)
    assert done.stdout, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["first"] == 26 and told["second"] == [] and told["same"]
    assert told["lfs"] == 0 and told["xet"] == 18, "every shard came over Xet and none over LFS"
    assert told["tags"] == ["v0.1.0", "v0.2.0"] and told["history"].count("main") == 3
    assert len([name for name in told["third"] if name.endswith(".parquet")]) == 2
