"""Paper keeps every statement, raw and behind the desk."""

from __future__ import annotations

import pytest

from gatehook.testing import BrokerSuite
from gatehook.testing import DeskSuite
from tests.paper.rig import paper


class TestPaper(BrokerSuite):
    plugin = "paper"

    @pytest.fixture
    async def rig(self, plugin_host):
        async with paper(plugin_host) as rig:
            yield rig


class TestPaperBehindTheDesk(DeskSuite):
    plugin = "paper"

    @pytest.fixture
    async def rig(self, plugin_host):
        async with paper(plugin_host) as rig:
            yield rig
