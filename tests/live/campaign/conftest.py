"""One boot of a real Label Studio for all live tests of campaigns; `MARKS` keep them in one process, so that there is one."""

from __future__ import annotations

import os

import pytest

from live.campaign.server import LabelStudioServer
from ports import free_port
from ufine_kit.adapters import label_studio_install, label_studio_server

MISSING = "no Label Studio environment: `make live` makes one"


@pytest.fixture(scope="session")
def label_studio_environment():
    """The installed server; nothing is installed by a test."""
    found = label_studio_install.find()
    if found is None:
        pytest.skip(MISSING)
    return found


@pytest.fixture(scope="session")
def label_studio(label_studio_environment, tmp_path_factory):
    """The running server, with the administrator's token and a way to sign annotators up."""
    work = tmp_path_factory.mktemp("label-studio") / "work"
    runs = label_studio_server.serve(work, print, port=free_port())
    try:
        yield LabelStudioServer(
            runs.url,
            label_studio_server.admin_token(work),
            work,
            runs.admin,
            runs.password or os.environ["UFINE_LS_PASSWORD"],
        )
    finally:
        label_studio_server.stop(work)
