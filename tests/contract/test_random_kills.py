"""Outside CI: the plug pulled at random moments, again and again, until the chain is through; the bytes are the same."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from contract.chain import NAMES, STEPS, copy
from typed import REPO, run_cli, snapshot

pytestmark = [pytest.mark.prove, pytest.mark.xdist_group("chain")]
ROUNDS = 20


@pytest.mark.parametrize("number", range(ROUNDS))
def test_killed_at_random_moments_the_chain_ends_in_the_same_bytes(chain, tmp_path, number):
    chance = random.Random(number)
    work = copy(chain, "world", tmp_path)
    kills = 0
    for step in NAMES:
        words = [sys.executable, "-m", "ufine_kit", *map(str, STEPS[step].words(work))]
        for _ in range(3):
            process = subprocess.Popen(
                words, cwd=REPO, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
            )
            time.sleep(chance.uniform(0.2, 2.0))
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                kills += 1
            process.wait()
        if not (step == "build-release" and (work / "releases/demo/0.1.0").is_dir()):
            ran = run_cli(*STEPS[step].words(work))
            assert ran.code == 0, ran.err
    assert kills, "no kill met a running command: give it less time"
    patterns = ("*/part-*.parquet", "descriptions/*/*.parquet", "releases/**/*", "hub/**/*")
    assert snapshot(work, *patterns) == snapshot(chain / NAMES[-1], *patterns)
