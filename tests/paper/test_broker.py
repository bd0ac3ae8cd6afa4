"""The paper broker as a provider: commands, look-ups, events, prices and restarts."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

import anyio
import pytest

from builtin_plugins.paper.broker import PaperBroker
from gatehook.clocks import ReplayClock
from gatehook.kinds.accounts import AccountState
from gatehook.kinds.accounts import Mode
from gatehook.kinds.accounts import PositionReport
from gatehook.kinds.amounts import Money
from gatehook.kinds.broker import Evidence
from gatehook.kinds.commands import Contingency
from gatehook.kinds.commands import OrderList
from gatehook.kinds.commands import PositionRef
from gatehook.kinds.commands import Protection
from gatehook.kinds.errors import CursorExpired
from gatehook.kinds.errors import DuplicateClientOrderId
from gatehook.kinds.errors import InvalidOrder
from gatehook.kinds.errors import NoQuote
from gatehook.kinds.errors import NotFound
from gatehook.kinds.errors import OrderNotCancellable
from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderChange
from gatehook.kinds.orders import OrderRef
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from gatehook.kinds.provider import HealthStatus
from gatehook.kinds.times import HOUR
from gatehook.kinds.times import SECOND
from tests.paper.kit import CANDLES
from tests.paper.kit import EURUSD
from tests.paper.kit import MAIN
from tests.paper.kit import T0
from tests.paper.kit import broker
from tests.paper.kit import candle
from tests.paper.kit import order
from tests.paper.kit import quote

pytestmark = pytest.mark.anyio

LIMIT = OrderType.LIMIT
HERE = PositionRef(account=MAIN, instrument_id=EURUSD)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def ref(request: Order) -> OrderRef:
    return OrderRef(account=MAIN, client_order_id=request.request.client_order_id)


async def test_the_same_order_again_is_answered_with_what_became_of_it(tmp_path: Path) -> None:
    async with broker(tmp_path) as (paper, source):
        await source.put(quote("1.1000", "1.1002"))
        market, resting = order(), order(kind=LIMIT, price="1.0900")
        first, second = await paper.submit_order(market), await paper.submit_order(resting)
        assert await paper.submit_order(market) == first
        assert await paper.submit_order(resting) == second
        with pytest.raises(DuplicateClientOrderId):
            await paper.submit_order(order(client_order_id=market.client_order_id, quantity=99))
        assert len((await paper.list_fills(MAIN)).items) == 1
    async with broker(tmp_path) as (paper, source):
        assert await paper.submit_order(market) == first


async def test_a_refused_order_leaves_its_id_free(tmp_path: Path) -> None:
    async with broker(tmp_path) as (paper, source):
        wanted = order()
        with pytest.raises(NoQuote):
            await paper.submit_order(wanted)
        assert (await paper.get_order(OrderRef(account=MAIN, client_order_id=wanted.client_order_id))).order is None
        await source.put(quote("1.1000", "1.1002"))
        assert (await paper.submit_order(wanted)).status is OrderStatus.FILLED


async def test_what_is_not_declared_is_refused(tmp_path: Path) -> None:
    async with broker(tmp_path) as (paper, source):
        await source.put(quote("1.1000", "1.1002"))
        with pytest.raises(UnsupportedCapability):
            await paper.submit_order(order(quantity_unit=QuantityUnit.QUOTE))
        with pytest.raises(InvalidOrder):
            await paper.submit_order(order(client_order_id="x" * 65))
        with pytest.raises(NotFound):
            await paper.submit_order(order(account=AccountKey("paper", "other")))
        with pytest.raises(NotFound):
            await paper.submit_order(order(account=AccountKey("other", "main")))


async def test_a_second_cancel_changes_nothing(tmp_path: Path) -> None:
    async with broker(tmp_path) as (paper, source):
        await source.put(quote("1.1000", "1.1002"))
        taken = await paper.submit_order(order(kind=LIMIT, price="1.0900"))
        filled = await paper.submit_order(order())
        canceled = await paper.cancel_order(ref(taken), command_id="1")
        assert canceled.status is OrderStatus.CANCELED
        for ended in (taken, filled):
            with pytest.raises(OrderNotCancellable):
                await paper.cancel_order(ref(ended), command_id="2")
        assert (await paper.get_order(ref(taken))).order == canceled
        with pytest.raises(NotFound):
            await paper.cancel_order(OrderRef(account=MAIN, client_order_id="never"), command_id="3")


async def test_look_ups_prove_what_they_say(tmp_path: Path) -> None:
    async with broker(tmp_path) as (paper, source):
        await source.put(quote("1.1000", "1.1002"))
        taken = await paper.submit_order(order(kind=LIMIT, price="1.0900"))
        for name in (ref(taken), OrderRef(account=MAIN, venue_order_id="P1"), taken.ref):
            found = await paper.get_order(name)
            assert (found.evidence, found.order, found.complete) == (Evidence.FOUND, taken, True)
        for name in ("P2", "T1", "", "Px"):
            absent = await paper.get_order(OrderRef(account=MAIN, venue_order_id=name))
            assert (absent.evidence, absent.order, absent.complete) == (Evidence.ABSENT, None, True)


async def test_listings_come_in_pages(tmp_path: Path) -> None:
    async with broker(tmp_path) as (paper, source):
        await source.put(quote("1.1000", "1.1002"))
        for _ in range(501):
            await paper.submit_order(order(quantity=1))
        first = await paper.list_orders(MAIN, open_only=False)
        second = await paper.list_orders(MAIN, open_only=False, cursor=first.cursor)
        assert (len(first.items), len(second.items), second.cursor) == (500, 1, None)
        some = await paper.list_fills(MAIN)
        rest = await paper.list_fills(MAIN, cursor=some.cursor)
        assert [one.trade_id for one in (*some.items, *rest.items)] == [f"T{n}" for n in range(1, 502)]
        assert (await paper.list_orders(MAIN)).items == ()
        assert (await paper.list_fills(MAIN, since=T0 + 1)).items == ()


async def test_amend_cancel_all_close_and_estimate(tmp_path: Path) -> None:
    async with broker(tmp_path) as (paper, source):
        await source.put(quote("1.1000", "1.1002"))
        taken = await paper.submit_order(order(kind=LIMIT, price="1.0900"))
        amended = await paper.amend_order(ref(taken), OrderChange(price="1.0800"), command_id="a")
        assert (amended.venue_order_id, str(amended.request.price)) == ("P1", "1.0800")
        assert [one.status for one in await paper.cancel_all(MAIN, command_id="b")] == [OrderStatus.CANCELED]
        await paper.submit_order(order())
        report = await paper.modify_position(HERE, Protection(stop_loss="1.0900"), command_id="c")
        assert str(report.positions[0].stop_loss) == "1.0900"
        closed = await paper.close_position(HERE, command_id="close")
        assert await paper.close_position(HERE, command_id="close") == closed
        assert (await paper.list_positions(MAIN)).positions == ()
        assert await paper.estimate_margin(order(quantity=3000)) == Money("110.02", "USD")


async def test_a_list_again_is_answered_and_never_half_taken(tmp_path: Path) -> None:
    async with broker(tmp_path) as (paper, source):
        await source.put(quote("1.1000", "1.1002"))
        members = (order(Side.SELL, LIMIT, price="1.1100"), order(Side.SELL, OrderType.STOP, trigger_price="1.0900"))
        wanted = OrderList(list_id="l", contingency=Contingency.OCO, orders=members)
        taken = await paper.submit_order_list(wanted)
        assert await paper.submit_order_list(wanted) == list(taken)
        mixed = OrderList(list_id="m", contingency=Contingency.OCO, orders=(members[0], order()))
        with pytest.raises(DuplicateClientOrderId):
            await paper.submit_order_list(mixed)
        assert len((await paper.list_orders(MAIN)).items) == 2


async def test_accounts_say_what_they_are(tmp_path: Path) -> None:
    async with broker(tmp_path) as (paper, _):
        (account,) = await paper.list_accounts()
        assert (account.account, account.mode) == (MAIN, Mode.PAPER)
        state = await paper.get_account(MAIN)
        assert (state.complete, str(state.equity), state.currency) == (True, "100000", "USD")
        assert state.net_deposits == 0
        assert [str(one.id) for one in await paper.list_instruments(query="eur")] == ["EURUSD.TEST"]


async def test_events_come_in_order_with_the_reports_after_them(tmp_path: Path) -> None:
    async with broker(tmp_path) as (paper, source):
        await source.put(quote("1.1000", "1.1002"))
        seen: list[object] = []
        listening, done = anyio.Event(), anyio.Event()

        async def listen() -> None:
            async with paper.events(after="0") as items:
                async for item in items:
                    seen.append(item)
                    listening.set()
                    if isinstance(item, AccountState):
                        done.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listen)
            await paper.submit_order(order(kind=LIMIT, price="1.0900"))
            await listening.wait()
            await paper.submit_order(order())
            await done.wait()
            tasks.cancel_scope.cancel()
        assert [type(one) for one in seen] == [Order, Order, Fill, Order, PositionReport, AccountState]


async def test_events_missed_while_away_come_after_reconnect_once_and_in_order(tmp_path: Path) -> None:
    async with broker(tmp_path) as (paper, source):
        await source.put(quote("1.1000", "1.1002"))
        first = await take_events(paper, None, 0)
        for _ in range(3):
            await paper.submit_order(order())
        missed = await take_events(paper, first[1], 9)
        assert [str(one.trade_id) for one in missed[0] if isinstance(one, Fill)] == ["T1", "T2", "T3"]
        assert (await take_events(paper, missed[1], 0))[0] == []
    async with broker(tmp_path) as (paper, source):
        assert (await take_events(paper, "3", 6))[0] == missed[0][3:]
        with pytest.raises(CursorExpired):
            await take_events(paper, "10", 1)
        with pytest.raises(CursorExpired):
            await take_events(paper, "x", 1)


async def take_events(paper: PaperBroker, after: str | None, count: int) -> tuple[list[object], str]:
    taken: list[object] = []
    async with paper.events(after=after) as items:
        while len(taken) < count:
            taken.append(await items.__anext__())
        return taken, items.cursor or "0"


async def test_without_a_streamed_quote_the_source_is_asked(tmp_path: Path) -> None:
    async with broker(tmp_path) as (paper, source):
        source.newest = quote("1.1000", "1.1002")
        assert (await paper.submit_order(order())).status is OrderStatus.FILLED
        source.clock.advance(T0 + 61 * SECOND)
        source.newest = quote("1.2000", "1.2002", T0 + 60 * SECOND)
        await paper.submit_order(order())
        assert [str(one.price) for one in (await paper.list_fills(MAIN)).items] == ["1.1002", "1.2002"]


async def test_candles_of_the_finest_timeframe_fill_at_the_next_open(tmp_path: Path) -> None:
    async with broker(tmp_path, CANDLES) as (paper, source):
        await source.put(candle("1.1 1.1 1.1 1.1", T0 - HOUR))
        taken = await paper.submit_order(order())
        assert taken.status is OrderStatus.ACCEPTED
        await source.put(candle("1.1010 1.1020 1.1 1.1"))
        (fill,) = (await paper.list_fills(MAIN)).items
        assert (str(fill.price), fill.ts_event) == ("1.1010", T0)


async def test_orders_and_positions_survive_a_restart(tmp_path: Path) -> None:
    clock = ReplayClock(T0)
    async with broker(tmp_path, clock=clock) as (paper, source):
        await source.put(quote("1.1000", "1.1002"))
        await paper.submit_order(order(stop_loss="1.0900"))
        resting = await paper.submit_order(order(Side.SELL, LIMIT, price="1.2000"))
        account = await paper.get_account(MAIN)
    async with broker(tmp_path, clock=clock) as (paper, source):
        assert (await paper.list_orders(MAIN)).items == (resting,)
        assert await paper.get_account(MAIN) == account
        await source.put(quote("1.0890", "1.0891", T0 + SECOND))
        fills = (await paper.list_fills(MAIN)).items
        assert [f"{one.side} {one.price} {one.venue_order_id}" for one in fills] == ["buy 1.1002 P1", "sell 1.0890 P3"]


async def test_reset_begins_anew_but_no_id_is_used_twice(tmp_path: Path) -> None:
    async with broker(tmp_path) as (paper, source):
        await source.put(quote("1.1000", "1.1002"))
        first = await paper.submit_order(order(quantity=1000))
        resting = await paper.submit_order(order(kind=LIMIT, price="1.0900"))
        await source.put(quote("1.2000", "1.2002", T0 + 1))
        await paper.close_position(HERE, command_id="close")
        await paper.submit_order(order())
        await paper.reset()
        assert str((await paper.get_account(MAIN)).equity) == "100000"
        assert (await paper.list_positions(MAIN)).positions == ()
        assert (await paper.get_order(ref(resting))).order.status is OrderStatus.CANCELED  # type: ignore[union-attr]
        assert (await paper.submit_order(order())).venue_order_id == "P5"
        assert (await paper.get_order(ref(first))).order == first


async def test_the_end_of_the_prices_leaves_everything_open_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "paper")
    async with broker(tmp_path) as (paper, source):
        await source.put(quote("1.1000", "1.1002"))
        await paper.submit_order(order())
        await paper.submit_order(order(kind=LIMIT, price="1.0900"))
        source.over.set()
        await anyio.wait_all_tasks_blocked()
        assert "the prices have ended: 1 orders and 1 positions stay open" in caplog.messages
        assert len((await paper.list_orders(MAIN)).items) == 1
    assert "swap is 0: none is configured" in caplog.messages


async def test_what_cannot_be_stored_did_not_happen(tmp_path: Path) -> None:
    async with broker(tmp_path) as (paper, source):
        await source.put(quote("1.1000", "1.1002"))
        await paper.submit_order(order())
        other = sqlite3.connect(tmp_path / "paper.sqlite")
        other.execute("CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        refused = order()
        with pytest.raises(StorageUnavailable):
            await paper.submit_order(refused)
        assert paper.health().status is HealthStatus.DEGRADED
        other.execute("DROP TRIGGER full")
        other.close()
        assert (await paper.list_positions(MAIN)).positions[0].quantity == 100
        assert (await paper.submit_order(refused)).venue_order_id == "P2"
        assert paper.health().status is HealthStatus.OK


async def test_a_caller_that_is_gone_leaves_a_whole_order(tmp_path: Path) -> None:
    async with broker(tmp_path) as (paper, source):
        await source.put(quote("1.1000", "1.1002"))
        wanted = order()
        with anyio.CancelScope() as scope:
            scope.cancel()
            await paper.submit_order(wanted)
        found = await paper.get_order(OrderRef(account=MAIN, client_order_id=wanted.client_order_id))
        assert found.order is None or found.order.status is OrderStatus.FILLED
        assert len((await paper.list_fills(MAIN)).items) == (0 if found.order is None else 1)
