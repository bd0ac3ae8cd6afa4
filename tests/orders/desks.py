"""A desk of its own for a test: journal, audit and guard in one folder."""

from __future__ import annotations

from contextlib import asynccontextmanager
from contextlib import closing
from contextlib import contextmanager

from gatehook.audit import AuditLog
from gatehook.guard.guard import Guard
from gatehook.guard.guard import Rules
from gatehook.kinds.accounts import Mode
from gatehook.kinds.errors import NoQuote
from gatehook.orders import Desk
from gatehook.orders import Journal


async def nothing(*_):
    raise NoQuote("there is no price source")


@contextmanager
def parts(folder, clock, report, *, rules=None, quote=nothing, instrument=nothing):
    """Open what a desk needs beside its journal."""
    rules = rules or Rules()
    with closing(AuditLog.open(folder, wall=clock.wall, redact=str)) as audit:
        guard = Guard.open(folder, rules, key=audit.key, clock=clock, quote=quote, instrument=instrument, report=report)
        yield {"guard": guard, "audit": audit, "trading": rules.trading, "report": report}


@asynccontextmanager
async def desk_on(folder, bus, clock, report, *, mode=Mode.PAPER, **rest):
    """Run a desk and its journal."""
    with parts(folder, clock, report, **rest) as others:
        async with (
            await Journal.open(folder / "journal.sqlite", clock=clock) as journal,
            Desk(journal, bus, clock, mode, **others) as desk,
        ):
            yield desk
