"""Upserts of several callers as one change: what is there is read once, each caller's batch is judged in memory, and
everything is written together.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Final

import attrs
import psycopg

from gatehook.kinds.errors import Conflict
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import Namespace
from gatehook.kinds.memory import StoredDoc
from gatehook.kinds.memory import UpsertReport
from gatehook.kinds.times import Ns
from gatehook.memory.giving_way import giving_way
from gatehook.memory.postgres import neighbours
from gatehook.memory.postgres.lexemes import TooManyWords
from gatehook.memory.postgres.lexemes import certainly_fits
from gatehook.memory.postgres.lexemes import vector_of
from gatehook.memory.postgres.rows import DOCUMENT
from gatehook.memory.postgres.rows import INSERT
from gatehook.memory.postgres.rows import NEVER
from gatehook.memory.postgres.rows import Revision
from gatehook.memory.postgres.rows import bucket_of
from gatehook.memory.postgres.rows import read_document
from gatehook.memory.postgres.rows import write_revision
from gatehook.memory.postgres.texts import write_text
from gatehook.memory.rules import available_at
from gatehook.memory.rules import digest_of
from gatehook.memory.rules import fault_of
from gatehook.memory.rules import visible_from
from gatehook.memory.scope import write_namespace

Key = tuple[Namespace, str]

#: So many rows go in one statement: what the driver writes of more holds the interpreter's lock for milliseconds.
_AT_ONCE: Final = 50
#: A row of an index has less than a third of a page.
_MAX_KEY: Final = 2_400
_LOADED: Final = (
    "SELECT w.at, EXISTS (SELECT FROM docs f"  # noqa: S608  constants only
    " WHERE f.ns = w.ns AND f.prev_id = w.id AND f.past = 0 AND f.prev_id IS NOT NULL),"
    f" d.rid, d.digest, {DOCUMENT} FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS w(ns, id, at)"
    " LEFT JOIN docs d ON d.ns = w.ns AND d.id = w.id AND d.past = 0"
)
_RETIRE: Final = (
    "UPDATE docs d SET past = d.revision, superseded_at = w.until, lexemes = w.lexemes::tsvector, words = w.words"
    " FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::integer[]) AS w(rid, until, lexemes, words)"
    " WHERE d.rid = w.rid"
)
_CUT: Final = (
    "UPDATE docs d SET superseded_at = w.until FROM unnest(%s::text[], %s::text[], %s::bigint[]) AS w(ns, id, until)"
    " WHERE d.ns = w.ns AND d.id = w.id AND d.past > 0 AND d.superseded_at > w.until"
)


@attrs.define
class Job:
    """One caller's upsert, and what came of it."""

    docs: Sequence[MemoryDoc]
    if_revision: Mapping[str, int] | None
    now: Ns
    rejected: tuple[tuple[str, str], ...] = ()
    latest: dict[Key, MemoryDoc] = attrs.field(factory=dict)
    taken: bool = False
    result: UpsertReport | None = None
    error: Exception | None = None

    def judge(self, max_bytes: int) -> None:
        """Keep what is valid by itself, the last of each id."""
        faults = [(doc, fault_of(doc, max_bytes) or _fault_of_sizes(doc)) for doc in giving_way(self.docs)]
        self.rejected = tuple((str(doc.id), fault) for doc, fault in faults if fault is not None)
        self.latest = {(doc.namespace, doc.id): doc for doc, fault in faults if fault is None}


def _fault_of_sizes(doc: MemoryDoc) -> str | None:
    """Return what the server's indices have no room for."""
    key = write_namespace(doc.namespace) + max(write_text(doc.id), write_text(doc.prev_id or ""), key=_size)
    if _size(key) > _MAX_KEY:
        return f"namespace and id have {_size(key)} bytes, at most {_MAX_KEY} are taken"
    try:
        if not certainly_fits(doc):
            vector_of(doc, "", past=False)
    except TooManyWords as error:
        return str(error)
    return None


def _size(text: str) -> int:
    return len(text.encode())


