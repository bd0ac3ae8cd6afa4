"""What is not kept is dropped: the oldest first, no more than a rule says, nothing that it does not name."""

from __future__ import annotations

import pytest

from gatehook.gateway.housekeeping import Housekeeping
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.kinds.times import SECOND

pytestmark = pytest.mark.anyio

DAY = 86_400 * SECOND


def rules(*retention):
    return {"memory": {"retention": list(retention)}}


def doc(running, doc_id, *namespace, age=0, text="ten letters", tags=()):
    ts = running.host.clock.now() - age * DAY
    return MemoryDoc(id=doc_id, text=text, namespace=namespace, ts=ts, tags=tags, available_at=ts)


async def kept(running, *docs):
    """Write documents, let the memory be looked after, and return the ids of those that are left."""
    memory = running.host.memory()
    await memory.upsert([doc(running, *args, **more) for args, more in docs])
    await Housekeeping(running.host).look()
    query = Query(namespaces=(NamespaceSelector.everything(),), limit=1000)
    return sorted(hit.stored.doc.id for hit in (await memory.search(query)).hits)


def a(*args, **more):
    return args, more


async def test_what_is_too_old_goes_from_a_namespace_and_below_and_from_no_other(gateway):
    async with gateway(rules({"namespace": "foo", "keep": "90d"})) as running:
        assert await kept(
            running,
            a("old", "foo", age=91),
            a("new", "foo", age=89),
            a("below", "foo", "x", age=91),
            a("beside", "foobar", age=91),
            a("above", "bar", "foo", age=91),
            a("ever", "foo", age=91, tags=["evergreen"]),
        ) == ["above", "beside", "ever", "new"]


async def test_the_oldest_of_too_many_go(gateway):
    async with gateway(rules({"namespace": "foo", "max_documents": 2})) as running:
        docs = [a(f"d{age}", "foo", str(age % 2), age=age) for age in range(5)]
        assert await kept(running, *docs, a("beside", "foobar", age=9)) == ["beside", "d0", "d1"]


async def test_the_oldest_of_too_many_bytes_go(gateway):
    async with gateway(rules({"namespace": "foo", "max_bytes": 25})) as running:
        docs = [a(f"d{age}", "foo", age=age, text="0123456789") for age in range(4)]
        assert await kept(running, *docs) == ["d0", "d1"]


@pytest.mark.parametrize(("spare", "left"), [(False, ["d0", "d1"]), (True, ["d0", "ever"])])
async def test_evergreen_documents_count_and_stay_only_if_they_are_spared(gateway, spare, left):
    async with gateway(rules({"namespace": "foo", "max_documents": 2, "spare_evergreen": spare})) as running:
        ever = a("ever", "foo", age=9, tags=["evergreen"])
        assert await kept(running, a("d0", "foo"), a("d1", "foo", age=1), ever) == left


async def test_trading_is_dropped_only_where_it_is_named(gateway):
    async with gateway(rules({"namespace": "*", "max_documents": 1, "keep": "1d"})) as running:
        docs = [a("fill", "trading", "paper", "main", age=9), a("old", "foo", age=9), a("new", "foo")]
        assert await kept(running, *docs) == ["fill", "new"]
    async with gateway(rules({"namespace": "trading/paper", "keep": "1d"})) as running:
        assert await kept(running) == ["new"]


async def test_more_than_one_round_can_take_is_dropped_in_several(gateway, monkeypatch):
    monkeypatch.setattr("gatehook.gateway.retention.BATCH", 3)
    monkeypatch.setattr("gatehook.gateway.housekeeping.BATCH", 3)
    async with gateway(rules({"namespace": "foo", "max_documents": 1})) as running:
        assert await kept(running, *(a(f"d{age}", "foo", age=age) for age in range(9))) == ["d0"]


async def test_a_memory_that_nobody_uses_is_maintained_once(gateway, monkeypatch):
    async with gateway() as running:
        await running.remember_everything()
        calls = []

        async def maintain(self, budget):
            calls.append(budget)

        monkeypatch.setattr("gatehook.memory.sqlite.backend.SqliteMemory.maintain", maintain)
        housekeeping = Housekeeping(running.host)
        await housekeeping.look()
        assert calls == []
        await running.host.memory().stats()
        await housekeeping.look()
        assert calls == []
        await housekeeping.look()
        await housekeeping.look()
        assert calls == [1.0]
        await running.host.memory().stats()
        await housekeeping.look()
        await housekeeping.look()
        assert calls == [1.0, 1.0]
