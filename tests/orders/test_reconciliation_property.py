"""Whatever happened at the venue, told or not: one look heals the journal, and another one changes nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gatehook.kinds.accounts import PositionMode
from gatehook.kinds.orders import Side
from tests.orders.conftest import Floor
from tests.orders.conftest import eventually
from tests.orders.conftest import reconciled
from tests.orders.venue import MAIN
from tests.orders.venue import limit

NAMES = ("a", "b", "theirs")
FRAMES = st.sampled_from(["told", "lost", "twice"])
HAPPENINGS = st.lists(
    st.one_of(
        st.tuples(st.just("fill"), st.sampled_from(NAMES), FRAMES),
        st.tuples(st.just("cancel"), st.sampled_from(NAMES), FRAMES),
        st.tuples(st.just("look"), st.just(""), st.just("")),
        st.tuples(st.just("restart"), st.just(""), st.just("")),
    ),
    max_size=14,
)


class Story:
    """Plays a history on a floor, and knows what must come of it."""

    def __init__(self, folder: Path, mode: PositionMode, sides: tuple[Side, ...]) -> None:
        self.floor = Floor(folder)
        self.floor.venue.mode = mode
        self.sides = dict(zip(NAMES, sides, strict=True))
        self.submitted = False

    async def play(self, happenings) -> None:
        rest = list(happenings)
        while True:
            async with self.floor(events=True):
                await self.begin()
                while rest and (happening := rest.pop(0))[0] != "restart":
                    await self.happen(*happening)
                if not rest:
                    return await self.check()

    async def begin(self) -> None:
        await reconciled(self.floor)
        if not self.submitted:
            self.submitted = True
            for name in ("a", "b"):
                await self.floor.handle.submit_order(limit(name, "5", side=self.sides[name]))
            self.floor.venue.accept(limit("theirs", "5", side=self.sides["theirs"]))

    async def happen(self, what: str, name: str, frame: str) -> None:
        venue = self.floor.venue
        if what == "look":
            await self.floor.desk.reconciliations.now("venue")
        elif not venue.orders[name].status.is_final:
            if what == "fill":
                hedging = venue.mode is PositionMode.HEDGING
                news = [venue.fill(name, "1", f"T{len(venue.fills)}", position_id=f"P-{name}" if hedging else None)]
            else:
                news = [venue.cancel(name)]
            venue.tell(*news * {"told": 1, "lost": 0, "twice": 2}[frame])

    async def check(self) -> None:
        floor = self.floor
        await floor.desk.reconciliations.now("venue")
        assert floor.codes() == []
        assert {fill.trade_id for fill in await floor.handle.fills()} == {fill.trade_id for fill in floor.venue.fills}
        for name, truth in floor.venue.orders.items():
            order = await floor.handle.order(name)
            if order is None:  # it came and went unseen, and moved nothing
                assert (name, truth.filled, truth.status.is_final) == ("theirs", 0, True)
                continue
            assert (order.status, order.filled, order.leaves, order.cost) == (
                truth.status, truth.filled, truth.leaves, truth.cost,
            )  # fmt: skip
        floor.desk.reconciliations.check(MAIN)
        await self.applied()
        before = rows(floor.path)
        with floor.bus.subscribe("account.*") as events:
            await floor.desk.reconciliations.now("venue")
            await floor.desk.reconciliations.now("venue")
            floor.bus.publish("account.end", None, source="test")
            assert [event.topic for event in await events.batch()] == ["account.end"]
        assert rows(floor.path) == before

    async def applied(self) -> None:
        """Wait until all that was told is in the journal: what comes later is news, and not of the look's making."""
        told = str(len(self.floor.venue.events))

        async def arrived():
            return told == "0" or await self.floor.journal.cursor("venue") == told

        await eventually(arrived)


def rows(path: Path) -> dict[str, list[tuple]]:
    tables = ("orders", "venue_ids", "fills", "changes", "reports", "adjustments", "commands")
    with closing(sqlite3.connect(path)) as db:
        return {table: db.execute(f"SELECT * FROM {table}").fetchall() for table in tables}


@contextmanager
def story(mode, sides):
    with TemporaryDirectory() as folder:
        yield Story(Path(folder), mode, sides)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("mode", [PositionMode.NETTING, PositionMode.HEDGING])
@settings(max_examples=20, deadline=None)
@given(happenings=HAPPENINGS, sides=st.tuples(*[st.sampled_from(Side)] * 3))
def test_statement_36_looking_twice_changes_nothing(backend, mode, happenings, sides):
    with story(mode, sides) as told:
        anyio.run(told.play, happenings, backend=backend)
