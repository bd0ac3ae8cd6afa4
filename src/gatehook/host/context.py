"""What the hooks and providers of one generation of an entry are handed (``gatehook.context.PluginContext``)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import TypeVar

from anyio.abc import TaskGroup

from gatehook.context import Clock
from gatehook.context import McpTools
from gatehook.context import Payload
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import host as codes
from gatehook.diagnostics.codes import mcp_entries as mcp_codes
from gatehook.events import EventBus
from gatehook.host.entry import EntrySpec
from gatehook.host.services import Services
from gatehook.host.state import EntryState
from gatehook.host.tasks import EntryTasks
from gatehook.kinds.times import Ns

if TYPE_CHECKING:
    import httpx2

    from gatehook.catalog.manifest import Manifest

T = TypeVar("T")


class EntryContext:
    """One entry's own configuration, and the services of the host under its own name."""

    def __init__(self, spec: EntrySpec, config: Mapping[str, Any], services: Services) -> None:
        self._mcp: McpTools | None = None
        self._spec = spec
        self._config = config
        self._services = services
        self._shared: dict[str, Any] = {}
        self._tasks: TaskGroup | None = None
        self._http: httpx2.AsyncClient | None = None
        self._state: EntryState | None = None
        self._events = SourcedEvents(services.bus, spec.entry_id)

    @property
    def plugin_id(self) -> str:
        """The plugin's id."""
        return self._spec.plugin_id

    @property
    def entry_id(self) -> str:
        """The entry's id."""
        return self._spec.entry_id

    @property
    def manifest(self) -> Manifest:
        """The plugin's manifest."""
        return self._spec.manifest

    @property
    def config(self) -> Mapping[str, Any]:
        """The entry's own configuration, immutable, secrets as ``Secret``."""
        return self._config

    def config_as(self, cls: type[T]) -> T:
        """Build an attrs class from the configuration, strictly.

        Raises:
            ValueError, TypeError: for a wrong type, a missing or unknown key.
        """
        from gatehook.config.as_class import structure

        return structure(cls, self._config)

    @property
    def venue(self) -> str:
        """The venue part of this entry's instrument ids."""
        return self._spec.venue

    @property
    def logger(self) -> logging.Logger:
        """The logger ``gatehook.plugin.<entry>``."""
        return self._services.loggers.of(f"plugin.{self.entry_id}")

    @property
    def state(self) -> EntryState:
        """The entry's small store."""
        if self._state is None:
            self._state = EntryState(self._services.state, self.entry_id)
        return self._state

    @property
    def data_dir(self) -> Path:
        """The entry's own directory for files."""
        return self._services.directory.of_entry(self.entry_id)

    @property
    def clock(self) -> Clock:
        """Time."""
        return self._services.clock

    @property
    def events(self) -> SourcedEvents:
        """Publishes events under the entry's own source."""
        return self._events

    @property
    def http(self) -> httpx2.AsyncClient:
        """The entry's own HTTP client, closed when the entry stops."""
        if self._http is None:
            self._http = self._services.http.new()
        return self._http

    @property
    def mcp(self) -> McpTools:
        """The entry's session with its MCP server.

        Raises:
            GatehookError: when the plugin is none.
        """
        if self._mcp is None:
            entry = self.manifest.entry
            runtime = "of an embedded object" if entry is None else entry.runtime
            raise GatehookError(mcp_codes.NO_SESSION(entry=self.entry_id, plugin=self.plugin_id, runtime=runtime))
        return self._mcp

    @property
    def task_group(self) -> TaskGroup:
        """Tasks of the entry.

        Raises:
            RuntimeError: in a hook, which builds and returns; tasks begin in ``__aenter__``.
        """
        if self._tasks is None:
            raise RuntimeError("a hook has no task group; start tasks in __aenter__")
        return self._tasks

    def shared(self, key: str, factory: Callable[[], T]) -> T:
        """Return what a sibling hook of this entry made under ``key``, or make it."""
        if key not in self._shared:
            self._shared[key] = factory()
        shared: T = self._shared[key]
        return shared

    def use(self, entry_id: str) -> Any:
        """Return the guarded handle of an entry that the configuration names.

        Raises:
            GatehookError: when it does not name it.
        """
        kind = self._spec.uses.get(entry_id)
        if kind is None:
            raise GatehookError(codes.USE_UNDECLARED(entry=self.entry_id, plugin=self.plugin_id, used=entry_id))
        return self._services.handle(entry_id, kind, self.entry_id)

    def attach(self, session: McpTools) -> None:
        """Give the entry its session: it is connected, hooks are called next."""
        self._mcp = session

    def open(self, tasks: TaskGroup) -> None:
        """Give the entry its task group: hooks have run, providers are entered next."""
        self._tasks = EntryTasks.around(tasks)

    async def close(self) -> None:
        """Let go of what was made for the entry."""
        if self._http is not None:
            await self._http.aclose()


class SourcedEvents:
    """Publishes under one source."""

    def __init__(self, bus: EventBus, source: str) -> None:
        self._bus = bus
        self._source = source

    def publish(
        self,
        topic: str,
        payload: Payload,
        *,
        event_id: str | None = None,
        partition_key: str = "",
        symbol: str | None = None,
        account_id: str | None = None,
        ts: Ns | None = None,
    ) -> None:
        """Publish an event; one with an ``event_id`` seen before is dropped."""
        self._bus.publish(
            topic,
            payload,
            source=self._source,
            event_id=event_id,
            partition_key=partition_key,
            symbol=symbol,
            account_id=account_id,
            ts=ts,
        )
