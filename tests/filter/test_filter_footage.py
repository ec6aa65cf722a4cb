"""The gates of identities on real footage and on the synthetic world, by the benchmarks' own code."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
pytestmark = pytest.mark.full


@pytest.fixture(scope="module", autouse=True)
def found_by_name():
    sys.path.insert(0, str(BENCHMARKS))
    yield
    sys.path.remove(str(BENCHMARKS))


def test_identities_on_footage_are_fewer_and_as_pure(tmp_path):
    import filter_identities as bench

    if not bench.VIDEO.exists():
        pytest.skip("no footage (UFINE_DATA)")
    pytest.importorskip("openvino")
    found = bench.pets09(tmp_path / "work", [])
    held = bench.gates(found[bench.REPORTED])
    assert all(held.values()), held
    assert found[bench.REPORTED]["after"]["purity"] >= 0.975


def test_every_rule_finds_the_noise_that_was_planted():
    import filter_rules as bench

    rows, noise = bench.planted(30)
    table = bench.figures(noise, bench.reasons(rows))
    for kind in bench.KINDS:
        assert table[kind]["recall"] >= 0.8 and table[kind]["precision"] >= 0.8, (kind, table[kind])
    assert table["good crops kept"]["share"] >= 0.95
