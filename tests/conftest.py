"""One chain for all tests of a process; and, where everything must run, a skipped test that counts as a failed one."""

from __future__ import annotations

import gc
import os

import pytest

from contract.chain import make_chain
from typed import unsynced

unsynced()


@pytest.fixture(scope="session")
def chain(tmp_path_factory):
    return make_chain(tmp_path_factory.mktemp("chain"))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Groups of tests must reach their process together: a pytest that hides them from xdist doubles the longest set-ups."""
    for item in items if config.getoption("loadgroup", False) else ():
        if item.get_closest_marker("xdist_group") and "@" not in item.nodeid:
            raise pytest.UsageError(
                f"{item.nodeid} lost its group: this pytest and this pytest-xdist do not go together"
            )


def pytest_collection_finish():
    """Thousands of collected tests stay to the end: a garbage collector that looks them through again and again finds none."""
    gc.freeze()


# A right that a machine may withhold, and that no installation brings; the same faults are also provoked without it.
RIGHTS = "the right to mount"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    live = os.environ.get("UFINE_REQUIRE_LIVE") == "1" and not item.get_closest_marker("gpu")
    if report.skipped and live and RIGHTS not in str(report.longrepr):
        report.outcome = "failed"
        report.longrepr = f"skipped where everything must run: {report.longrepr[-1]}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    report = yield
    everything = os.environ.get("UFINE_REQUIRE_LIVE") == "1" and collector.config.option.markexpr == "full"
    if report.skipped and everything:
        report.outcome = "failed"
    return report
