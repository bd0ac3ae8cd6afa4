"""One venue process for a worker's tests."""

from __future__ import annotations

import pytest

from tests.hostile.control import VenueProcess


@pytest.fixture(scope="session")
def venue_process(tmp_path_factory):
    process = VenueProcess(tmp_path_factory.mktemp("venue")).start()
    yield process
    process.kill()
