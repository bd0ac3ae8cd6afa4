"""A desk killed again and again: each start voids what was recorded and not journaled, and the rest is proven."""

from __future__ import annotations

import random
import time
from contextlib import closing

import pytest

from gatehook.audit import AuditLog
from gatehook.audit import read
from gatehook.audit import verify
from gatehook.audit.intents import void_of
from gatehook.orders.database import open_writer
from gatehook.orders.proving import orphaned_intents
from gatehook.orders.proving import prove
from tests.orders.test_kill import killed

KILLS = 8


def started_anew(folder):
    """Do what a start does before anything is sent; return how many intents had no row."""
    with (
        closing(AuditLog.open(folder, wall=time.time_ns, redact=str)) as log,
        closing(open_writer(folder / "journal.sqlite")) as db,
    ):
        orphans = orphaned_intents(db, read(folder, last=1024))
        log.append([void_of(one, actor="gateway", reason="killed") for one in orphans])
    return len(orphans)


@pytest.mark.timeout(180)
def test_after_each_kill_the_run_is_proven(tmp_path):
    (tmp_path / "venue").touch()
    moments = random.Random(20261122)
    orders, acknowledged = 0, []
    for _ in range(KILLS):
        acknowledged = killed(tmp_path, len(acknowledged) + moments.randrange(2, 8), moments.uniform(0, 0.05))
        assert started_anew(tmp_path) <= 3, "three lanes"
        assert verify(tmp_path).problems == ()
        found = prove(tmp_path / "journal.sqlite", read(tmp_path))
        assert found.findings == ()
        assert found.orders >= orders
        assert acknowledged
        orders = found.orders
    assert orders > KILLS
