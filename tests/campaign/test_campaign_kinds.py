"""What is asked: every kept crop once, in one order for one seed, and nothing that reviewers have taken out."""

from __future__ import annotations

import json

import pytest

from release.works import decide, decision, make_work, people, picture, write
from rewrite import sources
from ufine_kit.campaign.intake import take_in
from ufine_kit.campaign.items import read_items, write_items
from ufine_kit.campaign.kinds import describe, fix, review, revise
from ufine_kit.campaign.kinds.kept import kept
from ufine_kit.campaign.pictures import pictures
from ufine_kit.dataset.tombstones import person_hash, removed_of, tombstone, write_removed
from ufine_kit.errors import KitError
from ufine_kit.files import canonical_json
from ufine_kit.rows import IdentityPair
from ufine_kit.tables import CampaignTable

TABLE = CampaignTable(seed=3)
CROPS = people("ab", 3, 4)


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return make_work(tmp_path_factory.mktemp("kinds") / "work", CROPS, {"a0-1": ["blurred"]})


def keys(items, *roles):
    return [item.pictures[0] for item in items if not roles or item.role in roles]


def table(**changes):
    return CampaignTable(**{"seed": 3, **changes})


def test_every_kept_crop_is_asked_about_once_in_an_order_that_the_seed_draws(work):
    items = describe.items(work, "c", TABLE)
    assert sorted(keys(items)) == sorted(
        row["crop_id"] for own in CROPS.values() for row in own if row["crop_id"] != "a0-1"
    )
    assert items == describe.items(work, "c", TABLE)
    assert keys(items) != sorted(keys(items))
    assert keys(items) != keys(describe.items(work, "c", table(seed=4)))
    assert len({item.item_key for item in items}) == len(items)
    assert {item.item_key for item in describe.items(work, "d", TABLE)}.isdisjoint(item.item_key for item in items)


def test_the_key_of_a_crop_is_the_same_in_every_recipe(work):
    of = {item.pictures[0]: item.item_key for item in describe.items(work, "c", TABLE)}
    other = describe.items(work, "c", table(seed=9, crops_each=2, qualify=3, context=True))
    assert all(of[item.pictures[0]] == item.item_key for item in other)


def test_so_many_crops_of_an_identity_as_asked_for(work):
    items = describe.items(work, "c", table(crops_each=2))
    assert {person: sum(item.about["person_id"] == person for item in items) for person in CROPS} == dict.fromkeys(
        CROPS, 2
    )


def test_what_qualifies_is_of_different_people_and_is_no_work(work):
    items = describe.items(work, "c", table(qualify=6))
    first = [item for item in items if item.role == "qualify"]
    assert len({item.about["person_id"] for item in first}) == 6
    assert not set(keys(items, "qualify")) & set(keys(items, "work"))
    assert len(keys(describe.items(work, "c", table(qualify=8)), "qualify")) == 8


def test_crops_that_came_later_neither_qualify_nor_add_to_what_a_person_was_asked_for(tmp_path):
    few, more = people("a", 4, 3), people("a", 4, 9)
    made = make_work(tmp_path / "few", few)
    asked = table(crops_each=2, qualify=3)
    first = describe.items(made, "c", asked)
    grown = make_work(tmp_path / "more", more)
    (grown / "campaigns/c").mkdir(parents=True)
    write_items(grown / "campaigns/c/items-000.jsonl", first)
    again = describe.items(grown, "c", asked)
    assert {item.item_key: item.role for item in again} == {item.item_key: item.role for item in first}
    assert {item.item_key for item in describe.items(grown, "d", asked)} != {item.item_key for item in first}


