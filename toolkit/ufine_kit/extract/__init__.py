"""From videos to crops of tracked persons: the only stage that writes pixels from footage."""
