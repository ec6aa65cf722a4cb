"""The release's Parquet schema as the Hub reads it: nullable columns, and the metadata that makes `image` a picture."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from ufine_kit.rows import Sample, arrow_schema

# What `datasets` calls the Arrow types; without this metadata the Hub shows `image` as a struct of bytes.
_DTYPES = {pa.string(): "string", pa.int32(): "int32", pa.int64(): "int64", pa.float32(): "float32", pa.bool_(): "bool"}


def release_schema() -> pa.Schema:
    """Arrow schema of a release row, equal to `datasets.Features(...).arrow_schema` of the same columns."""
    plain = pa.schema([_nullable(field) for field in arrow_schema(Sample)])
    features = {field.name: _feature(field.name, field.type) for field in plain}
    return plain.with_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def _nullable(field: pa.Field) -> pa.Field:
    return pa.field(field.name, _nullable_type(field.type))


def _nullable_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_struct(kind):
        return pa.struct([_nullable(child) for child in kind])
    if pa.types.is_list(kind):
        return pa.list_(_nullable_type(kind.value_type))
    return kind


def _feature(name: str, kind: pa.DataType) -> Any:
    if name == "image":
        return {"_type": "Image"}
    if pa.types.is_struct(kind):
        return {child.name: _feature(f"{name}.{child.name}", child.type) for child in kind}
    if pa.types.is_list(kind):
        return {"feature": _feature(f"{name}[]", kind.value_type), "_type": "List"}
    return {"dtype": _DTYPES[kind], "_type": "Value"}
