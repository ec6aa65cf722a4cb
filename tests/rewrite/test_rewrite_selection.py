from collections import Counter

import numpy as np
import pytest

from rewrite.sources import row, rows, table, write
from ufine_kit.errors import KitError
from ufine_kit.release.remove import plan_removal, remove
from ufine_kit.rewrite.asks import slots
from ufine_kit.rewrite.selection import choose
from ufine_kit.tables import RewriteTable
from ufine_kit.world.draw import jpeg

PIXELS = jpeg(np.zeros((32, 16, 3), np.uint8))


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    work = tmp_path_factory.mktemp("sources")
    return [
        write(work, "coarse", rows("coarse", 6, 3, words="coarse")),
        write(work, "dense", rows("dense", 5, 8, 1, start=100)),
        write(work, "fine", rows("fine", 7, 4, start=200)),
    ]


def test_persons_of_every_source_are_drawn_and_named_anew(three):
    chosen = choose(three, table())
    by_source = Counter(source for _, source in {(one.person_id, one.source) for one in chosen.pictures})
    assert by_source == {"coarse": 3, "dense": 3, "fine": 3}
    assert len({one.person_id for one in chosen.pictures}) == 9
    assert not {one.person_id for one in chosen.pictures} & {one.upstream_person for one in chosen.pictures}
    assert len({one.image_id for one in chosen.pictures}) == len(chosen.pictures)


def test_only_a_dense_source_is_thinned_out(three):
    chosen = choose(three, table())
    images = Counter((one.source, one.person_id) for one in chosen.pictures)
    assert {source: {n for (name, _), n in images.items() if name == source} for source in ("coarse", "dense", "fine")} == {
        "coarse": {3}, "dense": {3}, "fine": {4},
    }  # fmt: skip
    assert chosen.said["images_a_person"]["dense"] == {"average": 8.0, "cap": 3}
    assert chosen.counts() == {"persons": 9, "images": 30, "originals": 3 * 3 * 2 + 3 * 3 + 3 * 4 * 2}


def test_the_draw_is_the_seeds_and_more_persons_keep_those_drawn_before(three):
    def people(**changes):
        return {(one.source, one.upstream_person) for one in choose(three, table(**changes)).pictures}

    assert people() == people()
    assert people() != people(seed=1)
    assert people() < people(persons=5)


def test_the_name_of_a_person_does_not_depend_on_the_draw(three):
    def names(**changes):
        return {(one.release, one.upstream_person): one.person_id for one in choose(three, table(**changes)).pictures}

    assert names().items() <= names(persons=5).items()


def test_whom_a_newer_version_took_out_is_not_drawn_from_an_older_one(tmp_path):
    release = write(tmp_path, "some", rows("some", 5))
    gone = sorted({one["person_id"] for one in rows("some", 5)})[2]
    plan = plan_removal(release, [gone], [], "asked")
    remove(plan)
    chosen = choose([release], table(persons=4))
    assert gone not in {one.upstream_person for one in chosen.pictures}
    with pytest.raises(KitError, match="4 free test persons"):
        choose([release], table(persons=5))


def test_only_test_persons_are_drawn(tmp_path):
    content = rows("mixed", 6)
    for one in content[: len(content) // 2]:
        one["split"] = "train"
    test = {one["person_id"] for one in content if one["split"] == "test"}
    chosen = choose([write(tmp_path, "mixed", content)], table())
    assert {one.upstream_person for one in chosen.pictures} == test


def test_a_picture_listed_once_a_caption_is_one_picture_with_all_captions(tmp_path):
    content = [
        row("twice", number, one["person_id"], one["image"]["bytes"], (text,))
        for number, (one, text) in enumerate((one, text) for one in rows("twice", 3, 1) for text in one["captions"])
    ]
    assert len(content) == 6
    chosen = choose([write(tmp_path, "twice", content)], table())
    assert chosen.counts() == {"persons": 3, "images": 3, "originals": 6}


def test_a_person_of_whom_an_earlier_source_has_the_same_picture_stays_out(tmp_path):
    first, second = rows("first", 4, 1), rows("second", 5, 1, start=50)
    copied = second[2]
    copied |= {name: first[1][name] for name in ("image", "image_sha256", "dhash")}
    releases = [write(tmp_path, "first", first), write(tmp_path, "second", second)]
    kept = choose(releases, table(persons=4, near_distance=0))
    assert ("second", copied["person_id"]) not in {(one.release, one.upstream_person) for one in kept.pictures}
    assert ("first", first[1]["person_id"]) in {(one.release, one.upstream_person) for one in kept.pictures}
    assert kept.said["near_duplicates_left_out"] == 1
    assert choose(releases, table(persons=4)).said["near_duplicates_left_out"] == 0


def test_every_original_is_asked_of_every_family_in_a_place_of_its_own(tmp_path):
    content = rows("same", 3, 1)
    for one in content:
        one["captions"] = ["A man in a red coat."] * 2
    chosen = choose([write(tmp_path, "same", content)], table())
    wanted = slots(chosen.pictures, table(rewrites_each=2))
    assert len(wanted) == len(set(wanted)) == 3 * 2 * 2 * 2


WRONG = {
    "too few persons": (lambda content: content, {"persons": 40}, "5 free test persons"),
    "no test split": (lambda content: [one | {"split": "train"} for one in content], {}, "has no test split"),
    "no texts": (lambda content: [one | {"captions": [], "caption_origins": []} for one in content], {}, "no texts"),
}


@pytest.mark.parametrize(("change", "values", "said"), WRONG.values(), ids=WRONG)
def test_a_source_that_cannot_give_persons_is_named(tmp_path, change, values, said):
    release = write(tmp_path, "poor", change(rows("poor", 5)))
    with pytest.raises(KitError, match=said) as error:
        choose([release], table(**values))
    assert str(release.path) in error.value.problem


def test_one_release_given_twice_is_refused(three):
    with pytest.raises(KitError, match="given twice"):
        choose([three[0], three[0]], table())


# Test splits of the sources (UFineBench, section 3.3; IRRA's loaders): persons, images, captions an image.
SIZES = {"cuhk": (1000, 3074, 2), "icfg": (1000, 20_000, 1), "ufine": (2000, 7629, 2)}


def sized(name, people, images, captions):
    rng = np.random.default_rng(list(name.encode()))
    for number in range(images):
        noise = rng.bytes(8)
        texts = [f"A person of {name}, {number}, seen for the {nth}. time." for nth in range(captions)]
        one = row(name, number, f"{number % people:04d}", PIXELS, tuple(texts))
        yield one | {"image_sha256": noise.hex() * 4, "dhash": noise.hex()}


@pytest.mark.full
def test_sources_of_the_papers_sizes_give_the_papers_shape(tmp_path):
    releases = [write(tmp_path, name, sized(name, *size)) for name, size in SIZES.items()]
    chosen = choose(releases, RewriteTable())
    counts = chosen.counts()
    queries = counts["originals"] + len(slots(chosen.pictures, RewriteTable()))
    assert counts["persons"] == 2250
    assert counts["images"] == pytest.approx(7446, rel=0.02)
    assert queries == pytest.approx(37_939, rel=0.02)
    assert chosen.said["near_duplicates_left_out"] == 0
    print(counts, queries)
