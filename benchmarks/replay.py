"""Replaying recorded candles at full speed through the whole gateway: candles a second, against reading the file."""

from __future__ import annotations

import csv
import statistics
import tempfile
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Final

from benchmarks.gateway_process import run_gateway
from benchmarks.measuring import Row
from benchmarks.measuring import side_by_side

_CANDLES: Final = 5_000


def run(quick: bool) -> Iterator[Row]:
    """Measure over the hourly EUR/USD candles that the package ``backtesting`` brings."""
    found = find_spec("backtesting")
    work = "replay of hourly EUR/USD candles, whole gateway, wall"
    if found is None or found.origin is None:
        yield Row(work=work, note="skipped: backtesting is not installed")
        return
    count = 200 if quick else _CANDLES
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "EURUSD.csv"
        with (Path(found.origin).parent / "test" / "EURUSD.csv").open() as lines:
            file.write_text("".join(islice(lines, count + 1)))
        took, floors = [], []
        for _ in range(1 if quick else 5):
            took.append(run_gateway(["--replay", str(file), "--exit-at-end"], stop=False).rest)
            floors.append(side_by_side({"floor": lambda: _read(file)}, 1)["floor"])
    yield Row(
        work=work,
        figure=count / statistics.median(took),
        unit="candles/s",
        against="floor: csv, times and Decimals of the same file",
        other=count / statistics.median(floors),
    )


def _read(file: Path) -> None:
    with file.open(newline="") as lines:
        rows = csv.reader(lines)
        next(rows)
        read = [(datetime.fromisoformat(time), *map(Decimal, prices)) for time, *prices in rows]
    assert read
