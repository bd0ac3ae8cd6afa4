"""From started to ready: a provider that still synchronizes is degraded until its health says otherwise."""

from __future__ import annotations

from typing import Final

import anyio

from gatehook.context import RunState
from gatehook.diagnostics.codes import host as codes
from gatehook.host.entry import Entry
from gatehook.host.handles import port_health
from gatehook.host.services import Services
from gatehook.kinds.provider import HealthStatus

#: Seconds between two looks; ``health()`` does no I/O.
PERIOD: Final = 0.5


def not_ready(entry: Entry) -> str:
    """Return why an entry that has started is not ready, or nothing."""
    found = [port_health(entry.ports[kind]) for kind in sorted(entry.kinds)]
    return "; ".join(", ".join(one.reasons) or str(one.status) for one in found if one.status is not HealthStatus.OK)


async def watch_readiness(entry: Entry, services: Services) -> None:
    """Wait until an entry is ready, and say so when it takes longer than it may."""
    limit = services.settings.ready_timeout
    with anyio.move_on_after(limit) as scope:
        while why := not_ready(entry):
            entry.set(RunState.DEGRADED, why)
            await anyio.sleep(PERIOD)
    if scope.cancelled_caught:
        why = not_ready(entry)
        services.reports.report(
            codes.NOT_READY(plugin=entry.plugin_id, entry=entry.entry_id, limit=f"{limit:g}", why=why)
        )
    elif entry.state is RunState.DEGRADED:
        entry.set(RunState.ACTIVE)
