"""What a plugin has to say, in its log and in the diagnostics of its host."""

from __future__ import annotations

from typing import Any

from gatehook.diagnostics.records import Diagnostic


def log_diagnostic(logger: Any, diagnostic: Diagnostic) -> None:
    """Write a diagnostic to a plugin's ``context.logger`` as a warning, with the diagnostic beside its text."""
    said = f"{diagnostic.code}: {diagnostic.message}"
    logger.warning("%s", said, extra={"gatehook_diagnostic": diagnostic})
