"""What annotators see: labelling configs, instructions and the markup of pictures. Everything from outside is escaped here."""

from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from PIL import Image

from ufine_kit.campaign.items import Item, Kind
from ufine_kit.resources import resource
from ufine_kit.tables import CampaignTable

FOLDER = "schemas"
Face = Literal["review_identity", "review_pair", "describe", "revise", "fix"]
FACES: tuple[Face, ...] = ("review_identity", "review_pair", "describe", "revise", "fix")
TITLE_CHARACTERS = range(3, 51)  # what Label Studio takes
ONE_LINE = 6  # crops of a strip that stand beside each other; more stand in two lines and smaller
CONTEXT = 6  # other crops of the person that one task shows at most

_INSIDE = re.compile(r"data:image/jpeg;base64,[A-Za-z0-9+/]+=*")


def face_of(item: Item) -> Face:
    """Which face asks this item."""
    if item.kind == "review":
        return "review_pair" if "other_person_id" in item.about else "review_identity"
    return item.kind


def config(kind: Kind | Face, table: CampaignTable) -> str:
    """The labelling config. A `review` is that of an identity; pairs have a face of their own."""
    style = _filled(_text("style.css"), table)
    return _filled(_text(f"{_face(kind)}.xml"), table).replace("__style__", style.rstrip())


def instructions(kind: Kind | Face, table: CampaignTable) -> str:
    """What people read before their first task, as HTML."""
    return _filled(_text(f"{_face(kind)}.html"), table)


def project_fields(kind: Kind | Face, table: CampaignTable, overlap: int, seat: str | None) -> dict[str, Any]:
    """Everything that a project is made with but its title and description.

    What somebody skips goes to somebody else; in a seat's own project there is nobody else, so it comes again.
    """
    return {
        "label_config": config(kind, table),
        "expert_instruction": instructions(kind, table),
        "show_instruction": True,
        "show_skip_button": True,
        # Without it, Submit stays grey until the text box loses focus; that nothing empty goes out is `required`'s work.
        "enable_empty_annotation": True,
        "show_annotation_history": False,
        "show_collab_predictions": False,
        "reveal_preannotations_interactively": False,
        "maximum_annotations": 1 if seat else overlap,
        "overlap_cohort_percentage": 100,
        "sampling": "Sequential sampling",
        "skip_queue": "REQUEUE_FOR_ME" if seat else "REQUEUE_FOR_OTHERS",
    }


def title(campaign: str, kind: Kind | Face, number: int, seat: str | None) -> str:
    """A project's title, which Label Studio wants to have 3 to 50 characters."""
    words = f"{_face(kind).replace('_', ' ')} {number + 1}{f' {seat}' if seat else ''}"
    room = TITLE_CHARACTERS[-1] - len(words) - 3
    return f"{campaign[:room]} · {words}"


def shown(item: Item, addresses: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a task that its face shows; `addresses` gives the address of every picture."""
    pictures = [addresses[name] for name in item.pictures]
    face = face_of(item)
    if face == "review_identity":
        few = len(pictures) <= ONE_LINE
        strip = [{"picture": _numbered(address, at, few)} for at, address in enumerate(pictures, start=1)]
        return {"strip": strip, "told": _told(len(pictures))}
    if face == "review_pair":
        border = int(item.shown["first"])
        return {"first": _row(pictures[:border]), "second": _row(pictures[border:])}
    texts = {name: _lines(item.shown.get(name, "")) for name in TEXTS[face]}
    return {"picture": subject(pictures[0], pictures[1 : 1 + CONTEXT]), **texts}


TEXTS: dict[Face, tuple[str, ...]] = {
    "describe": (), "fix": ("draft", "reasons"), "revise": ("written", "draft", "reasons"),
}  # fmt: skip


def subject(address: str, others: Sequence[str] = ()) -> str:
    """The one picture that is asked about, and others of the same person below it, small."""
    small = "".join(_image(one, "other picture of the same person") for one in others)
    context = f'<div class="others">{small}</div>' if others else ""
    crowded = " with-others" if others else ""
    return f'<div class="one{crowded}">{_image(address, "the person to describe", "subject")}{context}</div>'


def _image(address: str, alt: str, kind: str = "crop") -> str:
    """Markup of one picture. The page strips bytes out of `src`, and lets them be the background of a box of that shape."""
    told = html.escape(alt, quote=True)
    if shape := _shape_inside(address):
        style = f"background-image:url({address});aspect-ratio:{shape[0]}/{shape[1]}"
        return f'<div class="{kind} inside" role="img" aria-label="{told}" style="{style}"></div>'
    return f'<img class="{kind}" src="{html.escape(address, quote=True)}" alt="{told}">'


def _shape_inside(address: str) -> tuple[int, int] | None:
    """Width and height of a picture whose bytes are its address; None for any other address."""
    if not _INSIDE.fullmatch(address):
        return None
    try:
        with Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))) as picture:
            return picture.size
    except (OSError, ValueError):
        return None


def _numbered(address: str, number: int, few: bool) -> str:
    size = "few" if few else "many"
    return f'<div class="{size}"><div class="number">{number}</div>{_image(address, f"picture {number}")}</div>'


def _row(addresses: Sequence[str]) -> str:
    return f'<div class="crops">{"".join(_image(one, "one of this row") for one in addresses)}</div>'


def _told(count: int) -> str:
    return f"{count} pictures of what is taken for one person. Mark what does not belong; leave the rest unmarked."


def _lines(value: Any) -> str:
    """A text as it is; several reasons one below the other."""
    return value if isinstance(value, str) else "\n".join(f"• {one}" for one in value)


def _face(kind: Kind | Face) -> Face:
    return "review_identity" if kind == "review" else kind


def _text(name: str) -> str:
    return resource(FOLDER, f"label_studio/{name}").read_text(encoding="utf-8")


def _filled(text: str, table: CampaignTable) -> str:
    """Values of the recipe in place of `__name__`."""
    values = {
        "picture_height_px": table.picture_height_px,
        "words_min": table.words_min,
        "words_aim": round(table.words_mean, -1) if table.words_mean >= 20 else table.words_mean,
    }
    return re.sub(
        r"__([a-z]+(?:_[a-z]+)*)__", lambda found: f"{values[found[1]]:g}" if found[1] in values else found[0], text
    )
