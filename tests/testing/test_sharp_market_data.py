"""The statements for market data are sharp: sources with a defect break the statement that is about it."""

from __future__ import annotations

import pytest

from gatehook.testing import MarketDataSuite
from gatehook.testing import market_data_suite
from tests.mutation import Mutant
from tests.testing.broken import breach
from tests.testing.broken import copy_of
from tests.testing.rigs import WIRE_PRICES
from tests.testing.rigs import wire_prices

pytestmark = pytest.mark.anyio

DEFECTS = [
    pytest.param(
        10,
        'if answer is None:\n            raise NotFound(f"the server has no prices for {instrument_id}")\n',
        'if answer is None:\n            answer = await self._ask(ask="quote", symbol="EURUSD")\n',
        id="quotes-what-it-does-not-have",
    ),
    pytest.param(
        37, "if first <= one.ts_open < last)", "if first - timeframe.length <= one.ts_open < last)", id="pages-overlap"
    ),
    pytest.param(37, "key=lambda one: one.ts_open)", "key=lambda one: -one.ts_open)", id="newest-first"),
    pytest.param(37, "for row in rows]\n", "for row in rows[1:]]\n", id="holes-where-pages-join"),
    pytest.param(37, 'closed=row["closed"]', "closed=False", id="no-candle-ever-closes"),
    pytest.param(
        38, "                sink.put(tick)\n", "                sink.idle and sink.put(tick)\n", id="loses-silently"
    ),
    pytest.param(39, "                    if not lost:\n", "                    if False:\n", id="no-gap"),
    pytest.param(39, "                if renewed:\n", "                if False:\n", id="never-back"),
    pytest.param(39, "await anyio.sleep(0.02)", "return", id="gives-up"),
    pytest.param(40, 'ts_event=row["time"] * MS', 'ts_event=row["time"] * 1000', id="microseconds"),
    pytest.param(41, "self._stale.add(sink)", "self._stale.discard(sink)", id="stale-and-healthy"),
    pytest.param(41, "sink.put(Stale(since=last))", "last = 0", id="silence-is-no-news"),
    pytest.param(
        44,
        "            self._stale.discard(sink)\n\n",
        "            with anyio.CancelScope(shield=True):\n                await anyio.sleep(1.2)\n\n",
        id="clings-to-its-stream",
    ),
]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(market_data_suite, "PATIENCE", 1.0)


@pytest.mark.parametrize(("number", "before", "after"), DEFECTS)
async def test_a_defect_breaks_its_statement(plugin_host, tmp_path, number, before, after):
    plugin = copy_of(WIRE_PRICES, tmp_path / "plugin", Mutant("plugin.py", before, after))
    async with wire_prices(plugin_host, plugin) as rig:
        assert await breach(MarketDataSuite, number, rig) is not None


@pytest.mark.parametrize("number", sorted({one.values[0] for one in DEFECTS}))
async def test_without_a_defect_the_statement_holds(plugin_host, tmp_path, number):
    async with wire_prices(plugin_host, copy_of(WIRE_PRICES, tmp_path / "plugin")) as rig:
        assert await breach(MarketDataSuite, number, rig) is None
