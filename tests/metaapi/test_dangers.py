"""The ten dangerous things in the server that the plugin works with, each guarded, in the order they are listed."""

from __future__ import annotations

from decimal import Decimal

import anyio
import attrs
import pytest

from gatehook import Ambiguous
from gatehook import Denied
from gatehook import NotConnected
from gatehook import OrderChange
from gatehook import OrderRef
from gatehook import OrderStatus
from gatehook import OrderType
from gatehook import PositionRef
from gatehook import Side
from gatehook import Subscription
from gatehook import UnsupportedCapability
from gatehook.kinds.accounts import Mode
from gatehook.kinds.broker import Evidence
from gatehook.kinds.commands import Protection
from gatehook.kinds.errors import AccountNotAllowed
from gatehook.kinds.errors import InsufficientFunds
from gatehook.kinds.errors import InvalidOrder
from gatehook.kinds.errors import InvalidStops
from gatehook.kinds.errors import MarketClosed
from gatehook.kinds.errors import RateLimited
from gatehook.kinds.market_data import Channel
from gatehook.kinds.orders import Trailing
from gatehook.kinds.orders import TrailingUnit
from gatehook.kinds.provider import HealthStatus
from gatehook.testing.metaapi import Fault
from gatehook.testing.metaapi import terminal
from gatehook.testing.rig import eventually
from tests.metaapi.rig import ENTRY
from tests.metaapi.rig import hosted
from tests.metaapi.rig import rigged
from tests.metaapi.rig import served

pytestmark = pytest.mark.anyio

TOKEN = "the-very-secret-token"


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def rig(plugin_host):
    async with rigged(plugin_host, TOKEN) as rig:
        yield rig


def stand_in(rig):
    return rig.venue.venue


def sent(rig, tool):
    return [one.arguments for one in stand_in(rig).requests if one.tool == tool]


def here(rig, account=None, position_id=None):
    return PositionRef(account=account or rig.account, instrument_id=rig.instrument.id, position_id=position_id)


async def test_01_the_side_is_in_every_call_and_an_argument_that_nobody_declared_is_in_none(rig):
    for kind in (OrderType.MARKET, OrderType.LIMIT, OrderType.STOP):
        for side in Side:
            await rig.broker.submit_order(rig.order(kind, side))
    trailing = Trailing(offset=50, unit=TrailingUnit.POINTS)
    await rig.broker.submit_order(rig.order(side=Side.SELL, trailing=trailing))
    assert [one["side"] for one in sent(rig, "place_market_order")] == ["buy", "sell"]
    assert [one["side"] for one in sent(rig, "place_limit_order")] == ["buy", "sell"]
    assert len(sent(rig, "create_stop_buy_order")) == len(sent(rig, "create_stop_sell_order")) == 1
    (trailed,) = sent(rig, "create_market_order_with_trailing_sl")
    assert trailed["actionType"] == "ORDER_TYPE_SELL"
    assert trailed["trailingStopLoss"] == {"distance": {"distance": Decimal("0.0005"), "units": "RELATIVE_PRICE"}}
    with pytest.raises(Denied, match="no argument 'magic'"):
        await rig.broker.plugin.session.trade("place_market_order", "netting", magic=1)
    with pytest.raises(Denied, match="side"):
        await rig.broker.plugin.session.trade("place_market_order", "netting", symbol="EURUSD", volume=Decimal(1))
    assert len(stand_in(rig).requests) == 7


async def test_02_an_account_that_is_not_allowed_is_refused_before_any_call_by_every_method(rig):
    stranger, broker = rig.forbidden, rig.broker
    ref = OrderRef(account=stranger, venue_order_id="1")
    position = here(rig, stranger, "1")
    for call in (
        lambda: broker.get_account(stranger),
        lambda: broker.list_positions(stranger),
        lambda: broker.list_orders(stranger),
        lambda: broker.list_fills(stranger),
        lambda: broker.get_order(ref),
        lambda: broker.submit_order(rig.order(account=stranger)),
        lambda: broker.cancel_order(ref, command_id="a"),
        lambda: broker.close_position(position, command_id="b"),
        lambda: broker.modify_position(position, Protection(stop_loss=1), command_id="c"),
        lambda: broker.estimate_margin(rig.order(account=stranger)),
    ):
        with pytest.raises(AccountNotAllowed):
            await call()
    assert stand_in(rig).requests == []
    assert stand_in(rig).book("locked").positions == {}


