"""Reads that are no search."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from gatehook.kinds.filters import Filter
from gatehook.kinds.memory import MemoryStats
from gatehook.kinds.memory import Namespace
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import StoredDoc
from gatehook.kinds.times import Ns
from gatehook.memory.conditions import Condition
from gatehook.memory.conditions import both
from gatehook.memory.scope import read_namespace
from gatehook.memory.scope import write_namespace
from gatehook.memory.sqlite.conditions import of_filter
from gatehook.memory.sqlite.conditions import of_namespaces
from gatehook.memory.sqlite.conditions import of_visibility
from gatehook.memory.sqlite.database import files_of
from gatehook.memory.sqlite.rows import DOCUMENT
from gatehook.memory.sqlite.rows import read_document

#: So many documents are read at once by a scan.
SCAN_PAGE: Final = 200


def get(connection: sqlite3.Connection, namespace: Namespace, ids: Sequence[str], now: Ns) -> list[StoredDoc | None]:
    """Return documents in the order of ``ids``."""
    visible = of_visibility(now, None)
    sql = f"SELECT {DOCUMENT} FROM docs d WHERE d.ns = ? AND d.id = ? AND {visible.sql}"  # noqa: S608  constants only
    key = write_namespace(namespace)
    rows = (connection.execute(sql, (key, id_, *visible.parameters)).fetchone() for id_ in ids)
    return [None if row is None else read_document(row) for row in rows]


def scan_page(
    connection: sqlite3.Connection,
    selector: NamespaceSelector,
    filter_: Filter | None,
    after: tuple[Namespace, str] | None,
    now: Ns,
) -> list[StoredDoc]:
    """Return the next documents by (namespace, id)."""
    behind = Condition("1")
    if after is not None:
        behind = Condition("(d.ns, d.id) > (?, ?)", (write_namespace(after[0]), after[1]))
    where = both(of_visibility(now, None), of_namespaces([selector]), of_filter(filter_), behind)
    sql = f"SELECT {DOCUMENT} FROM docs d WHERE {where.sql} ORDER BY d.ns, d.id LIMIT ?"  # noqa: S608  constants only
    return [read_document(row) for row in connection.execute(sql, (*where.parameters, SCAN_PAGE))]


def namespaces(connection: sqlite3.Connection, prefix: Namespace, limit: int, now: Ns) -> list[Namespace]:
    """Return the namespaces at and below a prefix that hold something."""
    where = both(of_visibility(now, None), of_namespaces([NamespaceSelector(namespace=prefix)]))
    sql = f"SELECT DISTINCT d.ns FROM docs d WHERE {where.sql} ORDER BY d.ns LIMIT ?"  # noqa: S608  constants only
    return [read_namespace(row[0]) for row in connection.execute(sql, (*where.parameters, limit))]


def stats(connection: sqlite3.Connection, selector: NamespaceSelector, path: Path, now: Ns) -> MemoryStats:
    """Count documents."""
    where = both(of_visibility(now, None), of_namespaces([selector]))
    sql = f"SELECT count(*), count(DISTINCT d.ns), min(d.ts), max(d.ts) FROM docs d WHERE {where.sql}"  # noqa: S608  constants only
    documents, spaces, oldest, newest = connection.execute(sql, where.parameters).fetchone()
    revisions = connection.execute("SELECT count(*) FROM docs WHERE past > 0").fetchone()[0]
    return MemoryStats(
        documents=documents,
        namespaces=spaces,
        bytes_on_disk=sum(file.stat().st_size for file in files_of(path)),
        oldest=oldest,
        newest=newest,
        details={"engine": f"SQLite {sqlite3.sqlite_version} FTS5", "stemming": "english", "past_revisions": revisions},
    )
