"""What may be changed, knob by knob: one table a verb, each field with its working default and what it means."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ufine_kit.tables_base import Count, Fraction, Positive, Similarity, Table, Weight
from ufine_kit.tables_words import CampaignTable, FamilyTable, RewriteTable

__all__ = [
    "BaselineTable", "CampaignTable", "CardTable", "CheckTable", "DecoderTable", "ExtractTable", "FamilyTable", "FilterTable",
    "HubTable", "LossesTable", "MeasureTable", "ReleaseTable", "RewriteTable", "Table", "TargetRow", "WorldTable",
]  # fmt: skip


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
    detect_shape: Literal["video", "network"] = Field(
        default="video", description="video: no wider or higher than the video needs, where the network allows that"
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

    embedding: Literal["descriptor", "reid", "clip", "none"] = Field(
        default="descriptor", description="what tells persons apart: colours in stripes, a ReID network, a CLIP tower"
    )
    embedding_weights: str | None = Field(default=None, description="file or folder of the network of reid or clip")
    pose_weights: str | None = Field(default=None, description="ONNX network of 17 COCO points by heat maps")
    batch: Count = Field(default=32, description="crops that a network takes at once")


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
    min_keypoints: Annotated[int, Field(ge=0, le=17)] = Field(
        default=8, description="visible ones, where points were measured; so for the next two"
    )
    min_hips: Annotated[int, Field(ge=0, le=2)] = 1
    min_head_points: Annotated[int, Field(ge=0, le=5)] = 2
    keypoint_confidence: Fraction = Field(default=0.5, description="from here on a point counts as visible")
    calibrated_for: str = Field(default="descriptor", description="the embedding that the next six were calibrated for")
    identities: bool = Field(default=True, description="mend identities by look; false: a tracklet is an identity")
    relative: bool = Field(default=True, description="looks are compared against what all crops of the video share")
    keep_similarity: Similarity = Field(default=0.5, description="to the rest of its identity; below: put out")
    move_similarity: Similarity = Field(default=0.75, description="of what was put out, to a neighbour: joins it")
    merge_similarity: Similarity = Field(default=0.8, description="above it two neighbours are one identity")
    move_window: Annotated[int, Field(ge=0)] = Field(default=2, description="neighbours on each side, in order of time")
    merge_window: Annotated[int, Field(ge=0)] = Field(default=6, description="neighbours that follow, in order of time")
    duplicate_bits: Annotated[int, Field(ge=-1, le=64)] = Field(
        default=2, description="crops of an identity whose dhash differs in no more bits are one; -1: off"
    )
    min_crops: Count = Field(default=2, description="fewer kept crops drop the whole identity")
    max_images: Annotated[int, Field(ge=0)] = Field(default=0, description="chosen of an identity at most; 0: all")
    mean_images: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="chosen of an identity on average (UFine6926: 3.8); 0: all"
    )
    choose: Literal["spread", "random"] = Field(default="spread", description="unlike in time and look, or by chance")
    video_budget: Annotated[int, Field(ge=0)] = Field(default=0, description="crops chosen of one video; 0: all")
    seed: Annotated[int, Field(ge=0)] = Field(default=0, description="of what is chosen by chance")
    pairs: Annotated[int, Field(ge=0)] = Field(default=200, description="pairs across videos to ask people about")
    pairs_each: Count = Field(default=3, description="pairs that one identity may stand in")
    pair_similarity: Similarity = Field(default=0.5, description="pairs below it are not asked about")


class ReleaseTable(Table):
    """`build-release`: which rows go out, and to which split."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")] = "dataset"
    version: Annotated[str, Field(pattern=r"^(\d+\.\d+\.\d+|next-(patch|minor|major))$")] = Field(
        default="0.1.0", description="or next-patch, next-minor, next-major: after the newest version of the name"
    )
    source: Annotated[str, Field(min_length=1)] = Field(
        default="own", description="name of the dataset the crops come from"
    )
    license: Annotated[str, Field(min_length=1)] = Field(default="other", description="SPDX name, as the Hub lists it")
    split_by: Literal["video", "identity"] = Field(
        default="video", description="video: identities that share a video, or a group of videos, go to one split"
    )
    val: Fraction = Field(default=0.1, description="share of the identities")
    test: Fraction = Field(default=0.25, description="share of the identities")
    val_identities: Count | None = Field(default=None, description="a number in place of the share")
    test_identities: Count | None = Field(default=None, description="a number in place of the share")
    seed: int = 0
    shards: Count = Field(default=1, description="files a split; fixed within a major version")


