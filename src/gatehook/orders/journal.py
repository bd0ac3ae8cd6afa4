"""The order journal: what was asked, what was sent, what came of it. Written before anybody hears of it.

An intent is on stable storage before its order is sent. What a venue said of an order survives the death of the
process, but a power cut may take the last of it, up to what was written before the last intent: those orders then read
as being sent, or as they were before the last report, and are looked up at the venue, which said it once already. What
only the desk knows (nothing was sent, the venue refused, nothing is proven) is on stable storage again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any
from typing import Generic
from typing import Self
from typing import TypeVar

import anyio
import anyio.to_thread
import attrs

from gatehook.audit import AuditLog
from gatehook.audit import Record
from gatehook.context import Clock
from gatehook.diagnostics.records import Diagnostic
from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Order
from gatehook.orders import adjustments
from gatehook.orders import command_book
from gatehook.orders import reading
from gatehook.orders.adjustments import Adjustment
from gatehook.orders.adjustments import AdjustmentState
from gatehook.orders.adjustments import Horizon
from gatehook.orders.auditing import AuditedCommits
from gatehook.orders.book import Book
from gatehook.orders.database import open_reader
from gatehook.orders.database import open_writer
from gatehook.orders.reading import PAGE
from gatehook.orders.records import Change
from gatehook.orders.records import Command
from gatehook.orders.records import CommandResult
from gatehook.orders.records import CommandState
from gatehook.orders.records import Conclusion
from gatehook.orders.records import Known
from gatehook.orders.records import Moment
from gatehook.orders.wal import torn_tail
from gatehook.orders.writer import Writer

T = TypeVar("T")


@attrs.frozen
class _Result(Generic[T]):
    """What an operation returned, what it changed, and what the audit must hold of it."""

    value: T
    changes: list[Change]
    records: list[Record]


class Journal:
    """The journal of one gateway. One writer, in its own thread's turn; readers see what is committed.

    Every writing method raises ``StorageUnavailable`` when nothing could be written. ``diagnostics`` are what opening
    found.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        writer: sqlite3.Connection,
        reader: sqlite3.Connection,
        diagnostics: tuple[Diagnostic, ...],
        *,
        is_new: bool,
    ) -> None:
        """Take the two connections; ``Journal.open`` is the way to make one."""
        self.path = path
        self.diagnostics = diagnostics
        #: What an intent survives, in SQLite's words.
        self.durability = ("OFF", "NORMAL", "FULL", "EXTRA")[writer.execute("PRAGMA synchronous").fetchone()[0]]
        self._connections = (writer, reader)
        self._reader = reader
        self._read_turn = anyio.CapacityLimiter(1)
        self._clock = clock
        self._book = Book(writer, self._moment, is_new=is_new)
        self._audited = AuditedCommits()
        self._writer = Writer(
            writer,
            on_commit=self._committed,
            on_rollback=self._book.forget,
            before_commit=self._audit_commit,
            on_failure=self._audited.void,
        )
        self._listener: Callable[[Change], None] | None = None

    @classmethod
    async def open(cls, path: Path, *, clock: Clock) -> Journal:
        """Open or create the journal.

        Raises:
            GatehookError: for a newer version (the file is not touched), a damaged file, one that cannot be written.
        """

        def connect() -> Journal:
            is_new, found = not path.exists(), torn_tail(path)
            writer = open_writer(path)
            return cls(path, clock, writer, open_reader(path), found, is_new=is_new)

        return await anyio.to_thread.run_sync(connect)

    async def aclose(self) -> None:
        """Wait for the last write and close the files."""
        with anyio.CancelScope(shield=True):
            await self._writer.close()
            for connection in reversed(self._connections):
                await anyio.to_thread.run_sync(connection.close, limiter=self._read_turn)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def listen(self, listener: Callable[[Change], None]) -> None:
        """Let ``listener`` have every change after it is committed, in order, on the event loop; it must not raise."""
        self._listener = listener

    def audit_with(self, audit: AuditLog) -> None:
        """Write every intent to ``audit`` before it is committed here."""
        self._audited.use(audit)

    def _audit_commit(self, results: list[_Result[Any]], durable: bool) -> None:
        self._audited.write((record for result in results for record in result.records), durable=durable)

    def _moment(self) -> Moment:
        return Moment(self._clock.now(), self._clock.wall())

    def _committed(self, results: Iterable[_Result[Any]]) -> None:
        for result in results:
            for change in result.changes:
                if self._listener is not None:
                    self._listener(change)

    async def _write(self, operation: Callable[[sqlite3.Connection], T], *, durable: bool = True) -> T:
        def collected(connection: sqlite3.Connection) -> _Result[T]:
            value = operation(connection)
            return _Result(value, self._book.take_changes(), self._book.take_records())

        return (await self._writer.write(collected, durable=durable)).value

    async def _read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        def checked() -> T:
            try:
                return query(self._reader)
            except sqlite3.Error as error:
                raise StorageUnavailable(f"the order journal cannot be read: {error}") from error

        return await anyio.to_thread.run_sync(checked, limiter=self._read_turn)

    # --- writing

    async def claim(self, order: Order, digest: str, permit: str) -> tuple[Known, bool]:
        """Write an order and say that it is new, or return the order that has its id. One that is ``submitted`` is an
        intent, one that is ``initialized`` waits for its approval; ``permit`` says what allows an intent.
        """
        return await self._write(lambda _: self._book.claim(order, digest, permit))

    async def claim_list(self, orders: Iterable[tuple[Order, str]], permit: str) -> list[tuple[Known, bool]]:
        """Write orders with their digests together, as ``claim`` does: all are new, or none."""
        listed = tuple(orders)
        return await self._write(lambda _: self._book.claim_list(listed, permit))

    async def intend(self, seqs: Iterable[int], permit: str) -> list[Known]:
        """Write the intents of claimed orders; one that is not ``initialized`` any more comes back as it is."""
        listed = tuple(seqs)
        return await self._write(lambda _: self._book.intend(listed, permit))

    async def conclude(self, seq: int, conclusion: Conclusion) -> Known:
        """Write what came of a send: the venue's own word so that the process can die, the desk's on stable storage."""
        durable = conclusion.report is None or conclusion.proven
        return await self._write(lambda _: self._book.conclude(seq, conclusion), durable=durable)

    async def apply(self, entry_id: str, events: Iterable[object], cursor: str | None = None) -> tuple[Fill, ...]:
        """Apply what a venue reported, with the stream's position after it; returns new fills of no known order.

        A power cut can take reports and position together: the stream is then resumed where the reports are missing.
        """
        listed = tuple(events)
        return await self._write(lambda _: self._book.apply(entry_id, listed, cursor), durable=False)

    async def recover(self) -> int:
        """Mark what was being sent when the last process ended as unknown; returns how many orders."""

        def operation(connection: sqlite3.Connection) -> int:
            command_book.crashed_commands(connection)
            return self._book.crashed()

        return await self._write(operation)

    async def begin(self, command: Command, permit: str) -> tuple[Command, bool]:
        """Write a command's intent and say that it is new, or return the command that has its id."""
        return await self._write(lambda _: self._book.begin(command, permit))

    async def end(self, command_id: str, state: CommandState | None, result: CommandResult) -> None:
        """Write what became of a command; ``None``: nothing was sent, its id is free again.

        A power cut can take the word that a command was done: it reads as unknown then.
        """

        def operation(connection: sqlite3.Connection) -> Command | None:
            gone = command_book.find_command(connection, command_id) if state is None else None
            command_book.end_command(connection, command_id, state, result)
            return gone

        gone = await self._write(operation, durable=state is not CommandState.DONE)
        if gone is not None:
            # Not in the same commit: the audit is written before it, and would speak of a row that may still be there.
            await self._write(lambda _: self._book.void(gone), durable=False)

    # --- reading

    async def order(self, client_order_id: str) -> Known | None:
        """Return the order that holds a client order id."""
        return await self._read(lambda db: reading.order(db, client_order_id))

    async def order_at(self, account: AccountKey, venue_order_id: str) -> Known | None:
        """Return the order that a venue's id names."""
        return await self._read(lambda db: reading.order_at(db, account, venue_order_id))

    async def orders(
        self,
        *,
        accounts: Iterable[AccountKey] | None = None,
        entry_id: str | None = None,
        open_only: bool = False,
        since: int | None = None,
        limit: int = PAGE,
    ) -> list[Order]:
        """Return the newest ``limit`` orders, oldest first; ``since`` is wall time in nanoseconds."""
        query = reading.OrderQuery(accounts=accounts, entry_id=entry_id, open_only=open_only, since=since, limit=limit)
        return await self._read(lambda db: reading.orders(db, query))

    async def fills(
        self,
        *,
        accounts: Iterable[AccountKey] | None = None,
        entry_id: str | None = None,
        after: int = 0,
        limit: int = PAGE,
    ) -> list[tuple[int, Fill]]:
        """Return fills behind a position, oldest first, each with its own position."""
        scope = reading.Scope(accounts=accounts, entry_id=entry_id)
        return await self._read(lambda db: reading.fills(db, scope, after, limit))

    async def changes(
        self,
        *,
        accounts: Iterable[AccountKey] | None = None,
        entry_id: str | None = None,
        after: int = 0,
        limit: int = PAGE,
    ) -> list[Change]:
        """Return what happened to orders and fills behind a position, oldest first: where a consumer resumes."""
        scope = reading.Scope(accounts=accounts, entry_id=entry_id)
        return await self._read(lambda db: reading.changes(db, scope, after, limit))

    async def unresolved(self) -> list[Known]:
        """Return the orders whose state waits for the venue's evidence; those being sent are among them."""
        return await self._read(reading.unresolved)

    async def command(self, command_id: str) -> Command | None:
        """Return a command."""
        return await self._read(lambda db: command_book.find_command(db, command_id))

    async def cursor(self, entry_id: str) -> str | None:
        """Return the position in the entry's events up to which everything is applied."""
        return await self._read(lambda db: reading.cursor(db, entry_id))

    async def fills_since(self, account: AccountKey) -> int | None:
        """Return the venue time from which an account's fills may be missing; ``None``: it has no orders."""
        return await self._read(lambda db: reading.fills_since(db, account))

    # --- reconciliation

    async def apply_listed(self, orders: Sequence[Order], versions: Mapping[str, int]) -> frozenset[str]:
        """Apply a venue's listing of orders; return their client order ids here. An order that moved since ``versions``
        were read, before the listing was asked for, is left as it is: what is known of it is newer.
        """
        return await self._write(lambda _: self._book.apply_listed(orders, versions), durable=False)

    async def adjust(
        self, account: AccountKey, found: Sequence[Adjustment], horizon: Horizon
    ) -> tuple[Adjustment, ...]:
        """Write adjustments of an account and up to when its fills are known; returns them as they are kept."""

        def operation(connection: sqlite3.Connection) -> tuple[Adjustment, ...]:
            adjustments.set_horizon(connection, account, horizon, self._moment())
            return tuple(adjustments.add(connection, one, self._moment()) for one in found)

        return await self._write(operation, durable=bool(found))

    async def acknowledge(self, account: AccountKey, person: str, note: str) -> tuple[Adjustment, ...]:
        """Let a person take note of an account's open adjustments; returns them."""
        return await self._write(lambda connection: adjustments.acknowledge(connection, account, person, note))

    async def own(self, seq: int, owner: str) -> Known:
        """Give an order to an owner."""
        return await self._write(lambda _: self._book.own(seq, owner))

    async def supersede(self, account: AccountKey, before: int) -> None:
        """Settle an account's commands of unknown outcome that are older than ``before``, in wall time."""
        await self._write(lambda connection: command_book.supersede(connection, account, before), durable=False)

    async def adjustments(self, account: AccountKey) -> list[Adjustment]:
        """Return an account's adjustments, oldest first."""
        return await self._read(lambda db: adjustments.of_account(db, account))

    async def open_adjustments(self, account: AccountKey) -> tuple[Adjustment, ...]:
        """Return the adjustments of an account that no person has taken note of."""
        return tuple(one for one in await self.adjustments(account) if one.state is AdjustmentState.OPEN)

    async def orders_named(self, entry_id: str, venue_order_id: str) -> list[Known]:
        """Return the orders of an entry's accounts that an id of the venue's names."""
        return await self._read(lambda db: reading.orders_named(db, entry_id, venue_order_id))

    async def horizon(self, account: AccountKey) -> Horizon | None:
        """Return what is known of an account's fills; ``None``: it was never reconciled."""
        return await self._read(lambda db: adjustments.find_horizon(db, account))

    async def newest_fill(self, account: AccountKey) -> int | None:
        """Return the venue time of an account's newest fill."""
        return await self._read(lambda db: reading.newest_fill(db, account))

    async def has_unknown_commands(self, account: AccountKey) -> bool:
        """Say whether a command of an account has an unknown outcome."""
        return await self._read(lambda db: command_book.has_unknown(db, account))
