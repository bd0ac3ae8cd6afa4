"""What the parts of one host share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from gatehook.config.model import SupervisionSection
from gatehook.context import Clock
from gatehook.events import EventBus
from gatehook.host.credentials import RateBudgets
from gatehook.host.entry import Changes
from gatehook.host.http import HttpClients
from gatehook.host.lock import DataDirectory
from gatehook.host.logs import PluginLoggers
from gatehook.host.reports import Reports
from gatehook.host.state import StateStore
from gatehook.kinds.kind import Kind
from gatehook.secrets import Redactor


@attrs.frozen(kw_only=True)
class Services:
    """``handle`` gives an entry's guarded handle of a kind to a caller; ``changes`` wakes who waits for an entry;
    ``reconcile_every`` is for broker entries that set nothing else, in seconds.
    """

    settings: SupervisionSection
    clock: Clock
    bus: EventBus
    changes: Changes
    reports: Reports
    redactor: Redactor
    loggers: PluginLoggers
    state: StateStore
    directory: DataDirectory
    http: HttpClients
    rates: RateBudgets
    reconcile_every: float
    handle: Callable[[str, Kind, str], Any]
