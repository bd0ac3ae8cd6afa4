"""SIGKILL of ``gatehook run`` at random points of many submissions: no acknowledged order is missing, none doubled.

The numbers are small here; ``GATEHOOK_RUN_KILLS`` and ``GATEHOOK_SUBMISSIONS`` set others.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import pytest

from gatehook import PluginHost
from gatehook.cli.client import Client
from gatehook.cli.failures import RemoteFailure
from gatehook.diagnostics import GatehookError

SUBMISSIONS = int(os.environ.get("GATEHOOK_SUBMISSIONS", "500"))
KILLS = int(os.environ.get("GATEHOOK_RUN_KILLS", "12"))
SEED = 20261122
AT_VENUE = ("accepted", "filled")


@contextmanager
def gateway(folder: Path):
    """Run a gateway in a process of its own; kill it at the end, whatever state it is in."""
    with (folder / "gateway.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gatehook", "run", "--set", f"gateway.data_dir={folder / 'data'}"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            client, end = Client(folder / "data"), time.monotonic() + 30
            while not client.is_running():
                assert process.poll() is None, (folder / "gateway.log").read_text()
                assert time.monotonic() < end, "the gateway does not answer"
                time.sleep(0.02)
            yield process, client
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(10)


def order(number: int) -> dict[str, object]:
    side = "buy" if number % 2 else "sell"
    common = {"client_order_id": f"k{number}", "side": side, "instrument": "EURUSD.SIMULATED", "quantity": "1000"}
    if number % 3:
        return common | {"type": "market"}
    return common | {"type": "limit", "price": "0.50000" if side == "buy" else "2.00000"}


def submit(client: Client, number: int) -> str | None:
    """Submit one order; return its status, or nothing where there was no answer."""
    try:
        return client.call("orders.place", order(number), timeout=10)["order"]["status"]
    except (GatehookError, RemoteFailure):
        return None


@pytest.mark.anyio
@pytest.mark.timeout(max(300, 10 * KILLS))
async def test_an_acknowledged_order_is_there_once_after_any_number_of_kills(tmp_path):
    answers, tries = _submit_through_kills(tmp_path)
    acknowledged = {name for name, status in answers.items() if status in AT_VENUE}
    absent = {name for name, status in answers.items() if status == "rejected"}  # the kill came before the send
    assert len(acknowledged) + len(absent) == SUBMISSIONS

    config = {"gateway": {"data_dir": str(tmp_path / "data")}, "plugins": {"paths": []}}
    async with PluginHost.from_config(config) as host:
        desk, paper = host.desk, host.desk.entry("paper").access.provider
        account = (await paper.list_accounts())[0].account
        at_venue = Counter(one.request.client_order_id for one in await everything(paper.list_orders, account))
        filled = Counter(one.client_order_id for one in await everything(paper.list_fills, account))
        journaled = await host.broker("paper", caller="test").orders(limit=10 * SUBMISSIONS)
        unknown = desk.unknown_orders()
    assert set(at_venue) == acknowledged
    assert set(at_venue.values()) == {1}
    assert set(filled.values()) == {1}
    assert Counter(one.request.client_order_id for one in journaled) == Counter(list(answers))
    assert not unknown
    print(f"{len(acknowledged)} at the venue once, {len(absent)} proven absent, {tries} submissions, {KILLS} kills")


async def everything(listing, account):
    kwargs = {"open_only": False} if listing.__name__ == "list_orders" else {}
    found, cursor = [], None
    while True:
        page = await listing(account, cursor=cursor, **kwargs)
        found += page.items
        if (cursor := page.cursor) is None:
            return found


def _submit_through_kills(folder: Path) -> tuple[dict[str, str], int]:
    rng = random.Random(SEED)
    answers: dict[str, str] = {}
    tries = 0
    for _ in range(KILLS):
        with gateway(folder) as (process, client):
            quota = min(SUBMISSIONS - len(answers), rng.randrange(1, 2 * SUBMISSIONS // KILLS))
            # The kill comes from beside, so that it hits every moment of a submission.
            timer = threading.Timer(rng.uniform(0.001, 0.004) * quota, process.kill)
            timer.start()
            tries += _submit_missing(client, answers, lambda process=process: process.poll() is None)
            timer.join()
            process.wait(10)
    with gateway(folder) as (_, client):
        end = time.monotonic() + 60
        while len(answers) < SUBMISSIONS and time.monotonic() < end:  # what is unknown is looked up meanwhile
            tries += _submit_missing(client, answers, lambda: True)
    return answers, tries


def _submit_missing(client: Client, answers: dict[str, str], lives: Callable[[], bool]) -> int:
    tries = 0
    for number in [one for one in range(SUBMISSIONS) if f"k{one}" not in answers]:
        tries += 1
        status = submit(client, number)
        if status is not None and status in (*AT_VENUE, "rejected"):
            answers[f"k{number}"] = status
        elif not lives():
            break
    return tries
