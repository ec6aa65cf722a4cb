"""Campaigns at the papers' size on a real Label Studio: create, pull of changes, pull of all, each beside bare calls.

    python benchmarks/campaign_scale.py [--tasks 26206] [--record benchmarks/records/campaign_scale.json]

The server is that of UFINE_LS_URL and LABEL_STUDIO_API_KEY, else one started here. Tasks and two answers each are seeded by
import. Every act runs in a process of its own: wall seconds, CPU seconds and the most memory (VmHWM) are of that process alone.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx

from ufine_kit.adapters.label_studio import ANSWERED, LabelStudio, connect
from ufine_kit.campaign import faces
from ufine_kit.campaign.create import Pictures, create
from ufine_kit.campaign.items import Item, item_key, write_items
from ufine_kit.campaign.pull import OVERLAP_SECONDS, pull
from ufine_kit.campaign.spec import Campaign, Project, Round, read_campaign, write_campaign
from ufine_kit.files import make_folder
from ufine_kit.tables import CampaignTable

TABLE = CampaignTable(delivery="url", url_template="/data/{crop_id}.jpg")
CHANGED, SMALL, PAGE = 500, 2000, 500
WORDS = "a person in a dark coat with two buttons walks past a bright wall and looks to the left side " * 5


class Addresses(dict):
    """Pictures that nobody reads: their address is all that a task holds."""

    __call__ = dict.__getitem__
    by_place = dict.keys


PICTURES = Pictures(
    lambda items: Addresses({name: b"" for item in items for name in item.pictures}),
    lambda project: lambda name, content: f"/data/{name}.jpg",
)


def items(count: int) -> list[Item]:
    return [
        Item(
            item_key("scale", "describe", f"crop{n}"),
            "describe",
            pictures=(f"crop{n}",),
            about={"crop_id": f"crop{n}", "person_id": f"p{n // 4}"},
        )
        for n in range(count)
    ]


def task(item: Item, uid: str, by: int, answers: int) -> dict:
    shown = faces.shown(item, {name: f"/data/{name}.jpg" for name in item.pictures})
    value = {"text": [f"{item.pictures[0]}: {WORDS}"]}
    said = {"from_name": "text", "to_name": "picture", "type": "textarea", "value": value, "id": "r"}
    data = {"item_key": item.item_key, "campaign": uid, "content_sha": "0" * 20, **shown}
    return {"data": data, "annotations": [{"completed_by": by, "lead_time": 95.5, "result": [said]}] * answers}


def bare(server: LabelStudio) -> httpx.Client:
    head = server.line._authorisation()
    return httpx.Client(base_url=server.url, headers={"Authorization": head}, timeout=300, trust_env=False)


def seed(server: LabelStudio, folder: Path, count: int) -> None:
    """A campaign whose project holds `count` tasks, each answered twice; its items are a few more than that."""
    campaign = Campaign(name="scale", server=server.url, overlap=2)
    fields = faces.project_fields("describe", TABLE, 2, None)
    project = server.create_project(title=f"scale {count}", description=campaign.mark(0, None), **fields)["id"]
    asked, by = items(count + CHANGED), server.whoami()
    write_items(make_folder(folder) / "items-000.jsonl", asked)
    campaign.rounds.append(
        Round(number=0, kind="describe", items="items-000.jsonl", projects=[Project(project=project, tasks=count)])
    )
    write_campaign(folder, campaign)
    for start in range(0, count, PAGE):
        batch = asked[start : min(start + PAGE, count)]
        server.import_tasks(project, [task(item, campaign.uid, by, 2) for item in batch])


def change(server: LabelStudio, folder: Path, count: int) -> str:
    """Five hundred more answered tasks; a moment before them."""
    since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    campaign, by = read_campaign(folder), server.whoami()
    fresh = [task(item, campaign.uid, by, 2) for item in items(count + CHANGED)[count:]]
    server.import_tasks(campaign.rounds[0].projects[0].project, fresh)
    return since


def bare_create(server: LabelStudio, folder: Path, count: int) -> int:
    with bare(server) as client:
        fields = {"title": "bare", "description": "bare", **faces.project_fields("describe", TABLE, 2, None)}
        project = client.post("/api/projects/", json=fields).json()["id"]
        asked = items(count)
        for start in range(0, count, PAGE):
            body = [{"data": task(item, "bare", 1, 0)["data"]} for item in asked[start : start + PAGE]]
            client.post(f"/api/projects/{project}/import?return_task_ids=true", json=body).raise_for_status()
    return count


def our_create(server: LabelStudio, folder: Path, count: int) -> int:
    return create(folder.with_name(f"made-{count}"), "describe", items(count), server, TABLE, PICTURES).added


def bare_pages(server: LabelStudio, folder: Path, since: str | None) -> int:
    """The server's own pages, by their number, as its documentation reads them."""
    project, found, number = read_campaign(folder).rounds[0].projects[0].project, 0, 1
    params = {"project": project, "fields": "all", "include": ANSWERED, "resolve_uri": "false", "page_size": PAGE}
    if since:
        late = {"filter": "filter:tasks:updated_at", "operator": "greater", "type": "Datetime", "value": since}
        params["query"] = json.dumps({"filters": {"conjunction": "and", "items": [late]}})
    with bare(server) as client:
        while True:
            page = client.get("/api/tasks", params={**params, "page": number}).raise_for_status().json()
            found += sum(len(one["annotations"]) for one in page["tasks"])
            if number * PAGE >= page["total"]:
                return found
            number += 1


