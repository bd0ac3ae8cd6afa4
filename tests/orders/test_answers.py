"""A broker that answers what is no answer: its callers are told, and no other broker is touched."""

from __future__ import annotations

import pytest

from gatehook import OrderStatus
from gatehook.kinds.errors import ProviderError
from tests.orders.venue import MAIN
from tests.orders.venue import limit

pytestmark = pytest.mark.anyio

READS = {
    "list_accounts": lambda handle: handle.accounts(),
    "get_account": lambda handle: handle.account(MAIN),
    "list_instruments": lambda handle: handle.instruments(),
    "list_positions": lambda handle: handle.positions(MAIN),
}


@pytest.mark.parametrize("answer", [None, ["x"], "x", 5])
@pytest.mark.parametrize("method", READS)
async def test_an_answer_of_a_wrong_type_is_a_provider_error(floor, method, answer):
    async def lie(*arguments, **options):
        return answer

    setattr(floor.broker, method, lie)
    async with floor():
        with pytest.raises(ProviderError, match=f"{method} of entry venue failed: TypeError"):
            await READS[method](floor.handle)


async def test_an_order_is_denied_when_the_instruments_are_none_and_its_id_stays_free(floor):
    honest = floor.broker.list_instruments

    async def lie(*, query=None):
        return None

    async with floor():
        floor.broker.list_instruments = lie
        with pytest.raises(ProviderError):
            await floor.handle.submit_order(limit("a"))
        assert floor.sent() == 0
        floor.broker.list_instruments = honest
        assert (await floor.handle.submit_order(limit("a"))).status is OrderStatus.ACCEPTED
