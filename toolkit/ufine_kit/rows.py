"""The nouns of the kit: what one row of each artefact is; Arrow and JSON schemas are made from here."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    import pyarrow as pa

# Markers that choose a narrower Arrow type than the Python type would give.
Int32 = Annotated[int, "int32"]
Float32 = Annotated[float, "float32"]

Split = Literal["train", "val", "test"]
OriginKind = Literal["human", "model", "model_revised", "imported"]
Granularity = Literal["coarse", "medium", "fine"]
ReviewWord = Literal["keep", "drop", "split", "merge", "same_person"]


# A video of the synthetic world says so in its own metadata, so that its numbers never pass as real ones.
SYNTHETIC_MARK = "ufine-kit synthetic world"


class Row(BaseModel):
    """One row of an artefact. `VERSION` is raised when a field changes its meaning; an added nullable field keeps it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    VERSION: ClassVar[int] = 1


class Image(Row):
    """The Hub's Image type: encoded bytes and a file name."""

    bytes: bytes
    path: str | None = None


class Segment(Row):
    """A stretch of one video: the unit that `extract-tracklets` works on. The tracker starts fresh in each."""

    video: str = Field(description="file name of the video, relative to the folder that was given")
    video_sha256: str
    segment: Int32 = Field(description="number of the segment in its video, from 0")
    first_frame: int = Field(description="first decoded frame of the segment, from 0")
    end_frame: int | None = Field(description="first decoded frame after the segment; null: to the end of the video")
    first_pts: int | None = Field(
        default=None, description="timestamp of the first frame, ticks; null: the video's start"
    )
    end_pts: int | None = Field(default=None, description="timestamp of the first frame after it; null: to the end")


class Crop(Row):
    """One person crop cut from a video frame: the only row that holds pixels."""

    crop_id: str = Field(description="hash of video sha256, frame and rounded box")
    video: str
    video_sha256: str
    segment: Int32
    tracklet: str = Field(description="(video, segment, local id) in one word")
    frame: int = Field(description="decoded frame of the video, from 0")
    seconds: float = Field(description="timestamp of the frame in the video, seconds")
    box_xywh: list[Float32] = Field(description="the tracker's box in pixels of the upright frame, before padding")
    frame_width: Int32
    frame_height: Int32
    confidence: Float32
    max_overlap: Float32 = Field(description="largest share of this box that another person's box covers, 0 to 1")
    border_px: Float32 = Field(description="distance of the box to the nearest frame border, pixels; below 0 outside")
    sharpness: Float32 = Field(description="variance of the Laplacian of the grey crop")
    image: Image
    image_sha256: str
    width: Int32
    height: Int32
    dhash: str = Field(description="64-bit difference hash, 16 hex digits")


class Measure(Row):
    """Scores of one crop that need its pixels: made once, judged many times."""

    crop_id: str
    brightness: Float32 | None = Field(description="mean luma, 0 to 255; null where the picture does not decode")
    contrast: Float32 | None = Field(description="standard deviation of luma, 0 to 255")
    embedding: list[Float32] | None = Field(
        default=None, description="look of the person as the recipe's backend gives it; null where there is none"
    )
    keypoints: list[Float32] | None = Field(
        default=None, description="17 COCO points: x, y (shares of the size), confidence; null where not sought"
    )


class IdentityPair(Row):
    """Two identities of different videos that look alike: a question for people, never an answer."""

    person_id: str
    other_person_id: str
    similarity: Float32 = Field(description="cosine of the two mean looks, each taken against its own video's")
    crop_ids: list[str] = Field(description="the best kept crops of `person_id`, best first")
    other_crop_ids: list[str]


class Verdict(Row):
    """Whether a crop is kept, whose it is, and every reason against it."""

    crop_id: str
    person_id: str
    kept: bool
    reasons: list[str]


class Description(Row):
    """One text that describes one crop."""

    description_id: str
    crop_id: str
    text: str
    writer: str = Field(description="pseudonym")
    created_at: str = Field(description="ISO 8601, UTC")
    lead_seconds: float | None
    origin: OriginKind
    parent_id: str | None
    checks: list[str] = Field(description="names of the text rules that spoke")


class ReviewDecision(Row):
    """What a reviewer decided of a crop or of a pair of identities."""

    crop_id: str | None
    person_id: str | None
    other_person_id: str | None
    decision: ReviewWord
    reviewer: str
    created_at: str


class Rewrite(Row):
    """One rewrite of one caption by a model."""

    rewrite_id: str
    image_id: str
    caption_index: Int32
    text: str
    raw_text: str
    model: str
    revision: str
    attempt: Int32
    verdict: str
    checks: list[str]
    revised_by: str | None


class CaptionOrigin(Row):
    """Where one caption came from, in the order of `captions`."""

    kind: OriginKind
    writer: str = Field(description="pseudonym, or model at revision")
    parent: Int32 | None = Field(description="index of the caption it was made from")
    words: Int32
    granularity: Granularity = Field(description="coarse < 30 words <= medium < 50 <= fine")
    style: str


class Provenance(Row):
    """The way back from a released image to the video frame it was cut from."""

    crop_id: str | None
    video_sha256: str | None
    tracklet: str | None
    frame: int | None
    box_xywh: list[Float32] | None
    upstream_id: str | None = Field(description="identity as the upstream dataset named it")


class Sample(Row):
    """One image of a release with its identity and its captions."""

    image_id: str
    person_id: str
    split: Split
    source: str
    image: Image
    captions: list[str]
    caption_origins: list[CaptionOrigin]
    image_sha256: str
    width: Int32
    height: Int32
    dhash: str
    provenance: Provenance


ROWS: dict[str, type[Row]] = {
    "segment": Segment, "crop": Crop, "measure": Measure, "verdict": Verdict, "identity_pair": IdentityPair,
    "description": Description,
    "review_decision": ReviewDecision, "rewrite": Rewrite, "sample": Sample,
}  # fmt: skip

_SCALARS = {str: "string", bytes: "binary", bool: "bool", int: "int64", float: "float64"}


def arrow_schema(row: type[Row]) -> pa.Schema:
    """The Arrow schema of a row model, field by field in the order they are declared."""
    import pyarrow as pa

    return pa.schema([_arrow_field(name, field.annotation, field.metadata) for name, field in row.model_fields.items()])


def _arrow_field(name: str, annotation: Any, metadata: list[Any]) -> pa.Field:
    import pyarrow as pa

    bare = _without_none(annotation)
    return pa.field(name, _arrow_type(bare, metadata), nullable=bare is not annotation)


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, types.UnionType):
        (kept,) = [option for option in get_args(annotation) if option is not type(None)]
        return kept
    return annotation


def _arrow_type(annotation: Any, metadata: list[Any]) -> pa.DataType:
    import pyarrow as pa

    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *marks = get_args(annotation)
        return _arrow_type(inner, marks)
    if origin is list:
        return pa.list_(_arrow_type(get_args(annotation)[0], []))
    if origin is Literal:
        return pa.string()
    if isinstance(annotation, type) and issubclass(annotation, Row):
        fields = annotation.model_fields
        return pa.struct([_arrow_field(name, field.annotation, field.metadata) for name, field in fields.items()])
    narrow = [mark for mark in metadata if isinstance(mark, str)]
    return pa.type_for_alias(narrow[0] if narrow else _SCALARS[annotation])


def granularity_of(words: int) -> Granularity:
    """Coarse below 30 words, medium below 50, else fine: the borders between the papers' averages 23.5, 37.2 and 80.8."""
    return "coarse" if words < 30 else "medium" if words < 50 else "fine"
