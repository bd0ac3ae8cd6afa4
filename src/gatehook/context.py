"""What a plugin is handed: protocols, so that a plugin's tests can pass their own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import Protocol
from typing import TypeVar
from typing import Union

import attrs

from gatehook.kinds.errors import ToolAnswerInvalid
from gatehook.kinds.exact_json import NotExactJson
from gatehook.kinds.exact_json import exact_json
from gatehook.kinds.times import Ns

if TYPE_CHECKING:
    import httpx2
    from anyio.abc import TaskGroup

    from gatehook.catalog.manifest import Manifest
    from gatehook.kinds.chat import ChatMessage
    from gatehook.kinds.feed import NewsEvent

T = TypeVar("T")
#: What a plugin publishes: JSON values by name, or a domain object that stands for them.
Payload = Union[Mapping[str, Any], "ChatMessage", "NewsEvent"]


class RunState(StrEnum):
    """What an entry's supervised task is doing."""

    IDLE = "idle"
    STARTING = "starting"
    ACTIVE = "active"
    DEGRADED = "degraded"
    BACKOFF = "backoff"
    QUARANTINED = "quarantined"
    FAILED = "failed"
    STOPPING = "stopping"
    STOPPED = "stopped"


@attrs.frozen(kw_only=True)
class PluginStatus:
    """An entry's run state, and why it is in it."""

    plugin_id: str
    entry_id: str
    state: RunState
    reason: str = ""


class Clock(Protocol):
    """Market time and real time. In a replay ``now()`` is the replay's; deadlines use ``monotonic()``."""

    def now(self) -> Ns:
        """Return market time in nanoseconds UTC."""

    def wall(self) -> Ns:
        """Return the machine's time in nanoseconds UTC."""

    def monotonic(self) -> float:
        """Return seconds of a clock that never jumps."""


class StateTransaction(Protocol):
    """Reads and writes that become durable together, or not at all."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value."""

    def set(self, key: str, value: Any) -> None:
        """Set a JSON value."""

    def delete(self, key: str) -> None:
        """Remove a key; a missing one is no error."""


class PluginState(Protocol):
    """A small store of JSON values of one entry. Durable when a call returns; never for credentials."""

    async def get(self, key: str, default: Any = None) -> Any:
        """Return a value."""

    async def set(self, key: str, value: Any) -> None:
        """Set a JSON value.

        Raises:
            GatehookError: when the entry's quota is spent or the disk is full; the old value stays.
        """

    async def delete(self, key: str) -> None:
        """Remove a key; a missing one is no error."""

    async def keys(self, prefix: str = "") -> list[str]:
        """Return the keys, sorted."""

    def transaction(self) -> AbstractAsyncContextManager[StateTransaction]:
        """Group reads and writes."""


class EventPublisher(Protocol):
    """Publishes under the entry's own source."""

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
        """Publish an event; one with an ``event_id`` seen before is dropped.

        Under ``chat.message`` a running gateway remembers a ``ChatMessage``; under ``news.*`` and ``social.*`` a
        ``NewsEvent`` of a feed that the configuration names.
        """


@attrs.frozen(kw_only=True)
class ToolDefinition:
    """A tool as its MCP server describes it: claims of the server, not of Gatehook.

    Attributes:
        name: the tool's name on its server.
        description: its text, at most 4 KiB, without hidden characters.
        input_schema: the JSON Schema its arguments are held against before they leave.
        output_schema: the JSON Schema of its structured result, where it states one.
        annotations: what the server says about its risk.
    """

    name: str
    description: str = ""
    input_schema: Mapping[str, Any] = attrs.field(factory=dict)
    output_schema: Mapping[str, Any] | None = None
    annotations: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class McpResult:
    """What a tool answered.

    Attributes:
        texts: its text blocks, in order.
        structured: its structured content, numbers with a point as ``Decimal``; ``None`` where there is none.
        is_error: the tool says that it failed; what it did before is not proven.
        tool: the tool's name, for messages.
    """

    texts: tuple[str, ...] = ()
    structured: Any | None = None
    is_error: bool = False
    tool: str = ""

    def json(self) -> Any:
        """Return the one text block as JSON, numbers with a point as ``Decimal``.

        Raises:
            ToolAnswerInvalid: there is not exactly one text, or it is no exact JSON (NaN, an infinity, a key twice).
        """
        if len(self.texts) != 1:
            raise ToolAnswerInvalid(f"the tool {self.tool!r} answered {len(self.texts)} texts where one is expected")
        try:
            return exact_json(self.texts[0])
        except NotExactJson as error:
            raise ToolAnswerInvalid(f"the answer of the tool {self.tool!r} cannot be read: {error}") from None


