"""What the report page costs at 50,000 crops, and at the size of UFine6926 (26,206 images, 52,412 captions).

Pictures are made up (a few hundred distinct JPEGs of 256 x 112 pixels, about 11 kB). The writer runs in a process of its
own: CPU seconds of it and its workers, and its peak memory, are the kernel's. Chromium opens the file from disk; times
count from the start of the navigation, and its memory is that of the page's renderer after it has settled. The bare
decoding of the same pictures stands beside the writer's CPU.

    python benchmarks/report_page.py [--crops 50000] [--record benchmarks/records/report_page.json]
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import PIL
from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "benchmarks"))

DISTINCT = 300
DOCUMENT = ROOT / "docs" / "report.md"
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"
CHROMIUM = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--enable-precise-memory-info",
]  # fmt: skip


def pictures() -> list[bytes]:
    """JPEGs with about the detail of a real crop: patches of colour, finer ones upon them, and noise."""
    held: list[bytes] = []
    for number in range(DISTINCT):
        rng = np.random.default_rng(number)
        pixels = rng.normal(0, 5, (256, 112, 3))
        for rows, columns, strength in ((8, 4, 50), (32, 14, 22), (64, 28, 10)):
            patches = Image.fromarray((rng.random((rows, columns, 3)) * 255).astype(np.uint8))
            pixels += (
                (np.asarray(patches.resize((112, 256), Image.Resampling.BICUBIC), np.float64) - 127) * strength / 75
            )
        stream = io.BytesIO()
        Image.fromarray((pixels + 120).clip(0, 255).astype(np.uint8)).save(stream, "JPEG", quality=90)
        held.append(stream.getvalue())
    return held


def make_crops(work: Path, crops: int) -> None:
    """A work folder: eight crops a tracklet, a fifth of them dropped, a text for every fourth."""
    from text_speed import texts

    from report.folders import Crop, make_work

    held = pictures()
    rng = np.random.default_rng(0)
    said = [str(row["text"]) for row in texts(2000, 7)]
    rows: list[Crop] = []
    for number in range(crops):
        against = ("blurred",) if rng.random() < 0.12 else ("occluded", "small") if rng.random() < 0.09 else ()
        told = (said[number % len(said)],) if number % 4 == 0 else ()
        tracklet = f"cam{number // 5000:02d}:0:{number // 8}"
        rows.append(
            Crop(f"cam{number // 5000:02d}.mp4", tracklet, number % 5000 * 0.5, None, against, told,
                 float(rng.gamma(3, 60)), held[number % DISTINCT])
        )  # fmt: skip
    for part in range(-(-crops // 5000)):
        make_work(work, rows[part * 5000 : (part + 1) * 5000], f"part-{part:05d}", part * 5000)


def make_images(folder: Path, images: int) -> Path:
    """A release: 3.8 images an identity, two captions each of about 80 words."""
    from text_speed import texts

    from report.folders import Image_, make_release

    held = pictures()
    said = [str(row["text"]) for row in texts(4000, 7)]

    def rows() -> Iterator[Image_]:
        for number in range(images):
            captions = [(said[(2 * number + at) % len(said)], "human", "annotator") for at in range(2)]
            split = "train" if number < 0.7 * images else "test"
            yield Image_(f"p{int(number / 3.8):05d}", split, "own", captions, held[number % DISTINCT])

    return make_release(folder, rows(), "large", "1.0.0")


def writer(words: list[str]) -> dict[str, float]:
    """CPU seconds and peak memory of `ufine-kit report` with these words, in a process of its own."""
    code = (
        "import sys, json, resource, time\n"
        "from ufine_kit.cli.app import command\n"
        f"command()({words!r}, standalone_mode=False)\n"
        "own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))\n"
        "cpu = sum(one.ru_utime + one.ru_stime for one in (own, others))\n"
        "print(json.dumps({'cpu_s': cpu, 'peak_mb': own.ru_maxrss / 1024}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def bare_decoding(folder: Path) -> float:
    """CPU seconds of decoding every picture of a folder's Parquet files once, in full."""
    from ufine_kit.parquet import read_rows

    started = time.process_time()
    for path in sorted(folder.glob("*.parquet")):
        for row in read_rows(path, ["image"]):
            with Image.open(io.BytesIO(row["image"]["bytes"])) as image:
                image.convert("RGB")
    return time.process_time() - started


def opened(page: Path) -> dict[str, Any]:
    """Milliseconds to the first paint, to the first strip with its picture and to the whole page, and what it then holds."""
    from playwright.sync_api import sync_playwright

    watch = """requestAnimationFrame(function look() {
        if (!window.firstStrip && document.querySelector('.strip .card')) window.firstStrip = performance.now();
        const image = document.querySelector('.strip img[src]');
        if (image && image.complete) window.firstPicture = performance.now(); else requestAnimationFrame(look);
    });"""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        tab = browser.new_page(viewport={"width": 1360, "height": 860})
        tab.add_init_script(watch)
        tab.goto(page.resolve().as_uri(), wait_until="commit")
        # Polled from outside: the page's policy lets nobody, not even this, leave a script in it.
        while not tab.evaluate("document.readyState === 'complete' && Boolean(window.firstPicture)"):
            time.sleep(0.2)
        found = tab.evaluate(
            "() => ({first_contentful_paint_ms: performance.getEntriesByName('first-contentful-paint')[0].startTime,"
            " first_strip_ms: window.firstStrip, first_picture_ms: window.firstPicture,"
            " whole_page_ms: performance.getEntriesByType('navigation')[0].domComplete})"
        )
        found["tab_mb"] = renderer_mb(browser)
        found |= used(tab)
        found["tab_after_use_mb"] = renderer_mb(browser)
        found["elements"] = tab.evaluate("document.getElementsByTagName('*').length")
        browser.close()
    return {name: round(value) for name, value in found.items()}


