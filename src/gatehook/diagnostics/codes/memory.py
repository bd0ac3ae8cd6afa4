"""Where memories lie: files, and schemas of a server."""

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
DSN_UNREADABLE: Final = Code(
    "memory.dsn-unreadable",
    Severity.ERROR,
    "The dsn is neither a connection string of PostgreSQL nor a URL.",
    "Write it as host=… dbname=… user=…, or as postgresql://user@host/database. It is not shown here.",
)
SCHEMA_NEWER: Final = Code(
    "memory.schema-newer",
    Severity.ERROR,
    "The schema {schema} was written by a newer release: its {part} has version {found}, this release knows {known}.",
    "Install the newer release again, or name another schema; this one was not touched.",
)
SCHEMA_FOREIGN: Final = Code(
    "memory.schema-foreign",
    Severity.ERROR,
    "The schema {schema} is no memory: it holds {table}.",
    "Name another schema, one of its own; this one was not touched.",
)
SERVER_UNFIT: Final = Code(
    "memory.server-unfit",
    Severity.ERROR,
    "The PostgreSQL server cannot hold a memory: {reason}.",
    "Name another server or database, with version 14 or later and the encoding UTF8.",
)
