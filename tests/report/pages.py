"""A written page taken apart again: its blocks by name, as a browser finds them."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any


class _Parser(HTMLParser):
    """Tags with their attributes, and what stands inside scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[str] = []
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.inside.append("")

        self._open = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            self.inside[-1] += data


class Page:
    """The blocks of a page."""

    def __init__(self, path: Path) -> None:
        self.text = path.read_text(encoding="utf-8")
        parser = _Parser()
        parser.feed(self.text)
        self.tags = parser.tags
        found = list(zip(parser.tags, parser.inside, strict=True))
        self.blocks = {of["id"]: inside for (tag, of), inside in found if tag == "script" and of.get("id")}
        self.running = [inside for (tag, of), inside in found if tag == "script" and not of.get("type")]
        self.styles = [inside for (tag, _), inside in found if tag == "style"]
        (self.policy,) = [of["content"] for tag, of in parser.tags if of.get("http-equiv") == "Content-Security-Policy"]

    def json(self, name: str) -> Any:
        return json.loads(self.blocks[name])

    @property
    def facts(self) -> dict[str, Any]:
        return self.json("facts")

    def column(self, name: str) -> list[Any]:
        """Values of a column, row by row: `image-video`, `caption-kind`."""
        held = self.json(name)
        if "numbers" in held:
            return held["numbers"]
        return [held["words"][code] for code in held.get("codes", range(len(held["words"])))]

    def texts(self) -> list[str]:
        names = sorted((name for name in self.blocks if name.startswith("texts-")), key=lambda name: int(name[6:]))
        return [text for name in names for text in self.json(name)]

    def thumbs(self) -> list[bytes]:
        found = []
        for name in sorted(
            (name for name in self.blocks if name.startswith("thumbs-")), key=lambda name: int(name[7:])
        ):
            line, _, packed = self.blocks[name].partition("\n")
            content = base64.b64decode(packed)
            for length in map(int, line.split(",")):
                found.append(content[:length])
                content = content[length:]
            assert content == b""
        return found

    def table(self, title: str) -> list[list[Any]]:
        (found,) = [table for table in self.facts["tables"] if table["title"] == title]
        return found["lines"]

    def outside(self) -> list[str]:
        """Addresses that the page would fetch: none."""
        return [url for url in re.findall(r"(?:src|href)=['\"]?([^'\" >]+)", self.text) if not url.startswith("data:,")]
