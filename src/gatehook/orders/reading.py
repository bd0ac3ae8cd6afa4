"""What is read from the journal, as plain queries on the reading connection."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Final

import attrs

from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.orders import FINAL
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Order
from gatehook.orders.book import read_known
from gatehook.orders.records import Change
from gatehook.orders.records import Known
from gatehook.orders.records import Moment
from gatehook.orders.records import payload_class
from gatehook.orders.writing import read_json

PAGE: Final = 1000
#: SQLite's word for no limit.
UNBOUNDED: Final = -1

_KNOWN: Final = "SELECT seq, digest, body, traded, traded_cost FROM orders WHERE "


def order(db: sqlite3.Connection, client_order_id: str) -> Known | None:
    """Return the order that holds a client order id."""
    return _one(db, "client_order_id = ? AND status <> 'denied'", (client_order_id,))


def order_at(db: sqlite3.Connection, account: AccountKey, venue_order_id: str) -> Known | None:
    """Return the order that a venue's id names."""
    where = "seq = (SELECT order_seq FROM venue_ids WHERE entry_id = ? AND account_id = ? AND venue_order_id = ?)"
    return _one(db, where, (account.entry_id, account.account_id, venue_order_id))


def orders_named(db: sqlite3.Connection, entry_id: str, venue_order_id: str) -> list[Known]:
    """Return the orders of an entry's accounts that a venue's id names."""
    where = "seq IN (SELECT order_seq FROM venue_ids WHERE entry_id = ? AND venue_order_id = ?) ORDER BY seq"
    return [read_known(row) for row in db.execute(_KNOWN + where, (entry_id, venue_order_id))]


def _one(db: sqlite3.Connection, where: str, values: tuple[str, ...]) -> Known | None:
    row = db.execute(_KNOWN + where, values).fetchone()
    return None if row is None else read_known(row)


@attrs.frozen(kw_only=True)
class Scope:
    """Whose rows: of these accounts (``None``: of all), of an entry (``None``: of all)."""

    accounts: Iterable[AccountKey] | None = None
    entry_id: str | None = None

    def sql(self) -> tuple[str, list[object]]:
        """Return the condition and its values."""
        where, values = "(? IS NULL OR entry_id = ?)", [self.entry_id, self.entry_id]
        if self.accounts is None:
            return where, [*values]
        pairs = json.dumps([[account.entry_id, account.account_id] for account in self.accounts])
        listed = "SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?)"
        return f"{where} AND (entry_id, account_id) IN ({listed})", [*values, pairs]


@attrs.frozen(kw_only=True)
class OrderQuery(Scope):
    """Which orders: open ones, journaled since a wall time; the newest ``limit``."""

    open_only: bool = False
    since: int | None = None
    limit: int = PAGE


def orders(db: sqlite3.Connection, query: OrderQuery) -> list[Order]:
    """Return the newest orders that fit, oldest first."""
    where, values = query.sql()
    if query.open_only:
        finals = ", ".join(f"'{status}'" for status in sorted(FINAL))
        where = f"{where} AND status NOT IN ({finals})"
    sql = f"SELECT body FROM orders WHERE {where} AND wall_ns >= ? ORDER BY seq DESC LIMIT ?"  # noqa: S608  values are bound
    rows = db.execute(sql, (*values, query.since or 0, query.limit)).fetchall()
    return [read_json(Order, body) for (body,) in reversed(rows)]


def fills(db: sqlite3.Connection, scope: Scope | None, after: int, limit: int) -> list[tuple[int, Fill]]:
    """Return fills behind a position, oldest first."""
    where, values = (scope or Scope()).sql()
    sql = f"SELECT seq, body FROM fills WHERE {where} AND seq > ? ORDER BY seq LIMIT ?"  # noqa: S608  values are bound
    return [(seq, read_json(Fill, body)) for seq, body in db.execute(sql, (*values, after, limit))]


def changes(db: sqlite3.Connection, scope: Scope | None, after: int, limit: int) -> list[Change]:
    """Return changes behind a position, oldest first."""
    where, values = (scope or Scope()).sql()
    sql = (
        "SELECT seq, topic, entry_id, account_id, body, market_ns, wall_ns FROM changes"  # noqa: S608  values are bound
        f" WHERE {where} AND seq > ? ORDER BY seq LIMIT ?"
    )
    return [
        Change(
            seq=seq,
            topic=topic,
            account=AccountKey(entry_id, account_id),
            payload=read_json(payload_class(topic), body),
            at=Moment(market, wall),
        )
        for seq, topic, entry_id, account_id, body, market, wall in db.execute(sql, (*values, after, limit))
    ]


def unresolved(db: sqlite3.Connection) -> list[Known]:
    """Return the orders whose state waits for the venue's evidence."""
    where = "status IN ('submitted', 'unknown', 'pending_cancel', 'pending_update') ORDER BY seq"
    return [read_known(row) for row in db.execute(_KNOWN + where)]


def cursor(db: sqlite3.Connection, entry_id: str) -> str | None:
    """Return the position in an entry's events."""
    row = db.execute("SELECT cursor FROM cursors WHERE entry_id = ?", (entry_id,)).fetchone()
    return None if row is None else str(row[0])


def newest_fill(db: sqlite3.Connection, account: AccountKey) -> int | None:
    """Return the venue time of the newest fill."""
    sql = "SELECT max(ts_event) FROM fills WHERE entry_id = ? AND account_id = ?"
    (found,) = db.execute(sql, (account.entry_id, account.account_id)).fetchone()
    return None if found is None else int(found)


def fills_since(db: sqlite3.Connection, account: AccountKey) -> int | None:
    """Return the time of the newest fill, or of the oldest order."""
    key = (account.entry_id, account.account_id)
    for sql in (
        "SELECT max(ts_event) FROM fills WHERE entry_id = ? AND account_id = ?",
        "SELECT min(market_ns) FROM orders WHERE entry_id = ? AND account_id = ?",
    ):
        (found,) = db.execute(sql, key).fetchone()
        if found is not None:
            return int(found)
    return None
