"""Draw docs/world.png: four persons of the synthetic world, two views each, over the first words of their descriptions."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ufine_kit.world import retrieval_set

PEOPLE, HEIGHT, WIDTH, GAP, TEXT_LINES = 4, 256, 128, 14, 9


def picture() -> Image.Image:
    """One row: two crops of a person side by side, the text under them."""
    samples = list(retrieval_set(PEOPLE, 2, seed=11, size=(HEIGHT, WIDTH), captions_each=1, style="plain"))
    cell = 2 * WIDTH + GAP
    sheet = Image.new("RGB", (PEOPLE * cell + GAP, HEIGHT + 2 * GAP + TEXT_LINES * 17), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for number, sample in enumerate(samples):
        left = GAP + (number // 2) * cell + (number % 2) * WIDTH
        sheet.paste(Image.fromarray(np.asarray(sample.image)), (left, GAP))
        if number % 2 == 0:
            lines = textwrap.wrap(sample.captions[0], 37)
            said = "\n".join(
                [*lines[: TEXT_LINES - 1], lines[TEXT_LINES - 1] + " ..."] if len(lines) > TEXT_LINES else lines
            )
            pen.multiline_text((left, HEIGHT + GAP + 8), said, fill="#333", font=font)
    return sheet


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/world.png")
    picture().quantize(192).save(target, optimize=True)
