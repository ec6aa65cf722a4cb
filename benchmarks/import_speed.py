"""What `import-dataset` costs beside the work that nobody can leave out: read, hash, decode and write every picture once.

Pictures are drawn here (384x128 JPEG), as many files as asked, two captions of about 80 words each. CPU seconds of both
sides in one run, and the peak memory of an import of one size and of four times that size.

    python benchmarks/import_speed.py [--images 26206] [--record benchmarks/records/import_speed.json]
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

DISTINCT = 400
CAPTION = (
    "A person in a {} coat and {} trousers walks by, " + "with a bag over one shoulder and a bottle in the hand, " * 6
)


def make(folder: Path, images: int) -> None:
    """A dataset in the form of UFine6926; files beyond the distinct ones are links to them."""
    rng = np.random.default_rng(5)
    (folder / "images").mkdir(parents=True)
    rows = []
    for number in range(images):
        path = folder / f"images/{number + 1}.jpg"
        if number < DISTINCT:
            coarse = Image.fromarray(rng.integers(0, 255, (48, 16, 3), dtype=np.uint8)).resize((128, 384))
            grain = rng.integers(-12, 12, (384, 128, 3))
            Image.fromarray(np.clip(np.asarray(coarse) + grain, 0, 255).astype(np.uint8)).save(path, quality=90)
        else:
            os.link(folder / f"images/{number % DISTINCT + 1}.jpg", path)
        person = number // 4 + 1
        texts = [CAPTION.format(f"c{number}", f"d{number + nth}") for nth in range(2)]
        split = "train" if person % 4 else "test"
        rows.append({"split": split, "id": person, "file_path": f"images/{number + 1}.jpg", "captions": texts})
    (folder / "UFine6926_Annotations.json").write_text(json.dumps(rows))


def bare(folder: Path, out: Path) -> None:
    """Read, hash and decode every picture, and write bytes and captions with pyarrow: the floor of any import."""
    schema = pa.schema([("image", pa.binary()), ("captions", pa.list_(pa.string())), ("sha256", pa.string())])
    rows = json.loads((folder / "UFine6926_Annotations.json").read_text())
    with pq.ParquetWriter(out, schema, compression={"image": "NONE", "captions.list.element": "zstd"}) as writer:
        for start in range(0, len(rows), 512):
            group = []
            for row in rows[start : start + 512]:
                content = (folder / row["file_path"]).read_bytes()
                with Image.open(io.BytesIO(content)) as image:
                    image.convert("L").resize((9, 8), Image.Resampling.BOX)
                sha256 = hashlib.sha256(content).hexdigest()
                group.append({"image": content, "captions": row["captions"], "sha256": sha256})
            writer.write_table(pa.Table.from_pylist(group, schema=schema))


def kit(folder: Path, out: Path) -> None:
    """The command itself."""
    sys.argv = ["ufine-kit", "import-dataset", "ufine6926", str(folder), "--work", str(out), "--json"]
    from ufine_kit.cli import main

    main()


def measured(side: str, folder: Path, out: Path) -> dict[str, float]:
    """CPU seconds and peak memory of one side in a process of its own."""
    words = [sys.executable, __file__, "--side", side, "--folder", str(folder), "--out", str(out)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return json.loads(done.stderr.splitlines()[-1])


def one_side(side: str, folder: Path, out: Path) -> None:
    """Run a side and tell its cost on the last line of stderr."""
    try:
        {"bare": bare, "import": kit}[side](folder, out)
    except SystemExit as left:
        if left.code:
            raise
    used = resource.getrusage(resource.RUSAGE_SELF)
    said = {"cpu_s": round(used.ru_utime + used.ru_stime, 2), "peak_mib": round(used.ru_maxrss / 1024, 1)}
    print(json.dumps(said), file=sys.stderr)


def main() -> None:
    """Measure, print, and write the record where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=26_206)
    parser.add_argument("--record", type=Path)
    parser.add_argument("--side", choices=["bare", "import"])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    if args.side:
        one_side(args.side, args.folder, args.out)
        return
    record: dict[str, object] = {"images": args.images}
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        for size, images in (("quarter", args.images // 4), ("whole", args.images)):
            make(base / size, images)
            for side in ("bare", "import"):
                record[f"{side}_{size}"] = measured(side, base / size, base / f"{side}-{size}")
    floor, ours = record["bare_whole"], record["import_whole"]
    assert isinstance(floor, dict)
    assert isinstance(ours, dict)
    record |= {"cpu_ratio": round(ours["cpu_s"] / floor["cpu_s"], 2), "python": platform.python_version()}
    record |= {"machine": platform.machine(), "pyarrow": pa.__version__}
    print(json.dumps(record, indent=2))
    if args.record:
        args.record.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