@attrs.define
class _Chain:
    """A document's current row, if there is one, and the revisions that come after it. ``followed``: the next turn
    of its conversation is there.
    """

    rid: int | None = None
    current: StoredDoc | None = None
    digest: str = ""
    visible_at: Ns | None = None
    added: list[Revision] = attrs.field(factory=list)
    loaded: StoredDoc | None = None
    followed: bool = False

    def add(self, doc: MemoryDoc, now: Ns) -> str:
        """Take a document in; say what that is."""
        before = self.current
        digest = digest_of(doc)
        if before is not None:
            same_time = doc.available_at is None or doc.available_at == before.doc.available_at
            if same_time and digest == self.digest:
                return "unchanged"
        known = available_at(doc, now)
        self.current = StoredDoc(
            doc=attrs.evolve(doc, available_at=known),
            revision=1 if before is None else before.revision + 1,
            created_at=now if before is None else before.created_at,
            ingested_at=now,
        )
        self.digest, self.visible_at = digest, visible_from(known, now, self.visible_at)
        self.added.append(Revision(stored=self.current, digest=digest, visible_at=self.visible_at))
        return "inserted" if before is None else "updated"

    @property
    def until(self) -> Ns:
        """When the first of the added revisions to show begins to show."""
        return min(one.visible_at for one in self.added)

    def revisions(self) -> Iterable[Revision]:
        """Yield the added revisions as they are written: all but the last are past."""
        until = NEVER
        for revision in reversed(self.added):
            past = 0 if revision is self.added[-1] else revision.stored.revision
            yield attrs.evolve(revision, superseded_at=until, past=past)
            until = min(until, revision.visible_at)


def lock(connection: psycopg.Connection, class_: int, namespaces: Iterable[str]) -> None:
    """Wait until no other gateway writes to these (written) namespaces; in one order, so that no two wait in a ring."""
    buckets = sorted({bucket_of(ns) for ns in namespaces})
    connection.execute(
        "SELECT pg_advisory_xact_lock(%s::integer, bucket) FROM unnest(%s::integer[]) AS w(bucket)", (class_, buckets)
    )


def upsert(connection: psycopg.Connection, jobs: Sequence[Job], class_: int) -> None:
    """Write the batches of several callers, inside a transaction; a ``Conflict`` is its job's alone."""
    keys = sorted({key for job in jobs for key in job.latest})
    lock(connection, class_, {write_namespace(namespace) for namespace, _ in keys})
    chains = _load(connection, keys)
    for job in jobs:
        _apply(job, chains)
    changed = {key: chain for key, chain in chains.items() if chain.added}
    if changed:
        _store(connection, changed)
        places = _places(changed)
        if places.beside or any(chain.followed for chain in changed.values()):
            neighbours.refresh(connection, places)


def _load(connection: psycopg.Connection, keys: Sequence[Key]) -> dict[Key, _Chain]:
    chains: dict[Key, _Chain] = {}
    for begin in range(0, len(keys), _AT_ONCE):
        some = keys[begin : begin + _AT_ONCE]
        wanted = [write_namespace(namespace) for namespace, _ in some], [write_text(id_) for _, id_ in some]
        for at, followed, rid, digest, *row in connection.execute(_LOADED, wanted):
            chain = _Chain(followed=followed)
            if rid is not None:
                stored = read_document(row)
                seen = stored.doc.available_at if stored.visible_at is None else stored.visible_at
                chain = _Chain(rid, stored, digest, seen, loaded=stored, followed=followed)
            chains[some[at - 1]] = chain
    return chains


def _apply(job: Job, chains: Mapping[Key, _Chain]) -> None:
    expected = job.if_revision or {}
    for key in job.latest:
        current = chains[key].current
        found = 0 if current is None else current.revision
        if expected.get(key[1], found) != found:
            said = f"document {key[1]!r} has revision {found}, not {expected[key[1]]}; nothing was written"
            job.error = Conflict(said)
            return
    done: dict[str, list[str]] = {"inserted": [], "updated": [], "unchanged": []}
    for key, doc in giving_way(job.latest.items()):
        done[chains[key].add(doc, job.now)].append(doc.id)
    job.result = UpsertReport(rejected=job.rejected, **{name: tuple(ids) for name, ids in done.items()})


def _store(connection: psycopg.Connection, changed: Mapping[Key, _Chain]) -> None:
    retired = [(key, chain) for key, chain in changed.items() if chain.loaded is not None]
    if retired:
        spaces = [write_namespace(namespace) for (namespace, _), _ in retired]
        until = [chain.until for _, chain in retired]
        connection.execute(_CUT, (spaces, [write_text(id_) for (_, id_), _ in retired], until))
        vectors = [vector_of(chain.loaded.doc, "", past=True) for _, chain in retired if chain.loaded]
        rids = [chain.rid for _, chain in retired]
        connection.execute(_RETIRE, (rids, until, [one.text for one in vectors], [one.words for one in vectors]))
    rows = [write_revision(one) for chain in giving_way(changed.values()) for one in chain.revisions()]
    for at in range(0, len(rows), _AT_ONCE):
        connection.execute(INSERT, [list(column) for column in zip(*rows[at : at + _AT_ONCE], strict=True)])


def _places(changed: Mapping[Key, _Chain]) -> neighbours.Places:
    places = neighbours.Places()
    for (namespace, id_), chain in changed.items():
        before = None if chain.loaded is None else chain.loaded.doc.prev_id
        after = chain.added[-1].stored.doc.prev_id
        places.add(write_namespace(namespace), write_text(id_), *(write_text(one) for one in (before, after) if one))
    return places
