"""`ufine-kit push-hub`."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ufine_kit.cli.options import DEFAULT_WORK, DryRun, Json, RecipeName, Sets, Work, Yes
from ufine_kit.errors import EXIT_DONE, KitError
from ufine_kit.output import Output

if TYPE_CHECKING:
    from ufine_kit.adapters.hub import Kind, Place
    from ufine_kit.hub.repository import Prepared, Tree
    from ufine_kit.recipe import Recipe


def push_hub(
    release: Annotated[
        Path | None, typer.Argument(help="Folder of a release; the newest under --work without it.")
    ] = None,
    repo: Annotated[
        str | None, typer.Option("--repo", metavar="ORG/NAME", help="Repository on the Hub; hub.repo without it.")
    ] = None,
    to: Annotated[Path | None, typer.Option("--to", help="Write the repository into this folder instead.")] = None,
    public: Annotated[bool, typer.Option("--public", help="Make it public at the end, behind its gate.")] = False,
    without_baseline: Annotated[
        str | None,
        typer.Option("--without-baseline", metavar="REASON", help="Publish unvalidated; the reason goes on the card."),
    ] = None,
    with_model: Annotated[
        Path | None,
        typer.Option("--with-model", metavar="CHECKPOINT", help="Push this checkpoint as ORG/NAME-baseline."),
    ] = None,
    no_xet: Annotated[bool, typer.Option("--no-xet", help="Send files over LFS, for a Hub without Xet.")] = False,
    purge: Annotated[
        bool, typer.Option("--purge", help="After a takedown: withdraw older tags, history and stored files for good.")
    ] = False,
    work: Work = DEFAULT_WORK,
    recipe: RecipeName = None,
    sets: Sets = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Publish a release with its card: checked, with the baseline record of the very same rows, all of it or nothing."""
    from ufine_kit.dataset.reader import newest_release, open_release
    from ufine_kit.hub.repository import prepare
    from ufine_kit.recipe import load_recipe

    _refuse_together({"--purge": purge, "--to": to is not None, "--public": public})
    _refuse_together({"--to": to is not None, "--with-model": with_model is not None})
    out, chosen = Output(json), load_recipe(recipe, sets or ())
    name = repo or chosen.hub.repo
    if to is None and not name:
        raise KitError("no repository to push to", "ufine-kit push-hub --repo ORG/NAME, or --to DIR for a folder")
    opened = open_release(release or newest_release(work, "dataset"))
    with tempfile.TemporaryDirectory(prefix="ufine-kit-push-") as scratch:
        wish = _Wish(chosen, Path(scratch), public, no_xet, yes, dry_run, out)
        prepared = prepare(opened, chosen, work, wish.scratch / "made", without_baseline, name)
        if to is not None:
            return _to_folder(prepared, to, wish)
        targets = [_Target(name, "dataset", prepared.tree)]
        if with_model is not None:
            from ufine_kit.hub.model import prepare_model

            model = f"{name}-baseline"
            targets.append(_Target(model, "model", prepare_model(with_model, prepared.told, model, wish.scratch)))
        reports = [(_purge if purge else _to_hub)(target, prepared, wish) for target in targets]
    report = {**reports[0], "dry_run": dry_run, **({"model": reports[1]} if with_model else {})}
    out.result(report, [entry["said"] for entry in reports])
    if not purge and report["serve_removed"]:
        out.next(f"ufine-kit push-hub {opened.path} --repo {name} --work {work} --purge")
    return EXIT_DONE


def _refuse_together(flags: dict[str, bool]) -> None:
    """Each of these is a way of its own to end: of two, one would be passed over in silence."""
    given = [name for name, asked in flags.items() if asked]
    if len(given) > 1:
        raise KitError(
            f"{' and '.join(given)} do not go together", f"leave out {given[-1]}, or run one after the other"
        )


@dataclass(frozen=True)
class _Wish:
    """What was asked for beside the release."""

    recipe: Recipe
    scratch: Path
    public: bool
    no_xet: bool
    yes: bool
    dry_run: bool
    out: Output


