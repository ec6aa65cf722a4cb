"""The curve of a training as a picture, drawn with Pillow: loss on the left, R@1 on the validation split on the right."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from ufine_kit.baseline.checkpoint import CURVE
from ufine_kit.files import write_bytes

PLOT = "curve.png"
PANEL = (400, 260)
MARGIN = 40
INK, LINE, GRID = (40, 40, 40), (30, 90, 170), (225, 225, 225)
GRID_LINES = 4

Points = Sequence[tuple[float, float]]


def plot_curve(folder: Path) -> None:
    """Write `curve.png` beside `metrics.jsonl`: the same records give the same bytes."""
    lines = (folder / CURVE).read_text(encoding="utf-8").splitlines() if (folder / CURVE).exists() else []
    records = [json.loads(line) for line in lines]
    panels = [("loss", [(each["step"], each["loss"]) for each in records])]
    looks = [(each["step"], each["R@1"]) for each in records if "R@1" in each]
    panels += [("R@1 on val, %", looks)] if looks else []
    whole = Image.new("RGB", (PANEL[0] * len(panels), PANEL[1]), "white")
    for number, (title, points) in enumerate(panels):
        whole.paste(panel(title, points), (PANEL[0] * number, 0))
    kept = io.BytesIO()
    whole.save(kept, "PNG")
    write_bytes(folder / PLOT, kept.getvalue())


def panel(title: str, points: Points) -> Image.Image:
    """One curve over the steps; its y axis begins at 0."""
    image = Image.new("RGB", PANEL, "white")
    drawing = ImageDraw.Draw(image)
    drawing.text((MARGIN, 8), title, fill=INK)
    top = max((value for _, value in points), default=1.0) or 1.0
    last = max((step for step, _ in points), default=1)
    width, height = PANEL[0] - MARGIN - 12, PANEL[1] - 2 * MARGIN
    for number in range(GRID_LINES + 1):
        y = PANEL[1] - MARGIN - height * number / GRID_LINES
        drawing.line([(MARGIN, y), (MARGIN + width, y)], fill=GRID)
        drawing.text((4, y - 6), f"{top * number / GRID_LINES:.3g}", fill=INK)
    drawing.text((MARGIN, PANEL[1] - MARGIN + 6), "0", fill=INK)
    drawing.text((MARGIN + width - 40, PANEL[1] - MARGIN + 6), f"step {last:,}", fill=INK)
    places = [
        (MARGIN + width * step / last, PANEL[1] - MARGIN - height * min(max(value / top, 0.0), 1.0))
        for step, value in points
    ]
    if len(places) > 1:
        drawing.line(places, fill=LINE, width=2)
    for x, y in places if len(places) < 40 else []:
        drawing.ellipse([(x - 2, y - 2), (x + 2, y + 2)], fill=LINE)
    return image
