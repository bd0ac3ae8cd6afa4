"""The desk of a running host: its audit, guard and journal, opened in the data directory and let go in order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from collections.abc import Callable
from contextlib import asynccontextmanager
from contextlib import closing
from contextlib import suppress
from typing import Final

import anyio
import anyio.to_thread

from gatehook.audit import AuditLog
from gatehook.audit import kinds
from gatehook.audit import read
from gatehook.audit.intents import void_of
from gatehook.config import Config
from gatehook.context import Clock
from gatehook.diagnostics import Diagnostic
from gatehook.events import EventBus
from gatehook.guard.guard import Guard
from gatehook.guard.guard import Rules
from gatehook.host.live import require_confirmation
from gatehook.host.quotes import Quotes
from gatehook.kinds.errors import StorageUnavailable
from gatehook.orders import Desk
from gatehook.orders import Journal
from gatehook.orders.database import open_reader
from gatehook.orders.proving import orphaned_intents
from gatehook.secrets import Redactor

#: Who the audit names where nobody else did it.
_GATEWAY: Final = "gateway"
#: So many records at the end of the audit are compared with the journal: more than one commit can hold.
_UNDER_WAY: Final = 1000


@asynccontextmanager
async def open_desk(
    config: Config,
    quotes: Quotes,
    *,
    clock: Clock,
    bus: EventBus,
    redactor: Redactor,
    report: Callable[[Diagnostic], None],
) -> AsyncIterator[Desk]:
    """Run the desk of a data directory while the block runs.

    Raises:
        GatehookError: when live trading was never confirmed there, or a file of it cannot be used.
    """
    data_dir, mode = config.gateway.data_dir, config.gateway.mode
    require_confirmation(data_dir, mode)
    rules = Rules(trading=config.trading, limits=config.limits, permissions=config.permissions)
    audit = await anyio.to_thread.run_sync(lambda: _open_audit(config, clock, redactor))
    try:
        for diagnostic in audit.diagnostics:
            report(diagnostic)
        guard = await anyio.to_thread.run_sync(
            lambda: Guard.open(
                data_dir,
                rules,
                key=audit.key,
                clock=clock,
                quote=quotes.quote,
                instrument=quotes.instrument,
                report=report,
            )
        )
        async with await Journal.open(data_dir / "journal.sqlite", clock=clock) as journal:
            await anyio.to_thread.run_sync(lambda: _void_orphans(config, audit))
            await audit.record(kinds.GATEWAY_STARTED, actor=_GATEWAY, mode=str(mode))
            desk = Desk(journal, bus, clock, mode, guard=guard, audit=audit, trading=config.trading, report=report)
            async with desk:
                yield desk
        # A disk that is full by now must not keep the gateway from stopping; the next start is in the audit again.
        with anyio.CancelScope(shield=True), suppress(StorageUnavailable):
            await audit.record(kinds.GATEWAY_STOPPED, actor=_GATEWAY)
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(audit.close)


def _open_audit(config: Config, clock: Clock, redactor: Redactor) -> AuditLog:
    settings = config.audit
    return AuditLog.open(
        config.gateway.data_dir,
        key_file=settings.key_file,
        anchors=settings.anchors,
        anchor_every=settings.anchor_every,
        wall=clock.wall,
        redact=redactor.redact,
    )


def _void_orphans(config: Config, audit: AuditLog) -> None:
    """Say of every intent that the journal does not have that it is none."""
    data_dir = config.gateway.data_dir
    with closing(open_reader(data_dir / "journal.sqlite")) as db:
        orphans = orphaned_intents(db, read(data_dir, last=_UNDER_WAY))
    if orphans:
        audit.append(
            [void_of(one, actor=_GATEWAY, reason="the gateway ended before it was journaled") for one in orphans]
        )