@dataclass(frozen=True)
class _Target:
    """One repository and the files that it shall hold."""

    repo: str
    kind: Kind
    tree: Tree


def _to_folder(prepared: Prepared, to: Path, wish: _Wish) -> int:
    from ufine_kit.hub.folder import lay_out, plan_folder

    plan, out, sure = plan_folder(prepared, to), wish.out, wish.yes or wish.dry_run
    out.say(f"{to}: {len(plan.fresh)} files to write, {len(plan.same)} there already, {plan.size_bytes / 1e6:.1f} MB")
    if plan.foreign:
        out.confirm(f"`{to}` has a {plan.foreign[0]} that is none of this release; it will be replaced.", sure)
    if plan.gone:
        out.confirm(f"{len(plan.gone)} files in `{to}` belong to another version and will be removed.", sure)
    if not wish.dry_run:
        lay_out(plan)
    report = {
        "to": str(to),
        "written": plan.fresh,
        "unchanged": plan.same,
        "removed": plan.gone,
        "dry_run": wish.dry_run,
    }
    told = f"{to}: {len(plan.fresh)} written, {len(plan.same)} unchanged, {len(plan.gone)} removed"
    out.result(report, [] if wish.dry_run else [told])
    return EXIT_DONE


def _open(target: _Target, wish: _Wish) -> Place:
    from ufine_kit.adapters.hub import open_place

    hub = wish.recipe.hub
    return open_place(target.repo, target.kind, wish.no_xet, hub.tries, hub.pause_seconds)


def _to_hub(target: _Target, prepared: Prepared, wish: _Wish) -> dict[str, Any]:
    from ufine_kit.hub.push import plan_push, push

    out, repo, hub = wish.out, target.repo, wish.recipe.hub
    plan = plan_push(_open(target, wish), target.tree, prepared.release.version)
    out.say(
        f"{repo}: {len(plan.fresh)} files to send ({plan.size_bytes / 1e6:.1f} MB), {len(plan.same)} there already, "
        f"{len(plan.gone)} to take away, {plan.tag} {'stands' if plan.tagged else 'to be set'}"
    )
    if wish.public:
        out.confirm(f"`{repo}` becomes public, behind a gate ({hub.gated}).", wish.yes or wish.dry_run)
    older = [name for name in (plan.seen.tags if plan.seen else {}) if name != plan.tag]
    changed = (
        f"{len(plan.fresh)} files sent, {len(plan.gone)} taken away" if plan.fresh or plan.gone else "nothing to send"
    )
    report: dict[str, Any] = {
        "repo": repo, "kind": target.kind, "version": plan.version, "tag": plan.tag, "sent": plan.fresh,
        "unchanged": plan.same, "removed": plan.gone, "bytes": plan.size_bytes, "public": wish.public,
        "serve_removed": older if prepared.removed.versions else [], "said": f"{repo} {plan.tag}: {changed}",
    }  # fmt: skip
    if not wish.dry_run:
        report["commit"] = push(plan, wish.scratch / target.kind, hub.gated, wish.public, out.say, hub.read_back)
    return report


def _purge(target: _Target, prepared: Prepared, wish: _Wish) -> dict[str, Any]:
    from ufine_kit.hub.purge import plan_purge, purge

    plan = plan_purge(_open(target, wish), target.tree, prepared.release.version)
    size = plan.size_bytes / 1e6
    told = f"{len(plan.tags)} tags, {plan.commits} older commits and {len(plan.stored)} stored files ({size:.1f} MB)"
    if not plan.nothing:
        wish.out.confirm(f"{told} of `{target.repo}` will be deleted for good.", wish.yes or wish.dry_run)
        if not wish.dry_run:
            purge(plan, wish.out.say)
    said = f"{target.repo}: {'nothing left to withdraw' if plan.nothing else told}"
    return {"repo": target.repo, "tags": plan.tags, "commits": plan.commits, "stored": len(plan.stored), "said": said}