def used(tab: Any) -> dict[str, float]:
    """Milliseconds of one toggle and one search (a tenth of a second of waiting for the next key is not counted)."""
    press = (
        "() => { const t = performance.now(); document.querySelector('.toggle').click(); return performance.now() - t }"
    )
    toggled = tab.evaluate(press)
    tab.evaluate(press)
    seek = "() => { asked.query = 'striped umbrella'; const t = performance.now(); refresh(); return performance.now() - t }"
    first, again = tab.evaluate(seek), tab.evaluate(seek)
    tab.evaluate("() => { asked.query = ''; refresh(); }")
    for share in (0.3, 0.7, 1.0):
        tab.evaluate(f"scrollTo(0, {share} * document.body.scrollHeight)")
        tab.wait_for_timeout(300)
    return {"toggle_ms": toggled, "first_search_ms": first, "search_ms": again}


def renderer_mb(browser: Any) -> float:
    """Private memory of the largest renderer process."""
    session = browser.new_browser_cdp_session()
    found = session.send("SystemInfo.getProcessInfo")["processInfo"]
    sizes = [private_mb(int(one["id"])) for one in found if one["type"] == "renderer"]
    return max(sizes, default=0.0)


def private_mb(process: int) -> float:
    lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


def case(name: str, words: list[str], page: Path, pixels: Path, number: int) -> dict[str, Any]:
    """One page written, weighed and opened."""
    wrote = writer(words)
    decoding = bare_decoding(pixels)
    size = page.stat().st_size
    found = {
        "case": name, "images": number, **{key: round(value, 1) for key, value in wrote.items()},
        "bare_decoding_cpu_s": round(decoding, 1), "cpu_to_decoding": round(wrote["cpu_s"] / decoding, 2),
        "page_mb": round(size / 1e6, 1), "page_bytes_an_image": round(size / number), **opened(page),
    }  # fmt: skip
    print(json.dumps(found, indent=2), flush=True)
    return found


def filled(document: str, record: dict[str, Any]) -> str:
    """The document with its figures written anew from a record."""
    rows = [
        ("size of the file", "page_mb", "{:.0f} MB"),
        ("CPU of the writer", "cpu_s", "{:.0f} s"),
        ("beside decoding every crop once", "cpu_to_decoding", "{:.1f}x"),
        ("peak memory of the writer", "peak_mb", "{:.0f} MB"),
        ("first paint", "first_contentful_paint_ms", "{:.0f} ms"),
        ("first strip with its picture", "first_picture_ms", "{:.0f} ms"),
        ("all of the file read", "whole_page_ms", "{:.0f} ms"),
        ("one filter", "toggle_ms", "{:.0f} ms"),
        ("one search, the first one", "search_ms", "{:.0f} ms, "),
        ("memory of the tab, after use", "tab_mb", "{:.0f} MB, "),
    ]
    second = {
        "search_ms": ("first_search_ms", " ms"),
        "tab_mb": ("tab_after_use_mb", " MB"),
    }
    heads = [f"{case['images']:,} {'crops' if case['case'] == 'work' else 'images'}" for case in record["cases"]]
    lines = ["| | " + " | ".join(heads) + " |", "| --- |" + " ---: |" * len(heads)]
    for label, name, form in rows:
        cells = [form.format(case[name]) for case in record["cases"]]
        if name in second:
            other, unit = second[name]
            cells = [f"{cell}{case[other]:.0f}{unit}" for cell, case in zip(cells, record["cases"], strict=True)]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    block = BEGIN + "\n" + "\n".join(lines) + "\n" + END
    return re.sub(f"{BEGIN}.*{END}", lambda _: block, document, flags=re.DOTALL)


def main() -> None:
    """Measure, print, and write the record where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", type=int, default=50_000)
    parser.add_argument("--images", type=int, default=26_206)
    parser.add_argument("--record", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "work"
        make_crops(work, args.crops)
        page = work / "report.html"
        cases = [case("work", ["report", "--work", str(work)], page, work / "tracklets", args.crops)]
        release = make_images(Path(folder), args.images)
        page = Path(folder) / "release.html"
        words = ["report", str(release), "--work", str(work), "--out", str(page)]
        cases.append(case("release", words, page, release / "data", args.images))
    record = {
        "cases": cases, "cores": os.cpu_count(), "python": platform.python_version(), "pillow": PIL.__version__,
        "peak_of_the_benchmark_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }  # fmt: skip
    if args.record:
        args.record.parent.mkdir(parents=True, exist_ok=True)
        args.record.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        DOCUMENT.write_text(filled(DOCUMENT.read_text(encoding="utf-8"), record), encoding="utf-8")


if __name__ == "__main__":
    main()
