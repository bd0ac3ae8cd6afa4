"""A broker served to a gateway elsewhere: nothing is journaled here, and what this configuration forbids is refused."""

from __future__ import annotations

import sys

import anyio
import pytest

from gatehook.kinds.errors import AccountNotAllowed
from gatehook.kinds.errors import Halted
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.instruments import AccountKey
from gatehook.orders.elsewhere import ForAnotherDesk
from gatehook.wire.errors import error_from
from tests.paper.rig import paper
from tests.wire.processes import gateway_session
from tests.wire.processes import paper_process

pytestmark = pytest.mark.anyio


async def asked(session, tool, **arguments):
    """Call a broker's tool; raise what it refused with."""
    answer = await session.call(f"gatehook.broker.{tool}", arguments)
    if answer.is_error:
        raise error_from(answer.structured, tool=tool)
    return answer.structured["result"]


def order(name, **changes):
    request = {
        "client_order_id": name,
        "account": {"account_id": "main"},
        "instrument_id": "EURUSD.PRICES",
        "side": "buy",
        "type": "market",
        "quantity": "2000",
        "quantity_unit": "base",
    }
    return request | changes


async def test_a_halt_where_it_is_served_stops_what_adds_risk_and_nothing_else(tmp_path):
    async with paper_process(tmp_path) as (serving, prices), gateway_session(serving, "theirs") as session:
        await prices.followed()
        assert (await asked(session, "submit_order", request=order("a")))["status"] == "filled"
        halt = ["halt", "--yes", "--reason", "test", "--data-dir", str(tmp_path / "data")]
        await anyio.run_process([sys.executable, "-m", "gatehook", *halt], check=False)
        with pytest.raises(Halted):
            await asked(session, "submit_order", request=order("b"))
        position = {"account": {"account_id": "main"}, "instrument_id": "EURUSD.PRICES"}
        closed = await asked(session, "close_position", ref=position, command_id="c")
        assert closed["status"] == "filled"
        assert len((await asked(session, "list_orders", account={"account_id": "main"}, open_only=False))["items"]) == 2


async def test_accounts_that_this_configuration_does_not_allow_are_not_there(plugin_host):
    async with paper(plugin_host) as rig:
        served = ForAnotherDesk(rig.desk, "paper")
        assert [one.account.account_id for one in await served.list_accounts()] == ["main", "hedged"]
        locked = AccountKey("paper", "locked")
        with pytest.raises(AccountNotAllowed):
            await served.list_orders(account=locked)
        with pytest.raises(AccountNotAllowed):
            await served.submit_order(request=rig.order(account=locked))
        assert await rig.desk.journal.orders(limit=10) == []


async def test_an_entry_that_is_not_there_says_that_nothing_was_sent(plugin_host):
    async with paper(plugin_host) as rig:
        with pytest.raises(NotConnected):
            await ForAnotherDesk(rig.desk, "elsewhere").submit_order(request=rig.order())
        with pytest.raises(AttributeError):
            getattr(ForAnotherDesk(rig.desk, "paper"), "reset")  # noqa: B009  an access without a use is refused too
