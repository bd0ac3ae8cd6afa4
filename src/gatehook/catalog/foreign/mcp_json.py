"""Files that list MCP servers: VS Code's ``mcp.json`` (``servers``, ``inputs``) and Claude's (``mcpServers``)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from typing import Final
from urllib.parse import parse_qsl
from urllib.parse import urlsplit

from gatehook.catalog.entries import split_url
from gatehook.catalog.entries import transport_of
from gatehook.catalog.foreign.servers import ForeignFile
from gatehook.catalog.foreign.servers import ForeignServer
from gatehook.catalog.foreign.servers import NotTakenOver
from gatehook.catalog.foreign.servers import Setting
from gatehook.catalog.foreign.values import Input
from gatehook.catalog.foreign.values import baked
from gatehook.catalog.foreign.values import placeholders_in
from gatehook.catalog.foreign.values import setting_of
from gatehook.catalog.manifest import Transport
from gatehook.config.passing import ENVIRONMENT
from gatehook.config.passing import HEADER
from gatehook.config.passing import QUERY

LARGEST_FILE: Final = 1024 * 1024
MOST_SERVERS: Final = 200
_KNOWN: Final = frozenset(
    {"type", "transport", "command", "args", "env", "url", "serverUrl", "headers", "disabled", "enabled"}
)
_TRANSPORTS: Final = {
    "sse": Transport.SSE,
    "http": Transport.STREAMABLE_HTTP,
    "streamable-http": Transport.STREAMABLE_HTTP,
    "streamableHttp": Transport.STREAMABLE_HTTP,
}
#: A string, a comment, or a comma before a closing bracket.
_TOKEN: Final = re.compile(
    r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/|,(?=\s*(?:(?://[^\n]*|/\*.*?\*/)\s*)*[\]}])', re.DOTALL
)


def read_mcp_json(path: Path, data: bytes, values: Mapping[str, str]) -> ForeignFile:
    """Read a file of servers; ``values`` fill placeholders in arguments.

    Raises:
        NotTakenOver: when it is no such file.
    """
    found = _decoded(data)
    holder = found.get("mcp", found) if isinstance(found, dict) else {}
    table = holder.get("servers", holder.get("mcpServers")) if isinstance(holder, dict) else None
    if not isinstance(table, dict):
        raise NotTakenOver('it has neither "servers" nor "mcpServers"')
    if len(table) > MOST_SERVERS:
        raise NotTakenOver(f"it has more than {MOST_SERVERS} servers")
    inputs = _inputs(holder.get("inputs", []))
    servers: list[ForeignServer] = []
    refused: dict[str, str] = {}
    for name, one in table.items():
        try:
            servers.append(_server(name, one, inputs, values))
        except NotTakenOver as reason:
            refused[name] = str(reason)
    return ForeignFile(path=path, servers=tuple(servers), refused=refused)


def _decoded(data: bytes) -> Any:
    if len(data) > LARGEST_FILE:
        raise NotTakenOver(f"it is larger than {LARGEST_FILE} bytes")
    try:
        text = data.decode("utf-8-sig")
        return json.loads(_TOKEN.sub(lambda match: match[0] if match[0][0] == '"' else "", text))
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise NotTakenOver(f"it is no JSON{where}") from None


def _inputs(value: Any) -> Mapping[str, Input]:
    found = {}
    for one in value if isinstance(value, list) else ():
        if isinstance(one, dict) and isinstance(one.get("id"), str):
            found[one["id"]] = Input(
                description=_line(one.get("description")),
                secret=one.get("password") is not False,
                default=None if one.get("password") is True else one.get("default"),
            )
    return found


def _server(name: str, value: Any, inputs: Mapping[str, Input], values: Mapping[str, str]) -> ForeignServer:
    if not isinstance(value, dict):
        raise NotTakenOver("it is no table")
    notes = [f"{key} was left out: Gatehook has nothing like it" for key in value if key not in _KNOWN]
    command, url = value.get("command"), value.get("url", value.get("serverUrl"))
    if (command is None) is (url is None):
        raise NotTakenOver("it has neither a command nor a url, or both")
    if command is not None:
        return _stdio(name, value, inputs, values, notes)
    return _http(name, url, value, inputs, notes)


def _stdio(
    name: str, value: Mapping[str, Any], inputs: Mapping[str, Input], values: Mapping[str, str], notes: list[str]
) -> ForeignServer:
    words = [value["command"], *_list(value.get("args", []), "args")]
    command = tuple(baked(_text(one, "an argument"), values, inputs) for one in words)
    if not command[0]:
        raise NotTakenOver("its command is empty")
    settings = _settings(name, _table(value.get("env", {}), "env"), ENVIRONMENT, inputs, notes)
    return ForeignServer(name=name, command=command, settings=settings, notes=tuple(notes))


def _http(
    name: str, url: Any, value: Mapping[str, Any], inputs: Mapping[str, Input], notes: list[str]
) -> ForeignServer:
    address, query = _split(_text(url, "url"))
    said = value.get("type", value.get("transport"))
    transport = _TRANSPORTS.get(said) if isinstance(said, str) else transport_of(urlsplit(address))
    if transport is None:
        raise NotTakenOver("its type is none that Gatehook speaks: sse, http or stdio")
    settings = (
        *_settings(name, query, QUERY, inputs, notes),
        *_settings(name, _table(value.get("headers", {}), "headers"), HEADER, inputs, notes),
    )
    return ForeignServer(name=name, url=address, transport=transport, settings=settings, notes=tuple(notes))


def _split(url: str) -> tuple[str, Mapping[str, str]]:
    address, _, query = url.partition("?")
    if placeholders_in(address):
        raise NotTakenOver("its url has a placeholder outside the query; write the address out")
    fault = split_url(address)
    if isinstance(fault, str):
        raise NotTakenOver(f"its url cannot be used: {fault}")
    return address, dict(parse_qsl(query.partition("#")[0], keep_blank_values=True))


def _settings(
    server: str, table: Mapping[str, str], keyword: str, inputs: Mapping[str, Input], notes: list[str]
) -> tuple[Setting, ...]:
    found = []
    for place, text in table.items():
        setting, note = setting_of(place, text, keyword, inputs, server)
        found.append(setting)
        if note is not None:
            notes.append(note)
    return tuple(found)


def _table(value: Any, name: str) -> Mapping[str, str]:
    return dict(_pairs(value, name))


def _pairs(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if not isinstance(value, dict):
        raise NotTakenOver(f"its {name} is no table")
    for key, one in value.items():
        if one is not None:
            yield (
                key,
                str(one).lower() if isinstance(one, bool) else str(one) if isinstance(one, int) else _text(one, name),
            )


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise NotTakenOver(f"its {name} is no list")
    return value


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or len(value) > 2000 or not value.isprintable():  # noqa: PLR2004  as long as a url may be
        raise NotTakenOver(f"{name} is no text of at most 2000 letters")
    return value


def _line(value: Any) -> str:
    return " ".join(value.split())[:200] if isinstance(value, str) else ""
