"""The tables in their schema, and how an older version of them becomes this one."""

from __future__ import annotations

from typing import Final

import attrs
import psycopg
from psycopg import sql

from gatehook import GatehookError
from gatehook.diagnostics.codes.memory import SCHEMA_FOREIGN
from gatehook.diagnostics.codes.memory import SCHEMA_NEWER
from gatehook.diagnostics.codes.memory import SERVER_UNFIT
from gatehook.memory.postgres.rows import BUCKETS

#: The lock of migrations stands behind those of the buckets.
_MIGRATION: Final = BUCKETS
#: It can notice that a client is gone while it works for it.
_OLDEST_SERVER: Final = 140_000


@attrs.frozen
class Part:
    """A part of the schema with a version of its own: step n makes version n + 1 of version n."""

    name: str
    steps: tuple[tuple[str, ...], ...]


# One row a revision: ``past`` is 0 for the current one, else its revision. Text is ordered by code points.
_DOCS: Final = """
CREATE TABLE docs (
  rid bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, bucket smallint NOT NULL,
  ns text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL, past integer NOT NULL, revision integer NOT NULL,
  ts bigint NOT NULL, available_at bigint NOT NULL, visible_at bigint NOT NULL, superseded_at bigint NOT NULL,
  expires_at bigint, created_at bigint NOT NULL, ingested_at bigint NOT NULL,
  kind text COLLATE "C" NOT NULL, prev_id text COLLATE "C", labels text NOT NULL, meta text NOT NULL,
  digest text NOT NULL, text text NOT NULL, facts jsonb NOT NULL, words integer NOT NULL, lexemes tsvector NOT NULL,
  UNIQUE (ns, id, past))
"""
# What a ranking needs to know of the whole: rows, words, and a count of changes. A row a bucket: whoever changes it
# holds the bucket's lock.
_TOTALS: Final = """
CREATE TABLE totals (
  bucket smallint PRIMARY KEY, documents bigint NOT NULL, words bigint NOT NULL, changes bigint NOT NULL)
"""
_ADD_TOTALS: Final = """
  ON CONFLICT (bucket) DO UPDATE SET documents = totals.documents + excluded.documents,
    words = totals.words + excluded.words, changes = totals.changes + excluded.changes;
  RETURN NULL;
END $$
"""


def _counting(name: str, select: str) -> str:
    return (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$ BEGIN\n"
        f"  INSERT INTO totals {select}{_ADD_TOTALS}"
    )


def _counted(name: str, rows: str) -> str:
    event = {"added": "INSERT", "deleted": "DELETE", "changed": "UPDATE"}[name]
    return (
        f"CREATE TRIGGER docs_{name} AFTER {event} ON docs REFERENCING {rows}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION count_{name}()"
    )


STORAGE: Final = Part(
    "storage",
    (
        (
            _DOCS,
            _TOTALS,
            "CREATE INDEX docs_by_time ON docs (ts DESC, id, ns) WHERE past = 0",
            "CREATE INDEX docs_by_namespace ON docs (ns, ts DESC, id) WHERE past = 0",
            "CREATE INDEX docs_by_previous ON docs (ns, prev_id) WHERE past = 0 AND prev_id IS NOT NULL",
            "CREATE INDEX docs_by_expiry ON docs (expires_at) WHERE past = 0 AND expires_at IS NOT NULL",
            "CREATE INDEX docs_by_facts ON docs USING gin (facts jsonb_path_ops)",
            "CREATE INDEX docs_by_lexemes ON docs USING gin (lexemes)",
            _counting(
                "count_added",
                "SELECT bucket, count(*), sum(words), count(*) FROM new_rows GROUP BY bucket ORDER BY bucket",
            ),
            _counting(
                "count_deleted",
                "SELECT bucket, -count(*), -sum(words), count(*) FROM old_rows GROUP BY bucket ORDER BY bucket",
            ),
            _counting(
                "count_changed",
                "SELECT o.bucket, 0, sum(n.words - o.words), count(*) FROM old_rows o JOIN new_rows n USING (rid)"
                " GROUP BY o.bucket ORDER BY o.bucket",
            ),
            _counted("added", "NEW TABLE AS new_rows"),
            _counted("deleted", "OLD TABLE AS old_rows"),
            _counted("changed", "OLD TABLE AS old_rows NEW TABLE AS new_rows"),
        ),
    ),
)
PARTS: Final = (STORAGE,)


def migrate(connection: psycopg.Connection, schema: str, lock: int, parts: tuple[Part, ...] = PARTS) -> None:
    """Bring a schema to the newest version inside the transaction under way; several gateways may come at once.

    Raises:
        GatehookError: ``memory.schema-newer``, ``memory.schema-foreign``, ``memory.server-unfit``; nothing is changed.
    """
    _check_server(connection)
    connection.execute("SELECT pg_advisory_xact_lock(%s::integer, %s::integer)", (lock, _MIGRATION))
    versions = _versions(connection, schema)
    for part in parts:
        found = versions.get(part.name, 0)
        if found > len(part.steps):
            raise GatehookError(SCHEMA_NEWER(schema=schema, part=part.name, found=found, known=len(part.steps)))
    for part in parts:
        _bring(connection, part, versions.get(part.name, 0))


def _check_server(connection: psycopg.Connection) -> None:
    info = connection.info
    if info.server_version < _OLDEST_SERVER:
        version = info.parameter_status("server_version")
        raise GatehookError(SERVER_UNFIT(reason=f"it is PostgreSQL {version}, at least 14 is needed"))
    encoding = info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise GatehookError(SERVER_UNFIT(reason=f"its database is encoded in {encoding}, UTF8 is needed"))


def _versions(connection: psycopg.Connection, schema: str) -> dict[str, int]:
    tables = {
        name
        for (name,) in connection.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = %s::text AND c.relkind IN ('r', 'p', 'v', 'm', 'f')",
            (schema,),
        )
    }
    if not tables:
        # Even where it would do nothing, the statement wants the right to make schemas.
        if not connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s::text", (schema,)).fetchone():
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
        connection.execute("CREATE TABLE parts (name text PRIMARY KEY, version integer NOT NULL)")
    elif not tables >= {"parts", "docs", "totals"}:
        raise GatehookError(SCHEMA_FOREIGN(schema=schema, table=min(tables - {"parts", "docs", "totals"} or tables)))
    return dict(connection.execute("SELECT name, version FROM parts").fetchall())


def _bring(connection: psycopg.Connection, part: Part, version: int) -> None:
    if version == len(part.steps):
        return
    for step in part.steps[version:]:
        for statement in step:
            connection.execute(statement.encode())
    connection.execute(
        "INSERT INTO parts VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET version = excluded.version",
        (part.name, len(part.steps)),
    )
