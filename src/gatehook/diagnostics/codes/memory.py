"""The files of a memory."""

from __future__ import annotations

from typing import Final

from gatehook.diagnostics.records import Code
from gatehook.diagnostics.records import Severity

DATABASE_NEWER: Final = Code(
    "memory.database-newer",
    Severity.ERROR,
    "{path} was written by a newer release: its schema has version {found}, this release knows {known}.",
    "Install the newer release again, or name another file; this one was not touched.",
)
DATABASE_DAMAGED: Final = Code(
    "memory.database-damaged",
    Severity.ERROR,
    "{path} cannot be opened as a memory: {reason}.",
    "Restore it from a backup, or move it away to begin with an empty memory; it was not touched.",
)
IMPORT_FILE: Final = Code(
    "memory.import-file",
    Severity.ERROR,
    "{path} cannot be imported: {why}.",
    "Name a file that `gatehook memory export` wrote and that you may read.",
)
