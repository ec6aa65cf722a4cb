"""`ufine-kit campaign qc` and `campaign status`: what is wrong with the texts, how far the campaign is, and who writes well."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from ufine_kit.cli.options import DEFAULT_WORK, DryRun, Json, RecipeName, Sets, Work
from ufine_kit.errors import EXIT_CHECK_FAILED, EXIT_DONE, KitError
from ufine_kit.output import Output, count

Name = Annotated[str, typer.Argument(help="Name of the campaign.")]
SHOWN = 10
# As `campaign pull` keeps the users of a server; a writer who came by file stands by name.
SERVER_USER = re.compile(r"https?://\S+ user ([0-9]+)")


def qc(
    name: Name,
    work: Work = DEFAULT_WORK,
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", help="Baseline that says which texts fit another person better.")
    ] = None,
    recipe: RecipeName = None,
    sets: Sets = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Judge every text of a campaign by the text rules, known answers and its writer's other texts; into qc.json."""
    from ufine_kit.campaign.intake import campaign_folder
    from ufine_kit.campaign.people import crop_people
    from ufine_kit.campaign.qc import FILE, qc, report, write_qc
    from ufine_kit.campaign.recall import judged_of
    from ufine_kit.campaign.standing import need_ledger
    from ufine_kit.recipe import load_recipe

    out = Output(json)
    folder, table, people = campaign_folder(work, name), load_recipe(recipe, sets or ()).campaign, crop_people(work)
    need_ledger(folder)
    quality = qc(folder, table, people)
    ambiguous: list[dict[str, Any]] = []
    if checkpoint is not None:
        from ufine_kit.cli.campaign_ambiguity import ambiguous_texts, mark

        ambiguous = ambiguous_texts(work, checkpoint, quality.standing.work, people)
        mark(quality, ambiguous)
    of = judged_of(quality.standing, table, people)
    content: dict[str, Any] = (
        report(quality, table) | {"of": of} | ({"ambiguous": ambiguous} if checkpoint is not None else {})
    )
    if not dry_run:
        write_qc(folder, content)
    held = [entry for entry in content["findings"] if entry["refused"] and entry["role"] == "work"]
    for entry in held[:SHOWN]:
        said = "; ".join(one["message"] for one in entry["findings"])
        out.say(f"  {entry['description_id']}  {entry['writer']}  {said}")
    if len(held) > SHOWN:
        out.say(f"  and {len(held) - SHOWN:,} more in {folder / FILE}")
    out.result({**content, "dry_run": dry_run}, _qc_lines(content))
    if not content["refused"]:
        out.next(f"ufine-kit campaign close {name} --work {work}")
        return EXIT_DONE
    out.next(f"ufine-kit campaign create fix {name} --work {work}")
    return EXIT_CHECK_FAILED


def _qc_lines(content: dict[str, Any]) -> list[str]:
    words = content["words"]
    lines = [f"{count(content['texts'], 'text')}: {content['accepted']:,} accepted, {content['refused']:,} held back"]
    lines += [f"  {rule:16} {number:,}" for rule, number in sorted(content["rules"].items(), key=lambda one: -one[1])]
    lines += [f"  {rule:16} {number:,}  (told, not held back)" for rule, number in content["warnings"].items()]
    if words["mean"] is not None:
        lines.append(f"words: mean {words['mean']:.1f} ({words['asked']:g} asked), {words['least']} to {words['most']}")
    failed = sum(not one["passed"] for one in content["honeypots"])
    if content["honeypots"]:
        lines.append(f"known answers: {failed:,} of {len(content['honeypots']):,} contradicted")
    return lines


def campaign_status(
    name: Annotated[str | None, typer.Argument(help="Name of the campaign; all in a line each without it.")] = None,
    work: Work = DEFAULT_WORK,
    recipe: RecipeName = None,
    sets: Sets = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write a page with plots there.")] = None,
    report_oov: Annotated[
        bool, typer.Option("--report-oov", help="Words beside colours that the lexicon does not know.")
    ] = False,
    who: Annotated[
        bool, typer.Option("--who", help="Also say who the writers are: looked up now, said here, kept nowhere.")
    ] = False,
    json: Json = False,
) -> int:
    """How far a campaign is, when it will be through, and a line a writer: how much, how long, how rich, how careful."""
    from ufine_kit.recipe import load_recipe

    out = Output(json)
    table = load_recipe(recipe, sets or ()).campaign
    if name is None:
        return _all(out, work, table, html)
    from ufine_kit.campaign.intake import campaign_folder
    from ufine_kit.campaign.people import crop_people
    from ufine_kit.campaign.progress import progress, unknown_words

    folder = campaign_folder(work, name)
    status = progress(folder, table, crop_people(work))
    lines = _status_lines(status)
    if report_oov:
        status["oov"] = unknown_words(folder, table)
        lines += [f"  not in the lexicon: {word}  {number:,}" for word, number in status["oov"].items()]
    if html is not None:
        from ufine_kit.campaign.page import write_page

        status["page"] = {"path": str(html), "bytes": write_page(html, name, status)}
        lines.append(str(html))
    out.result(status, lines)
    if who:
        _say_who(out, work, folder)
    return EXIT_DONE


