"""One configured entry while the host runs: what it is, what it is doing, and the ports that lead to its providers."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Final

import anyio
import attrs

from gatehook.config.model import EntryConfig
from gatehook.context import PluginStatus
from gatehook.context import RunState
from gatehook.host.port import Port
from gatehook.host.rates import RateBudget
from gatehook.kinds.errors import RateLimited
from gatehook.kinds.kind import KINDS
from gatehook.kinds.kind import Kind

if TYPE_CHECKING:
    from gatehook.catalog.manifest import Manifest
    from gatehook.catalog.tree import Tree

SERVING: Final = frozenset({RunState.ACTIVE, RunState.DEGRADED})
_UNDER_WAY: Final = frozenset({RunState.IDLE, RunState.STARTING, RunState.STOPPING})


@attrs.frozen(kw_only=True)
class EntrySpec:
    """What an entry is, by configuration and manifest.

    Attributes:
        kinds: the kinds it provides: all of its manifest's, but for those whose slot it lost.
        uses: the entries that its configuration names, with the kind that it wants of each.
        root: the plugin's directory, where it has one.
        tree: the tree that was consented to, where a consent is needed.
        pinned: whether the tools of its MCP server are pinned; not those of a plugin that is being worked on.
    """

    entry_id: str
    manifest: Manifest
    config: EntryConfig
    kinds: frozenset[Kind]
    uses: Mapping[str, Kind]
    venue: str
    root: Path | None = None
    tree: Tree | None = attrs.field(default=None, repr=False)
    pinned: bool = True

    @property
    def plugin_id(self) -> str:
        """The plugin's id."""
        return self.manifest.id


class Changes:
    """Wakes whoever waits for any entry's next change."""

    def __init__(self) -> None:
        self._event = anyio.Event()

    def notify(self) -> None:
        """Something changed."""
        self._event.set()
        self._event = anyio.Event()

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition on the entries holds."""
        while not condition():
            await self._event.wait()


class Entry:
    """An entry's run state and its ports. Only its supervisor changes it."""

    def __init__(
        self,
        spec: EntrySpec,
        *,
        timeout: float,
        now: Callable[[], float],
        changes: Changes,
        redact: Callable[[str], str],
    ) -> None:
        self.spec = spec
        self.entry_id = spec.entry_id
        self.plugin_id = spec.plugin_id
        self.kinds = set(spec.kinds)
        self.ports: dict[Kind, Port] = {
            kind: Port(self, kind, timeout=timeout, now=now) for kind in spec.manifest.kinds
        }
        #: The budget of its credential; until the configuration is resolved, one of its own.
        self.rates = RateBudget(now)
        self.redact = redact
        self.state = RunState.IDLE
        self.reason = ""
        self.generation = 0
        self.waits_for: Entry | None = None
        self.failure: Callable[[str, BaseException], object] = _nobody
        self.limited: Callable[[], object] = _nobody_asks
        self._changes = changes
        self._tell: Callable[[PluginStatus], object] | None = None

    def on_change(self, tell: Callable[[PluginStatus], object]) -> None:
        """Tell of every change of the run state."""
        self._tell = tell

    def set(self, state: RunState, reason: str = "") -> None:
        """Change the run state; the reason is redacted."""
        reason = self.redact(reason)
        if (state, reason) != (self.state, self.reason):
            self.state, self.reason = state, reason
            self._changes.notify()
            if self._tell is not None:
                self._tell(self.status)

    @property
    def status(self) -> PluginStatus:
        """The run state as a record."""
        return PluginStatus(plugin_id=self.plugin_id, entry_id=self.entry_id, state=self.state, reason=self.reason)

    @property
    def serving(self) -> bool:
        """Whether calls get through."""
        return self.state in SERVING

    @property
    def settled(self) -> bool:
        """Whether its first start is decided, or hangs on an entry that is down."""
        if self.waits_for is not None:
            return self.waits_for.settled and not self.waits_for.serving
        return self.state not in _UNDER_WAY

    @property
    def stop_rank(self) -> int:
        """When it stops at shutdown, by its kinds."""
        return max(KINDS[kind].stop_rank for kind in self.spec.manifest.kinds)

    def why_down(self) -> str:
        """Say what it is doing instead of serving."""
        return f"{self.state}: {self.reason}" if self.reason else str(self.state)

    def provider_raised(self, what: str, error: BaseException) -> None:
        """Take note of an exception that is none of Gatehook's errors."""
        self.failure(what, error)

    def share(self, rates: RateBudget) -> None:
        """Take part in a budget, and in no other any more."""
        if rates is not self.rates:
            self.rates.allow(self.entry_id, None)
            self.rates = rates
        for port in self.ports.values():
            port.rates = rates

    def rate_limited(self, error: RateLimited) -> None:
        """Close the budget for all who share it."""
        if self.rates.refused(error):
            self.limited()


def _nobody(what: str, error: BaseException) -> None:
    """Before the supervisor runs there is no provider that could raise."""


def _nobody_asks() -> None:
    """Before the supervisor runs there is no provider that could ask for too much."""
