"""What a context offers, asked for by the plugin's process over its own pipe. Who asks is the pipe, never a field."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import Final

import attrs
from anyio.abc import TaskGroup

from gatehook.context import PluginContext
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.kind import Kind
from gatehook.kinds.times import from_rfc3339
from gatehook.kinds.times import to_rfc3339
from gatehook.secrets import Secret
from gatehook.wire.codec import NotOnTheWire
from gatehook.wire.codec import WireCodec
from gatehook.wire.desk_tools import OverDesk
from gatehook.wire.errors import error_json
from gatehook.wire.host_http import fetched
from gatehook.wire.messages import METHOD_NOT_FOUND
from gatehook.wire.messages import RpcError
from gatehook.wire.protocol import WIRE_VERSION
from gatehook.wire.protocol import WORDS
from gatehook.wire.serving import Served

#: The code of an error answer whose ``data`` is an error of the wire.
FAILED: Final = -32010
#: Kinds whose handles can be used over the wire.
USABLE: Final = frozenset({Kind.MARKET_DATA, Kind.MEMORY, Kind.BROKER})
_LONGEST_LINE: Final = 8_000
#: A codec costs milliseconds to make, and a plugin may publish thousands of events.
_CODEC: Final = WireCodec()
_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class HostRequests:
    """Answers one connection. ``answer`` and ``hear`` belong to its ``Peer``; tasks of its streams run in ``tasks``."""

    def __init__(self, context: PluginContext, tasks: Callable[[], TaskGroup]) -> None:
        self._context = context
        self._tasks = tasks
        self._used: dict[tuple[str, Kind], Served] = {}
        self._answers: Mapping[str, Callable[[dict[str, Any]], Awaitable[Any]]] = {
            "gatehook/config": self._config,
            "gatehook/clock": self._clock,
            "gatehook/state.get": self._state_get,
            "gatehook/state.set": self._state_set,
            "gatehook/state.delete": self._state_delete,
            "gatehook/state.keys": self._state_keys,
            "gatehook/state.transaction": self._state_transaction,
            "gatehook/events.publish": self._publish_answered,
            "gatehook/log": self._log_answered,
            "gatehook/http": self._http,
            "gatehook/use": self._use,
        }

    async def answer(self, method: str, params: Any) -> Any:
        """Answer a request of the plugin's process.

        Raises:
            RpcError: for an unknown method, and for what the host refuses; ``data`` is an error of the wire then.
        """
        if method == "ping":
            return {}
        if method not in self._answers:
            raise RpcError(METHOD_NOT_FOUND, f"no such method: {method[:100]}")
        try:
            return await self._answers[method](params if isinstance(params, dict) else {})
        except Exception as error:
            raise RpcError(FAILED, f"{method} failed", error_json(error)) from error

    def hear(self, method: str, params: Any) -> None:
        """Take a log line or an event that wants no answer; what is wrong with it is logged."""
        try:
            if method == "gatehook/log":
                self._log(params)
            elif method == "gatehook/events.publish":
                self._publish(params)
        except Exception as error:  # noqa: BLE001  nobody waits for an answer
            self._context.logger.warning("%s was not taken: %s", method, error)

    # --- who it is, and what time

    async def _config(self, _: dict[str, Any]) -> Any:
        config, secrets = revealed(self._context.config)
        return {
            "wire": WIRE_VERSION,
            "plugin_id": self._context.plugin_id,
            "entry_id": self._context.entry_id,
            "venue": self._context.venue,
            "data_dir": str(self._context.data_dir),
            "config": config,
            "secrets": secrets,
        }

    async def _clock(self, _: dict[str, Any]) -> Any:
        clock = self._context.clock
        return {"now": to_rfc3339(clock.now()), "wall": to_rfc3339(clock.wall())}

    # --- state

    async def _state_get(self, params: dict[str, Any]) -> Any:
        missing = object()
        value = await self._context.state.get(_text(params, "key"), missing)
        return {"found": value is not missing, "value": None if value is missing else value}

    async def _state_set(self, params: dict[str, Any]) -> Any:
        await self._context.state.set(_text(params, "key"), params.get("value"))
        return {}

    async def _state_delete(self, params: dict[str, Any]) -> Any:
        await self._context.state.delete(_text(params, "key"))
        return {}

    async def _state_keys(self, params: dict[str, Any]) -> Any:
        return {"keys": await self._context.state.keys(str(params.get("prefix", "")))}

    async def _state_transaction(self, params: dict[str, Any]) -> Any:
        given, removed = params.get("set", {}), params.get("delete", [])
        if not isinstance(given, dict) or not isinstance(removed, list):
            raise NotOnTheWire("", "a transaction has an object set and a list delete")
        async with self._context.state.transaction() as transaction:
            for key, value in given.items():
                transaction.set(key, value)
            for key in removed:
                transaction.delete(str(key))
        return {}

    # --- events, log

    async def _publish_answered(self, params: dict[str, Any]) -> Any:
        self._publish(params)
        return {}

    def _publish(self, params: Any) -> None:
        event = _CODEC.load(_Event, params)
        ts = None if event.ts is None else from_rfc3339(event.ts)
        fields = {name: value for name, value in attrs.asdict(event).items() if name not in ("topic", "payload", "ts")}
        self._context.events.publish(event.topic, event.payload, ts=ts, **fields)

    async def _log_answered(self, params: dict[str, Any]) -> Any:
        self._log(params)
        return {}

    def _log(self, params: Any) -> None:
        level = _LEVELS.get(str(params.get("level")), logging.INFO)
        self._context.logger.log(level, "%s", str(params.get("message", ""))[:_LONGEST_LINE])

    # --- the world, and other entries

    async def _http(self, params: dict[str, Any]) -> Any:
        return await fetched(self._context.http, params)

    async def _use(self, params: dict[str, Any]) -> Any:
        entry, tool = _text(params, "entry"), _text(params, "tool")
        kind = next((one for one in USABLE if tool.startswith(f"gatehook.{WORDS[one]}.")), None)
        if kind is None:
            raise UnsupportedCapability(f"{tool} cannot be used over the wire")
        key = (entry, kind)
        if key not in self._used:
            handle = self._context.use(entry)
            target = OverDesk(handle, self._context.clock.now) if kind is Kind.BROKER else handle
            self._used[key] = Served({kind: target}, self._tasks(), WireCodec(entry))
        return {"result": await self._used[key].call(tool, params.get("arguments"))}

    def let_go(self) -> None:
        """Close what the connection has open; it is over."""
        for served in self._used.values():
            served.close()
        self._used.clear()


@attrs.frozen(kw_only=True)
class _Event:
    topic: str
    payload: Mapping[str, Any]
    event_id: str | None = None
    partition_key: str = ""
    symbol: str | None = None
    account_id: str | None = None
    ts: str | None = None


def revealed(config: Mapping[str, Any]) -> tuple[Any, list[str]]:
    """Return a configuration as plain JSON with its secrets as text, and the JSON pointers of those."""
    pointers: list[str] = []

    def plain(value: Any, at: str) -> Any:
        if isinstance(value, Secret):
            pointers.append(at)
            return value.reveal()
        if isinstance(value, Mapping):
            return {str(key): plain(one, f"{at}/{_escaped(str(key))}") for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [plain(one, f"{at}/{index}") for index, one in enumerate(value)]
        return value

    return plain(config, ""), pointers


def hidden(config: Any, pointers: Iterator[str] | list[str]) -> Any:
    """Return what ``revealed`` gave with its secrets hidden again."""
    secrets = frozenset(pointers)

    def sealed(value: Any, at: str) -> Any:
        if at in secrets and isinstance(value, str):
            return Secret(value)
        if isinstance(value, dict):
            return {key: sealed(one, f"{at}/{_escaped(key)}") for key, one in value.items()}
        if isinstance(value, list):
            return tuple(sealed(one, f"{at}/{index}") for index, one in enumerate(value))
        return value

    return sealed(config, "")


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _text(params: dict[str, Any], name: str) -> str:
    value = params.get(name)
    if not isinstance(value, str) or not value:
        raise NotOnTheWire(f"/{name}", "it is text, and not empty")
    return value
