"""Codes of the guard: halt, limits, permissions, grants, approvals."""

from __future__ import annotations

from typing import Final

from gatehook.diagnostics.records import Code
from gatehook.diagnostics.records import Severity

HALT_SCOPE: Final = Code(
    "halt.scope",
    Severity.ERROR,
    "{scope} is no scope of a halt; nothing was changed",
    "Write all, entry:ID, account:ENTRY/ACCOUNT or subscription:NAME.",
)
HALT_NOT_HALTED: Final = Code(
    "halt.not-halted",
    Severity.ERROR,
    "{scope} is not halted, so it cannot be resumed; halted is: {halted}",
    "Resume exactly the scope that was halted; all does not stand for the narrower ones.",
)
HALT_UNREADABLE: Final = Code(
    "halt.unreadable",
    Severity.ERROR,
    "what is halted cannot be read from {path}: {problem}; everything is halted, and {scope} was not resumed",
    "Restore the file, or run `gatehook resume all`: it puts the file aside and lifts every halt that it held.",
)
HALT_NOT_WRITTEN: Final = Code(
    "halt.not-written",
    Severity.ERROR,
    "{scope} was not resumed, {path} cannot be written: {problem}",
    "Let the file and its directory be writable by the gateway's user, then resume again.",
)
