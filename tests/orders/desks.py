"""A desk of its own for a test: journal, audit and guard in one folder."""

from __future__ import annotations

from contextlib import asynccontextmanager
from contextlib import closing

from gatehook.audit import AuditLog
from gatehook.guard.guard import Guard
from gatehook.guard.guard import Rules
from gatehook.kinds.accounts import Mode
from gatehook.kinds.errors import NoQuote
from gatehook.orders import Desk
from gatehook.orders import Journal


async def nothing(*_):
    raise NoQuote("there is no price source")


@asynccontextmanager
async def desk_on(folder, bus, clock, report, *, rules=None, mode=Mode.PAPER, quote=nothing, instrument=nothing):
    rules = rules or Rules()
    with closing(AuditLog.open(folder, wall=clock.wall, redact=str)) as audit:
        guard = Guard.open(
            folder, rules, key=audit.key, clock=clock, quote=quote, instrument=instrument, report=report
        )
        async with (
            await Journal.open(folder / "journal.sqlite", clock=clock) as journal,
            Desk(journal, bus, clock, mode, guard=guard, audit=audit, trading=rules.trading, report=report) as desk,
        ):
            yield desk
