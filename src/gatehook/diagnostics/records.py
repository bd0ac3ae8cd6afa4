"""The records: a code of the catalogue, a diagnostic made from it, and the error that carries diagnostics."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import attrs


class Severity(StrEnum):
    """``error`` stops what it is about; ``warning`` wants a look; ``info`` explains."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@attrs.frozen(kw_only=True)
class Diagnostic:
    """One statement, made from a code. Its place is whichever of plugin, entry, path, line and JSON pointer apply."""

    code: str
    severity: Severity
    message: str
    remedy: str
    plugin: str | None = None
    entry: str | None = None
    origin: str | None = None
    path: Path | None = None
    line: int | None = None
    pointer: str | None = None

    @property
    def place(self) -> str:
        """Where, in the form editors understand: ``path:line``, the JSON pointer behind it."""
        where = "" if self.path is None else str(self.path)
        if self.line is not None:
            where += f":{self.line}"
        if self.pointer:
            where = f"{where} at {self.pointer}" if where else self.pointer
        return where or self.entry or self.plugin or ""

    def to_json(self) -> Mapping[str, Any]:
        """Return plain JSON values; absent places are ``null``."""
        data = attrs.asdict(self)
        return {**data, "severity": str(self.severity), "path": None if self.path is None else str(self.path)}


@attrs.frozen
class Code:
    """An entry of the catalogue. ``message`` and ``remedy`` are templates; their facts are given to ``__call__``."""

    id: str
    severity: Severity
    message: str
    remedy: str

    def __call__(
        self,
        *,
        plugin: str | None = None,
        entry: str | None = None,
        origin: str | None = None,
        path: Path | None = None,
        line: int | None = None,
        pointer: str | None = None,
        **facts: object,
    ) -> Diagnostic:
        """Make a diagnostic at a place; ``plugin`` and ``entry`` are facts of the templates too.

        Raises:
            KeyError: when a template names a fact that is missing.
        """
        known = {"plugin": plugin, "entry": entry, "origin": origin, "path": path, **facts}
        return Diagnostic(
            code=self.id,
            severity=self.severity,
            message=self.message.format(**known),
            remedy=self.remedy.format(**known),
            plugin=plugin,
            entry=entry,
            origin=origin,
            path=path,
            line=line,
            pointer=pointer,
        )


class GatehookError(Exception):
    """An operation was refused; ``diagnostics`` (at least one) say why, where and what to do."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        self.diagnostics = diagnostics
        super().__init__("\n".join(f"{one.code}: {one.message} {one.remedy}".rstrip() for one in diagnostics))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `` (did you mean "x"?)`` for the nearest known word, or nothing."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f' (did you mean "{near[0]}"?)' if near else ""
