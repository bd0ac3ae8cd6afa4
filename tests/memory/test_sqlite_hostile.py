"""Any text is a safe query, any key a safe key: Hypothesis looks for one that is not."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gatehook.kinds import filters
from gatehook.kinds.filters import check_filter
from gatehook.kinds.filters import matches
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.memory.rules import fields_of
from gatehook.memory.scope import above
from gatehook.memory.scope import read_namespace
from gatehook.memory.scope import write_namespace
from gatehook.memory.sqlite.database import open_writer
from gatehook.memory.sqlite.schema import BY_WORDS
from gatehook.memory.sqlite.searching import Search
from gatehook.memory.sqlite.writing import upsert

ALL = (NamespaceSelector.everything(),)
WORDS = st.sampled_from(
    ['"', "'", "AND", "OR", "NEAR(", "*", ":", "scope", "-", "\0", "\ud800", "stop", "成", "_", "é"]
)
TEXT = st.one_of(st.text(), st.lists(WORDS, max_size=12).map(" ".join), st.lists(WORDS, max_size=12).map("".join))
KEYS = st.sampled_from(["a", "b", "it's", 'q"', "ключ", "') OR 1=1 --"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([0.0, 1.0, 2.5, -0.0]),
    st.sampled_from(["", "1", "a", "B", "é'"]),
)
NAMESPACES = st.lists(
    st.text(st.sampled_from("\x00\x01\x02\x03\x04ab.é"), min_size=1, max_size=3), min_size=1, max_size=3
).map(tuple)


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    found = open_writer(Path(tmp_path_factory.mktemp("hostile")) / "memory.sqlite", BY_WORDS)
    yield found
    found.close()


def write(connection: sqlite3.Connection, *docs: MemoryDoc) -> None:
    report = upsert(connection, docs, if_revision=None, now=5, max_bytes=10_000)
    assert not report.rejected


@settings(max_examples=100, deadline=None)
@given(text=TEXT)
def test_14_any_text_is_a_safe_query(connection: sqlite3.Connection, text: str) -> None:
    write(connection, MemoryDoc(id="a", text="stop 成語 é scope", namespace=("h",), ts=1))
    for as_of in (None, 10):
        query = Query(text=text, namespaces=(NamespaceSelector(namespace=("h",)),), as_of=as_of)
        Search.prepare(query, 5).run(connection)


@pytest.mark.parametrize("text", ["gold", ""])
def test_14_a_namespace_that_cannot_exist_has_no_documents(connection: sqlite3.Connection, text: str) -> None:
    write(connection, MemoryDoc(id="a", text="gold", namespace=("n",), ts=1))
    for exact in (True, False):
        query = Query(text=text, namespaces=(NamespaceSelector(namespace=("\ud800",), exact=exact),))
        assert Search.prepare(query, 1).run(connection) == ((), None)


@settings(max_examples=100, deadline=None)
@given(text=st.text(st.characters(codec="utf-8"), max_size=200), length=st.integers(0, 100))
def test_a_written_text_comes_back_as_it_was(connection: sqlite3.Connection, text: str, length: int) -> None:
    write(connection, MemoryDoc(id="r", text=text, namespace=("r",), ts=1))
    query = Query(text=text, namespaces=(NamespaceSelector(namespace=("r",)),), snippet_chars=length)
    (hit,) = (
        Search.prepare(query, 5).run(connection)[0]
        or Search.prepare(Query(namespaces=query.namespaces), 5).run(connection)[0]
    )
    assert hit.stored.doc.text == text


COMPARISONS = st.one_of(
    st.builds(filters.Eq, st.one_of(KEYS.map("meta.{}".format), st.sampled_from(["kind", "tags", "ts"])), SCALARS),
    st.builds(filters.Ne, KEYS.map("meta.{}".format), SCALARS),
    st.builds(filters.Ge, KEYS.map("meta.{}".format), st.one_of(st.integers(-3, 3), st.text("ab1é'", max_size=2))),
    st.builds(filters.Lt, st.sampled_from(["ts", "kind", "available_at", "tags"]), st.integers(-3, 9)),
    st.builds(filters.In, KEYS.map("meta.{}".format), st.lists(SCALARS, max_size=3)),
    st.builds(filters.Exists, st.one_of(KEYS.map("meta.{}".format), st.just("tags"))),
)
TREES = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        st.builds(filters.And, st.lists(inner, max_size=3)),
        st.builds(filters.Or, st.lists(inner, max_size=3)),
        st.builds(filters.Not, inner),
    ),
    max_leaves=8,
)
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3).map(tuple))


@settings(max_examples=100, deadline=None)
@given(metas=st.lists(st.dictionaries(KEYS, VALUES), min_size=1, max_size=6), tree=TREES)
def test_11_sql_and_reference_agree(connection: sqlite3.Connection, metas: list[dict], tree: filters.Filter) -> None:
    check_filter(tree)
    connection.execute("DELETE FROM facts")
    connection.execute("DELETE FROM docs")
    docs = [
        MemoryDoc(id=str(n), text="t", namespace=("f",), ts=n, meta=meta, tags={"a"}) for n, meta in enumerate(metas)
    ]
    write(connection, *docs)
    hits, _ = Search.prepare(Query(text="t", namespaces=ALL, filter=tree, limit=50), 5).run(connection)
    known = [MemoryDoc(**{**vars_of(one), "available_at": max(5, one.ts)}) for one in docs]
    assert {hit.stored.doc.id for hit in hits} == {one.id for one in known if matches(tree, fields_of(one))}


def vars_of(doc: MemoryDoc) -> dict:
    return {name: getattr(doc, name) for name in ("id", "text", "namespace", "ts", "meta", "tags")}


@settings(max_examples=100)
@given(one=NAMESPACES, other=NAMESPACES)
@example(one=("a",), other=("a\0",))
def test_09_namespaces_as_text_keep_order_and_ancestry(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    first, second = write_namespace(one), write_namespace(other)
    assert read_namespace(first) == one
    assert (first < second) is (one < other)
    assert (first <= second < above(one)) is (other[: len(one)] == one)