class McpTools(Protocol):
    """An entry's supervised session with an MCP server: the same object over every reconnect."""

    @property
    def tools(self) -> Mapping[str, ToolDefinition]:
        """The tools, by name; those of the last connection while there is none."""

    @property
    def server(self) -> Mapping[str, str]:
        """``name``, ``version`` and ``protocol`` of the server; empty before the first connection."""

    @property
    def generation(self) -> int:
        """Which connection this is: 0 before the first, one more with each."""

    async def call(self, tool: str, arguments: Mapping[str, Any], *, timeout: float | None = None) -> McpResult:
        """Call a tool. ``Decimal`` arguments travel as exact JSON numbers, or as text where the schema says string.

        A result in which the tool says that it failed is returned (``is_error``). ``timeout`` is in seconds, and there
        is always one.

        Raises:
            Denied: nothing was sent: an unknown tool, arguments against its schema, a suspended session.
            NotConnected: nothing was sent: there is no connection.
            Ambiguous: it left and there is no answer: a timeout, a lost connection, a result over the cap. It may have
                been executed.
            CallRefused: the server answered with a protocol error.
            ToolAnswerInvalid: the server's answer is no result of a tool.
        """

    def allow_undeclared(self, tool: str, *arguments: str) -> None:
        """Let a tool have arguments that its schema does not declare, because the adapter knows that the server reads
        them. A server whose definitions change is suspended, so what was known does not go stale unseen.
        """

    async def wait_connected(self, timeout: float) -> None:
        """Wait until calls can be made.

        Raises:
            NotConnected: it did not come to that within ``timeout`` seconds; the message says why.
            Denied: the session is suspended, or has failed for good.
        """


class PluginContext(Protocol):
    """What an entry gets: its own configuration, and the services of the host under its own name."""

    @property
    def plugin_id(self) -> str:
        """The plugin's id."""

    @property
    def entry_id(self) -> str:
        """The entry's id; two entries may use one plugin."""

    @property
    def manifest(self) -> Manifest:
        """The plugin's manifest."""

    @property
    def config(self) -> Mapping[str, Any]:
        """The entry's own configuration: immutable, validated, defaults applied, secrets as ``Secret``."""

    def config_as(self, cls: type[T]) -> T:
        """Build an attrs class from the configuration, strictly."""

    @property
    def venue(self) -> str:
        """The venue part of this entry's instrument ids."""

    @property
    def logger(self) -> logging.Logger:
        """The entry's logger."""

    @property
    def state(self) -> PluginState:
        """The entry's small store."""

    @property
    def data_dir(self) -> Path:
        """The entry's own directory for files, made on first use, readable by the owner only."""

    @property
    def clock(self) -> Clock:
        """Time."""

    @property
    def events(self) -> EventPublisher:
        """Publishes events."""

    @property
    def http(self) -> httpx2.AsyncClient:
        """The entry's own HTTP client; a URL or header that holds the mask of a secret is refused."""

    @property
    def mcp(self) -> McpTools:
        """The entry's session with its MCP server; a plugin of another entry type has none, and asking is an error."""

    @property
    def task_group(self) -> TaskGroup:
        """Tasks of the entry: opened before ``__aenter__``, cancelled after ``__aexit__``. A hook has none."""

    def shared(self, key: str, factory: Callable[[], T]) -> T:
        """Return what a sibling hook of this entry made under ``key``, or make it."""

    def use(self, entry_id: str) -> Any:
        """Return another entry's guarded handle; the entry must be named in the configuration by a property whose
        schema says ``x-gatehook-entry``.
        """


class RegistrationApi(Protocol):
    """What ``register(api)`` gets: no configuration, no secret."""

    @property
    def plugin_id(self) -> str:
        """The plugin's id."""

    @property
    def manifest(self) -> Manifest:
        """The plugin's manifest."""

    @property
    def logger(self) -> logging.Logger:
        """The plugin's logger."""

    def add(self, plugin: object) -> None:
        """Add an object that carries ``@hookimpl`` methods."""
