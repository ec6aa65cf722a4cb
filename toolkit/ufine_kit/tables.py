"""What may be changed, knob by knob: one table a verb, each field with its working default and what it means."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


class Table(BaseModel):
    """One table of a recipe. Unknown keys are refused, so that a misspelt knob never passes as a default."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class WorldTable(Table):
    """The synthetic world: for proof and demos, never for claims."""

    seed: Annotated[int, Field(ge=0)] = 0
    identities: Count = 160
    crops: Annotated[int, Field(ge=0)] = Field(
        default=0, description="single crops of every identity, beside the videos"
    )
    videos: Annotated[int, Field(ge=0)] = 8
    seconds: Positive = Field(default=12.0, description="length of a video")
    fps: Count = 10
    shots: Count = Field(default=4, description="camera shots a video; tracks end at each")
    people_per_shot: Count = 5
    texts_each: Count = Field(default=6, description="descriptions of every track and crop, by different writers")


class ExtractTable(Table):
    """`extract-tracklets`: from a video to crops of tracked persons."""

    detector: Literal["yolo", "onnx", "hog", "file"] = "yolo"
    tracker: str = Field(default="byte", description="byte: the kit's own; any of boxmot's; file: ids of the box file")
    tracker_preset: Literal["strict", "library"] = Field(
        default="strict", description="pure tracklets, or boxmot's own"
    )
    lost_seconds: Positive = Field(default=0.5, description="strict: how long a tracklet may go unseen")
    meet_iou: Fraction = Field(default=0.2, description="strict: boxes that meet this far end both tracklets; 0: off")
    tracks_only: bool = Field(default=False, description="tracks from given boxes; no picture is read, no crop cut")
    device: str = Field(default="auto", description="of a .pt or .engine network: auto, cpu, cuda:0 ...")
    runtime: Literal["auto", "openvino", "onnxruntime"] = Field(default="auto", description="of exported networks")
    batch: Count = Field(default=8, description="pictures that a .pt or .engine network takes at once")
    detect_size: Annotated[int, Field(ge=32, multiple_of=32)] = Field(
        default=640, description="side of a .pt's picture"
    )
    person_class: Annotated[int, Field(ge=0)] = Field(default=0, description="0 in COCO")
    detect_confidence: Fraction = Field(default=0.1, description="boxes below it are not even tracked")
    nms_iou: Fraction = Field(default=0.65, description="two boxes that share more are one person")
    max_boxes: Count = Field(default=300, description="in one frame")
    fps: Positive | None = Field(default=None, description="frames a second that are looked at; null: every frame")
    segment_seconds: Positive = Field(default=600.0, description="length of a part; cut at shot boundaries nearby")
    pack_seconds: Positive = Field(default=60.0, description="shorter videos are packed into parts of this length")
    shot_threshold: Annotated[float, Field(ge=0)] = Field(
        default=18.0, description="mean change of a small picture (0 to 255) that ends all tracklets; 0: off"
    )
    decode_threads: Count = Field(default=1, description="more than one only speeds up large frames")
    crops_per_tracklet: Count = Field(default=8, description="spread in time, the best of each stretch")
    crop_spacing_seconds: Positive = Field(default=0.5, description="shortest stretch of which one crop is taken")
    padding: Annotated[float, Field(ge=0, le=0.5)] = Field(
        default=0.05, description="share of the box added on every side"
    )
    jpeg_quality: Annotated[int, Field(ge=1, le=100)] = 95
    min_confidence: Fraction = Field(default=0.3, description="of a crop; the tracker sees less sure boxes too")
    min_height_px: Count = Field(default=16, description="of a crop; `filter` asks for more")


class MeasureTable(Table):
    """`filter`, first half: the scores. No threshold stands here, so that changing one never measures again."""


class FilterTable(Table):
    """`filter`: which crops are kept. A crop that fails a line carries that line's name as its reason."""

    min_height_px: Annotated[int, Field(ge=1)] = 64
    min_width_px: Annotated[int, Field(ge=1)] = 24
    min_aspect: Positive = Field(default=1.2, description="height / width of the crop")
    max_aspect: Positive = 5.0
    min_sharpness: Annotated[float, Field(ge=0)] = 20.0
    max_overlap: Fraction = 0.4
    min_border_px: float = Field(default=-2.0, description="a box this far over the frame border is cut off")
    min_brightness: Annotated[float, Field(ge=0, le=255)] = 20.0
    max_brightness: Annotated[float, Field(ge=0, le=255)] = 235.0
    min_contrast: Annotated[float, Field(ge=0)] = 8.0
    min_crops: Count = Field(default=2, description="fewer kept crops drop the whole identity")


class CampaignTable(Table):
    """`campaign`: descriptions by people."""

    min_words: Count = Field(default=1, description="shorter texts stay in the ledger and out of the descriptions")


class ReleaseTable(Table):
    """`build-release`: which rows go out, and to which split."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")] = "dataset"
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")] = "0.1.0"
    source: Annotated[str, Field(min_length=1)] = Field(
        default="own", description="name of the dataset the crops come from"
    )
    license: Annotated[str, Field(min_length=1)] = Field(default="other", description="SPDX name, as the Hub lists it")
    val: Fraction = 0.1
    test: Fraction = 0.25
    seed: int = 0
    shards: Count = Field(default=1, description="files a split; fixed within a major version")


class BaselineTable(Table):
    """`baseline-train`: a small CLIP-type model from scratch, by InfoNCE that knows persons or by IRRA's `sdm`."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")] = "tiny"
    seed: int = 0
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: Count = Field(default=2, description="CPU threads; another number may change the last bits of the weights")
    steps: Count = 240
    batch: Annotated[int, Field(ge=2)] = 64
    learning_rate: Positive = 1.5e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.02
    warmup: Fraction = Field(
        default=0.1, description="share of the steps in which the rate rises; a half cosine follows"
    )
    clip_norm: Positive = Field(default=1.0, description="longest gradient of all weights together")
    loss: Literal["sdm", "contrastive"] = Field(
        default="contrastive", description="`sdm` suits a pretrained start; from scratch it learns far more slowly"
    )
    temperature: Positive = 0.05
    image_height_px: Count = 96
    image_width_px: Count = 48
    patch_px: Count = 8
    width: Count = 96
    vision_layers: Count = 3
    text_layers: Count = 2
    heads: Count = 3
    text_tokens: Annotated[int, Field(ge=3)] = Field(
        default=168, description="longer texts are cut; UFineBench trains with 168"
    )
    vocabulary: Count = 1024
    mirror: bool = Field(
        default=True, description="half of the images are flipped, and left and right change places in their texts"
    )
    shift_px: Annotated[int, Field(ge=0)] = 4
    erase: Fraction = Field(default=0.3, description="share of the images that lose a patch")
    brightness: Annotated[float, Field(ge=0)] = Field(default=0.2, description="in deviations of CLIP's pixels")
    contrast: Fraction = 0.2
    evaluate_every: Count = Field(
        default=60, description="steps between two checkpoints, each measured on the validation split"
    )