class LossesTable(Table):
    """Weight of every loss of `baseline-train`. 0 leaves out the loss and the layers that it alone needs."""

    contrastive: Weight = Field(default=1.0, description="InfoNCE that knows persons: what learns from scratch")
    sdm: Weight = Field(default=0.0, description="SDM on the global similarities (L_gs); suits a pretrained start")
    tal: Weight = Field(default=0.0, description="triplet alignment on the global similarities (RDE)")
    granularity: Weight = Field(default=0.0, description="SDM on the similarities of the granularity decoder (L_ls)")
    match: Weight = Field(default=0.0, description="matcher of pairs and hard negatives (L_m)")
    cross_identity: Weight = Field(default=0.0, description="identities of pairs, and one class of mismatches (L_cid)")
    identity: Weight = Field(default=0.0, description="identities of images and of texts, one classifier (IRRA)")
    words: Weight = Field(default=0.0, description="masked words told from the image (IRRA's MLM); needs `mask`")
    temperature: Positive = Field(default=0.05, description="of contrastive, sdm and granularity")
    tal_temperature: Positive = 0.015
    tal_margin: Annotated[float, Field(ge=0)] = 0.1


class DecoderTable(Table):
    """Sizes of the granularity decoder, and of the matcher behind it (UFineBench, section 4)."""

    queries: Count = 16
    width: Count = 512
    blocks: Count = 2
    heads: Count = 8


class TargetRow(Table):
    """A published row, in percent, to hold a run against."""

    paper: str = Field(description="table and row of the paper")
    metrics: dict[Literal["R@1", "R@5", "R@10", "mAP", "mINP", "mSD"], float]
    tolerance: Positive = Field(default=1.5, description="percent points that a good run may lie away")


