"""A source whose prices say that they are simulated is called so, whatever plugin it is of."""

from __future__ import annotations

import attrs
import pytest

from gatehook.kinds.errors import NotConnected
from gatehook.testing.prices import ControlledPrices
from tests.orders.conftest import eventually

pytestmark = pytest.mark.anyio


class Prices(ControlledPrices):
    """``simulated``: what a price says that it is; ``quotes``: whether one is there when asked for."""

    def __init__(self, *, simulated, quotes=True):
        super().__init__(bid="1.10000", ask="1.10010")
        self.simulated, self.quotes = simulated, quotes

    async def quote(self, instrument_id):
        if not self.quotes:
            raise NotConnected("no quote now")
        return await super().quote(instrument_id)

    def _tick(self):
        return attrs.evolve(super()._tick(), simulated=self.simulated)


@pytest.fixture
def priced(gateway):
    """Run a gateway with a source of prices alone."""

    def running(prices):
        config = {"plugins": {"deny": ["paper", "simulated"], "slots": {"memory": "none"}}}
        return gateway(config, plugins=[(prices.MANIFEST, prices)])

    return running


@pytest.mark.parametrize(("simulated", "label"), [(True, "SIMULATED"), (False, "live")])
async def test_the_opening_asks_for_a_price(priced, simulated, label):
    async with priced(Prices(simulated=simulated)) as running:
        assert f"prices: prices, {label}" in await running.opening()
        assert [said for _, said in await running.prices.instruments(None)] == [label]


async def test_without_an_answer_the_first_tick_says_it(priced):
    prices = Prices(simulated=True, quotes=False)
    async with priced(prices) as running:
        assert any(line.startswith("prices: prices, ") for line in await running.opening())
        await eventually(lambda: [one.label for one in running.prices.sources()] == ["SIMULATED"])


async def test_the_newest_price_is_believed(priced):
    prices = Prices(simulated=True)
    async with priced(prices) as running:
        await running.opening()
        prices.simulated = False
        await prices.set("1.20000", "1.20010")
        await eventually(lambda: [one.label for one in running.prices.sources()] == ["live"])
