"""A contact sheet: crops side by side on one PNG, each with a small label and what speaks against it."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, UnidentifiedImageError

from ufine_kit.files import make_folder, replacing
from ufine_kit.report.pick import Shown

CELL_PX = (132, 246)  # width, height; the picture takes the upper 184
PICTURE_PX = (120, 184)
MARGIN_PX = 16
FONT_PX = 11
PAPER, INK, SOFT, AGAINST = "#f7f6f3", "#20242a", "#6b7178", "#ad4a33"


def write_sheet(path: Path, crops: Sequence[Shown]) -> None:
    """Write the PNG, whole or not at all; the same bytes for the same crops and version of Pillow."""
    sheet = draw_sheet(crops)
    make_folder(path.parent)
    with replacing(path) as temporary:
        sheet.save(temporary, "PNG")


def draw_sheet(crops: Sequence[Shown]) -> Image.Image:
    """Crops in lines, about twice as wide as high."""
    columns = max(1, min(len(crops), math.ceil(math.sqrt(2 * len(crops) * CELL_PX[1] / CELL_PX[0]))))
    lines = math.ceil(len(crops) / columns)
    size = (2 * MARGIN_PX + columns * CELL_PX[0], 2 * MARGIN_PX + lines * CELL_PX[1])
    sheet = Image.new("RGB", size, PAPER)
    drawing = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(FONT_PX)
    for number, crop in enumerate(crops):
        left = MARGIN_PX + number % columns * CELL_PX[0]
        top = MARGIN_PX + number // columns * CELL_PX[1]
        _paste(sheet, crop.picture, left, top)
        words = [*crop.label.splitlines(), ", ".join(crop.reasons)]
        for at, (word, colour) in enumerate(zip(words, (INK, SOFT, AGAINST), strict=False)):
            place = (left + 2, top + PICTURE_PX[1] + 3 + at * (FONT_PX + 3))
            drawing.text(place, _fitting(word, font, PICTURE_PX[0]), colour, font)
    return sheet


def _paste(sheet: Image.Image, encoded: bytes, left: int, top: int) -> None:
    """The picture in its cell, as large as fits; a crossed box where it does not decode."""
    wide, high = PICTURE_PX
    try:
        with Image.open(io.BytesIO(encoded)) as image:
            scale = min(wide / image.width, high / image.height)
            size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
            small = image.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
        drawing = ImageDraw.Draw(sheet)
        drawing.rectangle((left, top, left + wide, top + high - 1), outline=AGAINST)
        drawing.line((left, top, left + wide, top + high - 1), AGAINST)
        return
    sheet.paste(small, (left + (wide - size[0]) // 2, top + high - size[1]))


def _fitting(word: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, wide_px: int) -> str:
    """The word, its middle left out where it is too long: ids differ at their ends."""
    if font.getlength(word) <= wide_px:
        return word
    for kept in range(len(word) - 1, 2, -1):
        short = f"{word[: kept // 2]}…{word[len(word) - (kept - kept // 2) :]}"
        if font.getlength(short) <= wide_px:
            return short
    return word[:3]
