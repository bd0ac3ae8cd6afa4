"""Configuration as nested tables: copied to plain values, frozen, measured, changed at a key."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from types import MappingProxyType
from typing import Any
from typing import Final

from gatehook.config.lines import Key
from gatehook.secrets import SecretReference

#: Deeper nesting is refused: no configuration needs it, and what reads it recurses.
DEEPEST: Final = 32


def too_deep(tree: Any, deepest: int = DEEPEST) -> bool:
    """Say whether tables and lists are nested more than so many levels; a value inside itself is."""
    level = [tree]
    for _ in range(deepest):
        level = [inner for outer in level for inner in _children(outer)]
        if not level:
            return False
    return True


def _children(value: Any) -> Iterator[Any]:
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return (one for one in inner if isinstance(one, Mapping | list | tuple))


def plain(value: Any) -> Any:
    """Copy to dicts and lists; paths, enums, amounts and references become what they would be in a file."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, SecretReference):
        return {value.store: value.name}
    return str(value) if isinstance(value, PurePath) else value


def frozen(value: Any) -> Any:
    """Copy to read-only mappings and tuples."""
    if isinstance(value, Mapping):
        return MappingProxyType({key: frozen(inner) for key, inner in value.items()})
    return tuple(frozen(inner) for inner in value) if isinstance(value, list | tuple) else value


def get(tree: Any, key: Key) -> Any:
    """Return the value at a key; list elements are named by their index.

    Raises:
        KeyError: when there is none.
    """
    for part in key:
        if isinstance(tree, list | tuple) and part.isdecimal() and int(part) < len(tree):
            tree = tree[int(part)]
        elif isinstance(tree, Mapping):
            tree = tree[part]
        else:
            raise KeyError(part)
    return tree


def put(tree: dict[str, Any], key: Key, value: Any) -> Key | None:
    """Set the value at a key, making tables on the way; return the key that is in the way when it is no table."""
    for at, part in enumerate(key[:-1]):
        inner = tree.setdefault(part, {})
        if not isinstance(inner, dict):
            return key[: at + 1]
        tree = inner
    tree[key[-1]] = value
    return None


def pointer_of(steps: Key) -> str:
    """Write steps as a JSON pointer."""
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
