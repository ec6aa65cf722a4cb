"""How fast the text room is: phrases a second, and all rules with near-duplicates over 52,412 texts, in CPU seconds.

The texts are made here: varied, in four styles, 58 writers, two a crop, with a share of copies and template uses.

    PYTHONPATH=toolkit python benchmarks/text_speed.py [--texts 52412] [--record benchmarks/records/text_speed.json]
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from pathlib import Path

import numpy as np

COLOURS = [
    "black",
    "white",
    "red",
    "blue",
    "green",
    "grey",
    "brown",
    "yellow",
    "pink",
    "beige",
    "navy",
    "purple",
    "orange",
    "khaki",
    "cream",
]
UPPERS = ["jacket", "coat", "T-shirt", "sweater", "hoodie", "blouse", "cardigan", "shirt", "vest", "sweatshirt"]
LOWERS = ["trousers", "jeans", "shorts", "leggings", "sweatpants", "chinos", "skirt"]
SHOES = ["sneakers", "boots", "sandals", "loafers", "trainers", "slippers", "canvas", "shoes"]
THINGS = ["backpack", "handbag", "umbrella", "phone", "bottle", "suitcase", "camera", "newspaper", "book", "folder"]
LOOKS = [
    "plain",
    "striped",
    "plaid",
    "loose",
    "tight",
    "cotton",
    "denim",
    "leather",
    "knitted",
    "printed",
    "faded",
    "long",
    "short",
]
HAIRS = ["short black", "long brown", "curly grey", "straight blond", "wavy dark", "messy brown", "thin white"]
WHO = ["young woman", "middle-aged man", "elderly lady", "teenage boy", "tall man", "slim girl"]
OPENINGS = (
    "This is a {who} with {hair} hair.",
    "The {who} has {hair} hair.",
    "A {who} is walking along the street.",
    "In front of a wall stands a {who} whose hair is {hair}.",
    "{Who}, {hair} hair.",
)
PARTS = (
    "The upper body is dressed in a {l1} {c1} {u}.",
    "A {l1} {c1} {u} covers the upper body, and its sleeves are rolled up.",
    "Below it one sees {l2} {c2} {b}.",
    "The lower body is wearing {l2} {c2} {b}, which reach the ankles.",
    "On the feet are {c3} {s} with {c4} soles.",
    "The {s} are {c3} and look new.",
    "A {c4} {t} is in the left hand.",
    "There is no bag, but a {c4} {t} hangs from the right shoulder.",
    "A {c3} belt is worn around the waist.",
    "The person carries a {c1} {t} and looks down.",
    "A {c2} scarf is wrapped around the neck, and the gloves are {c4}.",
    "Nothing is worn on the head.",
    "With a {c3} cap and {c1} glasses the face is hardly seen.",
    "The {u} has a {c4} logo on the chest.",
)


def texts(count: int, seed: int) -> list[dict[str, object]]:
    """Rows as `check_submissions` takes them; about 80 words a text."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    for at in range(count):
        crop = at // 2
        chance = rng.random()
        if rows and chance < 0.01:
            text = str(rows[int(rng.integers(len(rows)))]["text"])
        else:
            text = one_text(rng, np.random.default_rng([seed, crop // 4]))
        rows.append(
            {
                "id": f"d{at}",
                "writer": f"w{int(rng.integers(58))}",
                "crop": f"c{crop}",
                "identity": f"p{crop // 4}",
                "text": text,
                "lead_seconds": float(rng.uniform(60, 300)),
                "draft": None,
            }
        )
    return rows


def one_text(rng: np.random.Generator, looks: np.random.Generator) -> str:
    """One description: an opening and parts in any order from `rng`, filled with the looks of one person."""
    picked = [
        OPENINGS[int(rng.integers(len(OPENINGS)))],
        *(PARTS[k] for k in rng.permutation(len(PARTS))[: int(rng.integers(6, 9))]),
    ]
    pick = {
        name: list(choices)
        for name, choices in (("u", UPPERS), ("b", LOWERS), ("s", SHOES), ("t", THINGS), ("hair", HAIRS), ("who", WHO))
    }
    values = {name: choices[int(looks.integers(len(choices)))] for name, choices in pick.items()}
    values |= {f"c{k}": COLOURS[int(looks.integers(len(COLOURS)))] for k in range(1, 5)}
    values |= {f"l{k}": LOOKS[int(looks.integers(len(LOOKS)))] for k in range(1, 3)}
    return " ".join(part.format(Who=values["who"].capitalize(), **values) for part in picked)


def main() -> None:
    """Measure, print, and write the record where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=52_412)
    parser.add_argument("--record", type=Path)
    args = parser.parse_args()

    from ufine_kit.text.attributes import compare
    from ufine_kit.text.phrases import extract
    from ufine_kit.text.rules import check_submissions
    from ufine_kit.text.words import count

    rows = texts(args.texts, seed=7)
    sample = [str(row["text"]) for row in rows[:4000]]
    extract(sample[0])
    start = time.process_time()
    phrases = sum(len(extract(text)) for text in sample)
    phrase_seconds = time.process_time() - start
    start = time.process_time()
    for a, b in zip(sample[:1000:2], sample[1:1000:2], strict=True):
        compare(a, b)
    compare_seconds = time.process_time() - start
    start = time.process_time()
    found = check_submissions(rows)
    rule_seconds = time.process_time() - start
    record = {
        "texts": len(rows),
        "words_mean": round(sum(count(text) for text in sample) / len(sample), 1),
        "phrases_a_text": round(phrases / len(sample), 2),
        "texts_a_second_phrases": round(len(sample) / phrase_seconds),
        "pairs_a_second_compare": round(500 / compare_seconds),
        "all_rules_cpu_seconds": round(rule_seconds, 1),
        "findings": sum(len(findings) for findings in found.values()),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "numpy": np.__version__,
    }
    json.dump(record, sys.stdout, indent=2)
    print()
    if args.record:
        args.record.parent.mkdir(parents=True, exist_ok=True)
        args.record.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
