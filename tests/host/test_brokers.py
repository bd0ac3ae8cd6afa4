"""Brokers in the host: behind the desk, each kind of call with a breaker of its own."""

from __future__ import annotations

import anyio
import pytest

from gatehook import Ambiguous
from gatehook import NotConnected
from gatehook import OrderStatus
from gatehook import PositionRef
from gatehook import hookimpl
from gatehook.host.access import GuardedBroker
from gatehook.host.breaker import THRESHOLD
from gatehook.host.entry import Changes
from gatehook.host.entry import Entry
from gatehook.host.entry import EntrySpec
from gatehook.kinds.errors import AccountNotAllowed
from gatehook.kinds.errors import InsufficientFunds
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.kind import Kind
from gatehook.orders import CallKind
from tests.host.plugin_kit import codes
from tests.host.plugin_kit import host_of
from tests.host.plugin_kit import state_of
from tests.host.scripted import Scripted
from tests.host.scripted import manifest
from tests.host.scripted import until
from tests.orders.venue import EURUSD
from tests.orders.venue import MAIN
from tests.orders.venue import OTHER
from tests.orders.venue import Venue
from tests.orders.venue import VenueBroker
from tests.orders.venue import limit
from tests.orders.venue import position

pytestmark = pytest.mark.anyio


SCHEMA = {"type": "object", "properties": {"allowedAccounts": {"type": "array", "items": {"type": "string"}}}}
CAPABILITIES = {
    "orderTypes": ["market", "limit"],
    "timesInForce": ["gtc"],
    "supportsEvents": True,
    "absenceProof": "scan",
}
ABOUT = {**manifest("venue"), "kinds": ["connector.broker"], "capabilities": CAPABILITIES, "configSchema": SCHEMA}


class Brokers:
    """An embedded plugin over one venue; ``made`` are its generations."""

    def __init__(self, **behaviour):
        self.venue = Venue()
        self.behaviour = behaviour
        self.made = []

    @hookimpl
    def provide_broker(self, context):
        broker = VenueBroker(self.venue)
        for name, value in self.behaviour.items():
            setattr(broker, name, value)
        self.made.append(broker)
        return broker


@pytest.fixture
def guarded():
    now = [0.0]
    spec = EntrySpec(entry_id="fake", manifest=_Manifest, config=None, kinds={Kind.BROKER}, uses={}, venue="V")
    entry = Entry(spec, timeout=0.05, now=lambda: now[0], changes=Changes(), redact=lambda text: text)
    port = entry.ports[Kind.BROKER]
    provider = object()
    port.serve(provider, None)
    return GuardedBroker(port, provider, None, lambda: now[0], reconcile_every=60.0), entry


class _Manifest:
    id = "fake"
    kinds = (Kind.BROKER,)


async def fail_with(access, kind, error, times=1):
    async def function():
        raise error

    for _ in range(times):
        with pytest.raises(type(error)):
            await access.call(kind, "method", function)


async def fine():
    return 1


async def test_reading_submitting_and_reducing_have_breakers_of_their_own(guarded):
    access, _ = guarded
    await fail_with(access, CallKind.SUBMIT, NotConnected("away"), THRESHOLD)
    with pytest.raises(NotConnected, match="next try"):
        await access.call(CallKind.SUBMIT, "submit_order", fine)
    assert await access.call(CallKind.READ, "list_orders", fine) == 1


async def test_what_reduces_risk_passes_an_open_breaker(guarded):
    access, _ = guarded
    await fail_with(access, CallKind.REDUCE, NotConnected("away"), THRESHOLD + 5)
    assert await access.call(CallKind.REDUCE, "cancel_order", fine) == 1


async def test_a_refusal_of_the_venue_never_counts(guarded):
    access, _ = guarded
    await fail_with(access, CallKind.SUBMIT, InsufficientFunds("no money"), THRESHOLD * 3)
    assert await access.call(CallKind.SUBMIT, "submit_order", fine) == 1


async def test_an_outcome_that_nobody_knows_counts(guarded):
    access, _ = guarded
    await fail_with(access, CallKind.SUBMIT, Ambiguous("who knows"), THRESHOLD)
    with pytest.raises(NotConnected):
        await access.call(CallKind.SUBMIT, "submit_order", fine)


async def test_a_deadline_is_a_timeout_which_proves_nothing(guarded):
    access, entry = guarded
    with pytest.raises(TimeoutError):
        await access.call(CallKind.SUBMIT, "submit_order", anyio.sleep_forever)
    with pytest.raises(TimeoutError):
        await access.call(CallKind.SUBMIT, "submit_order", anyio.sleep_forever, timeout=0.01)
    assert entry.ports[Kind.BROKER].breakers["submit calls"].failures == 2


async def test_an_exception_comes_out_as_it_is_and_the_end_of_a_program_as_an_error(guarded):
    access, entry = guarded
    raised = []
    entry.failure = lambda what, error: raised.append(what)
    await fail_with(access, CallKind.SUBMIT, KeyError("bug"))
    await fail_with(access, CallKind.SUBMIT, Ambiguous("who knows"))

    async def leave():
        raise SystemExit(1)

    with pytest.raises(ProviderError, match="SystemExit"):
        await access.call(CallKind.SUBMIT, "submit_order", leave)
    assert raised == ["method", "submit_order"]


async def test_an_old_generation_reaches_nothing(guarded):
    access, entry = guarded
    entry.ports[Kind.BROKER].serve(object(), None)
    with pytest.raises(NotConnected):
        await access.call(CallKind.READ, "list_orders", fine)
    entry.ports[Kind.BROKER].withdraw()
    with pytest.raises(NotConnected):
        await access.call(CallKind.REDUCE, "cancel_order", fine)


