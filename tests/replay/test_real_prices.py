"""5,000 hourly candles of EUR/USD replayed: every close once, and every fill as the CSV alone says it must be."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

import anyio
import pytest

from gatehook import InstrumentId
from gatehook import PluginHost
from gatehook.clocks import ReplayClock
from gatehook.gateway import Gateway
from tests.replay.strategy import trade

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.timeout(300),
]
ORACLE = Path(__file__).with_name("oracle.py")


def candles() -> Path:
    spec = find_spec("backtesting")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "test" / "EURUSD.csv"


def config(folder: Path) -> dict:
    replay = {"file": str(candles()), "symbol": "EURUSD", "price_increment": "0.00001", "timeframe": "1h"}
    return {
        "gateway": {"data_dir": str(folder)},
        "plugins": {
            "deny": ["simulated"],
            "entries": {
                "replay": {"config": replay},
                "paper": {"config": {"prices": "replay", "spread": "0.00010"}},
            },
        },
    }


async def test_every_close_once_and_every_fill_as_the_csv_says(tmp_path):
    closes = []
    async with Gateway(PluginHost.from_config(config(tmp_path / "data"), clock=ReplayClock())) as gateway:
        async with anyio.create_task_group() as tasks:
            await tasks.start(trade_in(gateway, closes))
            with anyio.fail_after(240):
                await gateway.start_prices()
                await gateway.prices_ended.wait()
                await gateway.remember_everything()
            tasks.cancel_scope.cancel()
        broker = gateway.host.broker("paper", caller="test")
        fills = await broker.fills(limit=10_000)
        orders = {one.request.client_order_id: one for one in await broker.orders(limit=10_000)}

    with candles().open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [str(one.close) for one in closes] == [str(Decimal(row["Close"])) for row in rows]
    assert len({one.ts_open for one in closes}) == len(rows) == 5000
    assert {one.instrument_id for one in closes} == {InstrumentId("EURUSD", "REPLAY")}

    expected = oracle()
    assert set(orders) == set(expected)
    assert {str(one.status) for one in orders.values()} <= {"filled", "accepted", "triggered"}
    found = {fill.client_order_id: (rows_of(fill, closes), fill.price) for fill in fills}
    assert len(found) == len(fills)
    differing = {
        name: (found.get(name), wanted) for name, wanted in expected.items() if not agree(found.get(name), wanted)
    }
    print(Counter(name.partition("-")[0] for name in found), "fills;", len(differing), "differ:", differing)
    assert not differing

    searched = memory_search("limit-50", tmp_path / "data")
    assert "fill" in searched
    assert "limit-50" in searched


def trade_in(gateway, closes):
    async def run(*, task_status):
        await trade(gateway, closes, task_status=task_status)

    return run


def oracle() -> dict[str, tuple[int, Decimal] | None]:
    """Ask the script that knows nothing of Gatehook."""
    done = subprocess.run([sys.executable, ORACLE, candles()], capture_output=True, text=True, check=True, timeout=60)
    return {name: one and (one[0], Decimal(one[1])) for name, one in json.loads(done.stdout).items()}


def memory_search(text: str, data_dir: Path) -> str:
    """Ask as an operator would, when no gateway runs."""
    command = [sys.executable, "-m", "gatehook", "memory", "search", text, "--json"]
    command += ["--set", f"gateway.data_dir={data_dir}"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def rows_of(fill, closes) -> list[int]:
    """Return the numbers of the candles in which a fill happened: two where one's end is the other's begin."""
    found = [number for number, one in enumerate(closes, 1) if one.ts_open <= fill.ts_event <= one.ts_close]
    assert 1 <= len(found) <= 2, fill
    return found


def agree(found, wanted) -> bool:
    """Say whether a fill is the one that the CSV says."""
    if found is None or wanted is None:
        return found is None and wanted is None
    return wanted[0] in found[0] and wanted[1] == found[1]


def test_the_oracle_imports_nothing_of_gatehook():
    lines = ORACLE.read_text("utf-8").splitlines()
    assert not [line for line in lines if line.startswith(("import gatehook", "from gatehook"))]
