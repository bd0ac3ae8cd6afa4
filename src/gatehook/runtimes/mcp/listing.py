"""The tool list of a server, which is a stranger's text: cleaned, bounded, and refused where it tries to confuse."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from typing import Final

from gatehook.context import ToolDefinition
from gatehook.runtimes.mcp.spec import McpLimits

_NAME: Final = re.compile(r"[A-Za-z0-9_./:-]{1,128}\Z")
_KEPT_CONTROLS: Final = frozenset("\n\t")
_VARIANTS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")  # variation selectors: invisible, and no control


class BadToolList(Exception):
    """The server's tool list cannot be used; the text says which tool and why."""


def read_tools(raw: Sequence[Mapping[str, Any]], limits: McpLimits) -> dict[str, ToolDefinition]:
    """Read tools as the protocol writes them (``inputSchema``), of all pages.

    Raises:
        BadToolList: too many tools, a name that is no name or stands twice (also in another case), a schema over the
            cap or of a wrong type.
    """
    if len(raw) > limits.max_tools:
        raise BadToolList(f"it has more than {limits.max_tools} tools")
    tools: dict[str, ToolDefinition] = {}
    seen: dict[str, str] = {}
    for one in raw:
        tool = _tool(one, limits)
        other = seen.setdefault(tool.name.casefold(), tool.name)
        if tool.name in tools or other != tool.name:
            raise BadToolList(f"two of its tools are called {tool.name!r}")
        tools[tool.name] = tool
    return tools


def _tool(raw: Mapping[str, Any], limits: McpLimits) -> ToolDefinition:
    name = raw.get("name")
    if not isinstance(name, str) or not _NAME.match(name):
        raise BadToolList("one of its tools has a name that is none")
    output = raw.get("outputSchema")
    return ToolDefinition(
        name=name,
        description=_description(raw.get("description"), limits.max_description),
        input_schema=_schema(raw.get("inputSchema"), name, limits),
        output_schema=None if output is None else _schema(output, name, limits),
        annotations=_annotations(raw, name, limits),
    )


def _annotations(raw: Mapping[str, Any], name: str, limits: McpLimits) -> Mapping[str, Any]:
    stated = raw.get("annotations")
    found = {} if stated is None else dict(_schema(stated, name, limits))
    title = raw.get("title")
    return {"title": clean(title), **found} if isinstance(title, str) else found


def _schema(value: Any, name: str, limits: McpLimits) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadToolList(f"the tool {name!r} has a schema that is no object")
    try:
        size = len(json.dumps(value, default=_number).encode())
    except (TypeError, ValueError, RecursionError):
        raise BadToolList(f"the tool {name!r} has a schema that is no JSON") from None
    if size > limits.max_schema:
        raise BadToolList(f"the tool {name!r} has a schema of {size} bytes, over {limits.max_schema}")
    cleaned: Mapping[str, Any] = _cleaned(value)
    return cleaned


def _number(value: Any) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError


def _cleaned(value: Any) -> Any:
    """Return JSON with plain numbers and without hidden characters; what remains is what is shown, hashed and used."""
    if isinstance(value, dict):
        return {clean(key): _cleaned(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_cleaned(one) for one in value]
    if isinstance(value, str):
        return clean(value)
    return float(value) if isinstance(value, Decimal) else value


def _description(value: Any, longest: int) -> str:
    text = clean(value) if isinstance(value, str) else ""
    if len(text.encode()) <= longest:
        return text
    # The digest keeps what is cut off in the fingerprint.
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"{text.encode()[:longest].decode('utf-8', errors='ignore')}… ({len(text)} characters, SHA-256 {digest})"


def clean(text: str) -> str:
    """Return a text without what a person cannot see: formatting and private characters, tags, half characters."""
    if text.isascii() and text.isprintable():
        return text
    kept = (one for one in text if one in _KEPT_CONTROLS or not unicodedata.category(one).startswith("C"))
    return _VARIANTS.sub("", "".join(kept))
