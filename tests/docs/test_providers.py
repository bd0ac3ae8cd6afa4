"""The broker on the page sorts outcomes as the page says."""

from __future__ import annotations

from types import SimpleNamespace

import httpx2
import pytest

from gatehook import AccountKey
from gatehook import Ambiguous
from gatehook import InstrumentId
from gatehook import NotConnected
from gatehook import OrderRequest
from gatehook import OrderStatus
from gatehook import OrderType
from gatehook import QuantityUnit
from gatehook import Side
from gatehook.clocks import SystemClock
from gatehook.kinds.errors import MarketClosed
from tests.docs.stories import DOCS
from tests.docs.stories import blocks

pytestmark = pytest.mark.anyio
REQUEST = OrderRequest(
    client_order_id="one",
    account=AccountKey("http", "main"),
    instrument_id=InstrumentId.parse("EURUSD.HTTP"),
    side=Side.BUY,
    type=OrderType.MARKET,
    quantity=1,
    quantity_unit=QuantityUnit.BASE,
)


async def submit(answer):
    """Submit to the broker of the page, whose venue answers by ``answer(request)``."""
    (source,) = [one.text for one in blocks(DOCS / "providers.md") if one.language == "python"]
    page: dict = {"__name__": "documented_broker"}
    exec(compile(source, "providers.md", "exec"), page)
    whole = type("Whole", (page["HttpBroker"],), dict.fromkeys(page["HttpBroker"].__abstractmethods__))
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as http:
        context = SimpleNamespace(http=http, config={"url": "http://venue.test"}, clock=SystemClock())
        return await whole(context).submit_order(REQUEST)


async def test_an_answer_is_the_order():
    order = await submit(lambda _: httpx2.Response(200, json={"id": "7"}))
    assert (order.status, order.venue_order_id) == (OrderStatus.ACCEPTED, "7")


async def test_a_code_in_the_table_is_a_proven_refusal():
    with pytest.raises(MarketClosed, match="closed"):
        await submit(lambda _: httpx2.Response(422, json={"code": "MARKET_CLOSED", "message": "closed"}))


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: httpx2.Response(400, json={"code": "WHO_KNOWS", "message": "?"}),
        lambda _: httpx2.Response(502, text="<html>"),
        lambda request: (_ for _ in ()).throw(httpx2.ReadTimeout("slow", request=request)),
    ],
    ids=["unmapped", "not json", "no answer"],
)
async def test_anything_else_proves_nothing(answer):
    with pytest.raises(Ambiguous):
        await submit(answer)


async def test_without_a_connection_nothing_was_sent():
    def refuse(request):
        raise httpx2.ConnectError("refused", request=request)

    with pytest.raises(NotConnected):
        await submit(refuse)
