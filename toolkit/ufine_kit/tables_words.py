"""Recipe tables of the verbs in which words are made: by people (`campaign`) and by models (`build-3c`)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ufine_kit.tables_base import Count, Fraction, Positive, Table


class CampaignTable(Table):
    """`campaign`: descriptions by people."""

    min_words: Count = Field(default=1, description="shorter texts stay in the ledger and out of the descriptions")
    overlap: Count = Field(default=2, description="people who describe each crop, or judge each identity")
    crops_each: Annotated[int, Field(ge=0)] = Field(
        default=0, description="kept crops of an identity to describe; 0: all"
    )
    strip: Count = Field(default=12, description="crops of an identity that one review task shows")
    context: bool = Field(
        default=False, description="show other crops of the identity; it invites what this crop hides"
    )
    qualify: Annotated[int, Field(ge=0)] = Field(default=0, description="crops that everybody describes first")
    qualify_share: Fraction = Field(default=0.8, description="share of accepted texts among those that qualifies")
    honeypot_every: Count = Field(
        default=20, description="one crop with a known answer among so many, where such are given"
    )
    honeypot_conflicts: Annotated[int, Field(ge=0)] = Field(
        default=1, description="contradictions of a known answer that are forgiven"
    )
    words_min: Count = 30
    words_max: Count = 218
    words_mean: Annotated[float, Field(gt=0)] = Field(default=80.8, description="mean to aim at (UFineBench, Table 1)")
    words_per_second: Annotated[float, Field(gt=0)] = Field(
        default=2.0, description="faster than anyone looks and types"
    )
    refuse: tuple[str, ...] | None = Field(
        default=None, description="rules that keep a text out of the descriptions; none named: all of level error"
    )
    deleted: Literal["keep", "drop"] = Field(
        default="keep", description="what becomes of a text whose annotation somebody deleted on the server"
    )
    picture_height_px: Count = Field(default=720, description="height at which a crop is shown")
    delivery: Literal["local", "upload", "url", "inline"] = Field(
        default="local", description="how pictures reach people"
    )
    url_template: str = Field(default="", description="for delivery `url`: an address with {crop_id}")
    batch: Count = Field(default=500, description="tasks in one request")
    seed: Annotated[int, Field(ge=0)] = Field(default=0, description="of the order of tasks and of who gets which")


class FamilyTable(Table):
    """One family of language models that rewrites every chosen description; every sampling parameter stands here."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    model: Annotated[str, Field(min_length=1)] = Field(description="as the endpoint serves it")
    revision: Annotated[str, Field(min_length=1)] = Field(
        default="main", description="of the weights; part of every row's key"
    )
    temperature: Annotated[float, Field(ge=0)] = 0.7
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.9
    top_k: Annotated[int, Field(ge=-1)] | None = Field(
        default=None, description="null: not sent, for servers that refuse it"
    )
    repetition_penalty: Positive | None = Field(default=None, description="null: not sent")
    template: dict[str, bool | str] = Field(
        default={}, description="arguments of the model's own chat template, as `enable_thinking = false`"
    )


class RewriteTable(Table):
    """`build-3c`: persons of several test splits, their descriptions rewritten by model families, as UFine3C was made."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")] = Field(
        default="ufine3c", description="of the ledger under `rewrites/` and of the release"
    )
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")] = "1.0.0"
    license: Annotated[str, Field(min_length=1)] = Field(default="other", description="SPDX name, as the Hub lists it")
    seed: int = 0
    persons: Count = Field(default=750, description="of every source, from its test split; UFine3C took 750")
    dense_above: Positive = Field(
        default=5.0, description="images a person: a source with more on average is thinned out"
    )
    dense_cap: Count = Field(default=3, description="images a person of such a source; UFine3C's counts imply it")
    near_distance: Annotated[int, Field(ge=-1, le=8)] = Field(
        default=2, description="bits by which two pictures of one person in two sources may differ; -1: do not look"
    )
    prompt: Annotated[str, Field(pattern=r"\{description\}")] = Field(
        default=(
            "Please reorganize the description in a different way. "
            "You can write it as long or as short as you like: {description}"
        ),
        description="UFineBench, section 3.3",
    )
    families: tuple[FamilyTable, ...] = (
        FamilyTable(name="qwen", model="Qwen/Qwen2.5-14B-Instruct"),
        FamilyTable(name="llama", model="meta-llama/Llama-3.3-70B-Instruct"),
    )
    rewrites_each: Count = Field(default=1, description="of one original by one family")
    attempts: Count = Field(default=3, description="with another seed each, before a row goes to people")
    max_tokens: Count = Field(default=400, description="of the first attempt; doubled where a text was cut off")
    most_tokens: Count = 1600
    window: Count = Field(default=64, description="requests in flight at one endpoint")
    timeout_seconds: Positive = 180.0
    retries: Annotated[int, Field(ge=0)] = Field(default=6, description="of one request that met a fault")
    patience_seconds: Positive = Field(default=120.0, description="how long all endpoints may be down before giving up")
    sampled: Fraction = Field(default=0.02, description="share of the accepted rows that people look at as well")
