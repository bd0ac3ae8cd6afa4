"""What can be answered without a running gateway: the journal, read only; the memory, opened alone."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import closing
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

import attrs

from gatehook.cli.options import Where
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import gateway as codes

if TYPE_CHECKING:
    import sqlite3

    from gatehook.config import Config
    from gatehook.kinds.orders import Order


def read_journal(data_dir: Path, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Answer ``orders.list``, ``orders.show`` or ``fills.list`` from the journal's file.

    Raises:
        GatehookError: for an order that is not there, or a file that cannot be read.
    """
    with _journal(data_dir) as db:
        return _answer(db, method, params)


def open_orders(data_dir: Path) -> list[Order]:
    """Return the orders that are open by the journal's file, newest first.

    Raises:
        GatehookError: for a file that cannot be read.
    """
    with _journal(data_dir) as db:
        return _orders(db, {"all": False, "limit": 10_000})


@contextmanager
def _journal(data_dir: Path) -> Iterator[sqlite3.Connection | None]:
    import sqlite3

    from gatehook.diagnostics.codes.orders import JOURNAL_CORRUPT
    from gatehook.diagnostics.codes.orders import JOURNAL_UNAVAILABLE
    from gatehook.orders.database import open_reader

    path = data_dir / "journal.sqlite"
    if not path.exists():
        yield None
        return
    try:
        with closing(open_reader(path)) as db:
            yield db
    except sqlite3.OperationalError as error:
        raise GatehookError(JOURNAL_UNAVAILABLE(path=path, problem=error)) from error
    except sqlite3.DatabaseError as error:
        raise GatehookError(JOURNAL_CORRUPT(path=path, problem=error)) from error


def _answer(db: sqlite3.Connection | None, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
    from gatehook.kinds.codec import to_json

    if method == "fills.list":
        return {"schemaVersion": 1, "fills": [to_json(fill) for fill in _fills(db)[: params["limit"]]]}
    if method == "orders.list":
        return {"schemaVersion": 1, "orders": [to_json(order) for order in _orders(db, params)]}
    return _shown(db, params["id"])


def _orders(db: sqlite3.Connection | None, params: Mapping[str, Any]) -> list[Order]:
    from gatehook.orders import reading

    if db is None:
        return []
    query = reading.OrderQuery(
        accounts=None, entry_id=None, open_only=not params["all"], since=None, limit=params["limit"]
    )
    return reading.orders(db, query)[::-1]


def _fills(db: sqlite3.Connection | None) -> list[Any]:
    from gatehook.orders import reading

    found: list[Any] = []
    after = 0
    while db is not None and (page := reading.fills(db, None, after, 1000)):
        found += [fill for _, fill in page]
        after = page[-1][0]
    return found[::-1]


def _shown(db: sqlite3.Connection | None, client_order_id: str) -> Mapping[str, Any]:
    from gatehook.kinds.codec import to_json
    from gatehook.orders import reading

    known = None if db is None else reading.order(db, client_order_id)
    if known is None:
        raise GatehookError(codes.UNKNOWN_ORDER(order=client_order_id))
    fills = [to_json(fill) for fill in _fills(db) if fill.client_order_id == client_order_id]
    return {"schemaVersion": 1, "order": to_json(known.order), "fills": fills}


def ask_memory(where: Where, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Open what fills the memory slot, and nothing that it does not use, and ask it.

    Raises:
        GatehookError: when the slot is empty or does not start.
    """
    import anyio

    return anyio.run(_ask_memory, _memory_alone(where), method, params)


def _memory_alone(where: Where) -> Config:
    from gatehook.catalog.plan import make_plan

    plan = make_plan(where.load())
    needed = {one.winner for one in plan.slots}
    needed |= {use.entry for entry in plan.entries if entry.entry_id in needed for use in entry.uses}
    others = [entry.entry_id for entry in plan.entries if entry.entry_id not in needed]
    off = [f"plugins.entries.{entry_id}.enabled=false" for entry_id in others]
    return attrs.evolve(where, sets=(*where.sets, *off)).load()


async def _ask_memory(config: Config, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
    from gatehook.gateway.methods.memory import MemoryMethods
    from gatehook.gateway.params import Params
    from gatehook.gateway.slot import require_memory
    from gatehook.host import PluginHost

    async with PluginHost.from_config(config) as host:
        methods = MemoryMethods(lambda: require_memory(host, caller="cli"), host.clock).table()
        answer: Mapping[str, Any] = await methods[method].call(Params(method, params))
        return answer
