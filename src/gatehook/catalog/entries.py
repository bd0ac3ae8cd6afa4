"""The manifest's ``entry``: which runtime runs the plugin, and where its code is."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from typing import Final
from urllib.parse import SplitResult
from urllib.parse import urlsplit

from gatehook.catalog.manifest import Entry
from gatehook.catalog.manifest import ExternalMcp
from gatehook.catalog.manifest import Isolation
from gatehook.catalog.manifest import NodeModule
from gatehook.catalog.manifest import PythonModule
from gatehook.catalog.manifest import Transport
from gatehook.catalog.reader import Reader
from gatehook.diagnostics.codes import manifest as codes
from gatehook.diagnostics.records import did_you_mean

PYTHON_ENDINGS: Final = (".py",)
NODE_ENDINGS: Final = (".mjs", ".js", ".cjs")
_PLAIN_PATH: Final = re.compile(r"(?!\.{0,2}(?:/|\Z))[^/\\:]+(?:/(?!\.{0,2}(?:/|\Z))[^/\\:]+)*\Z")
_ISOLATIONS: Final = {str(one): one for one in Isolation}
_TRANSPORTS: Final = {str(one): one for one in (Transport.SSE, Transport.STREAMABLE_HTTP)}


def read_entry(value: Any, reader: Reader) -> Entry | None:
    """Read ``entry``; ``None`` when the reader noted a problem."""
    entry = reader.table(value, "entry", "")
    kind = entry.get("type")
    if type(kind) is not str or kind not in _TYPES:
        if entry:
            hint = did_you_mean(kind, _TYPES) if isinstance(kind, str) else ""
            known = " | ".join(f'"{one}"' for one in _TYPES)
            reader.note(codes.BAD_VALUE, "/entry/type", key="type", expected=known, hint=hint)
        elif type(value) is dict:
            reader.note(codes.MISSING_KEY, "/entry", key="type", expected='"python.module"')
        return None
    keys, read = _TYPES[kind]
    if not keys.issuperset(entry):
        reader.unknown(entry, keys, "/entry")
    return read(entry, reader)


def _python(entry: Mapping[str, Any], reader: Reader) -> Entry | None:
    module = _module(entry, reader, PYTHON_ENDINGS)
    isolation = entry.get("isolation")
    if isolation is not None and (type(isolation) is not str or isolation not in _ISOLATIONS):
        reader.note(codes.BAD_VALUE, "/entry/isolation", key="isolation", expected='"none" or "process"', hint="")
        return None
    return PythonModule(module, _ISOLATIONS[isolation] if isolation is not None else None)


def _node(entry: Mapping[str, Any], reader: Reader) -> Entry:
    return NodeModule(_module(entry, reader, NODE_ENDINGS))


def _module(entry: Mapping[str, Any], reader: Reader, endings: tuple[str, ...]) -> str:
    if "module" not in entry:
        reader.note(codes.MISSING_KEY, "/entry", key="module", expected=f'"plugin{endings[0]}"')
        return ""
    return _path(entry["module"], "module", reader, endings)


def _path(value: Any, key: str, reader: Reader, endings: tuple[str, ...]) -> str:
    path = reader.text(value, key, "/entry")
    if path and not (is_plain_path(path) and path.endswith(endings)):
        reader.note(codes.BAD_PATH, f"/entry/{key}", key=key, endings=" or ".join(endings))
    return path


def is_plain_path(path: str) -> bool:
    """Say whether a path is relative, stays below its start and has one spelling only."""
    return _PLAIN_PATH.match(path) is not None


def _mcp(entry: Mapping[str, Any], reader: Reader) -> Entry | None:
    adapter = _path(entry["adapter"], "adapter", reader, PYTHON_ENDINGS) if "adapter" in entry else None
    if ("url" in entry) is ("command" in entry):
        reader.note(codes.BAD_VALUE, "/entry", key="entry", expected='given either "url" or "command"', hint="")
        return None
    if "command" in entry:
        return _stdio(entry, adapter, reader)
    return _http(entry, adapter, reader)


def _stdio(entry: Mapping[str, Any], adapter: str | None, reader: Reader) -> Entry:
    command = reader.texts(entry["command"], "command", "/entry")
    if type(entry["command"]) is list and not command:
        reader.note(codes.BAD_VALUE, "/entry/command", key="command", expected="a program and its arguments", hint="")
    if "transport" in entry:
        reader.note(codes.BAD_VALUE, "/entry/transport", key="transport", expected='left out with "command"', hint="")
    return ExternalMcp(transport=Transport.STDIO, command=command, adapter=adapter)


def _http(entry: Mapping[str, Any], adapter: str | None, reader: Reader) -> Entry | None:
    url = reader.text(entry["url"], "url", "/entry", longest=2000)
    parts = split_url(url)
    if isinstance(parts, str):
        if url:
            reader.note(codes.BAD_URL, "/entry/url", key="url", reason=parts)
        return None
    said = entry.get("transport")
    if said is not None and (type(said) is not str or said not in _TRANSPORTS):
        known = " or ".join(f'"{one}"' for one in _TRANSPORTS)
        reader.note(codes.BAD_VALUE, "/entry/transport", key="transport", expected=known, hint="")
        return None
    return ExternalMcp(url=url, transport=_TRANSPORTS[said] if said else transport_of(parts), adapter=adapter)


def split_url(url: str) -> SplitResult | str:
    """Return a URL's parts, or what is wrong with it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return str(error)
    if parts.scheme not in ("http", "https"):
        return "it is neither http:// nor https://"
    if not parts.hostname or port == 0 or " " in url:
        return "it names no host"
    if parts.username is not None or parts.password is not None or parts.fragment:
        return "it carries a user, a password or a fragment"
    return parts


def transport_of(parts: SplitResult) -> Transport:
    """Return the transport of a URL that does not say: a path that ends in ``/sse`` is SSE."""
    return Transport.SSE if parts.path.rstrip("/").endswith("/sse") else Transport.STREAMABLE_HTTP


_TYPES: Final[Mapping[str, tuple[frozenset[str], Callable[[Mapping[str, Any], Reader], Entry | None]]]] = {
    "python.module": (frozenset({"type", "module", "isolation"}), _python),
    "node.module": (frozenset({"type", "module"}), _node),
    "external.mcp": (frozenset({"type", "url", "transport", "command", "adapter"}), _mcp),
}
