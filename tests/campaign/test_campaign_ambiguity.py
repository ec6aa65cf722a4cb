"""Texts that fit somebody else: the crops of the campaign are ranked, and a doubt holds nothing back."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from campaign.spoken import Spoken, told
from release.works import make_work, people
from ufine_kit.campaign.people import crop_people
from ufine_kit.campaign.qc import qc, report
from ufine_kit.errors import KitError
from ufine_kit.tables import CampaignTable

pytestmark = pytest.mark.full
pytest.importorskip("torch", reason="needs ufine-kit[baseline]")

from ufine_kit.cli.campaign_ambiguity import ambiguous_texts, mark  # noqa: E402


@pytest.fixture
def spoken(tmp_path):
    work = make_work(tmp_path / "work", people("ab", 8, crops=1))
    shutil.rmtree(work / "descriptions")
    made = Spoken(work)
    for n, crop in enumerate(sorted(crop_people(work))):
        made.by_file(crop, f"w{n}", f"{told(n)} Number {n}.")
    return made


@pytest.fixture
def seeing(monkeypatch):
    """A model that sees each crop as another direction, and reads text number n as crop n, but number 5 as anything else."""
    looks = np.linalg.qr(np.random.default_rng(0).normal(size=(16, 16)))[0].astype(np.float32)
    subject = SimpleNamespace(model=SimpleNamespace(to=lambda where: None), tokenizer=None, height_px=32, width_px=16)
    monkeypatch.setattr("ufine_kit.baseline.subject.trained_subject", lambda checkpoint: subject)
    monkeypatch.setattr("ufine_kit.baseline.features.image_features", lambda model, pixels: looks[: len(pixels)])
    monkeypatch.setattr("ufine_kit.baseline.tokens.encode", lambda tokenizer, texts: (texts, 0))
    monkeypatch.setattr(
        "ufine_kit.baseline.features.text_features",
        lambda model, texts: np.stack(
            [looks[n] if n != 5 else looks[6] - looks[5] for n in (int(text.split()[-1][:-1]) for text in texts)]
        ),
    )


def test_a_text_that_fits_others_better_is_told_and_not_held_back(spoken, seeing, tmp_path):
    work = spoken.folder.parent.parent
    whose = crop_people(work)
    quality = qc(spoken.folder, CampaignTable(), whose)
    held = len(quality.failed)
    lines = ambiguous_texts(work, tmp_path, quality.standing.work, whose)
    odd = next(text for text in quality.standing.work if text.text.endswith("Number 5."))
    assert [line["description_id"] for line in lines] == [odd.description_id]
    assert lines[0]["nearest_person_id"] == whose[sorted(whose)[6]] and lines[0]["rank"] == 16
    mark(quality, lines)
    assert report(quality, CampaignTable())["warnings"]["ambiguous"] == 1
    assert len(quality.failed) == held


def test_a_checkpoint_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(KitError, match="no checkpoint"):
        ambiguous_texts(tmp_path, tmp_path / "none", [], {})
