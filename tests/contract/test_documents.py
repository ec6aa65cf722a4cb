"""Documents under test: every command stands in the README, schemas are current, packaged files travel in the wheel."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ufine_kit import parts
from ufine_kit.cli.app import names
from ufine_kit.engine import resolve
from ufine_kit.pipeline import PIPELINE
from ufine_kit.recipe import Recipe
from ufine_kit.rows import ROWS
from ufine_kit.schemas import schemas, text_of

REPO = Path(__file__).parents[2]
README = (REPO / "README.md").read_text()


@pytest.mark.parametrize("name", names())
def test_every_command_stands_in_the_readme(name):
    assert f"ufine-kit {name}" in README


def test_every_command_in_the_readme_exists():
    typed = set(re.findall(r"(?:`|\$ )ufine-kit ((?:campaign )?[a-z][a-z0-9-]+)", README))
    assert typed <= set(names()), typed - set(names())


def test_the_figures_in_the_readme_are_those_of_the_kept_records():
    done = subprocess.run([sys.executable, REPO / "benchmarks/readme.py", "--check"], check=False)
    assert done.returncode == 0, "run `python benchmarks/readme.py`"


@pytest.mark.parametrize("name", sorted(schemas()))
def test_schemas_are_current(name):
    assert (REPO / "schemas" / name).read_text() == text_of(schemas()[name]), "run `make schemas`"


def test_there_is_no_schema_of_something_that_is_gone():
    assert sorted(path.name for path in (REPO / "schemas").glob("*.json")) == sorted(schemas())


@pytest.mark.parametrize("stage", PIPELINE, ids=lambda stage: stage.name)
def test_every_stage_names_things_that_exist(stage):
    assert stage.writes in ROWS
    assert stage.table in Recipe.model_fields
    assert all(read in {other.name for other in PIPELINE} for read in stage.reads)
    opener = resolve(stage.step)
    assert list(opener.__annotations__) == ["table", "return"]
    table = getattr(Recipe(), stage.table).model_dump(mode="json")
    assert callable(opener(table))


def test_no_tracked_file_names_an_index_host_or_a_path_of_a_machine():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPO, capture_output=True, check=True).stdout.split(b"\0")
    forbidden = re.compile(
        rb"(?:--(?:extra-)?index-url|--find-links|/simple\b|files\.pythonhosted|/(?:home|root|Users)/\w+/)"
    )
    own = Path(__file__).name.encode()
    wrong = [
        name.decode()
        for name in listed
        if name
        and not name.endswith(own)
        and (REPO / name.decode()).is_file()
        and forbidden.search((REPO / name.decode()).read_bytes())
    ]
    assert wrong == []


@pytest.fixture(scope="module")
def unpacked_wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    uv = next((path for path in (REPO / ".venvs/uv/bin/uv",) if path.exists()), "uv")
    subprocess.run([uv, "build", "-q", "--wheel", "-o", folder, REPO], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_works_from_an_empty_folder(unpacked_wheel, tmp_path):
    code = (
        "import ufine_kit, json\n"
        "from ufine_kit.resources import root, resource_names\n"
        "from ufine_kit.recipe import load_recipe\n"
        "print(json.dumps({'at': ufine_kit.__file__, 'root': str(root()), 'name': load_recipe('demo').release.name,"
        " 'schemas': resource_names('schemas', '.json'), 'card': resource_names('hub_card', '.j2'),"
        " 'lists': resource_names('constraints', '.txt'), 'faces': resource_names('schemas/label_studio', '.xml')}))"
    )
    # The checkout's own editable install must not answer: the wheel's folder comes first, and -S would hide its dependencies.
    env = {**os.environ, "PYTHONPATH": str(unpacked_wheel)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["at"].startswith(str(unpacked_wheel))
    assert said["root"].startswith(str(unpacked_wheel))
    assert said["name"] == "demo"
    assert said["schemas"] == sorted(schemas())
    assert "card.md.j2" in said["card"]
    assert "describe.xml" in said["faces"]
    assert said["lists"] == ["label-studio.txt"]
    ran = subprocess.run(
        [sys.executable, "-m", "ufine_kit", "status", "--json"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, json.loads(ran.stdout)["stages"]) == (0, [])


def test_the_test_of_versions_would_see_a_raised_stage(tmp_path):
    from dataclasses import replace

    from ufine_kit.pipeline import digest

    stage = PIPELINE[0]
    assert digest(stage, {}) != digest(replace(stage, version=stage.version + 1), {})
    assert parts.read_plan(tmp_path) == []
