"""Memory statements 1 to 13: documents, namespaces, filters."""

from __future__ import annotations

import random
from typing import Any
from typing import ClassVar

import pytest

from gatehook.kinds.capabilities import MemoryCapabilities
from gatehook.kinds.errors import Conflict
from gatehook.kinds.errors import FilterError
from gatehook.kinds.filters import And
from gatehook.kinds.filters import Eq
from gatehook.kinds.filters import Gt
from gatehook.kinds.filters import Not
from gatehook.kinds.filters import matches
from gatehook.kinds.memory import MemoryBackend
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.memory.rules import fields_of
from gatehook.testing import memory_probes as probes
from gatehook.testing.memory_statements import NS
from gatehook.testing.memory_statements import MemoryStatements
from gatehook.testing.memory_statements import doc
from gatehook.testing.memory_statements import find
from gatehook.testing.memory_statements import ids


@pytest.mark.anyio
class ContentStatements(MemoryStatements):
    """What is written is what is there."""

    suite: ClassVar[str] = "memory"

    async def test_01_upserting_the_same_twice_changes_nothing(
        self, memory: MemoryBackend, clock: probes.SetClock
    ) -> None:
        docs = [doc("a", tags={"x"}, meta={"n": 1, "l": (1, "b")}), doc("b", expires_at=2_000_000)]
        assert (await memory.upsert(docs)).inserted == ("a", "b")
        first = await memory.get(NS, ["a", "b"])
        clock.time += 1
        assert (await memory.upsert(docs)).unchanged == ("a", "b")
        assert (await memory.upsert([one.doc for one in first if one])).unchanged == ("a", "b")
        assert await memory.get(NS, ["a", "b"]) == first
        assert (await memory.stats()).documents == 2

    async def test_02_changed_text_is_searched_at_once_and_keeps_created_at(
        self, memory: MemoryBackend, clock: probes.SetClock
    ) -> None:
        await memory.upsert([doc("a", "alpha")])
        clock.time += 5
        assert (await memory.upsert([doc("a", "omega")])).updated == ("a",)
        assert ids(await find(memory, "alpha")) == []
        assert ids(await find(memory, "omega")) == ["a"]
        (stored,) = await memory.get(NS, ["a"])
        assert stored is not None
        assert (stored.revision, stored.created_at, stored.ingested_at) == (2, clock.time - 5, clock.time)

    async def test_03_one_id_in_two_namespaces_is_two_documents(self, memory: MemoryBackend) -> None:
        await memory.upsert([doc("a", namespace=("n", "1")), doc("a", namespace=("n", "2"))])
        assert await memory.delete(("n", "1"), ["a"]) == 1
        assert await memory.get(("n", "1"), ["a"]) == [None]
        assert [hit.stored.doc.namespace for hit in (await find(memory)).hits] == [("n", "2")]

    async def test_04_the_last_duplicate_of_a_batch_wins(self, memory: MemoryBackend) -> None:
        report = await memory.upsert([doc("a", "first"), doc("b"), doc("a", "last")])
        assert sorted(report.inserted) == ["a", "b"]
        assert [one.doc.text for one in await memory.get(NS, ["a"]) if one] == ["last"]

    async def test_05_an_invalid_document_is_rejected_alone_and_named(
        self, memory: MemoryBackend, capabilities: MemoryCapabilities
    ) -> None:
        bad: list[MemoryDoc] = [
            doc("big", "x" * (capabilities.max_document_bytes + 1)),
            doc("nan", meta={"v": float("nan")}),
            doc("early", available_at=999),
            doc("surrogate", "\ud800"),
        ]
        report = await memory.upsert([doc("good"), *bad])
        assert report.inserted == ("good",)
        assert [name for name, reason in report.rejected if reason] == [one.id for one in bad]
        assert ids(await find(memory)) == ["good"]

    async def test_06_another_revision_than_expected_is_a_conflict_and_writes_nothing(
        self, memory: MemoryBackend
    ) -> None:
        await memory.upsert([doc("a", "one")])
        with pytest.raises(Conflict):
            await memory.upsert([doc("new"), doc("a", "two")], if_revision={"a": 7})
        assert ids(await find(memory)) == ["a"]
        assert (await memory.upsert([doc("a", "two")], if_revision={"a": 1})).updated == ("a",)

    async def test_07_delete_of_unknown_ids_returns_0(self, memory: MemoryBackend) -> None:
        await memory.upsert([doc("a", "findable")])
        assert await memory.delete(NS, ["nobody"]) == 0
        assert await memory.delete(NS, ["a", "nobody", "a"]) == 1
        assert await memory.get(NS, ["a"]) == [None]
        assert ids(await find(memory, "findable")) == []

    async def test_08_get_keeps_order_and_length(self, memory: MemoryBackend) -> None:
        await memory.upsert([doc("a"), doc("b")])
        found = await memory.get(NS, ["b", "missing", "a", "b"])
        assert [one.doc.id if one else None for one in found] == ["b", None, "a", "b"]

    # Namespaces and filters

    async def test_09_namespaces_are_tuples_of_literal_segments(self, memory: MemoryBackend) -> None:
        spaces: list[tuple[str, ...]] = [("foo",), ("foobar",), ("FOO",), ("a.b",), ("a", "b"), ("foo", "x"), ("f\0o",)]
        spaces += [(char,) for char in ("%", "_", "*", "?", "[", '"', "'", "\x01", "\\", "föö")]
        await memory.upsert([doc(str(at), namespace=space) for at, space in enumerate(spaces)])
        for space in spaces:
            below = {str(at) for at, one in enumerate(spaces) if one[: len(space)] == space}
            for text in ("", "plain"):
                assert set(ids(await find(memory, text, space, limit=50))) == below
            assert len(ids(await find(memory, "plain", space, space, limit=50))) == len(below)
            exact = NamespaceSelector(namespace=space, exact=True)
            assert ids(await find(memory, "plain", namespaces=(exact,))) == [str(spaces.index(space))]

    async def test_10_a_search_names_its_namespaces(self, memory: MemoryBackend) -> None:
        with pytest.raises(ValueError, match="namespaces"):
            await memory.search(Query(text="x", namespaces=()))
        await memory.upsert([doc("a", namespace=("x",)), doc("b", namespace=("y", "z"))])
        assert sorted(ids(await find(memory, "plain"))) == ["a", "b"]

    async def test_11_filters_mean_what_the_reference_says(self, memory: MemoryBackend) -> None:
        rng = random.Random(11)
        docs = [probes.random_document(rng, number) for number in range(40)]
        assert len((await memory.upsert(docs)).inserted) == len(docs)
        fields = {one.doc.id: fields_of(one.doc) for one in await memory.get(("f",), [d.id for d in docs]) if one}
        for _ in range(200):
            tree = probes.random_filter(rng)
            expected = {name for name, known in fields.items() if matches(tree, known)}
            for text in ("", "same"):
                assert set(ids(await find(memory, text, filter=tree, limit=50))) == expected, tree

    async def test_12_a_bad_filter_is_an_error_and_sql_in_a_key_is_inert(self, memory: MemoryBackend) -> None:
        wrong: list[Any] = [Eq("nonsense", 1), Eq("meta.", 1), Gt("ts", True), Eq("meta.x", float("inf")), "ts > 1"]
        for bad in [*wrong, Not(wrong[0]), And((Eq("kind", "note"), wrong[1]))]:
            with pytest.raises(FilterError):
                await find(memory, filter=bad)
        await memory.upsert([doc("a")])
        assert ids(await find(memory, filter=Eq("meta.x') OR 1=1; DROP TABLE docs; --", "a"))) == []
        assert ids(await find(memory)) == ["a"]

    async def test_13_a_rare_filter_still_fills_the_page(self, memory: MemoryBackend) -> None:
        docs = [doc(f"d{n:03}", meta={"rare": n % 20 == 0}, ts=n) for n in range(200)]
        await memory.upsert(docs)
        for text in ("", "plain"):
            assert len((await find(memory, text, filter=Eq("meta.rare", True), limit=10)).hits) == 10
