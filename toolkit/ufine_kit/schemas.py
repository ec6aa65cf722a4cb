"""JSON Schemas of all rows and of the recipe, made from their models: `python -m ufine_kit.schemas` writes `schemas/`."""

from __future__ import annotations

import json
from typing import Any

from ufine_kit.recipe import Recipe
from ufine_kit.resources import root
from ufine_kit.rows import ROWS


def schemas() -> dict[str, dict[str, Any]]:
    """File name -> JSON Schema. Image bytes are base64 text in JSON."""
    rows = {f"{name}.json": row.model_json_schema() for name, row in ROWS.items()}
    for name, row in ROWS.items():
        rows[f"{name}.json"]["version"] = row.VERSION
    return {**rows, "recipe.json": Recipe.model_json_schema()}


def text_of(schema: dict[str, Any]) -> str:
    """The file's content."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write every schema."""
    for name, schema in schemas().items():
        (root() / "schemas" / name).write_text(text_of(schema), encoding="utf-8")


if __name__ == "__main__":
    main()
