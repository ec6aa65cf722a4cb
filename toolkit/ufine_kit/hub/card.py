"""The dataset card, filled from what the release and its baseline record say; nothing in it is typed by hand."""

from __future__ import annotations

import json

from ufine_kit.dataset.reader import Release
from ufine_kit.errors import need
from ufine_kit.manifest import Record
from ufine_kit.resources import resource


def card(release: Release, record: Record | None, without_baseline: str | None) -> str:
    """README.md of the dataset repository, YAML block included. Raises KitError when Jinja is not installed."""
    jinja2 = need("jinja2", "hub")
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )
    environment.filters["yaml"] = _yaml
    environment.filters["plain"] = plain
    template = environment.from_string(resource("hub_card", "card.md.j2").read_text(encoding="utf-8"))
    images = sum(split["images"] for split in release.splits.values())
    return template.render(
        release=release,
        manifest=release.manifest,
        record=record,
        without_baseline=without_baseline,
        size=size_category(images),
    )


def _yaml(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)  # a JSON string is a YAML string


def plain(text: str) -> str:
    """Text that is neither Markdown nor HTML any more: one line, with every special character escaped."""
    line = " ".join(text.split())
    return "".join(f"&#{ord(sign)};" if sign in "<>&[]()*_`#|!\\{}" else sign for sign in line)


def size_category(images: int) -> str:
    """The Hub's word for a number of rows."""
    limits = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M", 10_000_000: "1M<n<10M"}
    return next((word for limit, word in limits.items() if images < limit), "10M<n<100M")
