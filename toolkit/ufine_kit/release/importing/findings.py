"""What an import has to say of single rows: why one was left out, or what is odd about one that was taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

LEFT_OUT = {
    "wrong_type": "a field is missing, or is not what it must be",
    "double_key": "an object names a key twice",
    "bad_path": "the file name is absolute, climbs out, or holds control characters",
    "no_captions": "no caption with a word in it",
    "two_identities": "the image is listed under two identities",
    "two_splits": "the image is listed in two splits",
    "missing": "there is no such picture file",
    "outside": "a link leads out of the dataset's folder",
    "broken": "the picture does not decode to its end",
    "oversized": "the picture is too large to be a crop of a person",
    "format": "no picture in a form that is taken (JPEG, PNG, BMP, WebP)",
    "removed": "a takedown of this release names it",
}
NOTES = {
    "split_name": "a split that is neither train, val nor test counts as val",
    "text_for_list": "one text where a list of texts belongs",
    "listed_again": "an image on several rows was taken once, with the captions of all",
    "two_split_identity": "an identity sits in two splits",
    "empty_caption": "a caption without a word was dropped",
    "control": "control characters became blanks",
    "markup": "HTML or other tags, kept as they are",
    "script": "letters of another script, kept as they are",
    "code": "pieces of program code, kept as they are",
    "shared": "the same caption stands on another identity too",
    "extension": "the file's name says another format than its bytes",
    "metadata": "EXIF, XMP, IPTC or a comment in the picture",
    "gps": "a place of recording in the picture",
    "metadata_stripped": "EXIF, XMP, IPTC and comments were cut out; the pixels are as they were",
}


@dataclass(frozen=True)
class Finding:
    """One thing to say of one row of an annotation file; rows count from 0."""

    row: int
    reason: str
    image: str = ""
    person: str = ""
    detail: str = ""

    @property
    def left_out(self) -> bool:
        """Whether the row (or its image) did not go into the release."""
        return self.reason in LEFT_OUT

    def __post_init__(self) -> None:
        assert self.reason in LEFT_OUT or self.reason in NOTES, self.reason


class Refused(Exception):
    """A picture or a name cannot be used; `reason` is a word of `LEFT_OUT`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


def counted(findings: Iterable[Finding]) -> tuple[dict[str, int], dict[str, int]]:
    """Reasons of rows left out, and notes on rows taken, each with its number, the most frequent first."""
    found = list(findings)
    out = Counter(finding.reason for finding in found if finding.left_out)
    notes = Counter(finding.reason for finding in found if not finding.left_out)
    return dict(out.most_common()), dict(notes.most_common())
