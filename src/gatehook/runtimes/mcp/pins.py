"""A server's tools as they were consented to, and what is different now."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import Final

import attrs

from gatehook.context import ToolDefinition

_FIELDS: Final = ("description", "input_schema", "output_schema", "annotations")


def fingerprint(tools: Iterable[ToolDefinition]) -> str:
    """Return the SHA-256 of the definitions, in hex: names, descriptions, schemas, annotations, in any order."""
    return ToolPin.of(tools).fingerprint


@attrs.frozen
class ToolDifference:
    """What changed: names of tools added and removed, and for each changed tool which of its parts."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)

    def __str__(self) -> str:
        parts = [f"new: {', '.join(self.added)}"] if self.added else []
        parts += [f"gone: {', '.join(self.removed)}"] if self.removed else []
        parts += [f"{name}: {', '.join(fields)} changed" for name, fields in self.changed.items()]
        return "; ".join(parts)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "added": list(self.added),
            "removed": list(self.removed),
            "changed": {name: list(fields) for name, fields in self.changed.items()},
        }


@attrs.frozen
class ToolPin:
    """Tool definitions that were seen and consented to, whole, so that a person can be shown what changed."""

    tools: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, tools: Iterable[ToolDefinition]) -> ToolPin:
        """Pin definitions as they are."""
        return cls({one.name: {field: getattr(one, field) for field in _FIELDS} for one in tools})

    @classmethod
    def from_json(cls, value: Any) -> ToolPin:
        """Read what ``to_json`` wrote.

        Raises:
            ValueError: it is something else.
        """
        tools = value.get("tools") if isinstance(value, dict) else None
        if not isinstance(tools, dict) or not all(_is_definition(one) for one in tools.values()):
            raise ValueError("not a pin of tools")
        pin = cls(tools)
        if value.get("fingerprint") != pin.fingerprint:
            raise ValueError("the pin's fingerprint is not that of its tools")
        return pin

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        tools = {name: json.loads(_canonical(definition)) for name, definition in self.tools.items()}
        return {"fingerprint": self.fingerprint, "tools": tools}

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the definitions, in hex."""
        return hashlib.sha256(_canonical(self.tools).encode()).hexdigest()

    def difference(self, tools: Iterable[ToolDefinition]) -> ToolDifference:
        """Say what is different now."""
        now = ToolPin.of(tools).tools
        both = [name for name in self.tools if name in now]
        changed = {name: _changed(self.tools[name], now[name]) for name in both}
        return ToolDifference(
            tuple(sorted(now.keys() - self.tools.keys())),
            tuple(sorted(self.tools.keys() - now.keys())),
            {name: fields for name, fields in sorted(changed.items()) if fields},
        )


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(field for field in _FIELDS if _canonical(before.get(field)) != _canonical(now.get(field)))


def _is_definition(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == set(_FIELDS)


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=dict)
