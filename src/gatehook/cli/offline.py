"""What can be answered of the journal without a running gateway: its file is only read."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import closing
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import gateway as codes

if TYPE_CHECKING:
    import sqlite3

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
