"""The synthetic world with known answers: people, crops, videos and texts whose truth is known, for proof and never for claims.

Main ways in: `make_world` writes a folder; `sample_people`, `draw_crop`, `describe`, `facts_of`, `retrieval_set` write none.
"""

from ufine_kit.world.draw import Drawing, Variation, crop_jpeg, draw_crop
from ufine_kit.world.facts import Fact, facts_of
from ufine_kit.world.people import Person
from ufine_kit.world.retrieval import Sample, retrieval_set
from ufine_kit.world.sampling import sample_people, sample_person
from ufine_kit.world.shapes import PARTS
from ufine_kit.world.texts import GRANULARITIES, STYLES, describe
from ufine_kit.world.tracking import DetectionNoise
from ufine_kit.world.view import View
from ufine_kit.world.write import WorldSettings, make_world
from ufine_kit.world.writers import FAULTS, Writer, sample_writers

__all__ = [
    "FAULTS",
    "GRANULARITIES",
    "PARTS",
    "STYLES",
    "DetectionNoise",
    "Drawing",
    "Fact",
    "Person",
    "Sample",
    "Variation",
    "View",
    "WorldSettings",
    "Writer",
    "crop_jpeg",
    "describe",
    "draw_crop",
    "facts_of",
    "make_world",
    "retrieval_set",
    "sample_people",
    "sample_person",
    "sample_writers",
]
