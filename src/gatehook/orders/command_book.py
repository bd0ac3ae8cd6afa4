"""The commands table: every trading command but a submit has one row, found again by its ``command_id``."""

from __future__ import annotations

import json
import sqlite3
from typing import Final

import attrs

from gatehook.kinds.errors import DuplicateClientOrderId
from gatehook.kinds.instruments import AccountKey
from gatehook.orders.records import Command
from gatehook.orders.records import CommandResult
from gatehook.orders.records import CommandState
from gatehook.orders.records import Moment
from gatehook.orders.writing import read_json
from gatehook.orders.writing import write_json

_COLUMNS: Final = "command_id, kind, entry_id, account_id, digest, caller, body, state, result"


def begin_command(db: sqlite3.Connection, command: Command, now: Moment) -> tuple[Command, bool]:
    """Write a command's intent, and say that it is new; or return the one that has its id.

    Raises:
        DuplicateClientOrderId: when an order has the id.
    """
    known = find_command(db, command.command_id)
    if known is not None:
        return known, False
    if db.execute("SELECT 1 FROM orders WHERE client_order_id = ?", (command.command_id,)).fetchone():
        raise DuplicateClientOrderId(f"command_id {command.command_id} is the id of an order")
    account = command.account
    db.execute(
        f"INSERT INTO commands ({_COLUMNS}, market_ns, wall_ns) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  a constant
        (command.command_id, command.kind, account.entry_id, account.account_id, command.digest, command.caller,
         json.dumps(command.body), command.state, None, now.market, now.wall),
    )  # fmt: skip
    return command, True


def end_command(db: sqlite3.Connection, command_id: str, state: CommandState | None, result: CommandResult) -> None:
    """Write what became of a command; ``None``: nothing was sent, and its id is free again."""
    if state is None:
        db.execute("DELETE FROM commands WHERE command_id = ?", (command_id,))
        return
    text = write_json(result)
    db.execute("UPDATE commands SET state = ?, result = ? WHERE command_id = ?", (state, text, command_id))


def crashed_commands(db: sqlite3.Connection) -> None:
    """Mark the commands as unknown that were being sent when the last process ended."""
    db.execute("UPDATE commands SET state = 'unknown' WHERE state = 'sent'")


def has_unknown(db: sqlite3.Connection, account: AccountKey) -> bool:
    """Say whether a command of an account has an unknown outcome."""
    sql = "SELECT 1 FROM commands WHERE state = 'unknown' AND entry_id = ? AND account_id = ? LIMIT 1"
    return db.execute(sql, (account.entry_id, account.account_id)).fetchone() is not None


def supersede(db: sqlite3.Connection, account: AccountKey, before: int) -> None:
    """Settle an account's commands of unknown outcome that were begun before a wall time."""
    db.execute(
        "UPDATE commands SET state = ? WHERE state = ? AND entry_id = ? AND account_id = ? AND wall_ns < ?",
        (CommandState.SUPERSEDED, CommandState.UNKNOWN, account.entry_id, account.account_id, before),
    )


def find_command(db: sqlite3.Connection, command_id: str) -> Command | None:
    """Return a command, or ``None``."""
    row = db.execute(f"SELECT {_COLUMNS} FROM commands WHERE command_id = ?", (command_id,)).fetchone()  # noqa: S608  a constant
    return None if row is None else _command(row)


def refuse_command_id(db: sqlite3.Connection, client_order_id: str) -> None:
    """Refuse an order whose id is a command's.

    Raises:
        DuplicateClientOrderId: when it is.
    """
    if db.execute("SELECT 1 FROM commands WHERE command_id = ?", (client_order_id,)).fetchone():
        raise DuplicateClientOrderId(f"client_order_id {client_order_id} is the id of another command")


def _command(row: tuple[str, ...]) -> Command:
    command_id, kind, entry_id, account_id, digest, caller, body, state, result = row
    command = Command(
        command_id=command_id,
        kind=kind,
        account=AccountKey(entry_id, account_id),
        digest=digest,
        caller=caller,
        body=json.loads(body),
        state=CommandState(state),
    )
    return command if result is None else attrs.evolve(command, result=read_json(CommandResult, result))
