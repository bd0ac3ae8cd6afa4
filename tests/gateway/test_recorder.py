"""Orders and fills in the memory: all of them, once, whatever happened meanwhile."""

from __future__ import annotations

import json

import anyio
import anyio.to_thread
import pytest

from gatehook.cli.client import Client
from gatehook.cli.failures import RemoteFailure
from gatehook.gateway.recorder import POSITION_FILE
from gatehook.gateway.recorder import Recorder
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.filters import Eq
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.memory.sqlite.backend import SqliteMemory
from tests.orders.conftest import eventually

pytestmark = pytest.mark.anyio

EMPTY = {"plugins": {"slots": {"memory": "none"}}}


async def place(running, client_order_id, **more):
    order = {
        "side": "buy",
        "instrument": "EURUSD.SIMULATED",
        "quantity": "1000",
        "type": "market",
        "client_order_id": client_order_id,
        **more,
    }
    client = Client(running.host.config.gateway.data_dir)
    with running.host.bus.subscribe("account.fill") as fills, anyio.fail_after(20):
        placed = await anyio.to_thread.run_sync(lambda: client.call("orders.place", order))
        await fills.batch()
    return placed


async def remembered(running, text="", **more):
    await running.remember_everything()
    query = Query(text=text, namespaces=(NamespaceSelector.everything(),), limit=100, **more)
    return [hit.stored for hit in (await running.host.memory().search(query)).hits]


async def test_an_order_and_its_fill_are_found_by_symbol_account_and_words(gateway):
    async with gateway() as running:
        await place(running, "alpha", tags=["trend"])
        for query in (
            {"filter": Eq("meta.symbol", "EURUSD")},
            {"filter": Eq("meta.account", "paper/main")},
            {"filter": Eq("meta.source", "paper")},
            {"text": "alpha"},
        ):
            assert {stored.doc.kind for stored in await remembered(running, **query)} == {"order", "fill"}
        (order,) = await remembered(running, filter=Eq("tags", "trend"))
        assert order.doc.namespace == ("trading", "paper", "main")
        assert "is filled" in order.doc.text


async def test_a_denied_order_is_not_remembered_as_one_that_was_sent(gateway):
    async with gateway() as running:
        with pytest.raises(RemoteFailure, match="invalid_order"):
            await place(running, "crooked", quantity="0.3")
        assert not [one for one in await remembered(running, "crooked") if "is accepted" in one.doc.text]


async def test_what_happened_while_the_memory_was_away_is_remembered_after_a_restart(gateway):
    async with gateway(EMPTY) as running:
        await place(running, "unseen")
    async with gateway() as running:
        assert len(await remembered(running, "unseen")) == 2


async def test_a_switch_of_the_slot_fills_the_new_memory_from_the_start(gateway):
    async with gateway(EMPTY) as running:
        await place(running, "before")
        await running.host.use_slot("memory", "sqlite_fts")
        await place(running, "after")
        assert len(await remembered(running, "before")) == len(await remembered(running, "after")) == 2


async def test_a_restart_remembers_nothing_twice(gateway):
    async with gateway() as running:
        await place(running, "once")
        first = await remembered(running, "once")
    async with gateway() as running:
        again = await remembered(running, "once")
        assert [(one.doc.id, one.revision) for one in again] == [(one.doc.id, one.revision) for one in first]


@pytest.mark.parametrize("content", ["", "not json", "[1, 2]", '{"sqlite_fts": "five"}'])
async def test_a_damaged_position_means_from_the_start(gateway, tmp_path, content):
    async with gateway() as running:
        await place(running, "kept")
        await remembered(running)
    (tmp_path / "data" / POSITION_FILE).write_text(content)
    async with gateway() as running:
        assert len(await remembered(running, "kept")) == 2


async def test_a_position_of_another_journal_is_not_believed(gateway, tmp_path):
    async with gateway() as running:
        await place(running, "kept")
        await remembered(running)
    (tmp_path / "data" / POSITION_FILE).write_text(json.dumps({"sqlite_fts": 10_000}))
    async with gateway() as running:
        await place(running, "new")
        assert len(await remembered(running, "new")) == 2


async def test_a_slot_that_went_there_and_back_meanwhile_leaves_no_hole(gateway, tmp_path, monkeypatch):
    entries = {name: {"plugin": "sqlite_fts", "config": {"path": str(tmp_path / name)}} for name in ("a", "b")}
    async with gateway({"plugins": {"slots": {"memory": "none"}, "entries": entries}}) as running:
        host = running.host
        await place(running, "between")
        await host.use_slot("memory", "a")
        read, wrote = host.desk.journal.changes, SqliteMemory.upsert
        away = [True]

        async def changes(**bounds):
            found = await read(**bounds)
            if found and away and away.pop():
                await host.use_slot("memory", "b")
            return found

        async def upsert(memory, docs, **more):
            report = await wrote(memory, docs, **more)
            if host.slot("memory") == "b":
                tasks.start_soon(host.use_slot, "memory", "a")
                await eventually(lambda: host.slot("memory") == "a")
            return report

        monkeypatch.setattr(host.desk.journal, "changes", changes)
        monkeypatch.setattr(SqliteMemory, "upsert", upsert)
        async with anyio.create_task_group() as tasks:
            await running.remember_everything()
        assert len(await remembered(running, "between")) == 2


async def test_a_memory_that_does_not_work_is_said_once_for_as_long_as_that_lasts(gateway, tmp_path):
    reasons = ["away", "still away", None, "away again"]

    class Memory:
        async def upsert(self, docs):
            if (reason := reasons.pop(0)) is not None:
                raise NotConnected(reason)

    async with gateway(EMPTY) as running:
        await place(running, "first")
        host, said = running.host, []
        recorder = Recorder(host.desk.journal, host.bus, lambda: ("m", Memory()), tmp_path, said.append)
        assert [await recorder.catch_up() for _ in range(3)] == [False, False, True]
        await place(running, "second")
        assert not await recorder.catch_up()
    assert ["away" in said[0].message, "away again" in said[1].message, len(said)] == [True, True, 2]
