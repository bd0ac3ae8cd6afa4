"""A venue that trades while it is asked: however its answers and frames fall between each other, nothing is made up."""

from __future__ import annotations

from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gatehook.kinds.accounts import PositionMode
from gatehook.kinds.orders import OrderStatus
from tests.orders.conftest import Floor
from tests.orders.conftest import reconciled
from tests.orders.venue import MAIN
from tests.orders.venue import VenueBroker
from tests.orders.venue import limit

CALLS = ("get_account", "list_orders", "list_fills", "list_positions", "get_order")
FILLS = 30


class SlowBroker(VenueBroker):
    """Every question takes some time on its way, and every answer on its way back."""

    def __init__(self, venue, chance: Random) -> None:
        super().__init__(venue)
        for name in CALLS:
            setattr(self, name, slowed(getattr(self, name), chance))


def slowed(method, chance):
    async def call(*arguments, **options):
        await a_while(chance)
        answer = await method(*arguments, **options)
        await a_while(chance)
        return answer

    return call


async def a_while(chance: Random) -> None:
    for _ in range(chance.randrange(12)):
        await anyio.lowlevel.checkpoint()


async def trade(floor: Floor, chance: Random) -> None:
    for number in range(FILLS):
        await a_while(chance)
        fill = floor.venue.fill("a", "1", f"T{number}", position_id=chance.choice(["P1", "P2"]))
        if chance.random() < 0.7:
            await a_while(chance)
            floor.venue.tell(fill)


async def busy(folder: Path, mode: PositionMode, seed: int) -> None:
    chance = Random(seed)
    floor = Floor(folder)
    floor.venue.mode = mode
    floor.broker = SlowBroker(floor.venue, chance)
    async with floor(events=True, reconcile_every=0.001):
        await reconciled(floor)
        await floor.handle.submit_order(limit("a", str(FILLS)))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(trade, floor, chance)
            for _ in range(5):
                await floor.desk.reconciliations.now("venue")
        for _ in range(3):
            await floor.desk.reconciliations.now("venue")
        assert floor.codes() == []
        floor.desk.reconciliations.check(MAIN)
        assert len(await floor.handle.fills()) == FILLS
        assert (await floor.handle.order("a")).status is OrderStatus.FILLED


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("mode", [PositionMode.NETTING, PositionMode.HEDGING])
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_what_trades_while_it_is_compared_is_no_difference(backend, mode, seed):
    with TemporaryDirectory() as folder:
        anyio.run(busy, Path(folder), mode, seed, backend=backend)