class BaselineTable(Table):
    """`baseline-train`: a CLIP-type model, small and from scratch or pretrained, with the losses that are asked for."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,47}$")] = "tiny"  # a record's has 64 signs, seeds told
    seed: int = 0
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: Count = Field(default=2, description="CPU threads; another number may change the last bits of the weights")
    pretrained: str = Field(
        default="", description="a CLIP in transformers format: folder, or name on the Hub; empty: from scratch"
    )
    steps: Count = 240
    epochs: Count | None = Field(
        default=None, description="in place of `steps`: so many times the pairs that train captions make"
    )
    batch: Annotated[int, Field(ge=2)] = Field(default=64, description="of all processes together")
    learning_rate: Positive = 1.5e-3
    new_learning_rate: Positive | None = Field(
        default=None, description="of layers that no pretrained model brought; null: as the others"
    )
    weight_decay: Annotated[float, Field(ge=0)] = Field(default=0.02, description="AdamW; with 0 it is Adam")
    beta2: Annotated[float, Field(gt=0, lt=1)] = 0.98
    warmup: Fraction = Field(
        default=0.1, description="share of the steps in which the rate rises; a half cosine follows"
    )
    clip_norm: Annotated[float, Field(ge=0)] = Field(
        default=1.0, description="longest gradient of all weights together; 0: not shortened"
    )
    losses: LossesTable = LossesTable()
    decoder: DecoderTable = DecoderTable()
    precision: Literal["auto", "fp32", "bf16"] = Field(
        default="auto", description="auto: bf16 autocast on a GPU that has it"
    )
    compile: bool = Field(default=False, description="torch.compile; texts are then padded to `text_tokens`")
    cache: Literal["auto", "device", "host"] = Field(
        default="auto", description="where decoded images wait; auto: in GPU memory if half of what is free holds them"
    )
    image_height_px: Count = 96
    image_width_px: Count = 48
    patch_px: Count = Field(default=8, description="from scratch; a pretrained model brings its own sizes")
    width: Count = 96
    vision_layers: Count = 3
    text_layers: Count = 2
    heads: Count = 3
    text_tokens: Annotated[int, Field(ge=3)] = Field(
        default=168, description="longer texts are cut; UFineBench trains with 168"
    )
    vocabulary: Count = Field(default=1024, description="from scratch")
    mask: Fraction = Field(default=0.0, description="share of the tokens that become the mask token")
    replace: Fraction = Field(default=0.0, description="share of the tokens that become any other")
    mirror: bool = Field(default=True, description="half of the images are flipped")
    mirror_words: bool = Field(default=True, description="left and right change places in a flipped image's texts")
    shift_px: Annotated[int, Field(ge=0)] = 4
    erase: Fraction = Field(default=0.3, description="share of the images that lose a patch")
    erase_most: Fraction = Field(default=0.2, description="largest share of an image that goes; the smallest is 0.02")
    brightness: Annotated[float, Field(ge=0)] = Field(default=0.2, description="in deviations of CLIP's pixels")
    contrast: Fraction = 0.2
    evaluate_every: Count = Field(
        default=60, description="steps (with `epochs`: epochs) between two checkpoints, each measured on val"
    )
    select: Literal["val", "last"] = Field(
        default="val", description="val: the best R@1 there, the last step where there is no such split"
    )
    val_share: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.0, description="train identities held out as val where the release has no val split"
    )
    targets: dict[str, TargetRow] = Field(default={}, description="published rows to hold a run against, by release")


class CheckTable(Table):
    """`check-release`: the limits of its checks, and which of them only warn."""

    levels: dict[str, Literal["fail", "warn", "off"]] = Field(
        default={}, description='another level for a check by its name, as { same_caption = "warn" }'
    )
    near_distance: Annotated[int, Field(ge=0, le=8)] = Field(default=4, description="bits of two 64-bit hashes")
    near_likeness: Fraction = Field(
        default=0.97, description="correlation of the two small grey pictures, below which near hashes are chance"
    )
    min_side_px: Count = 16
    min_aspect: Positive = Field(default=0.8, description="height / width; a person's crop outside it is odd")
    max_aspect: Positive = 6.0
    max_pixels: Count = Field(default=16_777_216, description="a larger picture is not decoded")
    min_captions: Count = Field(default=1, description="of every image")
    min_words: Count = Field(default=3, description="of a caption")
    max_words: Count = Field(default=300, description="of a caption; UFine6926's longest has 218")
    shard_mb: Positive = 500.0
    group_mb: Positive = Field(default=100.0, description="of one row group, as the Hub's viewer can read it")
    folder_entries: Count = Field(default=10_000, description="files in one folder")


class HubTable(Table):
    """`push-hub`: where a release goes and who may read it."""

    repo: Annotated[str, Field(pattern=r"^([A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)?$")] = Field(
        default="", description="organisation/name on the Hub; --repo comes first"
    )
    gated: Literal["manual", "auto"] = Field(
        default="manual", description="manual: the owner answers each request; auto: who agrees to the terms is let in"
    )
    gate_fields: Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)] = Field(
        default=["Name", "Affiliation", "Country", "Intended use"], description="what a reader has to say of himself"
    )
    read_back: bool = Field(default=False, description="download every file again and hash it before the merge")
    tries: Count = Field(default=4, description="of every act on the Hub, before a push stops")
    pause_seconds: Annotated[float, Field(ge=0)] = Field(default=1.0, description="before the second try; it doubles")


class CardTable(Table):
    """The card: what no file can know and the owner has to say. A push names the first one that was left blank."""

    title: str = Field(default="", description="pretty name; blank: the name of the release")
    authors: list[str] = Field(default=[], description="as they are to be cited")
    year: Annotated[int, Field(ge=0)] = Field(default=0, description="of publication")
    url: str = Field(default="", description="paper or project page; may stay blank")
    contact: str = Field(default="", description="e-mail or https:// address for questions and takedowns")
    takedown: str = Field(default="", description="what happens, and how soon, when a person asks to be taken out")
    purpose: str = Field(default="", description="why it was made and by whom")
    funding: str = Field(default="", description="who paid; `none` is an answer")
    consent: str = Field(default="", description="on what legal ground people may be shown and described")
    ethics: str = Field(
        default="", description="who looked at the risks: board, impact assessment; `none` is an answer"
    )
    annotators: str = Field(default="", description="who wrote the descriptions, how they were found")
    instructions: str = Field(default="", description="what the annotators were asked to write, or where it is written")
    pay: str = Field(default="", description="what they were paid")
    maintenance: str = Field(default="", description="who looks after it, and until when")
    languages: list[Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]] = Field(default=["en"], min_length=1)
    limits: list[str] = Field(default=[], description="limits beside those that hold for every release")
    known_faults: list[str] = Field(default=[], description="faults beside those that `check-release` warns of")
    model_licences: dict[str, str] = Field(
        default={}, description="licence of every model that wrote captions, by its name as in the rows"
    )
    license_name: str = Field(default="", description="where release.license is `other`: its name")
    license_link: str = Field(
        default="", description="where release.license is `other`: an https:// address of its text"
    )
