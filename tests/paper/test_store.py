"""The paper broker's file: it survives SIGKILL, and refuses what it cannot read."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from builtin_plugins.paper.engine import Engine
from builtin_plugins.paper.record import restore
from builtin_plugins.paper.settings import settings_from
from builtin_plugins.paper.store import FILE
from builtin_plugins.paper.store import Store
from builtin_plugins.paper.store import wipe
from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Order
from tests.paper.kit import CONFIG
from tests.paper.kit import D

#: Submits for ever and says each order that was acknowledged.
CHILD = """
import sys
from pathlib import Path
import anyio
from tests.paper.kit import OrderType, T0, broker, order, quote

async def main():
    async with broker(Path(sys.argv[1])) as (paper, source):
        await source.put(quote("1.1000", "1.1002"))
        for number in range(100000):
            kind = {} if number % 3 else {"kind": OrderType.LIMIT, "price": "1.0900"}
            await paper.submit_order(order(client_order_id=f"{sys.argv[2]}-{number}", quantity=1, **kind))
            print(f"{sys.argv[2]}-{number}", flush=True)

anyio.run(main)
"""


def test_no_acknowledged_order_is_lost_by_sigkill(tmp_path: Path) -> None:
    """Ten kills at random points; afterwards every book agrees with every other."""
    chance = random.Random(7)
    acknowledged: list[str] = []
    for round_ in range(10):
        acknowledged += _killed_after(tmp_path, round_, chance.randint(1, 60))
    store = Store(tmp_path / FILE)
    stored = store.load()
    engine = Engine(restore(settings_from("paper", CONFIG), stored))
    events = [event for _, event in store.events(0, 10**6)]
    assert [seq for seq, _ in store.events(0, 10**6)] == list(range(1, len(events) + 1))
    orders = [one for _, one in store.orders("main", open_only=False, since=0, after=0, limit=10**6)]
    assert set(acknowledged) <= {one.request.client_order_id for one in orders}
    last = {one.venue_order_id: one for one in events if isinstance(one, Order)}
    assert list(last.values()) == orders
    bought = sum((one.quantity for one in events if isinstance(one, Fill)), D(0))
    assert bought == sum((one.filled for one in orders), D(0))
    assert bought == sum((one.quantity for one in engine.state.holdings.values()), D(0))
    assert len(engine.state.book) == sum(not one.status.is_final for one in orders)
    assert engine.state.counters.order == len(orders)
    store.close()


def _killed_after(data_dir: Path, round_: int, lines: int) -> list[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(data_dir), f"r{round_}"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(["src", ".", *sys.path])},
    )
    assert child.stdout is not None
    seen = [child.stdout.readline().strip() for _ in range(lines)]
    os.kill(child.pid, signal.SIGKILL)
    rest = child.stdout.read().splitlines()
    child.stdout.close()
    child.wait()
    assert seen[-1], "the child has submitted before it was killed"
    return seen + rest


def test_a_newer_file_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / FILE
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version = 2")
    other.close()
    before = path.read_bytes()
    with pytest.raises(StorageUnavailable, match="version 2"):
        Store(path)
    assert path.read_bytes()[100:] == before[100:]


def test_a_damaged_file_is_refused_and_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database" * 100)
    with pytest.raises(StorageUnavailable, match="paper reset"):
        Store(tmp_path / FILE)
    wipe(tmp_path)
    Store(tmp_path / FILE).close()


def test_a_failed_write_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    store = Store(tmp_path / FILE)
    state = restore(settings_from("paper", CONFIG), store.load())
    from builtin_plugins.paper.record import Batch
    from builtin_plugins.paper.record import EventRow

    good = Batch(counters="{}", accounts=(("main", "{}"),))
    twice = (EventRow(1, "fill", "main", 0, "{}"), EventRow(1, "fill", "main", 0, "{}"))
    store.save(good)
    with pytest.raises(StorageUnavailable):
        store.save(Batch(counters="changed", events=twice))
    assert store.load().counters == "{}"
    assert state.accounts["main"].balance == D(100000)
    store.close()
