"""Submitting to the paper broker through the desk: against one bare SQLite commit on the same disk, as durable."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable
from collections.abc import Coroutine
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any
from typing import Final

import anyio

from benchmarks.hosting import first_quote
from benchmarks.hosting import running_host
from benchmarks.measuring import Budget
from benchmarks.measuring import Row
from benchmarks.measuring import side_by_side_async
from gatehook import AccountKey
from gatehook import InstrumentId
from gatehook import OrderRequest
from gatehook import OrderStatus
from gatehook import OrderType
from gatehook import QuantityUnit
from gatehook import Side
from gatehook.orders import BrokerHandle

EURUSD: Final = InstrumentId.parse("EURUSD.SIMULATED")
_AT_ONCE: Final = 16
_RECORD: Final = "x" * 600  # as long as an intent


def run(quick: bool) -> Iterator[Row]:
    """Measure one after the other, and many at once."""
    yield from anyio.run(_measure, quick)


async def _measure(quick: bool) -> list[Row]:
    orders, rounds = (_AT_ONCE, 1) if quick else (20 * _AT_ONCE, 5)
    with tempfile.TemporaryDirectory() as directory, closing(_database(Path(directory) / "bare.sqlite")) as bare:
        async with running_host(builtin=True) as host:
            await first_quote(host, "simulated", EURUSD)
            submit = _submitter(host.broker("paper", caller="benchmark"))

            async def single() -> None:
                for _ in range(orders):
                    await submit()

            async def concurrent() -> None:
                for _ in range(orders // _AT_ONCE):
                    async with anyio.create_task_group() as tasks:
                        for _ in range(_AT_ONCE):
                            tasks.start_soon(submit)

            async def commits() -> None:
                for _ in range(orders):
                    bare.execute("INSERT INTO intents (content) VALUES (?)", (_RECORD,))

            works = {"single": single, "concurrent": concurrent, "commits": commits}
            took = await side_by_side_async(works, rounds)
    each = {name: seconds / orders * 1_000 for name, seconds in took.items()}
    return [
        Row(
            work=f"submit through the desk to paper, {how}",
            figure=each[name],
            unit="ms",
            against="one bare SQLite FULL commit",
            other=each["commits"],
            budget=Budget(1, "ms"),
        )
        for name, how in (("single", "one after the other"), ("concurrent", f"{_AT_ONCE} at once, for each"))
    ]


def _submitter(broker: BrokerHandle) -> Callable[[], Coroutine[Any, Any, None]]:
    numbers = count(1)

    async def submit() -> None:
        number = next(numbers)
        request = OrderRequest(
            client_order_id=f"b{number}",
            account=AccountKey("paper", "main"),
            instrument_id=EURUSD,
            side=Side.BUY if number % 2 else Side.SELL,
            type=OrderType.MARKET,
            quantity=1_000,
            quantity_unit=QuantityUnit.BASE,
        )
        order = await broker.submit_order(request)
        assert order.status not in (OrderStatus.DENIED, OrderStatus.REJECTED, OrderStatus.UNKNOWN), order

    return submit


def _database(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE intents (id INTEGER PRIMARY KEY, content TEXT)")
    return connection
