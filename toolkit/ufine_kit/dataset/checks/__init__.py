"""The named checks of a release: files, rows, pictures, leakage, captions, licences, versions and peers."""

from ufine_kit.dataset.checks.check import Check
from ufine_kit.dataset.checks.report import FINDINGS, Outcome, Report, keep, kept_report, report_folder
from ufine_kit.dataset.checks.run import check_release, every_check

__all__ = [
    "FINDINGS",
    "Check",
    "Outcome",
    "Report",
    "check_release",
    "every_check",
    "keep",
    "kept_report",
    "report_folder",
]
