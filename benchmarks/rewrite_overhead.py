"""What the rewriting client costs beside a bare one: CPU and rate against a server of constant latency, and a long resume.

Run: python benchmarks/rewrite_overhead.py [--json FILE]. Server, bare client and ours are processes of their own; the two
clients take turns, and the medians of three pairs are compared.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROWS, WINDOW, LATENCY = 2000, 64, 0.2
LONG = 25_000
TEXT = (
    "A young woman with long brown hair walks to the left. She wears a red coat over a white shirt, dark blue jeans and grey "
    "sneakers with white soles. She carries a black backpack on both shoulders and holds a phone in her right hand. Number {}."
)


def serve() -> None:
    """A chat server that answers every request after the same time with the same words."""
    from aiohttp import web

    said = {
        "choices": [{"message": {"content": "She wears a red coat. " * 8}, "finish_reason": "stop"}],
        "usage": {"completion_tokens": 40}, "system_fingerprint": "constant",
    }  # fmt: skip

    async def chat(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(LATENCY)
        return web.json_response(said)

    async def start() -> None:
        app = web.Application()
        app.add_routes([web.post("/v1/chat/completions", chat)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        print(site._server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Event().wait()

    asyncio.run(start())


def asks() -> list:
    """The rows that both clients ask."""
    from ufine_kit.rewrite.asks import Original, Slot, ask
    from ufine_kit.tables import RewriteTable

    table = RewriteTable(window=WINDOW)
    return [
        ask(Slot(Original(f"image-{n}", 0, "world", TEXT.format(n)), "qwen", 0), 1, 400, table, "") for n in range(ROWS)
    ]


def bare(url: str) -> None:
    """What one writes in ten minutes: the same requests with the same window, answers kept in one file at the end."""
    import aiohttp

    from ufine_kit.rewrite.asks import payload
    from ufine_kit.tables import RewriteTable

    table = RewriteTable(window=WINDOW)
    rows = asks()

    async def all_of_them() -> list[str]:
        window = asyncio.Semaphore(WINDOW)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=WINDOW)) as session:

            async def one(body: dict) -> str:
                async with window, session.post(f"{url}/chat/completions", json=body) as answer:
                    return (await answer.json())["choices"][0]["message"]["content"]

            return await asyncio.gather(*(one(payload(row, table)) for row in rows))

    measured(lambda: Path("answers.json").write_text(json.dumps(asyncio.run(all_of_them()))))


def ours(url: str) -> None:
    """The kit's client, ledger and all."""
    import aiohttp  # noqa: F401 (loaded before the clock starts, as in the bare client)

    from ufine_kit.ledger import Ledger
    from ufine_kit.rewrite.asking import Endpoint, ask_all
    from ufine_kit.tables import RewriteTable

    table, rows = RewriteTable(window=WINDOW), asks()

    def run() -> None:
        with Ledger(Path("ledger"), "models") as ledger:
            ask_all(rows, [Endpoint(url, "qwen")], table, ledger, lambda _: None)

    measured(run)


def measured(act: object) -> None:
    """Print CPU and wall seconds of the act alone, and the process's peak memory."""
    started, cpu = time.perf_counter(), time.process_time()
    act()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu": time.process_time() - cpu, "wall": time.perf_counter() - started, "peak_mib": peak}))


def resume() -> None:
    """A job whose 25,000 rows are all answered and judged: what it costs to find that nothing is left to do."""
    from ufine_kit.ledger import Ledger
    from ufine_kit.rewrite.answers import Answer
    from ufine_kit.rewrite.asking import Endpoint, _entry
    from ufine_kit.rewrite.asks import ask, slots
    from ufine_kit.rewrite.checking import Verdict
    from ufine_kit.rewrite.checking import _entry as _verdict
    from ufine_kit.rewrite.job import JobFolder, stand
    from ufine_kit.rewrite.selection import Picture
    from ufine_kit.tables import RewriteTable

    table = RewriteTable()
    pictures = [
        Picture(
            f"image-{n}", f"{n // 3}", "world", "world", f"{n}", f"{n}", (TEXT.format(n), TEXT.format(-n)), ("", "")
        )
        for n in range(LONG // 4)
    ]
    job = JobFolder(Path("job"))
    wanted = [ask(slot, 1, table.max_tokens, table, "") for slot in slots(pictures, table)]
    with Ledger(job.answers, "models") as answers, Ledger(job.verdicts, "rules") as verdicts:
        for start in range(0, len(wanted), 500):
            some = wanted[start : start + 500]
            texts = [f"{one.slot.family} says of {one.slot.original.text}" for one in some]
            entries = [
                _entry(table, one, Endpoint("u", one.slot.family), Answer("answered", text, "stop", 60, "f"), 1.0)
                for one, text in zip(some, texts, strict=True)
            ]
            answers.append(*entries)
            judged = [Verdict(True, text, [], [], [], []) for text in texts]
            verdicts.append(*map(_verdict, some, entries, judged))

    def run() -> None:
        found, _ = stand(job, pictures, table)
        assert len(found.accepted) + len(found.to_ask) == len(wanted) == LONG // 4 * 4

    measured(run)


def child(what: str, *words: str) -> dict:
    """One part in a fresh process and folder."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, str(Path(__file__).resolve()), "--part", what, *words],
            cwd=folder, check=True, capture_output=True, text=True,
        )  # fmt: skip
    return json.loads(done.stdout)


def main() -> None:
    """Measure and print; with --json keep the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part")
    parser.add_argument("url", nargs="?", default="")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    if given.part:
        {"serve": serve, "bare": lambda: bare(given.url), "ours": lambda: ours(given.url), "resume": resume}[
            given.part
        ]()
        return
    server = subprocess.Popen([sys.executable, __file__, "--part", "serve"], stdout=subprocess.PIPE, text=True)
    try:
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
        pairs = [(child("ours", url), child("bare", url)) for _ in range(3)]
    finally:
        server.kill()
    record = {
        "rows": ROWS, "window": WINDOW, "latency_seconds": LATENCY,
        "cpu_ratio": round(statistics.median(a["cpu"] / b["cpu"] for a, b in pairs), 3),
        "rate_ratio": round(statistics.median(b["wall"] / a["wall"] for a, b in pairs), 3),
        "ours": pairs[0][0], "bare": pairs[0][1], "resume_rows": LONG, "resume": child("resume"),
    }  # fmt: skip
    print(f"client CPU, ours / bare: {record['cpu_ratio']}   rows a second, ours / bare: {record['rate_ratio']}")
    print(
        f"resume of {LONG:,} finished rows: {record['resume']['cpu']:.2f} CPU s, peak {record['resume']['peak_mib']:.0f} MiB"
    )
    if given.json:
        given.json.write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
