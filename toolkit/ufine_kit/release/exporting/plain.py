"""The forms of general tools: WebDataset tars, a folder of images with metadata; and the sheet on which people edit."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from typing import Any

from ufine_kit.dataset.reader import Release, read_rows
from ufine_kit.files import canonical_json
from ufine_kit.release.exporting.folder import Folder, write_lines
from ufine_kit.release.exporting.naming import ending, stem


def write_webdataset(release: Release, folder: Folder, tar_bytes: int) -> None:
    """`{split}-NNNNNN.tar` of at most about `tar_bytes`, with `key.jpg` beside `key.json`; headers tell no time and no user."""
    for split in release.splits:
        rows = read_rows(release, split)
        row = next(rows, None)
        number = 0
        while row is not None:
            with (
                folder.draft(f"{split}-{number:06d}.tar") as draft,
                tarfile.open(draft, "w", format=tarfile.USTAR_FORMAT) as tar,
            ):
                while row is not None and (tar.offset == 0 or tar.offset + len(row["image"]["bytes"]) <= tar_bytes):
                    _add(tar, f"{stem(row['image_id'])}.{ending(row)}", row["image"]["bytes"])
                    _add(tar, f"{stem(row['image_id'])}.json", (canonical_json(without_pixels(row)) + "\n").encode())
                    row = next(rows, None)
            number += 1


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def without_pixels(row: dict[str, Any]) -> dict[str, Any]:
    """A row as JSON can hold it."""
    return {name: value for name, value in row.items() if name != "image"}


def write_imagefolder(release: Release, folder: Folder) -> None:
    """`{split}/<image id>.jpg` and `{split}/metadata.jsonl`, as `datasets` reads a folder of images."""
    for split in release.splits:
        with folder.draft(f"{split}/metadata.jsonl") as draft:
            write_lines(draft, _imagefolder_rows(release, folder, split))


def _imagefolder_rows(release: Release, folder: Folder, split: str) -> Iterator[dict[str, Any]]:
    for row in read_rows(release, split):
        name = f"{stem(row['image_id'])}.{ending(row)}"
        folder.picture(f"{split}/{name}", row["image"]["bytes"])
        yield {"file_name": name, **{key: value for key, value in without_pixels(row).items() if key != "split"}}


def write_edits(release: Release, folder: Folder, editor: str) -> None:
    """`edits.jsonl`, a line a caption for people to change, and an empty `drop.jsonl` for images that shall go."""
    with folder.draft("edits.jsonl") as draft:
        write_lines(draft, _edit_rows(release, editor))
    with folder.draft("drop.jsonl") as draft:
        write_lines(draft, ())


def _edit_rows(release: Release, editor: str) -> Iterator[dict[str, Any]]:
    for row in read_rows(release, columns=["image_id", "captions"]):
        for number, text in enumerate(row["captions"]):
            yield {"image_id": row["image_id"], "caption_index": number, "text": text, "editor": editor}
