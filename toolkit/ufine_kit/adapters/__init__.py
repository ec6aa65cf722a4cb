"""One file a vendor: the only place where it is imported."""
