"""`croissant.json`: the dataset described for machines (Croissant 1.0 with its responsible-AI fields), rows and files alike."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ufine_kit.dataset.reader import shard_paths
from ufine_kit.hub.card import NOT_NAMED, Told
from ufine_kit.hub.metadata import TERMS
from ufine_kit.hub.words import spdx

RAI = (
    "rai:dataCollection", "rai:dataCollectionType", "rai:dataAnnotationProtocol", "rai:dataAnnotationPlatform",
    "rai:annotationsPerItem", "rai:annotatorDemographics", "rai:dataPreprocessingProtocol", "rai:dataUseCases",
    "rai:dataLimitations", "rai:dataSocialImpact", "rai:dataBiases", "rai:personalSensitiveInformation",
    "rai:dataReleaseMaintenancePlan",
)  # fmt: skip
_CONTEXT: dict[str, Any] = {
    "@language": "en", "@vocab": "https://schema.org/", "sc": "https://schema.org/", "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/", "dct": "http://purl.org/dc/terms/", "citeAs": "cr:citeAs",
    "column": "cr:column", "conformsTo": "dct:conformsTo", "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "equivalentProperty": "cr:equivalentProperty", "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract", "field": "cr:field", "fileObject": "cr:fileObject", "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet", "format": "cr:format", "includes": "cr:includes", "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath", "key": "cr:key", "md5": "cr:md5", "parentField": "cr:parentField", "path": "cr:path",
    "recordSet": "cr:recordSet", "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated",
    "replace": "cr:replace", "samplingRate": "cr:samplingRate", "separator": "cr:separator", "source": "cr:source",
    "subField": "cr:subField", "transform": "cr:transform",
}  # fmt: skip
_TYPES = {"string": "sc:Text", "int32": "sc:Integer", "int64": "sc:Integer", "float": "sc:Float", "bool": "sc:Boolean"}


def croissant(told: Told, shards: dict[str, tuple[str, int]]) -> str:
    """JSON-LD text. `shards`: path -> (sha256, bytes); every Parquet file of the default configuration is named with both."""
    owner, release = told.recipe.card, told.release
    page = f"https://huggingface.co/datasets/{told.repo or NOT_NAMED}"
    licence = str(release.manifest["recipe"].get("license", ""))
    said: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": ["http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"],
        "name": release.name,
        "description": f"{told.title}: crops of persons with long written descriptions, for text-based person retrieval.",
        "url": page,
        "version": release.version,
        "license": owner.license_link if licence == "other" else f"https://spdx.org/licenses/{spdx(licence)}.html",
        "creator": [{"@type": "sc:Person", "name": name} for name in owner.authors],
        "citeAs": f"{', '.join(owner.authors)}: {told.title}, version {release.version}, {owner.year}.",
        "inLanguage": list(owner.languages),
        "isLiveDataset": False,
        "distribution": _distribution(page, release.version, shards),
        "recordSet": [_records(told)],
        **responsible(told),
    }
    if owner.year:
        said["datePublished"] = f"{owner.year}-01-01"
    return json.dumps(said, indent=1, ensure_ascii=False) + "\n"


def responsible(told: Told) -> dict[str, str | list[str]]:
    """The responsible-AI fields, in the owner's words where only the owner knows."""
    owner, manifest = told.recipe.card, told.release.manifest
    images = sum(split["images"] for split in told.release.splits.values())
    sources = "; ".join(f"{s['source']} ({s['licence']})" for s in manifest.get("sources", []))
    drawn = "No real person is shown: drawn by a program. " if manifest["synthetic"] else ""
    each = f"{told.facts.words.texts / images:.2f} descriptions an image on average" if images else "none"
    values = (
        f"{drawn}{sources}".strip() or "see the card", ["Synthetic"] if manifest["synthetic"] else ["Video"],
        owner.instructions, "ufine-kit campaign", each, owner.annotators,
        "Persons were tracked, cropped and filtered by ufine-kit; the recipes stand in the card.",
        "Research on retrieval of persons by description.",
        " ".join([*told.faults, *owner.known_faults, *owner.limits, "Other cameras, places and seasons are not covered."]),
        f"Could be misused to watch people. Readers agree to terms: {'; '.join(TERMS)}.",
        "Age and gender in descriptions are one writer's impressions.",
        f"{drawn}Pictures and identity labels of persons. {owner.consent}",
        f"{owner.maintenance} {owner.takedown}",
    )  # fmt: skip
    return dict(zip(RAI, values, strict=True))


def _distribution(page: str, version: str, shards: dict[str, tuple[str, int]]) -> list[dict[str, Any]]:
    files = [
        {
            "@type": "cr:FileObject",
            "@id": path,
            "name": path,
            "contentUrl": f"{page}/resolve/v{version}/{path}",
            "contentSize": f"{size} B",
            "encodingFormat": "application/x-parquet",
            "sha256": sha256,
        }
        for path, (sha256, size) in sorted(shards.items())
        if path.startswith("data/")
    ]
    return [
        *files,
        {
            "@type": "cr:FileSet",
            "@id": "shards",
            "name": "shards",
            "containedIn": [{"@id": file["@id"]} for file in files],
            "encodingFormat": "application/x-parquet",
            "includes": "data/*.parquet",
        },
    ]


def _records(told: Told) -> dict[str, Any]:
    schema = pq.read_schema(shard_paths(told.release)[0])
    return {
        "@type": "cr:RecordSet",
        "@id": "default",
        "name": "default",
        "description": "One image with its identity and its descriptions.",
        "field": [_field(f"default/{field.name}", field.name, field.type) for field in schema],
    }


def _field(at: str, column: str, kind: pa.DataType) -> dict[str, Any]:
    repeated = pa.types.is_list(kind)
    inner = kind.value_type if repeated else kind
    said: dict[str, Any] = {"@type": "cr:Field", "@id": at, "name": at}
    if column == "image":
        source = {"fileSet": {"@id": "shards"}, "extract": {"column": column}, "transform": {"jsonPath": "bytes"}}
        return {**said, "dataType": "sc:ImageObject", "source": source}
    if repeated:
        said["repeated"] = True
    source = {"fileSet": {"@id": "shards"}, "extract": {"column": column}}
    if pa.types.is_struct(inner):
        return {**said, "dataType": "sc:Text", "source": source}
    return {**said, "dataType": _TYPES[str(inner)], "source": source}