def act(name: str, folder: Path, argument: str) -> None:
    """One act in this process; its cost as one line of JSON."""
    server = connect(folder.parent)
    acts = {
        "bare create": lambda: bare_create(server, folder, int(argument)),
        "create": lambda: our_create(server, folder, int(argument)),
        "bare pull": lambda: bare_pages(server, folder, argument or None),
        "pull": lambda: pull(folder, server).versions,
        "full pull": lambda: pull(folder, server, full=True).tasks,
    }
    wall, cpu = time.perf_counter(), time.process_time()
    done = acts[name]()
    cost = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu, "done": done}
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    print(json.dumps({**cost, "peak_mib": int(peak[1]) / 1024 if peak else None}))


def measured(name: str, folder: Path, argument: object = "") -> dict:
    words = [sys.executable, __file__, "--act", name, str(folder), str(argument)]
    ran = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    cost = json.loads(ran.stdout.splitlines()[-1])
    print(
        f"  {name:12} {cost['seconds']:8.2f} s  {cost['cpu_seconds']:7.2f} CPU s  {cost['peak_mib']:6.0f} MiB  {cost['done']:,}"
    )
    return cost


def size(server: LabelStudio, work: Path, count: int) -> dict:
    """All acts at one size: ours and the bare ones in turn."""
    print(f"{count:,} tasks")
    folder = work / f"scale-{count}"
    found = {"bare_create": measured("bare create", folder, count), "create": measured("create", folder, count)}
    seed(server, folder, count)
    seeded = time.monotonic()
    found["bare_full"] = measured("bare pull", folder)
    time.sleep(max(0.0, OVERLAP_SECONDS + 2 - (time.monotonic() - seeded)))
    found["first"] = measured("pull", folder)
    assert found["first"]["done"] == found["bare_full"]["done"] == 2 * count
    found["full"] = measured("full pull", folder)
    since = change(server, folder, count)
    found["bare_changed"] = measured("bare pull", folder, since)
    found["changed"] = measured("pull", folder)
    assert found["changed"]["done"] == found["bare_changed"]["done"] == 2 * CHANGED
    return found


def ratios(found: dict) -> dict[str, float]:
    pairs = {"create": "bare_create", "changed": "bare_changed", "first": "bare_full", "full": "bare_full"}
    return {name: round(found[name]["seconds"] / found[other]["seconds"], 2) for name, other in pairs.items()}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--tasks", type=int, default=26206)
    asked.add_argument("--record", type=Path)
    asked.add_argument("--act", nargs=3, help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.act:
        return act(given.act[0], Path(given.act[1]), given.act[2])
    with tempfile.TemporaryDirectory() as folder:
        work, ours = Path(folder) / "work", not os.environ.get("UFINE_LS_URL")
        if ours:
            from ufine_kit.adapters import label_studio_server

            label_studio_server.serve(work, print)
        try:
            server = connect(work)
            sizes = sorted({min(SMALL, given.tasks), given.tasks})
            found = {count: size(server, work, count) for count in sizes}
        finally:
            if ours:
                label_studio_server.stop(work)
    few, many = found[sizes[0]], found[sizes[-1]]
    report = {
        "what": "campaign_scale",
        "tasks": sizes[-1],
        "answers": 2 * sizes[-1],
        "server": "Label Studio 1.23.2, SQLite",
        "ratios": ratios(many),
        "peak_mib": {
            name: {str(sizes[0]): few[name]["peak_mib"], str(sizes[-1]): many[name]["peak_mib"]} for name in many
        },
        "costs": {str(count): costs for count, costs in found.items()},
    }
    print(f"ratios to bare calls: {report['ratios']}")
    if given.record:
        given.record.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
