"""The part ``vectors`` of a schema, and the extension that it needs.

Its triggers queue each text for every space in the transaction that wrote it, whichever gateway wrote it, and drop what
belongs to a text that is gone. A row's text never changes: another revision is another row.
"""

from __future__ import annotations

from typing import Final

import attrs
import psycopg
from psycopg import sql

from gatehook.memory.postgres.connections import transaction
from gatehook.memory.postgres.schema import Part

#: The numbers of advisory locks behind those of buckets and migrations (see ``schema``).
SPACES_LOCK: Final = 65
INDEX_LOCK: Final = 66
#: It goes on looking behind what a filter refuses.
_OLDEST: Final = (0, 8)

# One row an identity: vectors of two spaces are never compared. ``seen``: when a gateway of this identity was here.
_SPACES: Final = """
CREATE TABLE spaces (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, identity text NOT NULL UNIQUE,
  dims integer NOT NULL, served text NOT NULL DEFAULT '', state text NOT NULL, indexed boolean NOT NULL DEFAULT false,
  seen timestamptz NOT NULL DEFAULT now())
"""
_VECTORS: Final = """
CREATE TABLE vectors (
  space integer NOT NULL, rid bigint NOT NULL, e {halfvec} NOT NULL, PRIMARY KEY (space, rid))
"""
# ``holder``: the gateway that has a text embedded, until ``held_until``; whoever dies holds nothing for long.
_QUEUE: Final = """
CREATE TABLE embed_queue (
  space integer NOT NULL, rid bigint NOT NULL, attempts integer NOT NULL DEFAULT 0,
  not_before bigint NOT NULL DEFAULT 0, holder text, held_until timestamptz, PRIMARY KEY (space, rid))
"""
_FUNCTION: Final = (
    "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$ BEGIN\n"
)
_QUEUED: Final = "INSERT INTO embed_queue (space, rid) SELECT s.id, n.rid FROM new_rows n CROSS JOIN spaces s"
_GONE: Final = "DELETE FROM {table} t USING old_rows o, spaces s WHERE t.space = s.id AND t.rid = o.rid"
_TRIGGER: Final = (
    "CREATE TRIGGER {name} AFTER {event} ON docs REFERENCING {rows} FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
)


@attrs.frozen
class Extension:
    """pgvector in this database. ``schema`` has its types and operators; ``missing`` says why there is none."""

    schema: str = ""
    missing: str = ""

    def name(self, what: str) -> str:
        """Return the name of one of its types or operator classes, as SQL."""
        return f'"{self.schema.replace(chr(34), chr(34) * 2)}".{what}'

    @property
    def product(self) -> str:
        """The operator of the negative inner product: of vectors of length 1 it is the cosine."""
        return f"OPERATOR({self.name('<#>')})"


def part_of(extension: Extension) -> Part:
    """Return the part, its type written with the extension's schema."""
    dropped = "; ".join(_GONE.format(table=table) for table in ("vectors", "embed_queue"))
    return Part(
        "vectors",
        (
            (
                _SPACES,
                _VECTORS.format(halfvec=extension.name("halfvec")),
                _QUEUE,
                f"{_FUNCTION.format(name='vectors_wanted')}  {_QUEUED};\n  RETURN NULL;\nEND $$",
                f"{_FUNCTION.format(name='vectors_dropped')}  {dropped};\n  RETURN NULL;\nEND $$",
                _TRIGGER.format(name="vectors_wanted", event="INSERT", rows="NEW TABLE AS new_rows"),
                _TRIGGER.format(name="vectors_dropped", event="DELETE", rows="OLD TABLE AS old_rows"),
            ),
        ),
    )


def find_extension(connection: psycopg.Connection, schema: str) -> Extension:
    """Return pgvector, made if it can be; a role that may not make it gets the reason."""
    found = _find(connection)
    if found is not None:
        return found
    try:
        with transaction(connection):
            shared = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'public'").fetchone()
            home = sql.Identifier("public" if shared else schema)
            connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS vector SCHEMA {}").format(home))
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        # Another gateway may have made it at the same moment.
        refused = " ".join(str(error).split())
        return _find(connection) or Extension(missing=f"this database has no extension vector: {refused}")
    return _find(connection) or Extension(missing="this database has no extension vector")


def _find(connection: psycopg.Connection) -> Extension | None:
    row = connection.execute(
        "SELECT n.nspname, e.extversion FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
        " WHERE e.extname = 'vector'"
    ).fetchone()
    if row is None:
        return None
    schema, version = row
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < _OLDEST:
        return Extension(missing=f"its extension vector is {version}, 0.8 is needed")
    return Extension(schema)
