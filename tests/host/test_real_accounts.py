"""Two entries that lead to one real account: the second is refused it, on every method."""

from __future__ import annotations

import anyio
import attrs
import pytest

from gatehook import OrderStatus
from gatehook import hookimpl
from gatehook.kinds.accounts import AccountRef
from gatehook.kinds.accounts import Mode
from gatehook.kinds.accounts import PositionReport
from gatehook.kinds.errors import AccountNotAllowed
from gatehook.kinds.errors import NotReconciled
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.orders import OrderRef
from tests.host.plugin_kit import codes
from tests.host.plugin_kit import host_of
from tests.host.test_brokers import ABOUT
from tests.host.test_brokers import Brokers
from tests.orders.conftest import eventually
from tests.orders.venue import EURUSD
from tests.orders.venue import VenueBroker
from tests.orders.venue import limit

pytestmark = pytest.mark.anyio

CODE = "orders.account-twice"


class Mirror(VenueBroker):
    """One account, at the place that the test says; its instruments are the entry's own."""

    def __init__(self, truth, context, **place):
        super().__init__(truth)
        self.context = context
        self.place = {"venue": "VENUE", "server": "Demo-7", "login": "4711", **place}

    async def list_accounts(self):
        account = AccountKey(self.context.entry_id, "main")
        return [AccountRef(account=account, name="main", mode=Mode.PAPER, **self.place)]

    async def list_positions(self, account):
        return PositionReport(account=account, positions=(), complete=True, as_of=1)

    async def list_instruments(self, *, query=None):
        found = await super().list_instruments(query=query)
        return [attrs.evolve(one, id=InstrumentId(one.id.symbol, self.context.venue)) for one in found]


def plugin_of(**places):
    class Mirrors(Brokers):
        @hookimpl
        def provide_broker(self, context):
            return Mirror(self.venue, context, **places.get(context.entry_id, {}))

    return Mirrors()


def order_at(entry, client_order_id):
    account = AccountKey(entry, "main")
    return limit(client_order_id, account=account, instrument_id=InstrumentId(EURUSD.symbol, entry.upper()))


def two(tmp_path, plugin=None):
    entries = {name: {"plugin": "venue", "reconcile_every": 0.1} for name in ("first", "second")}
    return host_of(tmp_path, plugins=[(ABOUT, plugin or plugin_of())], entries=entries)


async def listed(host):
    """Ask both for their accounts, the first first."""
    return [len(await host.broker(entry, caller="test").accounts()) for entry in ("first", "second")]


async def test_the_second_is_refused_on_every_method_and_it_is_said_once(tmp_path):
    async with two(tmp_path) as host:
        counts = await listed(host)
        assert sorted(counts) == [0, 1]
        refused = ("first", "second")[counts.index(0)]
        broker, account = host.broker(refused, caller="test"), AccountKey(refused, "main")
        ref = OrderRef(account=account, client_order_id="a")
        for call in (
            broker.submit_order(order_at(refused, "a")),
            broker.cancel_order(ref, command_id="b"),
            broker.cancel_all(account, command_id="c"),
            broker.account(account),
            broker.positions(account),
        ):
            with pytest.raises(AccountNotAllowed, match="already"):
                await call
        assert codes(host).count(CODE) == 1


@pytest.mark.parametrize(
    "place",
    [{"login": "4712"}, {"login": ""}, {"server": "Demo-8"}, {"server": "", "venue": "OTHER"}],
)
async def test_accounts_that_differ_or_have_no_login_are_both_used(tmp_path, place):
    async with two(tmp_path, plugin_of(second=place)) as host:
        assert await listed(host) == [1, 1]
        assert CODE not in codes(host)


async def test_a_server_is_the_same_however_its_name_is_written(tmp_path):
    async with two(tmp_path, plugin_of(second={"server": "DEMO-7", "venue": "OTHER"})) as host:
        assert sorted(await listed(host)) == [0, 1]


async def test_an_account_outside_the_allow_list_is_nobodys(tmp_path):
    entries = {
        "first": {"plugin": "venue", "config": {"allowedAccounts": ["another"]}},
        "second": {"plugin": "venue"},
    }
    async with host_of(tmp_path, plugins=[(ABOUT, plugin_of())], entries=entries) as host:
        assert await listed(host) == [0, 1]
        assert CODE not in codes(host)


async def test_the_first_keeps_it_over_a_restart_and_the_second_gets_it_when_the_first_is_gone(tmp_path):
    async with two(tmp_path) as host:
        counts = await listed(host)
        holder, refused = ("first", "second") if counts[0] else ("second", "first")
        await host.restart(holder)
        assert await listed(host) == counts
        with anyio.fail_after(10):
            await host._runner._stop([host._runner.entries[holder]])
        broker = host.broker(refused, caller="test")
        assert len(await broker.accounts()) == 1

        async def is_traded():
            try:
                return (await broker.submit_order(order_at(refused, "a"))).status is OrderStatus.ACCEPTED
            except NotReconciled:
                return False

        await eventually(is_traded)