def test_known_answers_are_few_and_are_no_work(work, tmp_path):
    known = tmp_path / "known.jsonl"
    lines = [{"crop_id": name, "text": "A man."} for name in ("a0-1", "a1-0", "b1-1", "b2-2")]
    known.write_text("".join(json.dumps(line) + "\n" for line in lines))
    items = describe.items(work, "c", table(honeypot_every=10), known)
    pots = [item for item in items if item.role == "honeypot"]
    assert len(pots) == 2 and all(item.about["trusted"] == "A man." for item in pots)
    assert not {"a1-0", "b1-1", "b2-2"} & set(keys(items, "work"))
    assert all("A man." not in canonical_json([item.shown, item.pictures]) for item in items)


@pytest.mark.parametrize("line", ['{"crop_id": "a0-0"}', "[]", "nonsense", '{"crop_id": "zz", "text": "A man."}'])
def test_a_bad_known_answer_is_named(work, tmp_path, line):
    known = tmp_path / "known.jsonl"
    known.write_text(f'{{"crop_id": "a0-0", "text": "A man."}}\n{line}\n')
    with pytest.raises(KitError, match="line 2"):
        describe.items(work, "c", TABLE, known)


def test_context_shows_neighbours_only_when_asked_for(work):
    assert all(len(item.pictures) == 1 for item in describe.items(work, "c", TABLE))
    items = {item.pictures[0]: item.pictures for item in describe.items(work, "c", table(context=True))}
    assert items["b1-1"] == ("b1-1", "b1-0", "b1-2", "b1-3")


def test_an_identity_is_reviewed_in_strips_that_share_their_first_crop(work):
    items = review.items(work, "c", table(strip=3))
    strips = [item.pictures for item in items if item.about["person_id"] == "b1"]
    assert sorted(strips) == [("b1-0", "b1-1", "b1-2"), ("b1-0", "b1-3")]
    whole = review.items(work, "c", TABLE)
    assert sorted(item.pictures for item in whole if item.about["person_id"] == "a0") == [("a0-0", "a0-2", "a0-3")]


def test_a_pair_shows_the_crops_that_the_filter_chose_and_is_asked_after_the_identities(tmp_path):
    made = make_work(tmp_path / "work", people("ab", 2, 3), {f"b0-{at}": ["small"] for at in range(3)})
    pairs = [
        {"person_id": "a0", "other_person_id": "b1", "similarity": 0.8,
         "crop_ids": ["a0-2", "a0-0"], "other_crop_ids": ["b1-1"]},
        {"person_id": "a1", "other_person_id": "b0", "similarity": 0.7, "crop_ids": ["a1-2"], "other_crop_ids": ["b0-1"]},
    ]  # fmt: skip
    write(made / "pairs", "part-00000", pairs, IdentityPair)
    items = review.items(made, "c", TABLE)
    assert [item.about.get("other_person_id") for item in items] == [None, None, None, "b1"]
    assert (items[-1].pictures, items[-1].shown) == (("a0-2", "a0-0", "b1-1"), {"first": 2})
    turned = {"person_id": "b1", "other_person_id": "a0", "crop_ids": ["b1-1"], "other_crop_ids": ["a0-0", "a0-2"]}
    write(made / "pairs", "part-00001", [{**pairs[0], **turned}], IdentityPair)
    assert [item.item_key for item in review.items(made, "c", TABLE)] == [item.item_key for item in items]


def test_what_reviewers_took_out_is_not_asked_about(tmp_path):
    made = make_work(tmp_path / "work", people("a", 3, 2), {"a2-1": ["blurred"]})
    later = {"created_at": "2026-01-02T00:00:00Z"}
    decide(
        made,
        decision("drop", crop="a0-0"),
        decision("drop", crop="a0-1"),
        decision("keep", crop="a0-1", **later),
        decision("drop", person="a1"),
        decision("keep", person="a1", reviewer="writer-002"),
        decision("keep", crop="a2-1"),
        decision("keep", person="a0", other="a1"),
    )
    assert kept(made) == {"a0": ["a0-1"], "a1": ["a1-0", "a1-1"], "a2": ["a2-0", "a2-1"]}


