"""What a rig gives the statements: requests that fit the instrument, reasons to skip, a market that was acted on."""

from __future__ import annotations

import pytest

from gatehook.kinds.checks import check_shape
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import NotFound
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from gatehook.kinds.orders import Trailing
from gatehook.kinds.orders import TrailingUnit
from gatehook.testing import BrokerRig
from gatehook.testing import ControlledPrices
from gatehook.testing import Fault
from gatehook.testing import PricesRig
from gatehook.testing.rig import eventually
from tests.testing.rigs import ASK
from tests.testing.rigs import BID
from tests.testing.rigs import dealing

pytestmark = pytest.mark.anyio


@pytest.fixture
async def rig(plugin_host):
    async with dealing(plugin_host) as rig:
        yield rig


async def test_it_knows_the_accounts_by_what_they_are_for(rig):
    assert (rig.account.account_id, rig.forbidden.account_id, rig.hedging) == ("house", "locked", None)
    assert rig.instrument.native_symbol == "EURUSD"


async def test_orders_fit_the_instrument_and_have_new_ids(rig):
    assert rig.lot == rig.instrument.min_quantity
    ids = set()
    for kind in OrderType:
        for side in Side:
            trailing = Trailing(offset=5, unit=TrailingUnit.POINTS) if kind is OrderType.TRAILING_STOP else None
            request = rig.order(kind, side, trailing=trailing)
            check_shape(request)
            ids.add(request.client_order_id)
    assert len(ids) == len(OrderType) * len(Side)


@pytest.mark.parametrize("side", Side)
async def test_away_is_where_a_limit_rests(rig, side):
    order = await rig.broker.submit_order(rig.order(OrderType.LIMIT, side))
    assert order.status is OrderStatus.ACCEPTED
    far, near = rig.away(side), rig.away(side, 1)
    assert far < near < BID if side is Side.BUY else far > near > ASK


async def test_a_statement_is_skipped_for_a_reason(rig):
    rig.declares("this", declared=True)
    rig.needs()
    with pytest.raises(pytest.skip.Exception, match="the plugin does not declare that"):
        rig.declares("that", declared=())
    with pytest.raises(pytest.skip.Exception, match="the rig's venue cannot refuse for clock skew"):
        rig.needs(Fault.CLOCK_SKEW)
    prices = PricesRig(source=None, declared=None, instrument=rig.instrument)
    with pytest.raises(pytest.skip.Exception, match="no connection to cut"):
        _ = prices.controls


async def test_the_position_is_signed_and_an_order_is_found_at_its_end(rig):
    assert await rig.position() == 0
    for side, position in ((Side.SELL, -1), (Side.SELL, -2), (Side.BUY, -1)):
        request = rig.order(side=side)
        await rig.broker.submit_order(request)
        assert (await rig.settled(request)).status is OrderStatus.FILLED
        assert await rig.position() == position * rig.lot


async def test_what_never_comes_is_a_timeout_and_what_is_not_there_fails(rig):
    request = rig.order(OrderType.LIMIT)
    with pytest.raises(AssertionError, match=f"{request.client_order_id} is absent"):
        await rig.found(request)
    await rig.broker.submit_order(request)
    with pytest.raises(TimeoutError):
        await rig.settled(request, seconds=0.05)
    with pytest.raises(TimeoutError):
        await eventually(rig.position, lambda position: position > 0, seconds=0.05)


async def test_a_market_that_is_set_has_been_acted_on(rig):
    request = rig.order(OrderType.LIMIT)
    await rig.broker.submit_order(request)
    await rig.venue.quote(request.price - rig.instrument.price_increment, request.price)
    assert (await rig.found(request)).status is OrderStatus.FILLED
    assert await rig.venue.requests() == 1


async def test_controlled_prices_have_one_instrument(plugin_host):
    prices = ControlledPrices(bid="1.1", ask="1.2")
    async with plugin_host(plugins=[(ControlledPrices.MANIFEST, prices)]) as host:
        source = host.market_data("prices", caller="test")
        assert await source.list_instruments(query="GBP") == []
        (instrument,) = await source.list_instruments(query="EUR")
        await prices.set("1.3", "1.4")
        assert (await source.quote(instrument.id)).bid == prices._market[0]
        with pytest.raises(NotFound):
            await source.quote(InstrumentId("GBPUSD", "PRICES"))
        with pytest.raises(TimeoutError):
            await prices.followed(seconds=0.05)


async def test_what_is_not_there_gives_no_rig(rig):
    market = {"bid": BID, "ask": ASK, "venue": rig.venue}
    with pytest.raises(KeyError, match="GBPUSD"):
        await BrokerRig.of(rig.host, "dealer", symbol="GBPUSD", **market)
    with pytest.raises(KeyError, match="hedged"):
        await BrokerRig.of(rig.host, "dealer", symbol="EURUSD", hedging="hedged", **market)
    with pytest.raises(NotConnected):
        await BrokerRig.of(rig.host, "prices", symbol="EURUSD", **market)