async def test_03_ids_are_26_characters_without_a_comment_and_an_order_without_an_answer_is_found_by_its_id(rig):
    longest, broker = rig.order(client_order_id="x" * 26), rig.broker
    await broker.submit_order(longest)
    (arguments,) = sent(rig, "place_market_order")
    assert arguments["clientId"] == "x" * 26
    assert "comment" not in arguments
    with pytest.raises(InvalidOrder, match="26"):
        await broker.submit_order(rig.order(client_order_id="x" * 27))
    for request in (rig.order(), rig.order(OrderType.LIMIT), rig.order(OrderType.STOP)):
        with stand_in(rig).failing(Fault.CUT_REPLY), pytest.raises(Ambiguous):
            await broker.submit_order(request)
        found = await eventually(lambda ref=request.ref: looked_up(broker, ref), lambda one: one is not None)
        assert found.request.client_order_id == request.client_order_id
        assert found.filled == (request.quantity if request.type is OrderType.MARKET else 0)


async def test_03_a_close_without_an_answer_is_found_by_the_deals_of_its_position(rig):
    opened = rig.order(account=rig.hedging)
    await rig.broker.submit_order(opened)
    (position,) = (await rig.broker.list_positions(rig.hedging)).positions
    with stand_in(rig).failing(Fault.CUT_REPLY), pytest.raises(Ambiguous):
        await rig.broker.close_position(here(rig, rig.hedging, position.position_id), command_id="close-1")
    ref = OrderRef(account=rig.hedging, client_order_id="close-1")
    found = await eventually(lambda: looked_up(rig.broker, ref), lambda one: one is not None)
    assert (found.status, found.filled) == (OrderStatus.FILLED, opened.quantity)
    fills = (await rig.broker.list_fills(rig.hedging)).items
    assert [one.client_order_id for one in fills] == [opened.client_order_id, "close-1"]
    assert [one.side for one in fills] == [Side.BUY, Side.SELL]


async def test_03_that_nothing_is_found_proves_nothing(rig):
    lost = rig.order()
    with stand_in(rig).failing(Fault.CUT_REQUEST), pytest.raises(Ambiguous):
        await rig.broker.submit_order(lost)
    await rig.broker.plugin.session.wait_connected(5)
    assert (await rig.broker.get_order(lost.ref)).evidence is Evidence.INDETERMINATE


async def test_03_an_account_that_does_not_prove_what_it_is_is_live(rig):
    assert {one.mode for one in await rig.broker.list_accounts()} == {Mode.LIVE}
    assert (await rig.broker.get_account(rig.account)).mode is Mode.LIVE


async def test_04_nothing_deploys_and_an_account_that_is_down_shows_in_the_health(rig):
    assert not {"deploy_account", "undeploy_account", "redeploy_account"} & {one.tool for one in stand_in(rig).requests}
    book = stand_in(rig).book("hedging")
    book.state, book.connection = "UNDEPLOYED", "DISCONNECTED"
    await rig.broker.list_accounts()
    assert rig.broker.health().reasons == ("account hedging is UNDEPLOYED",)
    book.state = "DEPLOYED"
    await rig.broker.list_accounts()
    assert rig.broker.health().reasons == ("account hedging: its terminal is DISCONNECTED",)


async def test_05_a_price_is_asked_for_once_for_all_who_follow_it_and_not_at_all_when_nobody_does(rig):
    source = rig.host.market_data(ENTRY)
    assert source.capabilities.ticks == "polled"
    quotes = Subscription(instrument_id=rig.instrument.id, channel=Channel.QUOTES)
    market = rig.host.market_data(ENTRY)
    provider = rig.broker.plugin
    async with source.stream([quotes]) as first, market.stream([quotes]) as second:
        assert (await anext(first)).bid == rig.bid
        assert (await anext(second)).bid == rig.bid
        assert provider.polls.running == 1
    assert provider.polls.running == 0


async def test_06_a_zero_is_never_sent_and_protection_that_stays_is_sent_again(rig):
    request = rig.order(OrderType.LIMIT, stop_loss=rig.away(Side.BUY, 300), take_profit=rig.ask)
    await rig.broker.submit_order(request)
    await rig.broker.amend_order(request.ref, OrderChange(price=rig.away(Side.BUY, 90)), command_id="a")
    (moved,) = sent(rig, "modify_order")
    assert Decimal(str(moved["stopLoss"])) == request.stop_loss
    assert Decimal(str(moved["takeProfit"])) == request.take_profit
    await rig.broker.submit_order(rig.order(stop_loss=rig.away(Side.BUY, 300)))
    for wish in (Protection(), Protection(take_profit=rig.away(Side.SELL))):
        with pytest.raises(UnsupportedCapability, match="stop_loss"):
            await rig.broker.modify_position(here(rig), wish, command_id="p")
    with pytest.raises(InvalidOrder, match="above zero"):
        await rig.broker.modify_position(here(rig), Protection(stop_loss=0), command_id="p")
    assert sent(rig, "modify_position") == []
    wish = Protection(stop_loss=rig.away(Side.BUY, 200), take_profit=rig.away(Side.SELL, 200))
    (position,) = (await rig.broker.modify_position(here(rig), wish, command_id="p")).positions
    assert (position.stop_loss, position.take_profit) == (wish.stop_loss, wish.take_profit)
    assert not any(value == 0 for one in stand_in(rig).requests for value in one.arguments.values())


