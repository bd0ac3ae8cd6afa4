"""A source of prices that has quotes when asked, and no stream."""

from __future__ import annotations

import anyio
import pytest

from tests.host.scripted import Scripted
from tests.host.scripted import manifest

pytestmark = pytest.mark.anyio


async def test_a_source_without_streams_is_left_in_peace_and_holds_up_no_end(gateway, caplog):
    config = {"plugins": {"entries": {"simulated": {"enabled": False}}, "slots": {"memory": "none"}}}
    async with gateway(config, plugins=[(manifest("quotes"), Scripted())]) as running:
        with anyio.fail_after(20):
            await running.prices_ended.wait()
        assert "stream of quotes" not in caplog.text
