"""The context of a plugin in a process of its own: what the host offers comes over the pipe."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from typing import Any
from typing import Final
from typing import Self
from typing import TypeVar

import anyio
from anyio.abc import TaskGroup

from gatehook.context import Clock
from gatehook.context import McpTools
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.kind import KINDS
from gatehook.kinds.kind import Kind
from gatehook.kinds.provider import Health
from gatehook.kinds.times import SECOND
from gatehook.kinds.times import Ns
from gatehook.kinds.times import from_rfc3339
from gatehook.wire.child_state import RemoteEvents
from gatehook.wire.child_state import RemoteState
from gatehook.wire.host import Host
from gatehook.wire.host import UsedTools
from gatehook.wire.host_requests import USABLE
from gatehook.wire.host_requests import hidden
from gatehook.wire.market_data import WireMarketData
from gatehook.wire.memory import WireMemory
from gatehook.wire.used_broker import UsedBroker

if TYPE_CHECKING:
    import httpx2

    from gatehook.catalog.manifest import Manifest

T = TypeVar("T")

#: Seconds between two looks at the host's market time, where it is not the machine's.
_SYNC: Final = 1.0
_NEAR: Final = SECOND // 10


class ChildClock:
    """The machine's clocks; market time follows the host's where the two differ (a replay), within a second."""

    def __init__(self) -> None:
        self._ahead = 0

    def now(self) -> Ns:
        """Return market time in nanoseconds UTC."""
        return time.time_ns() + self._ahead

    def wall(self) -> Ns:
        """Return the machine's time in nanoseconds UTC."""
        return time.time_ns()

    def monotonic(self) -> float:
        """Return seconds of a clock that never jumps."""
        return time.monotonic()

    async def follow(self, host: Host) -> None:
        """Ask the host for its time, once, and from then on where it is another time than the machine's."""
        while True:
            answer = await host.ask("clock", {})
            ahead = from_rfc3339(answer["now"]) - from_rfc3339(answer["wall"])
            self._ahead = 0 if abs(ahead) < _NEAR else ahead
            if not self._ahead:
                return
            await anyio.sleep(_SYNC)


