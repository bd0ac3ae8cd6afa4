"""Codes of plugins that are served over the wire."""

from __future__ import annotations

from typing import Final

from gatehook.diagnostics.records import Code
from gatehook.diagnostics.records import Severity

NOT_SERVABLE: Final = Code(
    "wire.not-servable",
    Severity.ERROR,
    "the plugin at {path} cannot be served: {reason}",
    "Name the directory of a plugin whose entry is `python.module`; a plugin with another entry is a server already.",
)
