"""What other memories build on: the strongest by words, as rows, and documents read by rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gatehook.kinds.filters import Ne
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.memory.ranking import relevance
from gatehook.memory.sqlite.database import open_writer
from gatehook.memory.sqlite.schema import BY_WORDS
from gatehook.memory.sqlite.searching import Search
from gatehook.memory.sqlite.searching import lexical_top
from gatehook.memory.sqlite.searching import read_documents
from gatehook.memory.sqlite.writing import upsert

NOW = 100
ALL = (NamespaceSelector.everything(),)


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_writer(path, BY_WORDS)) as connection:
        docs = [
            MemoryDoc(id="both", text="gold rally", namespace=("n",), ts=1),
            MemoryDoc(id="one", text="gold gold gold", namespace=("n",), ts=2),
            MemoryDoc(id="other", text="gold rally rally", namespace=("m",), ts=3, meta={"symbol": "X"}),
        ]
        upsert(connection, docs, if_revision=None, now=50, max_bytes=1_000)
        yield connection


def prepared(text: str = "gold rally", **fields: object) -> Search:
    return Search.prepare(Query(**{"text": text, "namespaces": ALL, **fields}), NOW)


def ids(connection: sqlite3.Connection, search: Search, n: int = 10) -> list[str]:
    top = lexical_top(connection, search, n)
    read = read_documents(connection, [one.rid for one in top], search.condition)
    return [read[one.rid].doc.id for one in top]


def test_complete_ones_come_first_then_by_strength(connection):
    top = lexical_top(connection, prepared(), 10)
    assert [one.complete for one in top] == [True, True, False]
    assert ids(connection, prepared())[2] == "one"
    assert len(lexical_top(connection, prepared(), 1)) == 1


def test_namespaces_filters_and_times_hold(connection):
    assert ids(connection, prepared(namespaces=(NamespaceSelector(namespace=("n",)),))) == ["both", "one"]
    assert set(ids(connection, prepared(filter=Ne("meta.symbol", "X")))) == {"both", "one"}
    assert ids(connection, prepared(as_of=49)) == []


def test_the_strengths_are_those_of_a_search(connection):
    hits, _ = prepared().run(connection)
    top = lexical_top(connection, prepared(), 10)
    assert [hit.score for hit in hits] == [relevance(one.strength, complete=one.complete) for one in top]


def test_more_documents_than_are_read_at_once_are_found(connection):
    docs = [MemoryDoc(id=f"d{n}", text="silver", namespace=("many",), ts=n, kind="a") for n in range(600)]
    upsert(connection, docs, if_revision=None, now=50, max_bytes=1_000)
    upsert(
        connection,
        [MemoryDoc(id="last", text="silver", namespace=("z",), ts=1)],
        if_revision=None,
        now=50,
        max_bytes=99,
    )
    assert ids(connection, prepared("silver", filter=Ne("kind", "a"))) == ["last"]
    assert len(set(ids(connection, prepared("silver"), 450))) == 450


def test_without_words_nothing_is_found(connection):
    assert lexical_top(connection, prepared("?!"), 10) == []


def test_explain_says_how_strong_a_match_is(connection):
    (first, *_), _ = prepared(explain=True).run(connection)
    assert (
        first.parts["lexical_normalised"]
        == first.parts["lexical"]
        == relevance(first.parts["lexical_raw"], complete=True)
    )
    (plain, *_), _ = prepared().run(connection)
    assert set(plain.parts) == {"lexical", "recency"}
    (listed, *_), _ = prepared("", explain=True).run(connection)
    assert "lexical_raw" not in listed.parts
