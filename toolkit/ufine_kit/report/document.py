"""One HTML file written as a stream: what a browser shows first comes first, and no datum can become markup or script."""

from __future__ import annotations

import base64
import hashlib
import html
import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from ufine_kit.files import make_folder, replacing
from ufine_kit.report.columns import Columns, rows_of

WEB = Path(__file__).parent / "web"
# In this order they are one script.
SCRIPTS = ("blocks.js", "choose.js", "draw.js", "cards.js", "strips.js", "charts.js", "page.js")
# Pictures, and the texts of as many images, in one block: a strip on the screen opens one or two of them.
BLOCK_ROWS = 256


@dataclass(frozen=True)
class View:
    """What a page shows. `images` has a row for every picture; `captions` one for every text, in the order of the images.

    `texts` gives the texts of every image in turn; `facts` is what the page says of all of them.
    """

    title: str
    facts: dict[str, Any]
    images: Columns
    captions: Columns
    texts: Callable[[], Iterator[list[str]]]
    files: list[Path] = field(default_factory=list[Path])


def write_page(path: Path, view: View, thumbs: Iterable[bytes]) -> int:
    """Write the page, whole or not at all; memory holds one block of pictures and texts. Returns its size in bytes."""
    make_folder(path.parent)
    with replacing(path) as temporary:
        with temporary.open("wb") as stream:
            _write(stream, view, thumbs)
        return temporary.stat().st_size


def _write(stream: BinaryIO, view: View, thumbs: Iterable[bytes]) -> None:
    style = _web("page.css")
    script = "\n".join(_web(name) for name in SCRIPTS)
    shell = _web("page.html")
    for token, value in (
        ("POLICY", policy(style, script)), ("STYLE", style), ("TITLE", html.escape(view.title)),
    ):  # fmt: skip
        shell = shell.replace("{{" + token + "}}", value)
    stream.write(shell.encode())
    facts = {**view.facts, "title": view.title, "rows": rows_of(view.images), "block_rows": BLOCK_ROWS}
    for name, columns in (("image", view.images), ("caption", view.captions)):
        facts[f"{name}_columns"] = list(columns)
        for column, values in columns.items():
            stream.write(json_block(f"{name}-{column}", values.as_json()))
    stream.write(json_block("facts", facts))
    stream.write(f"<script>{script}</script>\n".encode())
    texts, small = view.texts(), iter(thumbs)
    for number in range(-(-rows_of(view.images) // BLOCK_ROWS)):
        said = [text for each in itertools.islice(texts, BLOCK_ROWS) for text in each]
        stream.write(json_block(f"texts-{number}", said))
        stream.write(picture_block(f"thumbs-{number}", list(itertools.islice(small, BLOCK_ROWS))))
    stream.write(b"</body></html>\n")


def _web(name: str) -> str:
    return (WEB / name).read_text(encoding="utf-8")


def policy(style: str, script: str) -> str:
    """A content security policy under which only this style and this script live, and nothing is fetched or sent.

    Scripts cannot even turn text into markup (Trusted Types).
    """
    return (
        "default-src 'none'; img-src blob: data:; "
        f"style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def json_block(name: str, value: Any) -> bytes:
    """An inert block of JSON. `<` is written as its escape, so that no text in it can end the block or open another."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}">{text}</script>\n'.encode(errors="replace")


def picture_block(name: str, pictures: list[bytes]) -> bytes:
    """An inert block of pictures: a line of their lengths, then their bytes end to end in base64."""
    lengths = ",".join(str(len(picture)) for picture in pictures)
    packed = base64.b64encode(b"".join(pictures))
    return f'<script type="text/plain" id="{name}">{lengths}\n'.encode() + packed + b"</script>\n"
