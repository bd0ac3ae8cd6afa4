"""Everything at once, from a seed: at the end the journal and the venue agree, and no id is two orders."""

from __future__ import annotations

import random

import anyio
import pytest

from gatehook.kinds.errors import ProviderError
from gatehook.kinds.orders import OrderChange
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from gatehook.testing.desk_doubt_suite import ready
from gatehook.testing.desk_probes import reconciled
from gatehook.testing.rig import eventually
from tests.hostile.agreement import disagreements
from tests.hostile.rig import Variant
from tests.hostile.rig import hostile

pytestmark = pytest.mark.anyio
COMMANDS = 25


async def lane(rig, moments):
    """Give commands one after the other, whatever comes of them."""
    placed = []
    for _ in range(COMMANDS):
        try:
            match moments.choice(["limit", "limit", "market", "cancel", "amend"]):
                case "market":
                    await rig.handle.submit_order(rig.order(side=moments.choice(list(Side))))
                case "limit":
                    request = rig.order(OrderType.LIMIT, price=rig.away(Side.BUY, moments.randrange(50, 500)))
                    placed.append(request.client_order_id)
                    await rig.handle.submit_order(request)
                case "cancel" if placed:
                    await rig.handle.cancel_order(moments.choice(placed))
                case "amend" if placed:
                    change = OrderChange(price=rig.away(Side.BUY, moments.randrange(50, 500)))
                    await rig.handle.amend_order(moments.choice(placed), change)
        except ProviderError:
            continue


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "variant", [Variant(), Variant("by_id+lag", "hedging"), Variant("bounded_request", "cash")], ids=str
)
async def test_the_journal_comes_to_agree_with_the_venue(plugin_host, venue_process, tmp_path, variant, seed):
    folder = variant.plugin(tmp_path / "plugin")
    async with hostile(plugin_host, venue_process, folder, variant, limits={}) as rig:
        await ready(rig)
        await rig.venue.control("chaos", seed=seed)
        async with anyio.create_task_group() as tasks:
            for number in range(4):
                tasks.start_soon(lane, rig, random.Random(seed * 10 + number))
        await rig.venue.control("calm")
        await rig.venue.control("restart")

        async def open_questions():
            await reconciled(rig)
            return [*rig.desk.unknown_orders(), *await disagreements(rig)]

        assert await eventually(open_questions, lambda found: not found, 30) == []
        requests = (await rig.venue.control("ledger"))["requests"]
        assert len(requests) > COMMANDS
        assert any(one["error"] == "dropped" for one in requests)
