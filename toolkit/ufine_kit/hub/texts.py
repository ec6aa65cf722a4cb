"""The `texts` configuration: every shard once more without its pixels, for those who only read."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ufine_kit.errors import KitError
from ufine_kit.files import replacing
from ufine_kit.parquet import THIN_GROUP_ROWS, open_writer

PIXELS = "image"


def write_texts(shard: Path, target: Path) -> None:
    """Write the shard's columns but for `image` into `target`: a takedown that changes one shard changes one of these.

    Raises KitError for a shard that does not read, a full disk or missing rights.
    """
    try:
        with pq.ParquetFile(shard) as file:
            names = [name for name in file.schema_arrow.names if name != PIXELS]
            schema = texts_schema(file.schema_arrow)
            with replacing(target) as temporary, open_writer(temporary, schema) as writer:
                for batch in file.iter_batches(batch_size=THIN_GROUP_ROWS, columns=names):
                    writer.write_table(pa.Table.from_batches([batch]).cast(schema))
    except (pa.ArrowException, OSError) as error:  # the full disk of `replacing` is a KitError by now
        first = (str(error) or type(error).__name__).splitlines()[0]
        raise KitError(f"cannot read `{shard}`: {first}", "ufine-kit check-release") from None


def texts_schema(schema: pa.Schema) -> pa.Schema:
    """The schema without pixels, and the metadata by which the Hub knows its columns."""
    kept = pa.schema([field for field in schema if field.name != PIXELS])
    told = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
    features = told.get("info", {}).get("features")
    if not features:
        return kept
    features.pop(PIXELS, None)
    return kept.with_metadata({"huggingface": json.dumps(told)})
