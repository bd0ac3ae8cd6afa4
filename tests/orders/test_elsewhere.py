"""A broker that is served to another gateway's desk: what this configuration refuses never reaches the venue."""

from __future__ import annotations

import pytest

from gatehook.kinds.accounts import Mode
from gatehook.kinds.commands import Contingency
from gatehook.kinds.commands import OrderList
from gatehook.kinds.errors import AccountNotAllowed
from gatehook.kinds.errors import Denied
from gatehook.kinds.orders import OrderRef
from gatehook.kinds.orders import OrderStatus
from gatehook.orders.elsewhere import ForAnotherDesk
from tests.orders.venue import LIVE
from tests.orders.venue import MAIN
from tests.orders.venue import OTHER
from tests.orders.venue import limit

# The intents are the other desk's, in its journal: the spy knows the journals of this process only.
pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("blind_spy")]


async def test_an_account_more_real_than_the_mode_here_gets_no_order(floor):
    async with floor(allowed_accounts=frozenset({"live", "main"})):
        served = ForAnotherDesk(floor.desk, "venue")
        with pytest.raises(Denied):
            await served.submit_order(request=limit("a", account=LIVE))
        pair = OrderList(list_id="l", contingency=Contingency.OCO, orders=[limit("b"), limit("c", account=LIVE)])
        with pytest.raises(Denied):
            await served.submit_order_list(orders=pair)
        assert floor.sent() == floor.sent("submit_order_list") == 0
        assert (await served.submit_order(request=limit("d"))).status is OrderStatus.ACCEPTED
    async with floor(mode=Mode.LIVE, allowed_accounts=frozenset({"live"})):
        served = ForAnotherDesk(floor.desk, "venue")
        assert (await served.submit_order(request=limit("e", account=LIVE))).status is OrderStatus.ACCEPTED


async def test_an_account_that_is_not_named_is_neither_traded_nor_read(floor):
    async with floor(allowed_accounts=frozenset({"main"})):
        served = ForAnotherDesk(floor.desk, "venue")
        with pytest.raises(AccountNotAllowed):
            await served.submit_order(request=limit("a", account=OTHER))
        floor.venue.asked.clear()
        with pytest.raises(AccountNotAllowed):
            await served.list_positions(account=OTHER)
        assert floor.venue.asked == set()
        assert [one.account for one in await served.list_accounts()] == [MAIN]


async def test_a_halt_here_stops_what_adds_risk_and_lets_the_rest_pass(floor):
    async with floor():
        served = ForAnotherDesk(floor.desk, "venue")
        await served.submit_order(request=limit("a"))
        await floor.desk.halt("all", reason="a test", by="person")
        with pytest.raises(Denied):
            await served.submit_order(request=limit("b"))
        ref = OrderRef(account=MAIN, client_order_id="a")
        assert (await served.cancel_order(ref=ref, command_id="c")).status is OrderStatus.CANCELED
    assert floor.sent() == 1