class HostLog(logging.Handler):
    """Sends a logger's lines to the host, which writes them under the entry's name, redacted."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._host = host

    def emit(self, record: logging.LogRecord) -> None:
        """Send one line."""
        level = "error" if record.levelno >= logging.ERROR else record.levelname.lower()
        self._host.tell("log", {"level": level, "message": self.format(record)})


class Used:
    """Another entry's handle: its provider's methods, ``entry_id``, and what it can do, as of a moment ago."""

    def __init__(
        self, provider: WireMarketData | WireMemory | UsedBroker, entry_id: str, tasks: Callable[[], TaskGroup]
    ) -> None:
        self._provider = provider
        self._tasks = tasks
        self._asked = -math.inf
        self.entry_id = entry_id

    @property
    def capabilities(self) -> Any:
        """What the entry can do; nothing while it is down."""
        self._ask_again()
        return self._provider.capabilities() or KINDS[self._provider.kind].capabilities()

    def health(self) -> Health:
        """Say how the entry is."""
        self._ask_again()
        return self._provider.health()

    async def look(self) -> None:
        """Ask the entry how it is and what it can do."""
        self._asked = time.monotonic()
        await self._provider.look()

    def _ask_again(self) -> None:
        if time.monotonic() > self._asked + _SYNC:
            self._asked = time.monotonic()
            self._tasks().start_soon(self._look_quietly)

    async def _look_quietly(self) -> None:
        with suppress(ProviderError):  # it is asked again a second later
            await self.look()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._provider, name)


class _Other:
    """The context as another entry's handle sees it: accounts and streams are that entry's."""

    def __init__(self, context: ChildContext, entry_id: str) -> None:
        self._context = context
        self.entry_id = entry_id

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)


_HANDLES: Final[Mapping[Kind, Callable[[McpTools, Any], WireMarketData | WireMemory | UsedBroker]]] = {
    Kind.MARKET_DATA: WireMarketData,
    Kind.MEMORY: WireMemory,
    Kind.BROKER: UsedBroker,
}


class ChildContext:
    """``PluginContext`` in the plugin's process. Build it with ``told``, what the host answered to ``config``."""

    def __init__(self, host: Host, told: Mapping[str, Any], manifest: Manifest) -> None:
        self._host = host
        self._told = told
        self._manifest = manifest
        self._config: Mapping[str, Any] = MappingProxyType(hidden(told["config"], told["secrets"]))
        self._shared: dict[str, Any] = {}
        self._used: dict[str, Used] = {}
        self._tasks: TaskGroup | None = None
        self._http: httpx2.AsyncClient | None = None
        self._clock = ChildClock()
        self._state = RemoteState(host)
        self._events = RemoteEvents(host)
        self._logger = logging.getLogger(f"gatehook.plugin.{self.entry_id}")
        self._logger.setLevel(logging.DEBUG)
        self._logger.propagate = False
        self._logger.handlers = [HostLog(host)]

    @classmethod
    async def of(cls, host: Host, manifest: Manifest) -> Self:
        """Ask the host who this is."""
        context = cls(host, await host.ask("config", {}), manifest)
        await context.meet()
        return context

    @property
    def plugin_id(self) -> str:
        """The plugin's id."""
        return str(self._told["plugin_id"])

    @property
    def entry_id(self) -> str:
        """The entry's id."""
        return str(self._told["entry_id"])

    @property
    def manifest(self) -> Manifest:
        """The plugin's manifest."""
        return self._manifest

    @property
    def config(self) -> Mapping[str, Any]:
        """The entry's own configuration, secrets as ``Secret``."""
        return self._config

    def config_as(self, cls: type[T]) -> T:
        """Build an attrs class from the configuration, strictly."""
        from gatehook.config.as_class import structure

        return structure(cls, self._config)

    @property
    def venue(self) -> str:
        """The venue part of this entry's instrument ids."""
        return str(self._told["venue"])

    @property
    def logger(self) -> logging.Logger:
        """The entry's logger; its lines go to the host."""
        return self._logger

    @property
    def state(self) -> RemoteState:
        """The entry's small store."""
        return self._state

    @property
    def data_dir(self) -> Path:
        """The entry's own directory for files."""
        return Path(self._told["data_dir"])

    @property
    def clock(self) -> Clock:
        """Time."""
        return self._clock

    @property
    def events(self) -> RemoteEvents:
        """Publishes events."""
        return self._events

    @property
    def http(self) -> httpx2.AsyncClient:
        """An HTTP client of this process."""
        if self._http is None:
            import httpx2

            self._http = httpx2.AsyncClient()
        return self._http

    @property
    def mcp(self) -> McpTools:
        """None: this plugin is the server."""
        raise RuntimeError("a plugin that runs in a process of its own has no MCP server beside itself")

    @property
    def task_group(self) -> TaskGroup:
        """Tasks of the entry."""
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
        """Return the handle of another entry (market data, memory, a broker) that the configuration names.

        Raises:
            UnsupportedCapability: for any other entry.
        """
        if entry_id not in self._used:
            raise UnsupportedCapability(f"the configuration names no entry {entry_id!r} that a process can use")
        return self._used[entry_id]

    def _use(self, entry_id: str, kind: Kind) -> Used:
        tools: McpTools = UsedTools(self._host, entry_id, kind)
        return Used(_HANDLES[kind](tools, _Other(self, entry_id)), entry_id, lambda: self.task_group)

    async def meet(self) -> None:
        """Get to know the entries that the configuration names; one that is down is asked again when it is used."""
        from gatehook.config.plugin_config import entry_references

        for pointer, kind in entry_references(self._manifest.config_schema).items():
            for entry_id in _values_at(self._config, pointer.split("/")[1:]):
                if kind in USABLE and isinstance(entry_id, str):
                    self._used[entry_id] = self._use(entry_id, kind)
                    with suppress(ProviderError):
                        await self._used[entry_id].look()

    def open(self, tasks: TaskGroup) -> None:
        """Give the entry its task group: hooks have run, providers are entered next."""
        self._tasks = tasks
        tasks.start_soon(self._follow_clock, name="clock")

    async def _follow_clock(self) -> None:
        try:
            await self._clock.follow(self._host)
        except ProviderError as error:
            self._logger.warning("the host's time is not known: %s", error)

    async def close(self) -> None:
        """Let go of what was made for the entry."""
        if self._http is not None:
            await self._http.aclose()


def _values_at(value: Any, steps: list[str]) -> list[Any]:
    """Return the values at a JSON pointer's steps, ``*`` for any element."""
    if not steps:
        return [value]
    if steps[0] == "*":
        return [found for one in (value if isinstance(value, tuple) else ()) for found in _values_at(one, steps[1:])]
    return _values_at(value[steps[0]], steps[1:]) if isinstance(value, Mapping) and steps[0] in value else []
