"""Connections that threads take turns with. A call that nobody waits for any more hangs up; a server that was away is
met again by the next call.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from typing import Final
from typing import TypeVar

import anyio
import anyio.to_thread
import psycopg

from gatehook.memory.lease import Lease
from gatehook.memory.postgres.target import Target

T = TypeVar("T")
Work = Callable[[psycopg.Connection], T]

# What is read under a lock is what its holder before has left, whatever the database's default.
_BEGIN: Final = "BEGIN ISOLATION LEVEL READ COMMITTED"
_BEGIN_SNAPSHOT: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_SETTINGS: Final = """
SELECT set_config('search_path', quote_ident(%s::text), false), set_config('statement_timeout', %s::text, false),
  set_config('idle_in_transaction_session_timeout', %s::text, false),
  set_config('client_connection_check_interval', '1000', false), set_config('jit', 'off', false)
"""


class CommitUncertain(Exception):
    """The connection was lost while the transaction was committed."""


class HungUp(psycopg.OperationalError):
    """Nobody waits for the answer any more."""


@contextmanager
def snapshot(connection: psycopg.Connection) -> Iterator[None]:
    """Read everything as it was at one moment; settings made within end with it."""
    connection.execute(_BEGIN_SNAPSHOT)
    try:
        yield
    finally:
        # Where the server ended it, or the connection, there is nothing to end.
        with suppress(psycopg.Error):
            connection.execute("ROLLBACK")


@contextmanager
def transaction(connection: psycopg.Connection) -> Iterator[None]:
    """Commit on success, roll back on any error.

    Raises:
        CommitUncertain: when nobody knows which of both it was.
    """
    connection.execute(_BEGIN)
    try:
        yield
    except BaseException:
        with suppress(psycopg.Error):
            connection.execute("ROLLBACK")
        raise
    try:
        connection.execute("COMMIT")
    except psycopg.OperationalError as error:
        if connection.closed:
            raise CommitUncertain(str(error)) from None
        raise


def _hang_up(connection: psycopg.Connection) -> None:
    """End a call's thread at once, its work on the server when that looks up."""
    # The thread that waits on the socket reads its end; a request to cancel would need an answering server.
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


class Pool:
    """Connections to one target, made when they are needed."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._parameters = target.parameters()
        self._changed = threading.Condition()
        self._idle: list[psycopg.Connection] = []
        self._out: set[Lease[psycopg.Connection, object]] = set()
        self._closed = False

    async def use(self, work: Work[T], timeout: float, threads: anyio.CapacityLimiter) -> T:
        """Run work in a thread. It is run again, once, where the server had ended the connection meanwhile.

        Raises:
            TimeoutError: when it took longer than ``timeout`` seconds.
            psycopg.Error: what came of it.
            CommitUncertain: see ``transaction``.
        """
        lease = Lease(work, interrupt=_hang_up, given_up=HungUp("the call was given up"))
        try:
            with anyio.fail_after(timeout):
                return await anyio.to_thread.run_sync(self._run, lease, abandon_on_cancel=True, limiter=threads)
        finally:
            lease.abandon()

    async def close(self, patience: float) -> None:
        """Wait for calls under way, for a bounded time, then close every connection. Idempotent."""
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._close, patience)

    def _run(self, lease: Lease[psycopg.Connection, T]) -> T:
        with self._counted(lease):
            connection = self._take()
            if connection is not None:
                try:
                    return self._lend(lease, connection)
                except psycopg.OperationalError:
                    if not connection.closed or lease.abandoned:
                        raise
                    self._drop_idle()
            return self._lend(lease, self._connect())

    @contextmanager
    def _counted(self, lease: Lease[psycopg.Connection, T]) -> Iterator[None]:
        counted: Lease[psycopg.Connection, object] = lease  # type: ignore[assignment]  # what it returns is of no interest here
        with self._changed:
            self._out.add(counted)
        try:
            yield
        finally:
            with self._changed:
                self._out.discard(counted)
                self._changed.notify_all()

    def _take(self) -> psycopg.Connection | None:
        with self._changed:
            return self._idle.pop() if self._idle else None

    def _connect(self) -> psycopg.Connection:
        target = self._target
        connection = psycopg.connect(autocommit=True, prepare_threshold=None, **self._parameters)
        try:
            limit = str(round(target.timeout * 1_000))
            connection.execute(_SETTINGS, (target.schema, limit, limit))
        except BaseException:
            connection.close()
            raise
        return connection

    def _lend(self, lease: Lease[psycopg.Connection, T], connection: psycopg.Connection) -> T:
        try:
            return lease.run(connection)
        finally:
            self._give_back(connection)

    def _give_back(self, connection: psycopg.Connection) -> None:
        usable = not connection.closed and connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE
        with self._changed:
            # A call that was given up before it began may begin after the close.
            keep = usable and not self._closed and len(self._idle) < self._target.pool_size
            if keep:
                self._idle.append(connection)
        if not keep:
            connection.close()

    def _drop_idle(self) -> None:
        while (connection := self._take()) is not None:
            connection.close()

    def _close(self, patience: float) -> None:
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: not self._out, timeout=patience)
            for lease in self._out:
                lease.abandon()
            # What connects right now ends by its own deadline.
            self._changed.wait_for(lambda: not self._out)
        self._drop_idle()