def _say_who(out: Output, work: Path, folder: Path) -> None:
    """Names to the terminal alone. A server's users stand by number in the key file, and are asked for now."""
    from ufine_kit.adapters.label_studio import connect
    from ufine_kit.files import read_json

    keys = [(str(key), str(pseudonym)) for key, pseudonym in read_json(folder / "writers.json").items()]
    users = connect(work).users() if any(SERVER_USER.fullmatch(key) for key, _ in keys) else {}
    for key, pseudonym in sorted(keys, key=lambda pair: pair[1]):
        user = SERVER_USER.fullmatch(key)
        known = users.get(int(user[1]), "no longer on the server") if user else key
        out.say(f"  {pseudonym} is {known}")


def _all(out: Output, work: Path, table: Any, html: Path | None) -> int:
    from ufine_kit.campaign.progress import glance
    from ufine_kit.campaign.spec import FILE

    if html is not None:
        raise KitError("a page is of one campaign", "ufine-kit campaign status NAME --html FILE")
    # One that was created and not yet answered is a campaign too.
    folders = sorted({path.parent for name in ("ledger", FILE) for path in (work / "campaigns").glob(f"*/{name}")})
    found = [glance(folder, table) for folder in folders]
    lines = [
        f"{one['campaign']:20} {count(one['descriptions'], 'text'):>14}"
        + (f" of {one['wanted']:,}" if one["wanted"] else "")
        + f"  {count(one['answers'] + one['decisions'], 'decision')}  {count(one['writers'], 'writer')}  {one['last'] or ''}"
        for one in found
    ]
    out.result({"campaigns": found}, lines or [f"no campaign in {work} yet"])
    if not found:
        out.next(f"ufine-kit campaign create describe NAME --work {work}")
    return EXIT_DONE


def _status_lines(status: dict[str, Any]) -> list[str]:
    wanted = f" of {status['wanted']:,} wanted" if status["wanted"] else ""
    lines = [f"{count(status['descriptions'], 'description')} of {count(status['crops'], 'crop')}"]
    lines += [f"{status['accepted']:,} accepted{wanted}, {status['refused']:,} held back"]
    if status["decisions"]:
        lines.append(f"{count(status['decisions'], 'decision')} by file")
    for what in ("reviews", "revisions"):
        if status[what]:
            lines.append(f"{what}: {status[what]['given']:,} of {status[what]['wanted']:,}")
    if told := status["forecast"]:
        until = f"{told['earliest']} to {told['latest'] or 'open'}"
        when = f"through by {told['finish']} ({until})" if told["finish"] else "not within a century"
        lines.append(f"{told['left']:,} to go at {told['a_day']:g} a day: {when}")
    if status["aside"]:
        lines.append("set aside: " + ", ".join(f"{flag} {number:,}" for flag, number in status["aside"].items()))
    return [*lines, *(_writer_line(who) for who in status["writers"])]


def _writer_line(who: dict[str, Any]) -> str:
    """`writer-001  120 texts  118 accepted  80.8 words ±12.0  ...`, only what there is to say."""
    pots, qualified = who["honeypots"], who["qualified"]
    said = [
        f"  {who['writer']}  {who['texts']:,} texts",
        f"{who['accepted']:,} accepted",
        f"{who['words_mean'] or 0:.1f} words" + (f" ±{who['words_sd']:.1f}" if who["words_sd"] is not None else ""),
        f"variety {who['ttr']:.2f}" if who["ttr"] is not None else "",
        f"covers {who['coverage']:.0%}" if who["coverage"] is not None else "",
        f"{who['words_a_minute']:g} words a minute" if who["words_a_minute"] else "",
        count(who["copies"], "reuse") if who["copies"] else "",
        f"known answers {pots['passed']} right, {pots['failed']} wrong" if pots["passed"] + pots["failed"] else "",
        f"{who['confirmed']:,} confirmed" if who["confirmed"] else "",
        f"skipped {sum(who['skips'].values()):,}" if who["skips"] else "",
        *(
            f"{what} drift from {told['first']:g} to {told['last']:g}"
            for what, told in who["drift"].items()
            if told is not None and told["drifts"]
        ),
    ]
    if qualified is not None:
        said.append({True: "qualified", False: "not qualified", None: "qualifying"}[qualified["passed"]])
    return "  ".join(word for word in said if word)
