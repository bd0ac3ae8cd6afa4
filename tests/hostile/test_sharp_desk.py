"""The desk statements about doubt, reconciliation and the guard are sharp: desks with a defect break theirs."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from functools import partial

import attrs
import pytest

from gatehook.guard.exposure import Exposure
from gatehook.host.rates import RateBudget
from gatehook.kinds.broker import Broker
from gatehook.kinds.broker import Evidence
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.provider import Health
from gatehook.orders import canceling
from gatehook.orders import placing
from gatehook.orders import resolving
from gatehook.orders.desk import Desk
from gatehook.orders.entry import Entry
from gatehook.orders.gate import Gate
from gatehook.orders.reconciliation import Reconciliations
from gatehook.orders.rounds import Rounds
from gatehook.orders.sending import Proof
from gatehook.testing import DeskSuite
from gatehook.testing import desk_doubt_suite
from gatehook.testing import desk_guard_suite
from gatehook.testing import desk_probes
from gatehook.testing import desk_reconciling_suite
from gatehook.testing.desk_doubt_suite import ready
from gatehook.testing.rig import eventually
from tests.hostile.rig import Variant
from tests.hostile.rig import hostile
from tests.testing.broken import breach

pytestmark = pytest.mark.anyio


def believes_every_mode(patch):
    async def anything(self, account, mode):
        return None

    patch.setattr(Entry, "check_mode", anything)


def sends_until_it_is_so(patch):
    send = placing.send

    async def again(*args, **kwargs):
        reply = await send(*args, **kwargs)
        return await send(*args, **kwargs) if reply.proof is Proof.NOTHING else reply

    patch.setattr(placing, "send", again)


def gives_up(patch):
    weigh = resolving._weigh

    async def hopeless(desk, entry, order, found):
        evidence = await weigh(desk, entry, order, found)
        if evidence is Evidence.INDETERMINATE:
            await resolving._absent(desk, order)
        return evidence

    patch.setattr(resolving, "_weigh", hopeless)


def never_looks_back(patch):
    events = Broker.events

    async def nothing(self, accounts=None):
        return ()

    patch.setattr(Rounds, "once", nothing)
    patch.setattr(Broker, "events", events)


def takes_everything_for_its_own(patch):
    patch.setattr(canceling, "_may_go", lambda order: True)


def counts_no_closes(patch):
    patch.setattr(Exposure, "closing_quantity", lambda self, *where, **more: Decimal(0))


def checks_once(patch):
    patch.setattr(Gate, "check_halt", lambda self, account, caller: None)


def forgets_what_is_unknown(patch):
    apply = Exposure.apply_order

    def forgetful(self, order):
        unknown = order.status is OrderStatus.UNKNOWN
        apply(self, attrs.evolve(order, status=OrderStatus.REJECTED) if unknown else order)

    patch.setattr(Exposure, "apply_order", forgetful)


def invents_news(patch):
    now = Reconciliations.now
    runs = []

    async def restless(self, entry_id):
        await now(self, entry_id)
        runs.append(entry_id)
        fills = await self._desk.journal.fills()
        fill = attrs.evolve(fills[0][1], trade_id=f"synthetic-{len(runs)}")
        await self._desk.journal.apply(entry_id, [fill])

    patch.setattr(Reconciliations, "now", restless)


def keeps_no_budget(patch):
    async def at_once(self, kind, timeout, user):
        return None

    patch.setattr(RateBudget, "acquire", at_once)


def reads_first(patch):
    def last(self):
        return next((queue[0] for queue in reversed(self._queues.values()) if queue), None)

    patch.setattr(RateBudget, "_next", last)


def is_always_well(patch):
    patch.setattr(Desk, "health", lambda self, entry_id=None: Health())


def trades_before_it_looked(patch):
    patch.setattr(Reconciliations, "check", lambda self, account: None)


DEFECTS = [
    (13, believes_every_mode),
    (14, sends_until_it_is_so),
    (15, gives_up),
    (17, sends_until_it_is_so),
    (31, never_looks_back),
    (32, never_looks_back),
    (35, takes_everything_for_its_own),
    (36, invents_news),
    (42, keeps_no_budget),
    (42, reads_first),
    (46, is_always_well),
    (48, counts_no_closes),
    (49, believes_every_mode),
    (52, checks_once),
    (53, forgets_what_is_unknown),
    (55, trades_before_it_looked),
]
PATCHED = {13, 42, 48, 49}
SCAN = Variant()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    quick = partial(eventually, seconds=2)
    for module in (desk_doubt_suite, desk_guard_suite, desk_probes, desk_reconciling_suite):
        with suppress(AttributeError):
            monkeypatch.setattr(module, "eventually", lambda ask, enough, seconds=2: quick(ask, enough))


def fixtures(request, number):
    """Return what a statement takes besides the rig."""
    return {"monkeypatch": request.getfixturevalue("monkeypatch")} if number in PATCHED else {}


@pytest.mark.usefixtures("blind_spy")
@pytest.mark.parametrize(("number", "defect"), DEFECTS)
async def test_a_defect_breaks_its_statement(
    plugin_host, venue_process, tmp_path, monkeypatch, request, number, defect
):
    async with hostile(plugin_host, venue_process, SCAN.plugin(tmp_path / "plugin"), SCAN) as rig:
        await ready(rig)
        defect(monkeypatch)
        assert await breach(DeskSuite, number, rig, **fixtures(request, number)) is not None


@pytest.mark.parametrize("number", sorted({number for number, _ in DEFECTS}))
async def test_without_a_defect_the_statement_holds(plugin_host, venue_process, tmp_path, request, number):
    async with hostile(plugin_host, venue_process, SCAN.plugin(tmp_path / "plugin"), SCAN) as rig:
        await ready(rig)
        assert await breach(DeskSuite, number, rig, **fixtures(request, number)) is None
