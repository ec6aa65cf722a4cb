"""Search and noise: rankings against plain sorting, strips that can be looked at, suspects that were planted."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="needs ufine-kit[baseline]")
from baseline.releases import small_table  # noqa: E402
from ufine_kit.baseline.data import Pairs, load_pairs  # noqa: E402
from ufine_kit.baseline.noise import noise  # noqa: E402
from ufine_kit.baseline.search import PLAIN, RIGHT, WRONG, ranking, search, strip  # noqa: E402
from ufine_kit.baseline.subject import Features  # noqa: E402
from ufine_kit.baseline.train import train  # noqa: E402
from ufine_kit.errors import KitError  # noqa: E402

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def trained(small_release, tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny"
    train(small_release, small_table(), folder, lambda _: None)
    return folder


def test_search_ranks_by_similarity_and_draws_a_strip_a_text(trained, small_release, tmp_path):
    pairs = load_pairs(small_release, "test", 32, 16)
    found = search(trained, small_release, [pairs.captions[0], "somebody in a red coat"], tmp_path / "out", top=4)
    assert [len(each.hits) for each in found] == [4, 4]
    for each in found:
        similar = [hit.similarity for hit in each.hits]
        assert similar == sorted(similar, reverse=True)
        with Image.open(each.strip) as image:
            assert image.size == (4 * 104, 280)
    own = pairs.person_ids[int(pairs.caption_people[0])]
    assert {hit.right for hit in found[0].hits if hit.person_id == own} <= {True}
    assert {hit.right for hit in found[1].hits} == {None}
    assert found[0].strip != found[1].strip


def test_ranking_is_the_plain_order_with_ties_as_they_stand(small_release):
    pairs = load_pairs(small_release, "test", 32, 16)
    similar = np.array([0.1, 0.9, 0.9, 0.3] + [0.0] * 8)
    hits = ranking("nobody wrote this", similar, pairs, 3)
    assert [(hit.rank, hit.image_id) for hit in hits] == [
        (1, pairs.image_ids[1]),
        (2, pairs.image_ids[2]),
        (3, pairs.image_ids[3]),
    ]


def test_frames_say_what_is_known(small_release):
    kept = io.BytesIO()
    Image.new("RGB", (16, 32), "black").save(kept, "JPEG")
    pairs = load_pairs(small_release, "test", 32, 16)
    similar = np.linspace(1, 0, 12)
    hits = [*ranking(pairs.captions[0], similar, pairs, 3), *ranking("free words", similar, pairs, 1)]
    image = Image.open(io.BytesIO(strip(hits, dict.fromkeys(pairs.image_ids, kept.getvalue()))))
    assert [image.getpixel((104 * place + 1, 1)) for place in range(4)] == [RIGHT, RIGHT, WRONG, PLAIN]


def test_empty_text_is_refused(trained, small_release, tmp_path):
    with pytest.raises(KitError, match="an empty text"):
        search(trained, small_release, ["  "], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_text_that_is_no_unicode_is_refused(trained, small_release, tmp_path):
    with pytest.raises(KitError, match="is no UTF-8"):
        search(trained, small_release, ["a man \udcff in red"], tmp_path / "out")


def test_text_longer_than_the_model_reads_is_told(trained, small_release, tmp_path):
    found = search(trained, small_release, ["a man", "a man in red " * 200], tmp_path / "out", top=1)
    assert [each.cut for each in found] == [False, True]


def planted() -> tuple[Pairs, Features]:
    """20 persons with two images and a caption each, all in order but one caption and one crop."""
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(20), 2)
    centres = rng.normal(size=(20, 16)) * 3
    images = centres[people] + rng.normal(size=(40, 16)) * 0.1
    texts = centres[people] + rng.normal(size=(40, 16)) * 0.1
    texts[6] = centres[11]  # person 3's caption fits person 11
    images[25] = centres[2]  # person 12's second crop shows person 2
    images, texts = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (images, texts))
    pairs = Pairs(
        pixels=torch.zeros(40, 1, 1, 3, dtype=torch.uint8),
        people=torch.from_numpy(people),
        captions=[f"text {number}" for number in range(40)],
        caption_images=torch.arange(40),
        origins={"kind": ["human"] * 40},
        sources=["world"] * 40,
        person_ids=[f"p{number:02d}" for number in range(20)],
        image_ids=[f"i{number}" for number in range(40)],
        crop_ids=[f"c{number}" for number in range(40)],
        image_sha256=[str(number) for number in range(40)],
    )
    return pairs, Features(texts, images, 0)


def test_planted_noise_is_found_first():
    pairs, features = planted()
    found = noise(pairs, features)
    texts = [line for line in found if line["kind"] == "text"]
    crops = [line for line in found if line["kind"] == "crop"]
    assert (texts[0]["image_id"], texts[0]["nearest_person_id"], texts[0]["caption_index"]) == ("i6", "p11", 0)
    assert (texts[0]["text"], texts[0]["origin"]) == ("text 6", "human") and texts[0]["rank"] > 10
    assert (crops[0]["crop_id"], crops[0]["person_id"], crops[0]["nearest_person_id"]) == ("c25", "p12", "p02")
    assert crops[0]["nearest_crop_id"] == f"c{crops[0]['nearest_image_id'][1:]}"
    for lines in (texts, crops):
        assert [line["margin"] for line in lines] == sorted((line["margin"] for line in lines), reverse=True)


def test_person_with_one_image_is_no_suspect_for_it():
    pairs, features = planted()
    alone = Features(features.texts[:2], features.images[:2], 0)
    two = Pairs(
        pixels=pairs.pixels[:2], people=torch.tensor([0, 1]), captions=pairs.captions[:2],
        caption_images=torch.arange(2), origins={}, sources=["a", "a"], person_ids=["p0", "p1"], image_ids=["a", "b"],
        crop_ids=[None, None], image_sha256=["a", "b"],
    )  # fmt: skip
    assert noise(two, alone) == []
