"""What the desk adds to an order: against bare commits of as many rows, in as many transactions, as durable.

The broker behind it answers at once. Every command is claimed, checked, judged, audited, journaled and concluded; its
intent is on stable storage before it is sent, in the audit and in the journal.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import AsyncExitStack
from contextlib import ExitStack
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from typing import Final

import anyio

from benchmarks.durability import INTENT
from benchmarks.durability import RECORD
from benchmarks.durability import bare_database
from benchmarks.instant_broker import ACCOUNT
from benchmarks.instant_broker import EURUSD
from benchmarks.instant_broker import MANIFEST
from benchmarks.instant_broker import InstantPlugin
from benchmarks.measuring import Row
from benchmarks.measuring import side_by_side_async
from gatehook import OrderRequest
from gatehook import OrderStatus
from gatehook import OrderType
from gatehook import PluginHost
from gatehook import QuantityUnit
from gatehook import Side
from gatehook.catalog import Places
from gatehook.kinds.errors import NotReconciled

LANES: Final = (1, 4, 16, 64)
_LIMITS: Final = {
    "max_quantity": "1000000",
    "max_position": "1000000",
    "max_open_orders": 1000,
    "orders_per_minute": 10_000_000,
}
_RULES: Final = [{"caller": f"agent-{number}*", "class": "trade", "decision": "deny"} for number in range(20)]
#: What stands before the broker, and the sections that bring it about.
_GUARDS: Final[dict[str, dict[str, Any]]] = {
    "limits, 20 rules, audit": {"limits": {str(ACCOUNT): _LIMITS}, "permissions": _RULES},
    "limits, audit": {"limits": {str(ACCOUNT): _LIMITS}},
    "20 rules, audit": {"permissions": _RULES},
    "audit": {},
    "nothing else": {},
}
_WITHOUT_AUDIT: Final = "nothing else"


def run(quick: bool) -> Iterator[Row]:
    """Measure in lanes, and each guard."""
    yield from anyio.run(_measure, quick)


async def _measure(quick: bool) -> list[Row]:
    orders, rounds = (64, 1) if quick else (512, 5)
    with tempfile.TemporaryDirectory() as directory, ExitStack() as opened:
        async with AsyncExitStack() as hosts:
            bare = Bare(Path(directory), opened)
            submit = {
                name: await hosts.enter_async_context(_submitter(Path(directory) / str(number), name))
                for number, name in enumerate(_GUARDS)
            }
            full = submit[next(iter(_GUARDS))]
            works: dict[str, Callable[[], Awaitable[object]]] = {}
            for lanes in LANES:
                works[f"desk {lanes}"] = partial(_in_lanes, full, orders, lanes)
                works[f"bare {lanes}"] = partial(_grouped, bare.intend, orders, lanes)
            for name in _GUARDS:
                works[name] = partial(_in_lanes, submit[name], orders, 16)
            works["commit 16"] = partial(_grouped, bare.commit, orders, 16)
            took = await side_by_side_async(works, rounds)
    each = {name: seconds / orders * 1_000 for name, seconds in took.items()}
    return [*_lane_rows(each), *_guard_rows(each)]


def _lane_rows(each: dict[str, float]) -> Iterator[Row]:
    for lanes in LANES:
        floor = f"bare audit append and FULL commit of {lanes} {'rows' if lanes > 1 else 'row'}, for each"
        desk, bare = each[f"desk {lanes}"], each[f"bare {lanes}"]
        at_once = f"{lanes} at once" if lanes > 1 else "one after the other"
        yield Row(work=f"order through the desk, {at_once}", figure=desk, unit="ms", against=floor, other=bare)
        yield Row(
            work=f"the same, sustained, {at_once}", figure=1_000 / desk, unit="/s", against=floor, other=1_000 / bare
        )


def _guard_rows(each: dict[str, float]) -> Iterator[Row]:
    for name in _GUARDS:
        floor = "bare FULL commit of 16 rows, for each"
        work = f"order through the desk, 16 at once, for each: {name}"
        yield Row(work=work, figure=each[name], unit="ms", against=floor, other=each["commit 16"])


class Bare:
    """The same bytes, on the same disk, as durable, and nothing else."""

    def __init__(self, directory: Path, opened: ExitStack) -> None:
        self._database = bare_database(directory / "bare.sqlite", "FULL", opened)
        self._audit = os.open(directory / "bare.audit", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        opened.callback(os.close, self._audit)

    def intend(self, rows: int) -> None:
        """Append records and wait, then commit rows and wait."""
        os.write(self._audit, RECORD * rows)
        os.fdatasync(self._audit)
        self.commit(rows)

    def commit(self, rows: int) -> None:
        """Commit rows and wait."""
        self._database.execute("BEGIN IMMEDIATE")
        self._database.executemany("INSERT INTO intents (content) VALUES (?)", [(INTENT,)] * rows)
        self._database.execute("COMMIT")


async def _grouped(write: Callable[[int], None], orders: int, lanes: int) -> None:
    for _ in range(orders // lanes):
        write(lanes)


async def _in_lanes(submit: Callable[[], Awaitable[None]], orders: int, lanes: int) -> None:
    async def lane() -> None:
        for _ in range(orders // lanes):
            await submit()

    async with anyio.create_task_group() as tasks:
        for _ in range(lanes):
            tasks.start_soon(lane)


@asynccontextmanager
async def _submitter(directory: Path, name: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Run a host with a guard, and yield what submits one more order through its desk."""
    config = {"gateway": {"data_dir": str(directory)}, "plugins": {"slots": {"memory": "none"}}, **_GUARDS[name]}
    async with PluginHost.from_config(config, plugins=[(MANIFEST, InstantPlugin())], places=Places()) as host:
        if name == _WITHOUT_AUDIT:
            host.desk.audit.append = lambda *_, **__: None  # type: ignore[method-assign]  # to see what it costs
        broker, numbers = host.broker("instant", caller="benchmark"), count(1)

        async def submit() -> None:
            number = next(numbers)
            order = await broker.submit_order(
                OrderRequest(
                    client_order_id=f"b{number}",
                    account=ACCOUNT,
                    instrument_id=EURUSD,
                    side=Side.BUY if number % 2 else Side.SELL,
                    type=OrderType.MARKET,
                    quantity=1_000,  # type: ignore[arg-type]  # mypy cannot type a field with a converter
                    quantity_unit=QuantityUnit.BASE,
                )
            )
            assert order.status is OrderStatus.CANCELED, order

        await _open(submit)
        yield submit


async def _open(submit: Callable[[], Awaitable[None]]) -> None:
    """Wait until trading is open: after the first reconciliation."""
    with anyio.fail_after(30):
        while True:
            try:
                await submit()
            except NotReconciled:
                await anyio.sleep(0.01)
            else:
                return
