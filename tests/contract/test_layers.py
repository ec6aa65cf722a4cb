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
FILES = sorted(PACKAGE.rglob("*.py"))


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


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_go_from_commands_to_verbs_to_shared_to_core(path):
    wrong = [
        name
        for name, _ in imports(ast.parse(path.read_text()))
        if name.startswith("ufine_kit.") and not may_import(layer(path), layer_of_module(name))
    ]
    assert wrong == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_vendor_is_imported_only_in_its_adapter_and_there_only_in_a_function(path):
    tree = ast.parse(path.read_text())
    vendors = [name for name, _ in imports(tree) if name.split(".")[0] in VENDORS]
    at_top = [
        name
        for node in tree.body
        for name, _ in imports(node)
        if isinstance(node, ast.Import | ast.ImportFrom) and name.split(".")[0] in VENDORS
    ]
    assert not at_top
    assert layer(path) == "adapters" or not vendors


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


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_file_outgrows_a_reader(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 400
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = [node.name for node in functions if node.end_lineno - node.lineno + 1 > 80]
    assert long == [] or (long == ["train"] and path.parent.name == "baseline")
    assert [node.name for node in functions if node.returns is None] == []