def test_what_this_campaign_was_told_makes_no_new_question_of_what_it_asked(tmp_path):
    crops = people("a", 4, 5)
    made = make_work(tmp_path / "work", crops)
    pairs = [
        {"person_id": "a0", "other_person_id": other, "similarity": 0.8,
         "crop_ids": ["a0-1", "a0-0"], "other_crop_ids": [f"{other}-1"]} for other in ("a1", "a2")
    ]  # fmt: skip
    write(made / "pairs", "part-00000", pairs[:1], IdentityPair)
    few = table(strip=3)
    first = review.items(made, "c", few)
    (made / "campaigns/c").mkdir(parents=True)
    write_items(made / "campaigns/c/items-000.jsonl", first)
    decide(made, decision("drop", crop="a0-1"), decision("drop", crop="a1-1"), decision("drop", person="a2"))
    assert review.items(made, "c", few) == first
    write(made / "pairs", "part-00001", pairs[1:], IdentityPair)  # the filter goes on; nobody is asked about who is out
    assert review.items(made, "c", few) == first
    fresh = review.items(made, "d", few)
    assert {"a0-1", "a1-1"}.isdisjoint(name for item in fresh for name in item.pictures)


def test_a_file_of_items_that_is_gone_is_one_line(tmp_path):
    with pytest.raises(KitError, match=r"items-000\.jsonl.: No such file"):
        list(read_items(tmp_path / "items-000.jsonl"))


def test_nothing_kept_is_said(tmp_path):
    with pytest.raises(KitError, match="no kept crop"):
        describe.items(tmp_path, "c", TABLE)


def test_the_pictures_of_items_are_the_crops_to_the_byte(work):
    items = review.items(work, "c", TABLE)
    picture_of = pictures(work, "review", items)
    jpegs = {row["crop_id"]: row["image"]["bytes"] for own in CROPS.values() for row in own}
    assert all(picture_of(name) == jpegs[name] for item in items for name in item.pictures)


def test_a_picture_that_is_gone_is_named(work):
    items = [*describe.items(work, "c", TABLE)]
    gone = type(items[0])("k", "describe", pictures=("zz",))
    with pytest.raises(KitError, match="no picture `zz`"):
        pictures(work, "describe", [gone])


