"""The audit and the journal are two files: killed between them, the one never says what the other denies."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from gatehook.audit.kinds import COMMAND_INTENT
from gatehook.audit.kinds import INTENT_VOID
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.orders import OrderStatus
from tests.orders.venue import limit

pytestmark = pytest.mark.anyio


def rows(path, command_id):
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
        return db.execute("SELECT count(*) FROM commands WHERE command_id = ?", (command_id,)).fetchone()[0]


async def test_a_commands_intent_is_void_only_once_its_row_is_gone(floor, monkeypatch):
    async def away(_):
        raise NotConnected("the venue is away")

    seen = []
    async with floor():
        order = await floor.handle.submit_order(limit("a"))
        append = floor.desk.audit.append

        def watching(records, **how):
            seen.extend(
                (one.kind, rows(floor.path, one.subject["command_id"]))
                for one in records
                if one.kind in (COMMAND_INTENT, INTENT_VOID)
            )
            append(records, **how)

        monkeypatch.setattr(floor.desk.audit, "append", watching)
        floor.broker.on_cancel = away
        with pytest.raises(NotConnected):
            await floor.handle.cancel_order(order.ref, command_id="c")
        assert seen == [(COMMAND_INTENT, 0), (INTENT_VOID, 0)]
        assert rows(floor.path, "c") == 0
        floor.broker.on_cancel = None
        assert (await floor.handle.cancel_order(order.ref, command_id="c")).status is OrderStatus.CANCELED
