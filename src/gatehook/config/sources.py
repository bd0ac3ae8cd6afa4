"""Where each value of the configuration came from: its layer, and the line of the file."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import attrs

from gatehook.config.lines import Key
from gatehook.config.lines import line_numbers

__all__ = ["Key", "Layer", "Source", "Sources", "dotted"]


class Layer(StrEnum):
    """The layers of the configuration, lowest first."""

    DEFAULTS = "defaults"
    FILE = "file"
    PROGRAM = "program"
    ENVIRONMENT = "environment"
    SET = "--set"


@attrs.frozen(kw_only=True)
class Source:
    """Where a value came from.

    Attributes:
        name: the environment variable, where the layer is the environment.
        line: 1-based.
    """

    layer: Layer
    path: Path | None = None
    line: int | None = None
    name: str = ""

    def __str__(self) -> str:
        if self.path is not None:
            return f"{self.path}" if self.line is None else f"{self.path}:{self.line}"
        return f"{self.layer} {self.name}".rstrip()


@attrs.frozen
class Sources:
    """Where the values of one configuration came from. Lines are looked up only when somebody asks.

    Attributes:
        path: the file, when there is one.
        text: what it said.
        overrides: what other layers set, by key.
    """

    path: Path | None = None
    text: str = attrs.field(default="", repr=False)
    overrides: Mapping[Key, Source] = attrs.field(factory=lambda: MappingProxyType({}))

    @cached_property
    def _lines(self) -> Mapping[Key, int]:
        return line_numbers(self.text)

    def of(self, key: Key) -> Source:
        """Return the source of a key, or of the nearest key around it; defaults when no layer mentions it."""
        around = [key[:end] for end in range(len(key), 0, -1)]
        for part in around:
            if part in self.overrides:
                return self.overrides[part]
        for part in around:
            if part in self._lines:
                return Source(layer=Layer.FILE, path=self.path, line=self._lines[part])
        return Source(layer=Layer.DEFAULTS)


def dotted(key: Key) -> str:
    """Write a key as TOML does: parts that are not bare are quoted, control characters escaped."""
    return ".".join(part if _is_bare(part) else _quoted(part) for part in key)


def _is_bare(part: str) -> bool:
    return part.isascii() and part.replace("-", "a").replace("_", "a").isalnum()


def _quoted(part: str) -> str:
    return '"' + part.encode("unicode_escape").decode("ascii").replace('"', '\\"') + '"'
