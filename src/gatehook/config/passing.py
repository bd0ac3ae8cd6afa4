"""What a configuration gives to a plugin's MCP server: URL query, headers and environment, said by the schema.

A property of the configSchema names where its value goes: ``x-gatehook-query: token``,
``x-gatehook-header: "Authorization: Bearer {}"`` or ``x-gatehook-env: API_KEY``. Secrets stay ``Secret`` objects here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from typing import Final

import attrs

from gatehook.config.schema_walk import together
from gatehook.secrets import Secret

QUERY: Final = "x-gatehook-query"
HEADER: Final = "x-gatehook-header"
ENVIRONMENT: Final = "x-gatehook-env"
KEYWORDS: Final = (QUERY, HEADER, ENVIRONMENT)

_HEADER: Final = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,100})(?:: ([\x20-\x7e]*))?\Z")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}\Z")
_PARAMETER: Final = re.compile(r"[!-~]{1,100}\Z")
#: Headers that belong to the transport.
_OWN_HEADERS: Final = frozenset(
    {"host", "content-length", "content-type", "accept", "connection", "transfer-encoding", "last-event-id"}
)
_NOTHING: Final[Mapping[str, Secret]] = MappingProxyType({})


class CannotPass(ValueError):
    """A value cannot go where the schema sends it; the text names the property, never the value."""


@attrs.frozen(kw_only=True)
class Passed:
    """What goes to the server with its address or its start. Every value is kept as a ``Secret``: none is shown."""

    query: Mapping[str, Secret] = _NOTHING
    headers: Mapping[str, Secret] = _NOTHING
    environment: Mapping[str, Secret] = _NOTHING


def fault_of_passing(keyword: str, value: Any) -> str | None:
    """Return what is wrong with such a keyword's value in a schema; ``None`` when nothing is."""
    if not isinstance(value, str):
        return f"{keyword} is no string"
    if keyword == QUERY:
        return None if _PARAMETER.match(value) else f"{keyword} is no name of a query parameter"
    if keyword == ENVIRONMENT:
        return None if _VARIABLE.match(value) else f"{keyword} is no name of an environment variable"
    return _fault_of_header(value)


def _fault_of_header(value: str) -> str | None:
    match = _HEADER.match(value)
    if match is None:
        return f'{HEADER} is neither "Name" nor "Name: text with {{}}"'
    if match[1].lower() in _OWN_HEADERS or match[1].lower().startswith("mcp-"):
        return f"{HEADER} names a header that belongs to the transport"
    if match[2] is not None and match[2].count("{}") != 1:
        return f"{HEADER} has not exactly one {{}} in its text"
    return None


def passed_on(schema: Mapping[str, Any], values: Mapping[str, Any]) -> Passed:
    """Sort the values of a resolved configuration by where its linted schema sends them; what is absent is not sent.

    Raises:
        CannotPass: for a table, or a value with a character that cannot go there.
    """
    found: dict[str, dict[str, Secret]] = {keyword: {} for keyword in KEYWORDS}
    for name, keyword, said in _sent(schema):
        value = values.get(name)
        if value is None:
            continue
        place, _, template = said.partition(": ")
        text = (template or "{}").replace("{}", _text(name, value))
        _refuse_characters(name, keyword, text)
        found[keyword][place] = Secret(text)
    return Passed(query=found[QUERY], headers=found[HEADER], environment=found[ENVIRONMENT])


def _sent(schema: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for one in together(schema, schema):
        for name, below in one.get("properties", {}).items():
            for inner in together(below, schema):
                yield from ((name, keyword, inner[keyword]) for keyword in KEYWORDS if keyword in inner)


def _text(name: str, value: Any) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float | Decimal):
        return str(value)
    if isinstance(value, list | tuple):
        texts = [_text(name, one) for one in value]
        if any("," in one for one in texts):
            raise CannotPass(f"an element of {name} has a comma, and its elements travel as one text with commas")
        return ",".join(texts)
    raise CannotPass(f"{name} is a table, and only text, numbers, switches and lists of them can be passed on")


def _refuse_characters(name: str, keyword: str, text: str) -> None:
    fits = (text.isascii() and text.isprintable()) if keyword == HEADER else "\0" not in text
    if not fits:
        raise CannotPass(f"{name} has a character that {keyword.removeprefix('x-gatehook-')} values cannot carry")
