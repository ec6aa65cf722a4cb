"""The curve as a picture: where its line runs, and that it is there after a training."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="needs ufine-kit[baseline]")
from baseline.releases import ALL_LOSSES, small_table  # noqa: E402
from ufine_kit.baseline.plot import LINE, MARGIN, PANEL, panel, plot_curve  # noqa: E402
from ufine_kit.baseline.train import train  # noqa: E402

pytestmark = pytest.mark.full


def blue(image: Image.Image) -> np.ndarray:
    """Rows and columns of the curve's pixels."""
    return np.argwhere((np.asarray(image) == LINE).all(axis=2))


def test_falling_curve_falls_and_stays_in_its_frame():
    places = blue(panel("loss", [(step, 10 - step) for step in range(1, 11)]))
    left, right = places[places[:, 1].argmin()], places[places[:, 1].argmax()]
    assert left[0] < right[0]  # rows are counted from the top
    assert places[:, 0].max() <= PANEL[1] - MARGIN + 2
    assert places[:, 1].max() <= PANEL[0] - 10


@pytest.mark.parametrize("points", [[], [(10, 1.0)], [(10, 0.0), (20, 0.0)], [(1, -3.0), (2, -1.0)]])
def test_few_or_flat_points_are_drawn_too(points):
    assert panel("loss", points).size == PANEL


def test_curve_without_val_is_one_panel(tmp_path):
    for records, panels in (([{"step": 1, "loss": 2.0}], 1), ([{"step": 1, "loss": 2.0, "R@1": 4.0}], 2), ([], 1)):
        (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
        plot_curve(tmp_path)
        with Image.open(io.BytesIO((tmp_path / "curve.png").read_bytes())) as image:
            assert image.size == (panels * PANEL[0], PANEL[1])


def test_training_leaves_its_curve_with_every_loss(small_release, tmp_path, quiet):
    train(small_release, small_table(steps=4, **ALL_LOSSES), tmp_path / "a", quiet)
    (line,) = (tmp_path / "a" / "metrics.jsonl").read_text().splitlines()
    record = json.loads(line)
    names = ["sdm", "tal", "granularity", "match", "cross_identity", "identity", "words"]
    assert list(record)[:9] == ["step", "loss", *names]
    assert record["loss"] == pytest.approx(sum(record[name] for name in names), rel=1e-4)
    assert (tmp_path / "a" / "curve.png").stat().st_size > 1000
