"""Rewrite descriptions by language models into a cross-domain, cross-granularity, cross-style evaluation set."""
