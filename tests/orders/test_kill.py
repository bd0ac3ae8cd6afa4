"""SIGKILL at random moments: no acknowledged order is missing, none is there twice, every unknown is resolved."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import anyio
import pytest

from gatehook.clocks import SystemClock
from gatehook.kinds.orders import OrderStatus
from gatehook.orders import Journal

KILLS = int(os.environ.get("GATEHOOK_TEST_KILLS", "20"))
ORDERS = 400


def child(directory: Path, count: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.orders.gatewaylet", str(directory), str(count)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )


def killed(directory: Path, lines: int, after: float) -> list[str]:
    """Run the child, kill it some time after so many acknowledgements, and return what it had acknowledged."""
    process = child(directory, ORDERS)
    try:
        first = b"".join(process.stdout.readline() for _ in range(lines))
        time.sleep(after)  # the moment of the kill is what varies
    finally:
        process.kill()
    rest = process.stdout.read().decode()
    process.wait()
    process.stdout.close()
    return (first.decode() + rest).rpartition("\n")[0].splitlines()


@pytest.mark.timeout(180)
def test_statement_06_no_acknowledged_order_is_missing_and_none_is_sent_twice(tmp_path):
    (tmp_path / "venue").touch()
    moments = random.Random(20261122)
    acknowledged: dict[str, str] = {}
    for _ in range(KILLS):
        # It begins with what was acknowledged before: so many lines later there are new orders, on any machine.
        lines = min(len(acknowledged) + moments.randrange(2, 8), 2 * ORDERS)
        for line in killed(tmp_path, lines, moments.uniform(0, 0.05)):
            client_order_id, status = line.split()
            acknowledged[client_order_id] = status
    last = child(tmp_path, 1)
    assert last.communicate(timeout=60)
    assert last.returncode == 0
    arrived = Counter((tmp_path / "venue").read_text().split())
    assert max(arrived.values()) == 1

    async def journaled():
        async with await Journal.open(tmp_path / "journal.sqlite", clock=SystemClock()) as journal:
            return {one.request.client_order_id: one for one in await journal.orders(limit=-1)}

    orders = anyio.run(journaled)
    assert acknowledged.keys() <= orders.keys()
    for client_order_id, order in orders.items():
        reached = f'"{client_order_id}"' in arrived
        assert order.status is (OrderStatus.ACCEPTED if reached else OrderStatus.REJECTED)
    accepted = {name for name, status in acknowledged.items() if status == "accepted"}
    assert {f'"{name}"' for name in accepted} <= arrived.keys()
    assert len(orders) > KILLS
