"""Recipes: every packaged one parses, a wrong key names the nearest, flags win over the environment and the file."""

from __future__ import annotations

import pytest

from ufine_kit.errors import KitError
from ufine_kit.recipe import load_recipe
from ufine_kit.resources import resource_names, root


@pytest.mark.parametrize("name", resource_names("recipes", ".toml"))
def test_every_packaged_recipe_parses_and_is_its_own_manual(name):
    path = root() / "recipes" / name
    assert load_recipe(path) is not None
    head = [line for line in path.read_text().splitlines()[:12] if line.startswith("# ")]
    assert any("ufine-kit" in line for line in head), "the head of a recipe shows its command"


def test_there_are_packaged_recipes():
    assert "demo.toml" in resource_names("recipes", ".toml")


def test_without_a_name_every_table_has_working_defaults():
    assert load_recipe(None).filter.min_height_px == 64


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("filter.min_height_px=96", 96),
        ("filter.max_overlap = 0.25", 0.25),
        ("release.name=mine", "mine"),
        ('release.name="my-own"', "my-own"),
    ],
)
def test_set_changes_one_value(word, value):
    table, key = word.partition("=")[0].strip().split(".")
    assert getattr(getattr(load_recipe(None, [word]), table), key) == value


@pytest.mark.parametrize(
    ("word", "problem", "mend"),
    [
        ("filter.min_hight_px=96", "unknown key `filter.min_hight_px`", "did you mean `filter.min_height_px`?"),
        ("filtr.min_height_px=96", "unknown key `filtr`", "did you mean `filter`?"),
        ("filter.min_height_px=tall", "`filter.min_height_px`", "change `filter.min_height_px`"),
        ("filter.max_overlap=1.5", "less than or equal to 1", "change `filter.max_overlap`"),
        ("filter=1", "is not `table.key=value`", "--set filter.min_height_px=96"),
        ("filter.min_height_px", "is not `table.key=value`", "--set filter.min_height_px=96"),
    ],
)
def test_a_wrong_set_says_what_is_wrong_and_names_its_mend(word, problem, mend):
    with pytest.raises(KitError) as caught:
        load_recipe(None, [word])
    assert problem in caught.value.problem
    assert mend in caught.value.mend


def test_a_quote_without_its_end_is_told(monkeypatch):
    monkeypatch.setenv("UFINE_SET", "card.title='one")
    with pytest.raises(KitError, match="`UFINE_SET` has no closing quotation") as caught:
        load_recipe(None)
    assert "quote" in caught.value.mend


def test_a_flag_wins_over_the_environment_which_wins_over_the_file(tmp_path, monkeypatch):
    path = tmp_path / "mine.toml"
    path.write_text("[filter]\nmin_height_px = 70\nmin_width_px = 20\nmin_crops = 3\n")
    monkeypatch.setenv("UFINE_SET", "filter.min_height_px=80 filter.min_width_px=30")
    table = load_recipe(path, ["filter.min_height_px=90"]).filter
    assert (table.min_height_px, table.min_width_px, table.min_crops) == (90, 30, 3)


PLACES = [
    ([], "", "in `{path}`"),
    (["filter.min_height_px=0"], "", "on the command line"),
    ([], "filter.min_height_px=0", "in `UFINE_SET`"),
    (["filter.min_crops=3"], "", "in `{path}`"),
]


@pytest.mark.parametrize(("sets", "env", "where"), PLACES)
def test_a_value_out_of_range_is_looked_for_where_it_was_written(tmp_path, monkeypatch, sets, env, where):
    path = tmp_path / "mine.toml"
    path.write_text("[filter]\nmin_height_px = -1\n")
    monkeypatch.setenv("UFINE_SET", env)
    with pytest.raises(KitError) as caught:
        load_recipe(path, sets)
    assert caught.value.problem.startswith(f"`filter.min_height_px` {where.format(path=path)}: ")


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"[filter\n", "is no TOML"), (b"\xff\xfe\x00", "is no TOML"), (b"filter = 3\n", "`filter`")],
)
def test_a_file_that_is_no_recipe_is_named(tmp_path, content, problem):
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(KitError, match=r"bad\.toml") as caught:
        load_recipe(path)
    assert problem in caught.value.problem


def test_an_unknown_name_lists_the_packaged_recipes():
    with pytest.raises(KitError, match="no recipe `nowhere`") as caught:
        load_recipe("nowhere")
    assert "demo" in caught.value.mend


def test_a_missing_file_is_named():
    with pytest.raises(KitError, match=r"cannot read recipe `no/such\.toml`"):
        load_recipe("no/such.toml")


def test_a_folder_that_is_called_like_a_packaged_recipe_is_not_in_its_way(tmp_path, monkeypatch):
    (tmp_path / "demo").mkdir()
    monkeypatch.chdir(tmp_path)
    assert load_recipe("demo").release.name == "demo"
