"""The YAML block of the card: configurations by shard globs, features and sizes as computed, and the form of the gate."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ufine_kit.dataset.reader import Release, shard_paths
from ufine_kit.hub.facts import Facts
from ufine_kit.hub.texts import texts_schema
from ufine_kit.hub.words import size_category
from ufine_kit.recipe import Recipe

TASKS = ["text-to-image", "image-to-text", "text-retrieval"]
TAGS = ["text-based-person-retrieval", "person-re-identification"]
SYNTHETIC = "synthetic"
EVALUATION = (
    "ufine3c"  # the kind of a release that is a cross-domain evaluation set; its configuration bears the same name
)
CONSENT = "I agree to the terms above"
TERMS = (
    "use the data for non-commercial research only",
    "do not try to find out who a person is, and do not join the data with other data that tells it",
    "do not use the data, or a model trained on it, to watch, track or single out people",
    "do not pass the data on; name this address to those who ask",
    "delete your copy of what is withdrawn here as soon as a new version says so",
)


def front_matter(release: Release, recipe: Recipe, facts: Facts) -> dict[str, Any]:
    """The mapping that stands between the two `---` lines of README.md, in the order in which it is written."""
    card, manifest = recipe.card, release.manifest
    licence = manifest["recipe"].get("license", "")
    images = sum(split["images"] for split in release.splits.values())
    named = {"license_name": card.license_name, "license_link": card.license_link} if licence == "other" else {}
    human = [{"human": "expert-generated", "model": "machine-generated", "model_revised": "machine-generated"}.get(k, "found")
             for k in sorted(facts.kinds)]  # fmt: skip
    return {
        "license": licence,
        **named,
        "language": list(card.languages),
        "pretty_name": card.title or release.name,
        "task_categories": TASKS,
        "size_categories": [size_category(images)],
        "annotations_creators": sorted(set(human)),
        "tags": [*TAGS, "ufine-kit", *([SYNTHETIC] if manifest["synthetic"] else [])],
        "configs": configs(release),
        "dataset_info": dataset_info(release, facts),
        **gate_form(recipe),
    }


def gate_form(recipe: Recipe) -> dict[str, Any]:
    """What a reader sees and has to fill in before the files are shown. The gate itself is a setting of the repository."""
    fields = {name: "country" if name.lower() == "country" else "text" for name in recipe.hub.gate_fields}
    terms = "; ".join(TERMS)
    return {
        "extra_gated_heading": "These files show people: please say who you are and what for",
        "extra_gated_prompt": f"By asking for access you promise this: {terms}.",
        "extra_gated_button_content": "Ask for access",
        "extra_gated_fields": {**fields, CONSENT: "checkbox"},
    }


def config_names(release: Release) -> dict[str, str]:
    """Configuration -> folder of its shards. `default` comes first; `texts` has no pixels."""
    own = {EVALUATION: "data"} if release.manifest["kind"] == EVALUATION else {}
    return {"default": "data", "texts": "texts", **own}


def configs(release: Release) -> list[dict[str, Any]]:
    """The `configs` of the card: one glob a split."""
    return [
        {
            "config_name": name,
            "data_files": [{"split": split, "path": f"{folder}/{split}-*.parquet"} for split in release.splits],
        }
        for name, folder in config_names(release).items()
    ]


def dataset_info(release: Release, facts: Facts) -> list[dict[str, Any]]:
    """The `dataset_info` of the card. `num_bytes` are unpacked column bytes; a wrong `num_examples` would stop `datasets`."""
    schema = pq.read_schema(shard_paths(release)[0])
    told: list[dict[str, Any]] = []
    for name, folder in config_names(release).items():
        pixels = folder == "data"
        sizes = facts.row_bytes if pixels else facts.text_bytes
        splits = [
            {"name": split, "num_bytes": sizes[split], "num_examples": counts["images"]}
            for split, counts in release.splits.items()
        ]
        total = sum(sizes.values())
        told.append(
            {
                "config_name": name,
                "features": features(schema if pixels else texts_schema(schema)),
                "splits": splits,
                "download_size": facts.file_bytes if pixels else facts.texts_file_bytes,
                "dataset_size": total,
            }
        )
    return told


def features(schema: pa.Schema) -> list[dict[str, Any]]:
    """Columns as the card's YAML names them, equal to what `datasets` writes for the same schema."""
    return [{"name": field.name, **_feature(field.name, field.type)} for field in schema]


def _feature(name: str, kind: pa.DataType) -> dict[str, Any]:
    if name == "image":
        return {"dtype": "image"}
    if pa.types.is_struct(kind):
        return {"struct": [{"name": child.name, **_feature("", child.type)} for child in kind]}
    if pa.types.is_list(kind):
        inner = _feature("", kind.value_type)
        return {"list": inner.get("struct") or inner.get("dtype") or inner}
    return {"dtype": {"float": "float32", "double": "float64"}.get(str(kind), str(kind))}
