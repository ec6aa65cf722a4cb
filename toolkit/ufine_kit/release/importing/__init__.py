"""Datasets that exist, taken in as releases: bytes as they are, every oddity counted, nothing trusted."""
