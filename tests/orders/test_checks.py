"""What is refused before anything is sent."""

from __future__ import annotations

import attrs
import pytest

from gatehook.kinds.accounts import Mode
from gatehook.kinds.commands import PositionRef
from gatehook.kinds.errors import AccountNotAllowed
from gatehook.kinds.errors import InvalidOrder
from gatehook.kinds.errors import ModeNotAllowed
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.errors import UnitMismatch
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.orders import OrderRef
from gatehook.kinds.orders import OrderType
from gatehook.orders import BrokerHandle
from tests.orders.venue import EURUSD
from tests.orders.venue import LIVE
from tests.orders.venue import MAIN
from tests.orders.venue import OTHER
from tests.orders.venue import limit

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("request_", "error", "said"),
    [
        (limit("a", "1001"), InvalidOrder, "max_quantity 1000"),
        (limit("a", "0.5"), InvalidOrder, "size_increment 1"),
        (limit("a", price="1.10001"), InvalidOrder, "price_increment 0.0001"),
        (limit("a", "-1"), InvalidOrder, "above zero"),
        (limit("a b"), InvalidOrder, "client_order_id"),
        (limit("x" * 37), InvalidOrder, "never truncated"),
        (limit("a", side="buy"), InvalidOrder, "side is of the type Side"),
        (limit("a", time_in_force="gtc"), InvalidOrder, "time_in_force"),
        (limit("a", instrument_id=InstrumentId("NONE", "VENUE")), InvalidOrder, "no instrument"),
        (limit("a", type=OrderType.STOP_LIMIT, trigger_price="1"), UnsupportedCapability, "stop_limit"),
        (limit("a", post_only=True), UnsupportedCapability, "post_only"),
        (attrs.evolve(limit("a"), quantity_unit=QuantityUnit.LOTS), UnitMismatch, "base"),
        (limit("a", account=LIVE), ModeNotAllowed, "live"),
        (limit("a", account=AccountKey("venue", "nobody")), ModeNotAllowed, "live"),
        (limit("a", account=AccountKey("elsewhere", "main")), AccountNotAllowed, "elsewhere"),
    ],
)
async def test_statement_07_a_wrong_order_is_refused_with_its_rule_and_its_id_stays_free(floor, request_, error, said):
    async with floor():
        with pytest.raises(error, match=said):
            await floor.handle.submit_order(request_)
        assert floor.sent() == 0
        assert await floor.handle.orders() == []


@pytest.mark.parametrize("mode", [Mode.PAPER, Mode.DEMO])
async def test_an_account_with_more_real_money_than_the_mode_is_refused(floor, mode):
    async with floor(mode=mode, allowed_accounts=frozenset({"main", "live"})):
        with pytest.raises(ModeNotAllowed):
            await floor.handle.submit_order(limit("a", account=LIVE))
        assert floor.sent() == 0
        assert (await floor.handle.submit_order(limit("a", account=MAIN))).request.account == MAIN


async def test_statement_11_other_accounts_are_refused_everywhere_before_anything_is_asked(floor):
    async with floor(allowed_accounts=frozenset({"main"})):
        ref = PositionRef(account=OTHER, instrument_id=EURUSD)
        floor.venue.calls.clear()
        for call in (
            lambda: floor.handle.submit_order(limit("a", account=OTHER)),
            lambda: floor.handle.cancel_order(OrderRef(account=OTHER, venue_order_id="V1")),
            lambda: floor.handle.cancel_all(OTHER),
            lambda: floor.handle.close_position(ref),
            lambda: floor.handle.account(OTHER),
            lambda: floor.handle.positions(OTHER),
            lambda: floor.handle.orders(OTHER),
            lambda: floor.handle.fills(OTHER),
            lambda: floor.handle.changes(OTHER),
        ):
            with pytest.raises(AccountNotAllowed):
                await call()
        assert floor.venue.calls == []
        assert [one.account for one in await floor.handle.accounts()] == [MAIN]


async def test_without_an_allow_list_all_may_be_read_and_paper_accounts_traded(floor):
    async with floor():
        assert len(await floor.handle.accounts()) == 3
        assert (await floor.handle.account(LIVE)).account == LIVE
        assert (await floor.handle.positions(OTHER)).complete
        await floor.handle.submit_order(limit("a", account=OTHER))


async def test_reading_is_by_account_and_kept_to_the_entry(floor):
    async with floor():
        await floor.handle.submit_order(limit("a"))
        await floor.handle.submit_order(limit("b", account=OTHER))
        await floor.handle.cancel_order("a")
        assert [one.request.client_order_id for one in await floor.handle.orders()] == ["a", "b"]
        assert [one.request.client_order_id for one in await floor.handle.orders(MAIN)] == ["a"]
        assert [one.request.client_order_id for one in await floor.handle.orders(open_only=True)] == ["b"]
        assert [one.request.client_order_id for one in await floor.handle.orders(limit=1)] == ["b"]
        elsewhere = BrokerHandle(floor.desk, "elsewhere", "test")
        assert await elsewhere.order("a") is None
        assert await elsewhere.orders() == []
        assert [one.id for one in await floor.handle.instruments("EUR")] == [EURUSD]


@pytest.mark.parametrize(("raised", "error"), [(TimeoutError, NotConnected), (ZeroDivisionError, ProviderError)])
async def test_a_provider_that_cannot_be_asked_stops_the_order_before_its_intent(floor, raised, error):
    async def fails(*, query=None):
        raise raised

    floor.broker.list_instruments = fails
    async with floor():
        with pytest.raises(error):
            await floor.handle.submit_order(limit("a"))
        with pytest.raises(error, match="list_instruments of entry venue"):
            await floor.handle.instruments()
        assert floor.sent() == 0
