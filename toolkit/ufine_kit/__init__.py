"""ufine-kit: from raw videos to a published, validated dataset for text-based person retrieval."""

__version__ = "0.1.0"