# --- rewrites -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def job(tmp_path):
    work = tmp_path / "work"
    held = {}
    for name in ("one", "two"):
        jpeg = picture(len(held))
        release = sources.write(work, name, [sources.row(name, 0, "0001", jpeg, ("A man walks.",))])
        held[name] = (release.data_digest, jpeg)
    chosen = [{"image_id": f"new-{name}", "release": name, "upstream_image": f"{name}-00000"} for name in held]
    folder = work / "rewrites" / "job"
    folder.mkdir(parents=True)
    releases = {name: digest for name, (digest, _) in held.items()}
    (folder / "selection.json").write_text(json.dumps({"pictures": chosen, "releases": releases}))
    rows = [
        {"rewrite_id": f"r{number}", "of": "attempt-1", "why": why, "checks": [], "messages": messages,
         "image_id": f"new-{name}", "family": "qwen", "source": "A man walks.", "rewrite": "A man <b>goes</b>."}
        for number, (name, why, messages) in enumerate([("one", "sampled", []), ("two", "failed", ["lost: the hat"])])
    ]  # fmt: skip
    (folder / "people.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return work, {f"new-{name}": jpeg for name, (_, jpeg) in held.items()}


def test_a_rewrite_is_shown_beside_its_source_and_its_own_picture(job):
    work, jpegs = job
    items = {item.about["rewrite_id"]: item for item in revise.items(work, "c", "job", TABLE)}
    assert items["r0"].shown == {
        "written": "A man walks.", "draft": "A man <b>goes</b>.", "reasons": ["Nothing was noticed; drawn by chance."],
    }  # fmt: skip
    assert items["r1"].shown["reasons"] == ["lost: the hat"]
    assert items["r0"].about["draft"] == "A man <b>goes</b>."
    picture_of = pictures(work, "revise", items.values())
    assert all(picture_of(item.pictures[0]) == jpegs[item.pictures[0]] for item in items.values())


def test_another_attempt_is_another_question(job):
    work, _ = job
    before = {item.item_key for item in revise.items(work, "c", "job", TABLE)}
    path = work / "rewrites/job/people.jsonl"
    path.write_text(path.read_text().replace("attempt-1", "attempt-2"))
    assert before.isdisjoint(item.item_key for item in revise.items(work, "c", "job", TABLE))


@pytest.mark.parametrize(
    "bad",
    [
        '{"rewrite_id": "r9"}',
        '{"rewrite_id": "r9", "of": "a", "image_id": "i", "source": "s", "rewrite": "\\ud800"}',
        "[]",
    ],
)
def test_a_line_that_is_no_rewrite_is_named(job, bad):
    work, _ = job
    with (work / "rewrites/job/people.jsonl").open("a") as stream:
        stream.write(f"{bad}\n")
    with pytest.raises(KitError, match="line 3 is no rewrite"):
        revise.items(work, "c", "job", TABLE)
    with pytest.raises(KitError, match="no rewrite of job"):
        revise.items(work, "c", "other", TABLE)


def test_a_job_whose_release_is_gone_says_so(job):
    work, _ = job
    items = revise.items(work, "c", "job", TABLE)
    (work / "releases/two/1.0.0/release.json").unlink()
    with pytest.raises(KitError, match="the release `two`"):
        pictures(work, "revise", items)


# --- corrections --------------------------------------------------------------------------------------------------------


def test_a_text_that_is_held_back_comes_again_with_its_words_and_the_reason(tmp_path):
    made = make_work(tmp_path / "work", people("a", 2, 2))
    long = "A man with short brown hair walks to the left in a long green coat with two rows of buttons over a white "
    long += "shirt, black trousers with a crease, brown leather shoes and a red bag on his right shoulder."
    lines = [
        {"crop_id": crop, "text": text, "writer": "w", "created_at": f"2026-01-0{day}T00:00:00Z", "lead_seconds": 90}
        for day, (crop, text) in enumerate([("a0-0", long), ("a1-1", " <b>A man.</b>\n")], start=1)
    ]
    texts = tmp_path / "texts.jsonl"
    texts.write_text("".join(json.dumps(line) + "\n" for line in lines))
    folder = made / "campaigns" / "c"
    assert take_in(folder, texts, {"a0-0", "a1-1"}).added == 2
    (item,) = fix.items(folder, "c", TABLE)
    assert item.shown["draft"] == item.about["draft"] == " <b>A man.</b>\n"
    assert any("words" in reason for reason in item.shown["reasons"])
    assert (item.pictures, item.about["person_id"]) == (("a1-1",), "a1")
    assert item.about["parent_id"] and item.about["parent_id"] not in json.dumps(item.shown)
    assert fix.items(folder, "c", TABLE) == [item]


def test_who_was_removed_from_a_release_is_shown_to_nobody(tmp_path):
    work = make_work(tmp_path / "work", CROPS)
    gone = [
        tombstone("1.0.1", "asked", person_hash("street", "a1"), (), ()),
        tombstone("1.0.1", "asked", None, (), ["b0-2"]),
    ]
    (work / "releases/street").mkdir(parents=True)
    write_removed(work / "releases/street", removed_of("street", gone))
    asked = set(keys(describe.items(work, "c", TABLE)))
    assert asked == {row["crop_id"] for name, own in CROPS.items() for row in own if name != "a1"} - {"b0-2"}
    assert "a1" not in {item.about["person_id"] for item in review.items(work, "r", TABLE) if "person_id" in item.about}
