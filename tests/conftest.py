"""One chain for all tests of a process; and, where everything must run, a skipped test that counts as a failed one."""

from __future__ import annotations

import gc
import os
import signal
import sys

import pytest
from hypothesis import HealthCheck, settings

from contract.chain import make_chain
from typed import unsynced
from ufine_kit.cli import _leave

unsynced()
# The same examples everywhere, and no word on how long one took: a busy machine is no fault.
settings.register_profile("kit", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kit")


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


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup():
    """Every test draws the same from torch, which begins at random, whatever was run in this process before."""
    if torch := sys.modules.get("torch"):
        torch.manual_seed(0)


def pytest_runtest_teardown():
    """A command that a test ran in this process is the last of its life elsewhere: here Ctrl-C goes on to stop the tests."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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