async def test_an_order_passes_the_desk_and_its_handle_survives_a_restart(tmp_path):
    plugin = Brokers()
    async with host_of(tmp_path, plugins=[(ABOUT, plugin)]) as host:
        broker = host.broker("venue", caller="test")
        order = await broker.submit_order(limit("a"))
        assert (order.status, order.owner) == (OrderStatus.ACCEPTED, "test")
        await host.restart("venue")
        assert len(plugin.made) == 2
        assert (await broker.submit_order(limit("a"))).venue_order_id == order.venue_order_id
        assert plugin.venue.calls.count("submit_order") == 1
        assert host.desk.unknown_orders() == ()


async def test_the_allow_list_of_accounts_is_the_entrys(tmp_path):
    plugin = Brokers()
    entries = {"venue": {"config": {"allowedAccounts": ["main"]}}}
    async with host_of(tmp_path, plugins=[(ABOUT, plugin)], entries=entries) as host:
        broker = host.broker("venue", caller="test")
        with pytest.raises(AccountNotAllowed):
            await broker.submit_order(limit("a", account=OTHER))
        with pytest.raises(AccountNotAllowed):
            await broker.positions(OTHER)
        assert "submit_order" not in plugin.venue.calls
        assert plugin.venue.asked <= {MAIN}


async def test_a_broker_that_is_down_takes_no_orders(tmp_path):
    async def enter(self):
        raise NotConnected("away")

    plugin = Brokers()
    async with host_of(tmp_path, plugins=[(ABOUT, plugin)]) as host:
        VenueBroker.__aenter__, kept = enter, VenueBroker.__aenter__
        try:
            await host.restart("venue")
            with pytest.raises(NotConnected):
                await host.broker("venue", caller="test").submit_order(limit("a"))
        finally:
            VenueBroker.__aenter__ = kept
        await until(host, "venue", "active")
        assert plugin.venue.orders == {}


async def test_a_broker_with_open_risk_is_not_quarantined_but_cried_about(tmp_path):
    async def lost(request):
        raise ZeroDivisionError("bug")

    plugin = Brokers(on_submit=lost)
    unproving = {**ABOUT, "capabilities": {**CAPABILITIES, "absenceProof": "none"}}
    async with host_of(tmp_path, plugins=[(unproving, plugin)]) as host:
        broker = host.broker("venue", caller="test")
        for number in range(6):
            try:
                order = await broker.submit_order(limit(f"a{number}"))
                assert order.status is OrderStatus.UNKNOWN
            except NotConnected:
                assert number >= THRESHOLD
        assert host.desk.unknown_orders("venue")
        assert state_of(host, "venue") != "quarantined"
        assert "host.broker-unsteady" in codes(host)
        assert host.health().status == "down"


async def test_an_entry_uses_a_broker_through_the_desk_under_its_own_name(tmp_path):
    orders = []
    uses = {"type": "object", "properties": {"broker": {"type": "string", "x-gatehook-entry": "connector.broker"}}}

    async def enter(provider):
        orders.append(await provider.context.use("venue").submit_order(limit("a")))

    plugins = [(ABOUT, Brokers()), (manifest("strategy", configSchema=uses), Scripted(enter=enter))]
    async with host_of(tmp_path, plugins=plugins, entries={"venue": {}, "strategy": {"config": {"broker": "venue"}}}):
        assert orders[0].owner == "strategy"


async def order_something(host, venue):
    await host.broker("venue", caller="test").submit_order(limit("a"))


async def hold_something(host, venue):
    venue.positions.append(position("10"))
    await host.desk.reconciliations.now("venue")


@pytest.mark.parametrize("risk", [order_something, hold_something])
async def test_a_broker_that_crashes_with_open_risk_is_tried_again_and_not_quarantined(tmp_path, risk):
    async def crash(broker, sink, after):
        raise RuntimeError("crash")

    plugin = Brokers()
    async with host_of(tmp_path, plugins=[(ABOUT, plugin)]) as host:
        await risk(host, plugin.venue)
        kept, VenueBroker.run_events = VenueBroker.run_events, crash
        try:
            with host.bus.subscribe("gateway.diagnostic") as events, anyio.fail_after(30):
                await host.restart("venue")
                while "host.broker-unsteady" not in codes(host):
                    await events.batch()
        finally:
            VenueBroker.run_events = kept
        assert "host.quarantined" not in codes(host)
        await until(host, "venue", "active")
        assert len(plugin.made) > 5


async def test_reads_that_fail_hold_up_neither_a_reconciliation_nor_a_close(tmp_path):
    """An open breaker for reading is for those who only look."""

    async def away(account):
        raise NotConnected("away")

    plugin = Brokers()
    plugin.venue.positions.append(position("10"))
    about = {**ABOUT, "capabilities": {**CAPABILITIES, "supportsClosePosition": True}}
    async with host_of(tmp_path, plugins=[(about, plugin)]) as host:
        broker = host.broker("venue", caller="test")
        provider = plugin.made[-1]
        honest, provider.get_account = provider.get_account, away
        for _ in range(THRESHOLD + 1):
            with pytest.raises(NotConnected):
                await broker.account(MAIN)
        provider.get_account = honest
        with pytest.raises(NotConnected, match="next try"):
            await broker.account(MAIN)
        await host.desk.reconciliations.now("venue")
        assert host.desk.reconciliations.reasons("venue") == ()
        closed = await broker.close_position(PositionRef(account=MAIN, instrument_id=EURUSD))
        assert closed.request.reduce_only
