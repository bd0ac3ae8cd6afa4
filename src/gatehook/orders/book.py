"""What is written: every change of the journal, as plain operations inside the writer's transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal
from itertools import count
from typing import Final

import attrs

from gatehook.audit import Record
from gatehook.audit.intents import void_of
from gatehook.kinds.accounts import AccountState
from gatehook.kinds.accounts import PositionReport
from gatehook.kinds.amounts import plain
from gatehook.kinds.errors import DuplicateClientOrderId
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderOrigin
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import Reason
from gatehook.orders.auditing import GATEWAY
from gatehook.orders.auditing import command_intent
from gatehook.orders.auditing import order_intent
from gatehook.orders.command_book import begin_command
from gatehook.orders.command_book import refuse_command_id
from gatehook.orders.digest import order_digest
from gatehook.orders.machine import Traded
from gatehook.orders.machine import with_fill
from gatehook.orders.machine import with_report
from gatehook.orders.machine import with_status
from gatehook.orders.records import FILL_TOPIC
from gatehook.orders.records import ORDER_TOPIC
from gatehook.orders.records import POSITION_TOPIC
from gatehook.orders.records import STATE_TOPIC
from gatehook.orders.records import Change
from gatehook.orders.records import Command
from gatehook.orders.records import Conclusion
from gatehook.orders.records import Known
from gatehook.orders.records import Moment
from gatehook.orders.writing import read_json
from gatehook.orders.writing import write_checked
from gatehook.orders.writing import write_json

_CACHED: Final = 4096
# So far the positions of a new run are ahead of those of the last. A power cut takes its last commits that were not
# FULL, less than a write-ahead log of 1,000 pages; a consumer may have read them, and keeps positions that the journal
# does not know any more: they must not be given to something else.
_AHEAD: Final = 1 << 20
_ORDER_COLUMNS: Final = "seq, digest, body, traded, traded_cost"


class Book:
    """The operations. Used in the writer's thread only; ``changes`` collects what the current operation did."""

    def __init__(self, connection: sqlite3.Connection, now: Callable[[], Moment], *, is_new: bool) -> None:
        self._db = connection
        self._now = now
        self._cache: dict[int, Known] = {}
        self._bound: set[tuple[int, str]] = set()
        self._reports: dict[tuple[AccountKey, str], PositionReport | AccountState] = {}
        ahead = 0 if is_new else _AHEAD
        self._fills, self._seqs = (
            count((connection.execute(f"SELECT max(seq) FROM {table}").fetchone()[0] or 0) + ahead + 1)  # noqa: S608  constants
            for table in ("fills", "changes")
        )
        self._changes: list[Change] = []
        self._records: list[Record] = []

    def take_records(self) -> list[Record]:
        """Hand over what the audit must hold before the commit."""
        records, self._records = self._records, []
        return records

    def take_changes(self) -> list[Change]:
        """Hand over what was changed since the last call."""
        changes, self._changes = self._changes, []
        return changes

    def forget(self) -> None:
        """Drop what is remembered of a transaction that was undone."""
        self._cache.clear()
        self._bound.clear()
        self._reports.clear()
        self._changes = []
        self._records = []

    # --- orders

    def claim(self, order: Order, digest: str, permit: str) -> tuple[Known, bool]:
        """Write an order and say that it is new, or return the order that holds its id. One that is ``submitted`` is
        an intent, allowed by ``permit``.

        Raises:
            DuplicateClientOrderId: when the id is another command's.
        """
        known = self.by_client_id(order.request.client_order_id)
        if known is not None:
            return known, False
        refuse_command_id(self._db, order.request.client_order_id)
        known = self._insert(order, digest, order.request.client_order_id)
        if order.status is OrderStatus.SUBMITTED:
            self._records.append(order_intent(known, permit))
        return known, True

    def intend(self, seqs: tuple[int, ...], permit: str) -> list[Known]:
        """Write the intents of claimed orders together, and return them; one that is not ``initialized`` any more is
        left as it is.
        """
        intended = []
        for seq in seqs:
            known = self._known(seq)
            if known.order.status is OrderStatus.INITIALIZED:
                order = attrs.evolve(known.order, reason=None, ts_submitted=self._now().market)
                known = self._save(known, with_status(order, OrderStatus.SUBMITTED, None, known.traded))
                self._records.append(order_intent(known, permit))
            intended.append(known)
        return intended

    def begin(self, command: Command, permit: str) -> tuple[Command, bool]:
        """Write a command's intent and say that it is new, or return the command that has its id."""
        known, fresh = begin_command(self._db, command, self._now())
        if fresh:
            self._records.append(command_intent(command, permit))
        return known, fresh

    def void(self, command: Command) -> None:
        """Let the audit say that nothing came of a command's intent, once its row is gone."""
        self._records.append(void_of(command_intent(command, ""), actor=GATEWAY, reason="nothing was sent"))

    def claim_list(self, orders: tuple[tuple[Order, str], ...], permit: str) -> list[tuple[Known, bool]]:
        """Claim the orders of a list: all of them are new, or none.

        Raises:
            DuplicateClientOrderId: when some of the ids are taken and others are not.
        """
        claims = [self.claim(order, digest, permit) for order, digest in orders]
        if len({fresh for _, fresh in claims}) > 1:
            taken = ", ".join(known.order.request.client_order_id for known, fresh in claims if not fresh)
            raise DuplicateClientOrderId(f"some orders of the list exist already: {taken}")
        return claims

    def conclude(self, seq: int, conclusion: Conclusion) -> Known:
        """Write what came of a send. What the venue proved meanwhile stays."""
        known = self._known(seq)
        if conclusion.report is not None:
            return self._report(known, conclusion.report)
        if conclusion.status is None:
            return known
        if not conclusion.proven and not _still_open_to(conclusion.status, known.order.status):
            return known
        return self._save(known, with_status(known.order, conclusion.status, conclusion.reason, known.traded))

    def own(self, seq: int, owner: str) -> Known:
        """Give an order to an owner."""
        known = self._known(seq)
        if known.order.owner == owner:
            return known
        return self._save(known, attrs.evolve(known.order, owner=owner, version=known.order.version + 1))

    def crashed(self) -> int:
        """Mark the orders as unknown that were being sent when the last process ended. Those that waited for an
        approval are denied: nobody can answer it any more.
        """
        withdrawn = Reason(code="approval_denied", message="the gateway ended before the approval was answered")
        for (seq,) in self._db.execute("SELECT seq FROM orders WHERE status = 'initialized'").fetchall():
            self.conclude(seq, Conclusion(status=OrderStatus.DENIED, reason=withdrawn))
        rows = self._db.execute("SELECT seq FROM orders WHERE status = 'submitted'").fetchall()
        for (seq,) in rows:
            self.conclude(seq, Conclusion(status=OrderStatus.UNKNOWN))
        return len(rows)

    def apply(self, entry_id: str, events: tuple[object, ...], cursor: str | None) -> tuple[Fill, ...]:
        """Apply what a venue reported, in order, with the stream's position after it. Returns new orphan fills."""
        orphans = [orphan for event in events if (orphan := self._apply(event)) is not None]
        if cursor is not None:
            self._db.execute("INSERT OR REPLACE INTO cursors VALUES (?, ?)", (entry_id, cursor))
        return tuple(orphans)

    def apply_listed(self, orders: Sequence[Order], versions: Mapping[str, int]) -> frozenset[str]:
        """Apply a listing of orders but for those that moved since it was asked for; return their client order ids."""
        found = set()
        for report in orders:
            known = self.by_report(report)
            if known is None:
                known = self._adopt(report)
            elif versions.get(known.order.request.client_order_id, known.order.version) == known.order.version:
                known = self._report(known, report)
            found.add(known.order.request.client_order_id)
        return frozenset(found)

    def _apply(self, event: object) -> Fill | None:
        match event:
            case Order():
                known = self.by_report(event)
                if known is None:
                    self._adopt(event)
                else:
                    self._report(known, event)
            case Fill():
                return self._fill(event)
            case PositionReport():
                self._replace(POSITION_TOPIC, event)
            case AccountState():
                self._replace(STATE_TOPIC, event)
        return None

    def _adopt(self, report: Order) -> Known:
        """Record an order that somebody else placed, or the venue itself."""
        request = report.request
        origin = OrderOrigin.VENUE if report.origin is OrderOrigin.VENUE else OrderOrigin.EXTERNAL
        order = attrs.evolve(report, origin=origin, owner="", raw=None)
        free = self.by_client_id(request.client_order_id) is None
        known = self._insert(order, order_digest(request), request.client_order_id if free else None)
        return self._bind(known)

    def _report(self, known: Known, report: Order) -> Known:
        return self._bind(self._save(known, with_report(known.order, report, known.traded)))

    def _insert(self, order: Order, digest: str, client_order_id: str | None) -> Known:
        now, account = self._now(), order.request.account
        body = write_json(order) if order.origin is OrderOrigin.GATEWAY else write_checked(order)
        cursor = self._db.execute(
            "INSERT INTO orders (client_order_id, entry_id, account_id, status, digest, body, market_ns, wall_ns)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (client_order_id, account.entry_id, account.account_id, order.status, digest, body, now.market, now.wall),
        )
        assert cursor.lastrowid is not None
        known = Known(seq=cursor.lastrowid, digest=digest, order=order)
        self._remember(known)
        self._changed(ORDER_TOPIC + order.status, account, order, body, known.traded)
        return known

    def _save(self, known: Known, order: Order, traded: Traded | None = None) -> Known:
        traded = traded or known.traded
        if order is known.order and traded == known.traded:
            return known
        after = Known(seq=known.seq, digest=known.digest, order=order, traded=traded)
        sums = (plain(traded.quantity), plain(traded.cost))
        if order is known.order:
            self._db.execute("UPDATE orders SET traded = ?, traded_cost = ? WHERE seq = ?", (*sums, known.seq))
            return self._remember(after)
        body = write_checked(order)
        self._db.execute(
            "UPDATE orders SET status = ?, body = ?, traded = ?, traded_cost = ? WHERE seq = ?",
            (order.status, body, *sums, known.seq),
        )
        self._changed(ORDER_TOPIC + order.status, order.request.account, order, body, traded)
        return self._remember(after)

    def _bind(self, known: Known) -> Known:
        """Keep the venue's id for the order, and give it the fills that came before the id was known."""
        order, account = known.order, known.order.request.account
        if order.venue_order_id is None or (known.seq, order.venue_order_id) in self._bound:
            return known
        key = (account.entry_id, account.account_id, order.venue_order_id)
        added = self._db.execute("INSERT OR IGNORE INTO venue_ids VALUES (?, ?, ?, ?)", (*key, known.seq)).rowcount
        self._bound.add((known.seq, order.venue_order_id))
        if not added:
            return known
        rows = self._db.execute(
            "SELECT seq, body FROM fills WHERE entry_id = ? AND account_id = ? AND venue_order_id = ?"
            " AND order_seq IS NULL ORDER BY seq",
            key,
        ).fetchall()
        for seq, body in rows:
            self._db.execute("UPDATE fills SET order_seq = ? WHERE seq = ?", (known.seq, seq))
            known = self._count(known, read_json(Fill, body))
        return known

    # --- fills and reports

    def _fill(self, fill: Fill) -> Fill | None:
        known = self._owner_of(fill)
        now, account, body = self._now(), fill.account, write_checked(fill)
        added = self._db.execute(
            "INSERT OR IGNORE INTO fills (seq, entry_id, account_id, instrument, trade_id, venue_order_id, order_seq,"
            " ts_event, body, market_ns, wall_ns) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (next(self._fills), account.entry_id, account.account_id, str(fill.instrument_id), fill.trade_id,
             fill.venue_order_id, known.seq if known else None, fill.ts_event, body, now.market, now.wall),
        ).rowcount  # fmt: skip
        if not added:
            return None
        self._changed(FILL_TOPIC, account, fill, body)
        if known is None:
            return fill
        self._bind(self._count(known, fill))
        return None

    def _count(self, known: Known, fill: Fill) -> Known:
        traded = known.traded.plus(fill)
        return self._save(known, with_fill(known.order, fill, traded), traded)

    def _owner_of(self, fill: Fill) -> Known | None:
        if fill.client_order_id is not None:
            known = self.by_client_id(fill.client_order_id)
            if known is not None and known.order.request.account == fill.account:
                return known
        return self.by_venue_id(fill.account, fill.venue_order_id)

    def _replace(self, topic: str, report: PositionReport | AccountState) -> None:
        """Keep an account's newest report; one that says the same as the last, only later, is no news."""
        now, account, body = self._now(), report.account, write_checked(report)
        timeless = _timeless(report)
        if self._reports.get((account, topic)) == timeless:
            return
        self._reports[account, topic] = timeless
        self._db.execute(
            "INSERT OR REPLACE INTO reports VALUES (?, ?, ?, ?, ?, ?)",
            (account.entry_id, account.account_id, topic, body, now.market, now.wall),
        )
        self._changes.append(Change(seq=None, topic=topic, account=account, payload=report, at=now))

    def _changed(
        self, topic: str, account: AccountKey, payload: Order | Fill, body: str, traded: Traded | None = None
    ) -> None:
        now, seq = self._now(), next(self._seqs)
        self._db.execute(
            "INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?)",
            (seq, topic, account.entry_id, account.account_id, body, now.market, now.wall),
        )
        self._changes.append(Change(seq=seq, topic=topic, account=account, payload=payload, at=now, traded=traded))

    # --- look-ups

    def by_client_id(self, client_order_id: str) -> Known | None:
        """The order that holds a client order id."""
        return self._one("client_order_id = ? AND status <> 'denied'", client_order_id)

    def by_venue_id(self, account: AccountKey, venue_order_id: str) -> Known | None:
        """The order that has, or had before an amend, an id of the venue's."""
        return self._one(
            "seq = (SELECT order_seq FROM venue_ids WHERE entry_id = ? AND account_id = ? AND venue_order_id = ?)",
            account.entry_id, account.account_id, venue_order_id,
        )  # fmt: skip

    def by_report(self, report: Order) -> Known | None:
        """The order that a report of the venue is about."""
        request = report.request
        known = self.by_client_id(request.client_order_id)
        if known is not None and known.order.request.account == request.account:
            return known
        return None if report.venue_order_id is None else self.by_venue_id(request.account, report.venue_order_id)

    def _known(self, seq: int) -> Known:
        known = self._cache.get(seq) or self._one("seq = ?", seq)
        assert known is not None, f"the journal has no order row {seq}"
        return known

    def _one(self, where: str, *values: object) -> Known | None:
        row = self._db.execute(f"SELECT {_ORDER_COLUMNS} FROM orders WHERE {where}", values).fetchone()  # noqa: S608  constants
        if row is None:
            return None
        return self._cache.get(row[0]) or self._remember(read_known(row))

    def _remember(self, known: Known) -> Known:
        if len(self._cache) >= _CACHED:
            self._cache.clear()
            self._bound.clear()
        self._cache[known.seq] = known
        return known


def read_known(row: tuple[int, str, str, str, str]) -> Known:
    """Read an order's row: seq, digest, body, traded, traded_cost."""
    seq, digest, body, quantity, cost = row
    return Known(seq=seq, digest=digest, order=read_json(Order, body), traded=Traded(Decimal(quantity), Decimal(cost)))


def _timeless(report: PositionReport | AccountState) -> PositionReport | AccountState:
    if isinstance(report, PositionReport):
        return attrs.evolve(report, as_of=0, positions=[attrs.evolve(one, ts_last=0) for one in report.positions])
    return attrs.evolve(report, ts_event=0)


def _still_open_to(status: OrderStatus, now: OrderStatus) -> bool:
    """Whether the desk's own word on an order still counts: not once the venue has said more."""
    if status is OrderStatus.DENIED:
        return now in (OrderStatus.INITIALIZED, OrderStatus.SUBMITTED)
    if status is OrderStatus.UNKNOWN:
        return now is OrderStatus.SUBMITTED
    if status is OrderStatus.REJECTED:
        return now in (OrderStatus.SUBMITTED, OrderStatus.UNKNOWN)
    return now not in (OrderStatus.SUBMITTED, OrderStatus.UNKNOWN)
