"""`ufine-kit build-release`, `edit-release` and `remove`: a release built, a next version of it, and people taken out of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ufine_kit.cli.options import DEFAULT_WORK, DryRun, Json, RecipeName, Sets, Work, Yes
from ufine_kit.errors import EXIT_DONE
from ufine_kit.output import Output, count

if TYPE_CHECKING:
    from ufine_kit.dataset.reader import Release
    from ufine_kit.release.pixels import Blur

SHOWN = 10
LARGE_SHARD_BYTES = 500_000_000

Of = Annotated[
    Path | None, typer.Argument(metavar="[RELEASE]", help="Folder of a release; the newest under --work without it.")
]


def build_release(
    name: Annotated[str | None, typer.Option("--name", help="Name of the release.")] = None,
    version: Annotated[
        str | None, typer.Option("--version", help="Like 0.1.0; or next-patch, next-minor, next-major.")
    ] = None,
    blur_faces: Annotated[
        Path | None, typer.Option("--blur-faces", metavar="WEIGHTS", help="Blur faces that this YuNet ONNX file finds.")
    ] = None,
    work: Work = DEFAULT_WORK,
    recipe: RecipeName = None,
    sets: Sets = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Join kept crops, decisions and descriptions, split them by video, and write a release that never changes again."""
    from ufine_kit.recipe import load_recipe
    from ufine_kit.release.build import build, plan_build

    out = Output(json)
    flags = [f'release.{key}="{value}"' for key, value in (("name", name), ("version", version)) if value is not None]
    chosen = load_recipe(recipe, [*(sets or ()), *flags])
    blur = _blur(blur_faces)
    plan = plan_build(work, chosen.release)
    out.say(f"{plan.folder}: " + ", ".join(f"{number:,} {what}" for what, number in plan.counts().items()))
    told = plan.left_out()
    _tell(out, told)
    report: dict[str, Any] = {"folder": str(plan.folder), "left_out": told}
    if dry_run:
        out.result({**report, **plan.counts(), "sources": plan.sources, "dry_run": True}, [str(plan.folder)])
        return EXIT_DONE
    manifest = build(work, chosen.release, blur)
    _answer(out, plan.folder, manifest, report)
    _hint_at_large_shards(out, plan.folder, manifest)
    out.next(f"ufine-kit baseline-train {plan.folder} --work {work}")
    return EXIT_DONE


def edit_release(
    release: Of = None,
    edits: Annotated[
        Path | None, typer.Option("--edits", help="JSONL with image_id, caption_index, text, editor (a pseudonym).")
    ] = None,
    drop: Annotated[Path | None, typer.Option("--drop", help="JSONL with image_id and reason.")] = None,
    version: Annotated[
        str | None, typer.Option("--version", help="The next patch without it; or next-minor, or a number.")
    ] = None,
    work: Work = DEFAULT_WORK,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Bring caption edits and drop lists back in, as the next version of a release; other shards stay as they are."""
    from ufine_kit.release.edit import edit, plan_edit, read_edits

    out = Output(json)
    plan = plan_edit(_release(release, work), read_edits(edits, drop), version)
    folder = plan.revision.folder
    report = {"captions": plan.captions, "dropped": plan.images, "unchanged": plan.unchanged, "dry_run": dry_run}
    out.say(
        f"{folder}: {count(plan.captions, 'caption')} edited, {count(plan.images, 'image')} dropped,"
        f" {plan.unchanged:,} as they were; {count(len(plan.revision.shards), 'shard')} written anew"
    )
    if dry_run:
        out.result({"folder": str(folder), **report}, [str(folder)])
        return EXIT_DONE
    _answer(out, folder, edit(plan), report)
    out.next(f"ufine-kit check-release {folder} --work {work}")
    return EXIT_DONE


def remove(
    release: Of = None,
    person: Annotated[list[str] | None, typer.Option("--person", metavar="ID", help="An identity, all of it.")] = None,
    image: Annotated[list[str] | None, typer.Option("--image", metavar="ID", help="One image.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Published with the removal: no name in it.")] = "",
    work: Work = DEFAULT_WORK,
    yes: Yes = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Take people or images out for good: a patch version without them, and no later build brings them back."""
    from ufine_kit.release.remove import plan_removal
    from ufine_kit.release.remove import remove as act

    out = Output(json)
    plan = plan_removal(_release(release, work), person or [], image or [], reason)
    folder = plan.revision.folder
    what = f"{count(plan.images, 'image')} of {count(plan.persons, 'identity')}"
    shards = count(len(plan.revision.shards), "shard")
    out.say(f"{folder}: without {what}; {shards} written anew")
    report = {"images": plan.images, "identities": plan.persons, "dry_run": dry_run}
    if dry_run:
        out.result({"folder": str(folder), **report}, [str(folder)])
        return EXIT_DONE
    out.confirm(f"{what} will be removed for good, from every later version too.", yes)
    _answer(out, folder, act(plan), {**report, "still_hold_it": plan.still})
    out.say(f"older versions still hold what was removed; withdraw them where they are public: {', '.join(plan.still)}")
    out.next(f"ufine-kit check-release {folder} --work {work}")
    return EXIT_DONE


def _release(given: Path | None, work: Path) -> Release:
    from ufine_kit.dataset.reader import newest_release, open_release

    return open_release(given or newest_release(work))


def _blur(weights: Path | None) -> Blur | None:
    if weights is None:
        return None
    from ufine_kit.adapters.faces import DETECTOR, open_yunet
    from ufine_kit.files import sha256_file
    from ufine_kit.release.pixels import Blur

    return Blur(open_yunet(weights), DETECTOR, sha256_file(weights))


def _tell(out: Output, lines: Sequence[str]) -> None:
    for line in lines[:SHOWN]:
        out.say(f"  {line}")
    if len(lines) > SHOWN:
        out.say(f"  and {len(lines) - SHOWN} more of the kind (--json has all)")


def _answer(out: Output, folder: Path, manifest: dict[str, Any], report: dict[str, Any]) -> None:
    lines = [f"{split:5}  {_words(counts)}" for split, counts in manifest["splits"].items()]
    lines += [f"  {line}" for line in manifest["changes"][:SHOWN]]
    out.result({"folder": str(folder), **report, **manifest}, [*lines, f"data digest {manifest['data_digest']}"])


def _words(counts: dict[str, int]) -> str:
    return "  ".join(f"{counts[what]:,} {what}" for what in ("identities", "images", "captions"))


def _hint_at_large_shards(out: Output, folder: Path, manifest: dict[str, Any]) -> None:
    largest = max(path.stat().st_size for path in (folder / "data").glob("*.parquet"))
    if largest > LARGE_SHARD_BYTES:
        fitting = manifest["shards"] * -(-largest // LARGE_SHARD_BYTES)
        out.say(
            f"a file of {largest / 1e6:,.0f} MB is more than the Hub's viewer likes; from the next major version on:"
            f" --set release.shards={fitting}"
        )
