"""The door to the text rules: the table, and the checks on rewrites and on submissions."""

from __future__ import annotations

from ufine_kit.text.finding import ERROR, RULES, WARNING, Finding, Rule, Span
from ufine_kit.text.rewrites import check_rewrite
from ufine_kit.text.single import Limits
from ufine_kit.text.submissions import check_submissions
from ufine_kit.text.surface import strip_mechanical

__all__ = [
    "ERROR",
    "RULES",
    "WARNING",
    "Finding",
    "Limits",
    "Rule",
    "Span",
    "check_rewrite",
    "check_submissions",
    "strip_mechanical",
]
