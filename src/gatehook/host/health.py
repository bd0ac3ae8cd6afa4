"""The health of the whole host, from what was observed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

import attrs

from gatehook.context import PluginStatus
from gatehook.context import RunState
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics.codes import runtime as runtime_codes
from gatehook.host.entry import Entry
from gatehook.host.handles import port_health
from gatehook.kinds.provider import Health
from gatehook.kinds.provider import HealthStatus
from gatehook.orders import Desk


def host_health(
    entries: Sequence[Entry], desk: Desk, slots: Mapping[str, str | None], diagnostics: Iterable[Diagnostic]
) -> Health:
    """Return ``down`` when an entry is, else ``degraded`` when anything is; the reasons name the entries."""
    found = {entry.entry_id: entry_health(entry) for entry in entries}
    reasons = [f"{entry_id}: {reason}" for entry_id, one in found.items() for reason in one.reasons]
    reasons += [*_desk_reasons(desk), *_restart_reasons(diagnostics)]
    by_id = {entry.entry_id: entry for entry in entries}
    for slot, holder in slots.items():
        if holder is not None and holder in by_id and not by_id[holder].serving:
            reasons.append(f"the slot {slot} is down")
    if not reasons:
        return Health()
    is_down = any(
        found[entry.entry_id].status is HealthStatus.DOWN and entry.state is not RunState.STARTING for entry in entries
    )
    return Health(status=HealthStatus.DOWN if is_down else HealthStatus.DEGRADED, reasons=tuple(reasons))


def entry_health(entry: Entry) -> Health:
    """Return an entry's health: its run state, and the word of each provider."""
    if not entry.serving:
        return Health(status=HealthStatus.DOWN, reasons=(entry.why_down(),))
    found = [port_health(entry.ports[kind]) for kind in sorted(entry.kinds)]
    reasons = [reason for one in found for reason in one.reasons]
    if entry.rates.rest:
        reasons.append(f"the venue refused for too many requests; calls go on in {math.ceil(entry.rates.rest)} s")
    if entry.state is RunState.DEGRADED:
        reasons.insert(0, entry.reason)
    worst = max((_RANK[one.status] for one in found), default=0)
    status = list(_RANK)[max(worst, 1 if reasons else 0)]
    return Health(status=status, reasons=tuple(reasons))


def current_status(entry: Entry) -> PluginStatus:
    """Return an entry's run state, degraded where its providers say so by now."""
    if entry.state is RunState.ACTIVE:
        found = entry_health(entry)
        if found.status is not HealthStatus.OK:
            return attrs.evolve(entry.status, state=RunState.DEGRADED, reason="; ".join(found.reasons))
    return entry.status


_RANK = {HealthStatus.OK: 0, HealthStatus.DEGRADED: 1, HealthStatus.DOWN: 2}


def _desk_reasons(desk: Desk) -> Iterator[str]:
    yield from (f"orders: {reason}" for reason in desk.health().reasons)


def _restart_reasons(diagnostics: Iterable[Diagnostic]) -> Iterator[str]:
    for one in diagnostics:
        if one.code == runtime_codes.IMPORT_TIMEOUT.id:
            yield f"{one.plugin}: its import hangs; a restart of the gateway is needed"
