"""A release on disk and what is measured on it: schema, reader, writer, digest, splits, retrieval metrics."""
