"""The layout shows the data flow: who may import whom, and what the start of the command may load."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "toolkit" / "ufine_kit"
VERBS = {"extract", "filter", "campaign", "release", "rewrite", "baseline", "hub", "report", "ground"}
SHARED = {"dataset", "text", "adapters", "world"}
# Reached only inside the function that opens them, in one adapter each.
VENDORS = {
    "ultralytics",
    "boxmot",
    "openvino",
    "onnxruntime",
    "cv2",
    "label_studio_sdk",
    "vllm",
    "openai",
    "ray",
    "scenedetect",
}
HEAVY = ("torch", "numpy", "pyarrow", "cv2", "vllm", "rich.markdown", "pydantic")
sourced = pytest.mark.xdist_group("sources")


@pytest.fixture(scope="module")
def sources() -> dict[Path, tuple[str, ast.Module]]:
    """Text and tree of every file of the package: read and parsed once, and only looked at."""
    found = {path: path.read_text() for path in sorted(PACKAGE.rglob("*.py"))}
    assert PACKAGE / "pipeline.py" in found
    return {path: (text, ast.parse(text)) for path, text in found.items()}


def layer(path: Path) -> str:
    inside = path.relative_to(PACKAGE).parts
    return inside[0] if len(inside) > 1 else "cli" if path.name == "__main__.py" else "core"


def imports(tree: ast.AST) -> list[tuple[str, ast.AST]]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found += [(f"{node.module}.{alias.name}", node) for alias in node.names]
    return found


def may_import(own: str, other: str) -> bool:
    if own == "cli" or own == other:
        return True
    if own in VERBS:
        return other in SHARED | {"core"}
    if own in SHARED:
        return other in SHARED | {"core"}
    return other == "core"


def layer_of_module(name: str) -> str:
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and (PACKAGE / parts[1]).is_dir() else "core"


@sourced
def test_imports_go_from_commands_to_verbs_to_shared_to_core(sources):
    wrong = [
        (path, name)
        for path, (_, tree) in sources.items()
        for name, _ in imports(tree)
        if name.startswith("ufine_kit.") and not may_import(layer(path), layer_of_module(name))
    ]
    assert wrong == []


@sourced
def test_a_vendor_is_imported_only_in_its_adapter_and_there_only_in_a_function(sources):
    vendors = [
        (path, name)
        for path, (_, tree) in sources.items()
        for name, _ in imports(tree)
        if name.split(".")[0] in VENDORS and layer(path) != "adapters"
    ]
    at_top = [
        (path, name)
        for path, (_, tree) in sources.items()
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name, _ in imports(node)
        if name.split(".")[0] in VENDORS
    ]
    assert (vendors, at_top) == ([], [])


def test_the_rule_would_catch_a_verb_that_imports_a_verb():
    assert not may_import("filter", "extract")
    assert not may_import("core", "dataset")
    assert may_import("filter", "dataset")
    assert layer_of_module("ufine_kit.extract.plan.plan_videos") == "extract"
    assert layer_of_module("ufine_kit.extract") == "extract"
    assert layer_of_module("ufine_kit.errors.KitError") == "core"


@pytest.mark.parametrize(
    ("words", "heavy"),
    # The parser itself loads pydantic where it reads the parameters of one command.
    [
        (["--help"], HEAVY),
        (["--version"], HEAVY),
        (["campaign", "--help"], HEAVY[:-1]),
        (["filter", "--help"], HEAVY[:-1]),
    ],
)
def test_help_loads_nothing_heavy(words, heavy):
    code = (
        "import sys; from ufine_kit.cli import main\n"
        f"sys.argv = ['ufine-kit', *{words!r}]\n"
        "try: main()\n"
        "except SystemExit as left: assert not left.code, left.code\n"
        f"loaded = [name for name in {heavy!r} if name in sys.modules]\n"
        "assert not loaded, loaded"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout


@sourced
def test_no_file_outgrows_a_reader(sources):
    assert [path for path, (text, _) in sources.items() if len(text.splitlines()) > 400] == []
    functions = [
        (path, node)
        for path, (_, tree) in sources.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    long = [(path.parent.name, node.name) for path, node in functions if node.end_lineno - node.lineno + 1 > 80]
    assert long in ([], [("baseline", "train")])
    assert [(path, node.name) for path, node in functions if node.returns is None] == []
