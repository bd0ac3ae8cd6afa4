"""Reads that are no search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import psycopg

from gatehook.kinds.filters import Filter
from gatehook.kinds.memory import MemoryStats
from gatehook.kinds.memory import Namespace
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import StoredDoc
from gatehook.kinds.times import Ns
from gatehook.memory.conditions import ALWAYS
from gatehook.memory.conditions import Condition
from gatehook.memory.conditions import both
from gatehook.memory.postgres.conditions import of_filter
from gatehook.memory.postgres.conditions import of_namespaces
from gatehook.memory.postgres.conditions import of_visibility
from gatehook.memory.postgres.rows import DOCUMENT
from gatehook.memory.postgres.rows import read_document
from gatehook.memory.postgres.texts import write_text
from gatehook.memory.scope import read_namespace
from gatehook.memory.scope import write_namespace
from gatehook.memory.stemming import LANGUAGE

#: So many documents are read at once by a scan.
SCAN_PAGE: Final = 200


def get(connection: psycopg.Connection, namespace: Namespace, ids: Sequence[str], now: Ns) -> dict[str, StoredDoc]:
    """Return documents by id."""
    visible = of_visibility(now, None)
    sql = f"SELECT {DOCUMENT} FROM docs d WHERE d.ns = %s::text AND d.id = ANY(%s::text[]) AND {visible.sql}"  # noqa: S608  constants only
    wanted = [write_text(id_) for id_ in ids]
    rows = connection.execute(sql.encode(), (write_namespace(namespace), wanted, *visible.parameters))
    found = [read_document(row) for row in rows]
    return {stored.doc.id: stored for stored in found}


def scan_page(
    connection: psycopg.Connection,
    selector: NamespaceSelector,
    filter_: Filter | None,
    after: tuple[Namespace, str] | None,
    now: Ns,
) -> list[StoredDoc]:
    """Return the next documents by (namespace, id)."""
    behind = ALWAYS
    if after is not None:
        behind = Condition("(d.ns, d.id) > (%s::text, %s::text)", (write_namespace(after[0]), write_text(after[1])))
    where = both(of_visibility(now, None), of_namespaces([selector]), of_filter(filter_), behind)
    sql = f"SELECT {DOCUMENT} FROM docs d WHERE {where.sql} ORDER BY d.ns, d.id LIMIT %s"  # noqa: S608  constants only
    return [read_document(row) for row in connection.execute(sql.encode(), (*where.parameters, SCAN_PAGE))]


def namespaces(connection: psycopg.Connection, prefix: Namespace, limit: int, now: Ns) -> list[Namespace]:
    """Return the namespaces at and below a prefix that hold something."""
    where = both(of_visibility(now, None), of_namespaces([NamespaceSelector(namespace=prefix)]))
    sql = f"SELECT DISTINCT d.ns FROM docs d WHERE {where.sql} ORDER BY d.ns LIMIT %s"  # noqa: S608  constants only
    return [read_namespace(row[0]) for row in connection.execute(sql.encode(), (*where.parameters, limit))]


def stats(connection: psycopg.Connection, selector: NamespaceSelector, now: Ns) -> MemoryStats:
    """Count documents."""
    where = both(of_visibility(now, None), of_namespaces([selector]))
    sql = (
        "SELECT count(*), count(DISTINCT d.ns), min(d.ts), max(d.ts), (SELECT count(*) FROM docs WHERE past > 0),"  # noqa: S608  constants only
        " pg_total_relation_size('docs') + pg_total_relation_size('totals')"
        f" FROM docs d WHERE {where.sql}"
    )
    row = connection.execute(sql.encode(), where.parameters).fetchone()
    assert row is not None
    documents, spaces, oldest, newest, revisions, size = row
    version = connection.info.parameter_status("server_version")
    return MemoryStats(
        documents=documents,
        namespaces=spaces,
        bytes_on_disk=size,
        oldest=oldest,
        newest=newest,
        details={"engine": f"PostgreSQL {version}", "stemming": LANGUAGE, "past_revisions": revisions},
    )
