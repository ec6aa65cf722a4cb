"""Words that the Hub knows: licences, tasks and sizes. It judges them only online, so the linter needs them here."""

from __future__ import annotations

# The licence identifiers of the Hub's documentation; `other` needs a name and a link beside it.
_LICENCES = """
    apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m bigscience-bloom-rail-1.0 bigcode-openrail-m afl-3.0
    artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear c-uda cc cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0
    cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0
    cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0 cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ecl-2.0
    epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 isc h-research
    intel-research lppl-1.3c ms-pl apple-ascl apple-amlr mpl-2.0 odc-by odbl openmdw-1.0 openrail++ osl-3.0 postgresql ofl-1.1
    ncsa unlicense zlib pddl lgpl-lr deepfloyd-if-license fair-noncommercial-research-license llama2 llama3 llama3.1 llama3.2
    llama3.3 llama4 grok2-community gemma unknown other
"""
LICENCES = frozenset(_LICENCES.split())
# What says nothing about what a reader may do.
SAYS_NOTHING = frozenset({"unknown", "cc", ""})

_TASKS = """
    text-classification token-classification table-question-answering question-answering zero-shot-classification translation
    summarization feature-extraction text-generation fill-mask sentence-similarity text-to-speech text-to-audio
    automatic-speech-recognition audio-to-audio audio-classification voice-activity-detection depth-estimation
    image-classification object-detection image-segmentation text-to-image image-to-text image-to-image image-to-video
    unconditional-image-generation video-classification reinforcement-learning robotics tabular-classification
    tabular-regression tabular-to-text table-to-text multiple-choice text-ranking text-retrieval time-series-forecasting
    text-to-video visual-question-answering document-question-answering zero-shot-image-classification graph-ml
    mask-generation zero-shot-object-detection text-to-3d image-to-3d image-feature-extraction video-text-to-text
    image-text-to-text any-to-any visual-document-retrieval other
"""
TASKS = frozenset(_TASKS.split())

_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
)
SIZES = frozenset({*(word for _, word in _SIZES), "100M<n<1B"})


def size_category(images: int) -> str:
    """The Hub's word for a number of rows."""
    return next((word for limit, word in _SIZES if images < limit), "100M<n<1B")


def spdx(licence: str) -> str:
    """The SPDX spelling of a Hub licence: `cc-by-nc-4.0` is `CC-BY-NC-4.0`, `mit` is `MIT`."""
    known = {"apache-2.0": "Apache-2.0", "unlicense": "Unlicense", "zlib": "Zlib", "odbl": "ODbL-1.0", "odc-by": "ODC-By-1.0",
             "pddl": "PDDL-1.0", "cdla-permissive-2.0": "CDLA-Permissive-2.0"}  # fmt: skip
    return known.get(licence, licence.upper())
