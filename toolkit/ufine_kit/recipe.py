"""What may be changed: one table a verb, read from TOML, changed by `--set`; every knob of the kit is on this page."""

from __future__ import annotations

import difflib
import os
import shlex
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ufine_kit.errors import KitError
from ufine_kit.resources import resource, resource_names

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


class Recipe(Table):
    """One TOML file: a table for every verb, each with working defaults."""

    world: WorldTable = WorldTable()
    extract: ExtractTable = ExtractTable()
    measure: MeasureTable = MeasureTable()
    filter: FilterTable = FilterTable()
    campaign: CampaignTable = CampaignTable()
    release: ReleaseTable = ReleaseTable()
    baseline: BaselineTable = BaselineTable()


def load_recipe(name: str | Path | None, sets: Sequence[str] = ()) -> Recipe:
    """The recipe of a file or of a packaged name, changed by `table.key=value` words; packaged defaults without a name.

    Raises KitError that names the file, the key and the nearest known key.
    """
    raw, where = _read(name)
    for word in [*shlex.split(os.environ.get("UFINE_SET", "")), *sets]:
        _set(raw, word)
    try:
        return Recipe.model_validate(raw)
    except ValidationError as error:
        raise _explained(error, where) from None


def _read(name: str | Path | None) -> tuple[dict[str, Any], str]:
    if name is None:
        return {}, "--set"
    path = Path(name)
    if not path.is_file() and path.suffix == "" and len(path.parts) == 1:
        known = [entry.removesuffix(".toml") for entry in resource_names("recipes", ".toml")]
        if str(name) not in known:
            raise KitError(f"no recipe `{name}`", f"use a file, or one of: {', '.join(known)}")
        path = resource("recipes", f"{name}.toml")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")), str(name)
    except OSError as error:
        raise KitError(f"cannot read recipe `{path}`: {error.strerror}", "give an existing file to --recipe") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise KitError(f"recipe `{path}` is no TOML: {error}", "mend that line") from None


def _set(raw: dict[str, Any], word: str) -> None:
    key, equals, text = word.partition("=")
    table, dot, name = key.strip().partition(".")
    if not equals or not dot or not name:
        raise KitError(f"`--set {word}` is not `table.key=value`", "write it like --set filter.min_height_px=96")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text  # a bare word is a string: --set release.name=mine
    inner = raw.setdefault(table, {})
    if not isinstance(inner, dict):
        raise KitError(f"`{table}` is no table of the recipe", "write it like --set filter.min_height_px=96")
    inner[name] = value


def _explained(error: ValidationError, where: str) -> KitError:
    first = error.errors()[0]
    path = [str(step) for step in first["loc"]]
    key = ".".join(path)
    if first["type"] == "extra_forbidden":
        known = _known(path[:-1])
        near = difflib.get_close_matches(path[-1], known, n=1, cutoff=0.5)
        mend = f"did you mean `{'.'.join([*path[:-1], near[0]])}`?" if near else f"known keys: {', '.join(known)}"
        return KitError(f"unknown key `{key}` in `{where}`", mend)
    return KitError(
        f"`{key}` in `{where}`: {first['msg'][:1].lower()}{first['msg'][1:]}, got `{first['input']}`", f"change `{key}`"
    )


def _known(path: Sequence[str]) -> list[str]:
    model: type[BaseModel] = Recipe
    for step in path:
        inner = model.model_fields[step].annotation
        assert isinstance(inner, type) and issubclass(inner, BaseModel)
        model = inner
    return list(model.model_fields)
