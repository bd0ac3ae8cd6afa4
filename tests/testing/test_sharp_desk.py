"""The desk statements are sharp: desks with a defect break the statement that is about it."""

from __future__ import annotations

from functools import partial

import pytest

from gatehook.kinds.errors import StorageUnavailable
from gatehook.orders import placing
from gatehook.orders.entry import Entry
from gatehook.orders.flights import Flights
from gatehook.orders.journal import Journal
from gatehook.orders.placing import Placing
from gatehook.testing import DeskSuite
from gatehook.testing import desk_suite
from gatehook.testing.rig import eventually
from tests.mutation import Mutant
from tests.testing.broken import breach
from tests.testing.broken import copy_of
from tests.testing.rigs import DEALER
from tests.testing.rigs import dealing

pytestmark = pytest.mark.anyio

#: A venue that takes the same id again, so that a desk that sends twice is seen.
FORGETFUL = (
    Mutant("broker.py", "        if known is not None:\n            return known\n", ""),
    Mutant("book.py", 'f"order:{order.request.client_order_id}"', 'f"order:{order.venue_order_id}"'),
    Mutant(
        "book.py",
        "        self.orders[order.request.client_order_id] = order\n        if",
        '        self.orders[order.venue_order_id or ""] = order\n        if',
    ),
)


def forgets_ids(patch):
    claim = Journal.claim

    async def always_fresh(self, order, digest):
        known, _ = await claim(self, order, digest)
        return known, True

    patch.setattr(Journal, "claim", always_fresh)


def looks_at_no_content(patch):
    patch.setattr(placing, "order_digest", lambda request: "the same")


def sends_before_it_writes(patch):
    async def hasty(self, permit):
        answer = await self._desk.entry(self._entry_id).access.provider.submit_order(self._order)
        await self._intend(permit)
        return answer

    patch.setattr(placing._OrderWay, "_send", hasty)


def lets_every_account_in(patch):
    patch.setattr(Entry, "check_account", lambda self, account: None)


def sends_in_the_callers_task(patch):
    async def run(self, key, digest, work):
        return await work()

    patch.setattr(Flights, "run", run)


def sends_without_storage(patch):
    send = placing._OrderWay._send

    async def anyhow(self, permit):
        try:
            return await send(self, permit)
        except StorageUnavailable:
            return await self._desk.entry(self._entry_id).access.provider.submit_order(self._order)

    patch.setattr(placing._OrderWay, "_send", anyhow)


def asks_the_market_first(patch):
    submit = Placing.submit

    async def curious(self, entry_id, request, caller):
        dealer = self._desk.entry(entry_id).access.provider
        if dealer._quotes[request.instrument_id].bid > 2:
            raise StorageUnavailable("the price is out of the band")
        return await submit(self, entry_id, request, caller)

    patch.setattr(Placing, "submit", curious)


DEFECTS = [
    (1, forgets_ids),
    (2, looks_at_no_content),
    (3, looks_at_no_content),
    (6, sends_before_it_writes),
    (11, lets_every_account_in),
    (47, sends_in_the_callers_task),
    (50, sends_without_storage),
    (51, asks_the_market_first),
]
FIXTURES = {6: "monkeypatch", 47: "monkeypatch", 50: "disk"}


def fixtures(request, number):
    """Return what a statement takes besides the rig; before the host starts, as the disk wants it."""
    name = FIXTURES.get(number)
    return {name: request.getfixturevalue(name)} if name else {}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(desk_suite, "eventually", partial(eventually, seconds=1))


@pytest.mark.usefixtures("blind_spy")
@pytest.mark.parametrize(("number", "defect"), DEFECTS)
async def test_a_defect_breaks_its_statement(plugin_host, tmp_path, monkeypatch, request, number, defect):
    more = fixtures(request, number)
    async with dealing(plugin_host, copy_of(DEALER, tmp_path / "dealer", *FORGETFUL)) as rig:
        defect(monkeypatch)
        assert await breach(DeskSuite, number, rig, **more) is not None


@pytest.mark.parametrize("number", sorted({number for number, _ in DEFECTS}))
async def test_without_a_defect_the_statement_holds(plugin_host, tmp_path, request, number):
    more = fixtures(request, number)
    async with dealing(plugin_host, copy_of(DEALER, tmp_path / "dealer", *FORGETFUL)) as rig:
        assert await breach(DeskSuite, number, rig, **more) is None
