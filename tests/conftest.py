"""One chain for all contract tests of a process: the steps are run once and their work folders kept."""

from __future__ import annotations

import pytest

from contract.chain import make_chain


@pytest.fixture(scope="session")
def chain(tmp_path_factory):
    return make_chain(tmp_path_factory.mktemp("chain"))
