"""Memory statements 14 to 27: searching."""

from __future__ import annotations

import random
from typing import ClassVar

import pytest

from gatehook.kinds.capabilities import MemoryCapabilities
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.filters import Eq
from gatehook.kinds.memory import MemoryBackend
from gatehook.kinds.memory import SearchMode
from gatehook.testing import memory_probes as probes
from gatehook.testing.memory_statements import EVERYTHING
from gatehook.testing.memory_statements import NS
from gatehook.testing.memory_statements import doc
from gatehook.testing.memory_statements import find
from gatehook.testing.memory_statements import find_with_embedder
from gatehook.testing.memory_statements import ids
from gatehook.testing.memory_vector_suite import VectorStatements


@pytest.mark.anyio
class FindingStatements(VectorStatements):
    """What is there is found, in one order."""

    suite: ClassVar[str] = "memory"

    async def test_14_hostile_text_never_raises(self, memory: MemoryBackend) -> None:
        await memory.upsert([doc("a", "stop text 成語 é"), doc("b", "\0 NUL and \u202e marks \x1b[31m")])
        for text in probes.hostile_texts(random.Random(14), self.fuzz):
            await find(memory, text)

    async def test_15_a_query_without_words_lists_the_newest_first(self, memory: MemoryBackend) -> None:
        await memory.upsert([doc("old", ts=1), doc("new", ts=3), doc("mid", ts=2, kind="chat")])
        for text in ("", " \t", '"*()-!'):
            assert ids(await find(memory, text)) == ["new", "mid", "old"]
            assert ids(await find(memory, text, filter=Eq("kind", "note"))) == ["new", "old"]

    @pytest.mark.parametrize(
        ("token", "also"),
        [
            ("ORD-2024-001", ()),
            ("BTC/USDT", ("BTCUSDT", "$btc-usdt")),
            ("EURUSD", ("EUR/USD", "EURUSD=X")),
            ("#A-10293", ("A10293", "what's with order a-10293?")),
            ("AT&T", ()),
            ("61,200", ("61200", "61,200.00")),
            ("1234.5", ("1,234.50",)),
            ("F", ("$F",)),
            ("$ON", ("ON earnings",)),
            ("acct-0042", ()),
            ("Über", ("uber",)),
            ("Straße", ("strasse",)),
            ("złoty", ("zloty",)),
            ("Ёлкой", ("елкои",)),
            ("Cafe\u0301", ("café", "cafe")),
        ],
    )
    async def test_16_exact_tokens_are_among_the_first_three(
        self, memory: MemoryBackend, token: str, also: tuple[str, ...]
    ) -> None:
        others = [doc(f"o{n}", f"ord 2024 btc usdt at 61 t acct {n} uber {n} 200 words of a note") for n in range(9)]
        await memory.upsert([*others, doc("it", f"we saw {token} today")])
        for text in (token, token.lower(), token.upper(), *also):
            assert "it" in ids(await find(memory, text))[:3]

    async def test_17_parts_of_cjk_text_are_found(
        self, memory: MemoryBackend, capabilities: MemoryCapabilities
    ) -> None:
        self.needs("supportsCjk", capabilities.cjk)
        await memory.upsert([doc("zh", "今天市场大幅下跌"), doc("ja", "しりとりと成語の話"), doc("ko", "끝말잇기놀이")])
        for text, found in (("市场", "zh"), ("大幅下跌", "zh"), ("成語", "ja"), ("しりとり", "ja"), ("끝말잇기", "ko")):
            assert ids(await find(memory, text))[:1] == [found]
        assert ids(await find(memory, "成し")) == []
        await memory.upsert([doc("mix", "BTC突破10万美元后止损上移"), doc("no", "今天10点没有消息")])
        for text in ("btc突破10万美元", "BTC止损", "突破、上移"):
            assert ids(await find(memory, text))[0] == "mix"

    async def test_18_inflections_match_and_the_language_is_told(
        self, memory: MemoryBackend, capabilities: MemoryCapabilities
    ) -> None:
        self.needs("stemming", capabilities.stemming)
        await memory.upsert([doc("a", "moved the stop"), doc("b", "two trades closed")])
        assert ids(await find(memory, "stops")) == ["a"]
        assert ids(await find(memory, "trade closing")) == ["b"]
        await memory.upsert([doc("c", "sold silver"), doc("d", "it's what I don't know, they're at lunch")])
        assert ids(await find(memory, "selling silver")) == ["c"]
        assert ids(await find(memory, "what's the stop, don't they know?"))[0] == "a"
        assert (await memory.stats()).details["stemming"] == capabilities.stemming

    async def test_19_two_of_three_words_are_enough_where_nothing_has_all(self, memory: MemoryBackend) -> None:
        await memory.upsert([doc("two", "gold rally"), doc("none", "silver")])
        assert ids(await find(memory, "gold rally yesterday")) == ["two"]
        await memory.upsert([doc("all", "gold rally yesterday")])
        await memory.flush(vectors=True)
        assert ids(await find(memory, "gold rally yesterday")) == ["all", "two"]

    async def test_20_pages_are_disjoint_and_make_one_big_page(self, memory: MemoryBackend) -> None:
        texts = ("red", "red blue", "blue blue", "red red blue green")
        await memory.upsert([doc(f"d{n:02}", texts[n % 4], ts=n // 3) for n in range(25)])
        await memory.flush(vectors=True)
        assert (await find(memory, limit=0)).hits == ()
        with pytest.raises(ValueError, match="limit"):
            await find(memory, limit=-1)
        for query in ({"text": "red blue"}, {"text": ""}, {"text": "blue", "half_life": 5, "now": 9}):
            whole = ids(await find(memory, **query, limit=100))
            parts: list[str] = []
            cursor: str | None = ""
            while cursor is not None:
                page = await find(memory, **query, limit=4, cursor=cursor or None)
                assert len(page.hits) <= 4
                parts += ids(page)
                cursor = page.cursor
            assert parts == whole

    async def test_21_ties_go_by_ts_descending_then_id(self, memory: MemoryBackend) -> None:
        texts = {"a1": "tie", "b1": "tie", "c2": "tie", "z1": "tie best", "d3": "tie"}
        await memory.upsert([doc(name, text, ts=int(name[1])) for name, text in sorted(texts.items(), reverse=True)])
        await memory.flush(vectors=True)
        expected = ["z1", "d3", "c2", "a1", "b1"]
        assert ids(await find(memory, "tie best")) == expected
        assert ids(await find(memory, "tie best", limit=4)) == expected[:4]
        assert ids(await find(memory)) == ["d3", "c2", "a1", "b1", "z1"]

    async def test_22_scores_are_in_0_1_and_monotone(self, memory: MemoryBackend) -> None:
        await memory.upsert(
            [doc("a", "gold"), doc("b", "gold rally"), doc("c", "gold gold rally here"), doc("d", "no")]
        )
        await memory.flush(vectors=True)
        page = await find(memory, "gold rally")
        scores = [hit.score for hit in page.hits]
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= score <= 1 for score in scores)
        assert scores == [hit.score for hit in (await find(memory, "gold rally", now=99)).hits]
        cut = await find(memory, "gold rally", min_score=scores[1])
        assert ids(cut) == [hit.stored.doc.id for hit in page.hits if hit.score >= scores[1]]

    async def test_23_recency_halves_and_never_lifts_a_stranger(self, memory: MemoryBackend) -> None:
        same = {"text": "identical words"}
        docs = [doc("fresh", ts=1_000, **same), doc("aged", ts=600, **same), doc("future", ts=5_000, **same)]
        await memory.upsert([*docs, doc("green", ts=200, tags={"evergreen"}, **same), doc("stranger", "other")])
        await memory.flush(vectors=True)
        page = await find(memory, "identical", half_life=400, now=1_000)
        parts = {hit.stored.doc.id: hit.parts["recency"] for hit in page.hits}
        assert parts == {"fresh": 1.0, "aged": 0.5, "future": 1.0, "green": 1.0}
        assert ids(page)[-1] == "aged"

    async def test_24_as_of_shows_only_what_was_known(
        self, memory: MemoryBackend, clock: probes.SetClock, capabilities: MemoryCapabilities
    ) -> None:
        if not capabilities.as_of:
            with pytest.raises(UnsupportedCapability):
                await find(memory, as_of=5)
            self.needs("supportsAsOf", capabilities.as_of)
        clock.time = 100
        await memory.upsert([doc("a", "call one", ts=10), doc("late", "call", ts=10, available_at=400)])
        await memory.upsert(
            [doc("ahead", "call", ts=300, available_at=300), doc("old", "call", ts=20, available_at=50)]
        )
        clock.time = 200
        await memory.upsert([doc("a", "call two", ts=10), doc("old", "call revised", ts=20, available_at=50)])
        for text in ("call", ""):
            for when, expected in ((49, []), (60, ["old"]), (150, ["a", "old"]), (350, ["a", "ahead", "old"])):
                assert sorted(ids(await find(memory, text, as_of=when))) == expected
        assert ids(await find(memory, "two", as_of=199)) == ids(await find(memory, "revised", as_of=199)) == []
        assert ids(await find(memory, "two", as_of=200)) == ids(await find(memory, "one", as_of=199)) == ["a"]
        (hit,) = (await find(memory, "one", as_of=150)).hits
        assert (hit.stored.doc.text, hit.stored.revision) == ("call one", 1)

    async def test_25_what_has_expired_is_nowhere(
        self, memory: MemoryBackend, clock: probes.SetClock, capabilities: MemoryCapabilities
    ) -> None:
        await memory.upsert([doc("a", expires_at=clock.time + 10), doc("b")])
        clock.time += 10
        assert ids(await find(memory, "plain")) == ids(await find(memory)) == ["b"]
        assert await memory.get(NS, ["a"]) == [None]
        assert (await memory.stats()).documents == 1
        if capabilities.scan:
            assert [one.doc.id async for one in memory.scan(EVERYTHING[0])] == ["b"]

    async def test_26_a_snippet_shows_a_match_and_its_spans(self, memory: MemoryBackend) -> None:
        far = f"{'filler words ' * 60}the needle\x1b[31m is here {'and more ' * 60}"
        await memory.upsert([doc("far", far), doc("cjk", f"{'文' * 300}成語{'字' * 300}"), doc("near", "a Nëedle")])
        for name, text in (("far", "needle"), ("cjk", "成語"), ("near", "needle")):
            page = await find(memory, text, snippet_chars=60)
            (hit,) = [hit for hit in page.hits if hit.stored.doc.id == name]
            assert len(hit.snippet) <= 60
            assert "\x1b" not in hit.snippet
            assert [hit.snippet[start:end].lower().replace("ë", "e") for start, end in hit.spans] == [text]

    async def test_27_a_write_is_found_when_it_returns(
        self, memory: MemoryBackend, capabilities: MemoryCapabilities
    ) -> None:
        for number in range(20):
            await memory.upsert([doc(f"d{number}", f"unique{number}x")])
            assert ids(await find(memory, f"unique{number}x")) == [f"d{number}"]
        if capabilities.vectors:
            await memory.flush(vectors=True)
            page = await find_with_embedder(memory, "unique7x", mode=SearchMode.VECTOR)
            assert (ids(page)[:1], page.mode_used, page.degraded) == (["d7"], SearchMode.VECTOR, ())
