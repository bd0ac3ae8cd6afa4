"""Positions that do not follow from the fills: adopted from the venue as they are, never explained by a fill."""

from __future__ import annotations

import json
import sqlite3
from decimal import Decimal
from enum import StrEnum
from typing import Final

import attrs

from gatehook.kinds.amounts import LEDGER
from gatehook.kinds.amounts import exact
from gatehook.kinds.amounts import plain
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.times import Ns
from gatehook.orders.records import Moment

_COLUMNS: Final = "seq, instrument, position_id, expected, reported, unit, state, person, note, market_ns"
_HORIZON: Final = "reconciliation"


class AdjustmentState(StrEnum):
    """``baseline`` is what an account held when it was first seen; ``open`` waits for a person."""

    BASELINE = "baseline"
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"


@attrs.frozen(kw_only=True)
class Adjustment:
    """A position as the venue reports it, where the journal expected another. Quantities are signed (short is
    negative) and in ``unit``; ``position_id`` is ``None`` where the instrument's positions are counted together.
    ``at`` is market time. ``seq`` is 0 until it is journaled.
    """

    seq: int = 0
    account: AccountKey
    instrument_id: InstrumentId
    position_id: str | None = None
    expected: Decimal = attrs.field(converter=exact)
    reported: Decimal = attrs.field(converter=exact)
    unit: QuantityUnit
    state: AdjustmentState = AdjustmentState.OPEN
    person: str = ""
    note: str = ""
    at: Ns = 0

    @property
    def difference(self) -> Decimal:
        """What the venue reports beyond the journal, signed."""
        return LEDGER.subtract(self.reported, self.expected)


@attrs.frozen(kw_only=True)
class Horizon:
    """What is known of an account's fills, in venue time: those before ``floor`` are in its baseline and not counted,
    those up to ``read_to`` have been listed completely.
    """

    floor: Ns
    read_to: Ns


def add(db: sqlite3.Connection, adjustment: Adjustment, now: Moment) -> Adjustment:
    """Write an adjustment, and return it as it is kept."""
    account = adjustment.account
    cursor = db.execute(
        "INSERT INTO adjustments (entry_id, account_id, instrument, position_id, expected, reported, unit, state,"
        " market_ns, wall_ns) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (account.entry_id, account.account_id, str(adjustment.instrument_id), adjustment.position_id,
         plain(adjustment.expected), plain(adjustment.reported), adjustment.unit, adjustment.state, now.market,
         now.wall),
    )  # fmt: skip
    assert cursor.lastrowid is not None
    return attrs.evolve(adjustment, seq=cursor.lastrowid, at=now.market)


def acknowledge(db: sqlite3.Connection, account: AccountKey, person: str, note: str) -> tuple[Adjustment, ...]:
    """Let a person take note of an account's open adjustments; return these as they are now."""
    waiting = [one for one in of_account(db, account) if one.state is AdjustmentState.OPEN]
    for one in waiting:
        db.execute(
            "UPDATE adjustments SET state = ?, person = ?, note = ? WHERE seq = ?",
            (AdjustmentState.ACKNOWLEDGED, person, note, one.seq),
        )
    return tuple(attrs.evolve(one, state=AdjustmentState.ACKNOWLEDGED, person=person, note=note) for one in waiting)


def of_account(db: sqlite3.Connection, account: AccountKey) -> list[Adjustment]:
    """Return an account's adjustments, oldest first."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM adjustments WHERE entry_id = ? AND account_id = ? ORDER BY seq",  # noqa: S608  a constant
        (account.entry_id, account.account_id),
    )
    return [
        Adjustment(
            seq=seq,
            account=account,
            instrument_id=InstrumentId.parse(instrument),
            position_id=position_id,
            expected=expected,
            reported=reported,
            unit=QuantityUnit(unit),
            state=AdjustmentState(state),
            person=person,
            note=note,
            at=at,
        )
        for seq, instrument, position_id, expected, reported, unit, state, person, note, at in rows
    ]


def set_horizon(db: sqlite3.Connection, account: AccountKey, horizon: Horizon, now: Moment) -> None:
    """Keep an account's horizon."""
    db.execute(
        "INSERT OR REPLACE INTO reports VALUES (?, ?, ?, ?, ?, ?)",
        (account.entry_id, account.account_id, _HORIZON, json.dumps(attrs.asdict(horizon)), now.market, now.wall),
    )


def find_horizon(db: sqlite3.Connection, account: AccountKey) -> Horizon | None:
    """Return an account's horizon; ``None``: it was never reconciled."""
    row = db.execute(
        "SELECT body FROM reports WHERE entry_id = ? AND account_id = ? AND topic = ?",
        (account.entry_id, account.account_id, _HORIZON),
    ).fetchone()
    return None if row is None else Horizon(**json.loads(row[0]))
