"""The index selects by tokens of its own beside the texts: nobody who searches for one finds anything by it."""

from __future__ import annotations

import pytest

from gatehook.clocks import SystemClock
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.memory.scope import TOKEN_LENGTH
from gatehook.memory.scope import field_token
from gatehook.memory.scope import selector_tokens
from gatehook.memory.sqlite.backend import SqliteMemory

pytestmark = pytest.mark.anyio


async def test_the_words_of_the_index_itself_find_nothing(tmp_path):
    space = NamespaceSelector(namespace=("a",))
    tokens = [*selector_tokens(space, with_past=True), field_token("tags", "loud")]
    async with SqliteMemory(tmp_path / "memory.sqlite", SystemClock()) as memory:
        await memory.upsert([MemoryDoc(id="1", text="hello", namespace=("a",), ts=1, tags=frozenset({"loud"}))])
        for token in tokens:
            assert len(token) >= TOKEN_LENGTH
            for text in (token, token.upper(), f"hello {token}"):
                page = await memory.search(Query(text=text, namespaces=(space,)))
                assert [hit.parts["lexical"] > 0.5 for hit in page.hits] == [False] * ("hello" in text)