async def test_07_a_partial_fill_is_told_from_a_whole_one_and_is_exact(rig):
    stand_in(rig).fail(Fault.PARTIAL, times=1, fraction="0.5")
    order = await rig.broker.submit_order(rig.order(quantity="0.10"))
    assert (order.status, order.filled, order.canceled) == (OrderStatus.CANCELED, Decimal("0.05"), Decimal("0.05"))
    assert order.cost == order.filled * rig.ask
    assert await rig.position() == Decimal("0.05")


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("MARKET_CLOSED", MarketClosed),
        ("TRADE_CONTEXT_BUSY", RateLimited),
        ("INSUFFICIENT_FUNDS", InsufficientFunds),
        ("INVALID_STOPS", InvalidStops),
        ("UNKNOWN_ERROR", Ambiguous),
        ("SOMETHING_NEW", Ambiguous),
    ],
)
async def test_07_only_the_codes_of_the_table_prove_a_refusal(code, error, rig):
    stand_in(rig).fail(Fault.ERROR, code=code, times=1)
    with pytest.raises(error) as raised:
        await rig.broker.submit_order(rig.order())
    assert raised.value.venue_code == code
    assert raised.value.retry_after == (1.0 if error is RateLimited else None)


async def test_08_until_an_account_is_synchronized_nothing_is_sent_to_it_and_the_start_does_not_wait(plugin_host):
    async with served() as venue:
        venue.first_call_delay = 3600
        with anyio.fail_after(20):
            async with hosted(plugin_host, venue) as host:
                broker = host.desk.entry(ENTRY).access.provider
                broker.plugin.links.patience = 0.05
                assert {one.mode for one in await broker.list_accounts()} == {Mode.LIVE}
                health = broker.health()
                assert health.status is HealthStatus.DEGRADED
                assert all("synchronizing" in reason for reason in health.reasons)
                key = (await broker.list_accounts())[0].account
                with pytest.raises(NotConnected, match="synchronizing"):
                    await broker.get_account(key)
                assert venue.requests == []


async def test_09_a_connection_that_ends_with_an_order_in_flight_leaves_it_unknown_until_it_is_found(rig):
    request = rig.order(OrderType.LIMIT)
    with stand_in(rig).failing(Fault.CUT_REPLY):
        order = await rig.handle.submit_order(request)
    assert order.status is OrderStatus.UNKNOWN
    await eventually(
        lambda: rig.handle.order(request.client_order_id), lambda one: one.status is OrderStatus.ACCEPTED, 10
    )
    assert len(stand_in(rig).requests) == 1


async def test_10_requests_are_bounded_and_the_token_shows_nowhere(rig, caplog, capfd):
    assert rig.declared.requests_per_minute == 1200
    await rig.broker.submit_order(rig.order())
    await stand_in(rig).die()
    with pytest.raises((NotConnected, Ambiguous)) as raised:
        await rig.broker.submit_order(rig.order())
    shown = [str(raised.value), repr(rig.broker), repr(vars(rig.broker.plugin)), str(rig.broker.health())]
    shown += [caplog.text, *capfd.readouterr(), *(str(vars(one)) for one in caplog.records)]
    assert not any(TOKEN in text for text in shown)


async def looked_up(broker, ref):
    try:
        return (await broker.get_order(ref)).order
    except NotConnected:
        return None


async def test_a_close_of_a_part_and_an_order_for_a_position_are_refused(rig):
    await rig.broker.submit_order(rig.order(quantity="0.02"))
    before = len(stand_in(rig).requests)
    with pytest.raises(UnsupportedCapability, match="whole positions only"):
        await rig.broker.close_position(here(rig), quantity=Decimal("0.01"), command_id="c")
    with pytest.raises(UnsupportedCapability, match="close the position"):
        await rig.broker.submit_order(attrs.evolve(rig.order(), position_id="1"))
    assert len(stand_in(rig).requests) == before
    margin = await rig.broker.estimate_margin(rig.order())
    assert (margin.amount > 0, margin.currency) == (True, "USD")


async def test_03_only_the_accounts_own_word_for_demo_proves_one(plugin_host, monkeypatch):
    words = {"netting": "ACCOUNT_TRADE_MODE_DEMO", "hedging": "ACCOUNT_TRADE_MODE_CONTEST"}
    told = terminal.account_information

    def informed(engine):
        return {**told(engine), "type": words[engine.book.settings.id]}

    monkeypatch.setattr(terminal, "account_information", informed)
    async with served() as venue, hosted(plugin_host, venue, gateway={"mode": "demo"}) as host:
        broker = host.desk.entry(ENTRY).access.provider
        modes = {one.account.account_id: one.mode for one in await broker.list_accounts()}
        assert modes == {"netting": Mode.DEMO, "hedging": Mode.LIVE}
