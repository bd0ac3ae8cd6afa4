"""A search that goes by words says why, and whatever the search by words says itself."""

from __future__ import annotations

import time

import pytest

from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.kinds.memory import SearchMode
from gatehook.kinds.memory import SearchPage
from gatehook.memory.vectors.asking import by_words

EVERYWHERE = (NamespaceSelector.everything(),)
pytestmark = pytest.mark.anyio


async def test_the_reasons_of_both_are_told() -> None:
    asked: list[Query] = []

    async def hasty(query: Query) -> SearchPage:
        asked.append(query)
        return SearchPage(hits=(), mode_used=SearchMode.LEXICAL, degraded=("deadline: it was short",))

    page = await by_words(
        hasty, Query(text="gold", namespaces=EVERYWHERE, timeout=60.0), time.perf_counter(), ("embedder: it is down",)
    )
    assert page.degraded == ("embedder: it is down", "deadline: it was short")
    assert asked[0].mode is SearchMode.LEXICAL
    assert 0.0 < asked[0].timeout < 60.0
