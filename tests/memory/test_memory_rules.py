"""What all memories share: filters, words, snippets, ranking, rules of one document."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gatehook.kinds import filters
from gatehook.kinds.capabilities import MemoryCapabilities
from gatehook.kinds.capabilities import vocabulary
from gatehook.kinds.errors import CursorExpired
from gatehook.kinds.errors import FilterError
from gatehook.kinds.filters import matches
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.memory import ranking
from gatehook.memory import rules
from gatehook.memory.snippet import snippet
from gatehook.memory.text import Unit
from gatehook.memory.text import fold
from gatehook.memory.text import parts_of
from gatehook.memory.text import spaced
from gatehook.memory.text import units_of
from gatehook.memory.text import words_of
from gatehook.testing.memory_probes import declared_in
from tests.memory.test_sqlite_fts_statements import PLUGIN

DOC = MemoryDoc(id="a", text="t", namespace=("n",), ts=10)
QUERY = Query(text="x", namespaces=(NamespaceSelector.everything(),))


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        (filters.Eq("meta.one", True), False),
        (filters.Eq("meta.one", 1.0), True),
        (filters.Eq("meta.none", None), True),
        (filters.Eq("meta.missing", None), False),
        (filters.Ne("meta.missing", 1), True),
        (filters.Lt("meta.missing", 1), False),
        (filters.Lt("meta.one", "a"), False),
        (filters.Ge("meta.text", "B"), True),
        (filters.Eq("tags", "x"), True),
        (filters.In("meta.list", (9, 3)), True),
        (filters.Exists("meta.empty"), True),
        (filters.Eq("meta.empty", None), False),
        (filters.And(()), True),
        (filters.Or(()), False),
        (filters.Not(filters.Exists("meta.none")), False),
    ],
)
def test_what_a_filter_means(filter_: filters.Filter, expected: bool) -> None:
    meta = {"one": 1, "none": None, "text": "a", "list": (2, 3), "empty": ()}
    assert matches(filter_, rules.fields_of(attrs.evolve(DOC, tags={"x", "y"}, meta=meta))) is expected


def nested(depth: int) -> filters.Filter:
    return filters.Not(nested(depth - 1)) if depth else filters.Exists("kind")


@pytest.mark.parametrize(
    "bad",
    [
        filters.Eq("text", "x"),
        filters.Eq("meta.", 1),
        filters.Eq(3, 1),
        filters.Eq("meta.\ud800", 1),
        filters.Eq("kind", "\ud800"),
        filters.Eq("ts", 1 << 63),
        filters.Eq("meta.x", float("nan")),
        filters.Eq("meta.x", b"x"),
        filters.Gt("meta.x", None),
        filters.In("meta.x", range(3_000)),
        filters.And(("kind",)),
        nested(60),
        None,
    ],
)
def test_12_a_bad_filter_is_refused(bad: object) -> None:
    with pytest.raises(FilterError):
        filters.check_filter(bad)


def test_a_namespace_is_no_text() -> None:
    for namespace in ("abc", (), ("a", ""), ("a", 1)):
        with pytest.raises(ValueError, match="namespace"):
            attrs.evolve(DOC, namespace=namespace)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"id": ""}, "id"),
        ({"id": "x" * 1_001}, "id"),
        ({"text": 7}, "text"),
        ({"text": "long " * 100}, "bytes"),
        ({"kind": ""}, "kind"),
        ({"tags": {""}}, "tag"),
        ({"meta": {"": 1}}, "meta"),
        ({"meta": {"x": {"deep": 1}}}, "dict"),
        ({"meta": {"x": (float("inf"),)}}, "finite"),
        ({"namespace": ("\ud800",)}, "surrogate"),
        ({"ts": 1.5}, "ts"),
        ({"ts": 1 << 70}, "64 bits"),
        ({"available_at": 9}, "before ts"),
        ({"expires_at": True}, "expires_at"),
        ({"prev_id": ""}, "prev_id"),
    ],
)
def test_05_what_makes_a_document_invalid(change: dict, word: str) -> None:
    assert rules.fault_of(DOC, 400) is None
    assert word in (rules.fault_of(attrs.evolve(DOC, **change), 400) or "")


def test_the_digest_tells_true_from_one_and_ignores_order() -> None:
    digests = {rules.digest_of(attrs.evolve(DOC, meta={"v": value})) for value in (True, 1, 1.0, "1", None)}
    assert len(digests) == 5
    one, other = attrs.evolve(DOC, meta={"a": 1, "b": 2}), attrs.evolve(DOC, meta={"b": 2, "a": 1})
    assert rules.digest_of(one) == rules.digest_of(other)


@pytest.mark.parametrize(
    ("stated", "now", "previous", "visible"),
    [(5, 9, None, 5), (5, 9, 5, 9), (6, 9, 5, 6), (4, 9, 5, 9), (20, 9, 30, 20)],
)
def test_24_a_correction_was_not_known_before_it_was_written(
    stated: int, now: int, previous: int | None, visible: int
) -> None:
    assert rules.visible_from(stated, now, previous) == visible


def test_words_of_a_query() -> None:
    assert units_of("Stops of BTC/USDT") == (Unit(("stops",)), Unit(("btc", "usdt"), others=(("btcusdt",),)))
    assert units_of("The of") == (Unit(("the",)), Unit(("of",)))
    assert units_of("成語 x成") == (Unit(("成", "語"), cjk=True), Unit(("x",)), Unit(("成",), cjk=True))
    assert parts_of(Unit(("成", "語", "話"), cjk=True)) == (("成", "語"), ("語", "話"))
    assert units_of("a/b/c/d/e/f/g/h/i") == tuple(Unit((char,)) for char in "bcdefgh")
    assert len(units_of(" ".join(f"w{n}" for n in range(500)))) == 64
    assert spaced("a成b") == "a 成 b"
    assert fold("ÜBER Ærø İ") == "uber æro i"


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("BTC/USDT", [("btcusdt",)]),
        ("btcusdt", [("btc", "usdt")]),
        ("A-10293", [("a10293",)]),
        ("inv2025", [("inv", "2025")]),
        ("1,234.50", [("1", "234", "5"), ("1234", "50"), ("1234", "5")]),
        ("1.234.567", [("1234567",)]),
        ("12500", [("12", "500")]),
        ("0.25%", []),
        ("2026-03-14", []),
        ("2026.03.14", []),
        ("10.0.0.1:8080", []),
        ("1.234,5", [("1", "234", "50"), ("1234", "5"), ("1234", "50")]),
        ("sold", [("sell",)]),
        ("withdrawing", [("withdrew",), ("withdrawn",)]),
        ("Boerse", [("borse",)]),
        ("value", []),
    ],
)
def test_how_else_a_word_is_written(text: str, others: list[tuple[str, ...]]) -> None:
    (unit,) = units_of(text)
    assert list(unit.others) == others
    assert unit.spellings == (unit.words, *others)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("What's the stop? Don't tell", ["stop"]),
        ("l\u2019ordre d'achat", ["ordre", "achat"]),
        ("O'Neill's method", ["o neill", "method"]),
        ("$ON up", ["on"]),
        ("NOW or IT?", ["now", "it"]),
        ("GOLD AND SILVER NOW", ["gold", "silver"]),
        ("gold AND silver", ["gold", "silver"]),
        ("wie ist der Stop für Gold", ["stop", "gold"]),
        ("BTC突破10万", ["btc", "突 破", "10", "万"]),
        ("ＢＴＣ", ["btc"]),  # noqa: RUF001  as it is typed in Japan
    ],
)
def test_what_of_a_question_is_asked_for(text: str, words: list[str]) -> None:
    assert [" ".join(unit.words) for unit in units_of(text)] == words


def test_every_sign_of_ascii_parts_words_as_it_does_in_other_text() -> None:
    signs = "".join(f"x{chr(first)}{chr(second)}Y" for first in range(128) for second in range(128))
    assert words_of(f"é {signs}") == ["é", *words_of(signs)]


@settings(max_examples=100)
@given(text=st.text(max_size=300), query=st.text(max_size=30), length=st.integers(0, 80))
def test_26_spans_lie_in_a_snippet_of_the_length(text: str, query: str, length: int) -> None:
    assert len(fold(text)) == len(text)
    cut, spans = snippet(text, units_of(query), length)
    assert len(cut) <= max(length, 2)
    assert all(0 <= start < end <= len(cut) for start, end in spans)
    assert list(spans) == sorted(spans)


@pytest.mark.parametrize(
    ("text", "query", "marked"),
    [
        ("He stopped the stopwatch; stops help", "stop", ["stopped", "stops"]),
        ("NONSTOP stop", "stops", ["stop"]),
        ("長い成語の話", "成語話", ["成語"]),
        ("Über alles", "uber", ["Über"]),
    ],
)
def test_26_what_a_snippet_marks(text: str, query: str, marked: list[str]) -> None:
    cut, spans = snippet(text, units_of(query), 100)
    assert [cut[start:end] for start, end in spans] == marked


def test_20_a_cursor_belongs_to_its_query() -> None:
    where = ranking.Position((-0.123456789, -5, "id", ("a", "b")), 77)
    cursor = ranking.write_cursor(QUERY, where)
    assert ranking.read_cursor(attrs.evolve(QUERY, cursor=cursor, limit=3)) == where
    assert ranking.read_cursor(QUERY) is None
    for other in (attrs.evolve(QUERY, text="y", cursor=cursor), attrs.evolve(QUERY, cursor="garbage")):
        with pytest.raises(CursorExpired):
            ranking.read_cursor(other)
    with pytest.raises(CursorExpired):
        ranking.read_position("")


def test_a_page_tells_whether_another_follows() -> None:
    best: ranking.Shortlist[str] = ranking.Shortlist(2, None, 0.2)
    for score, name in ((0.3, "c"), (0.9, "a"), (0.1, "low"), (0.5, "b")):
        best.offer(ranking.sort_key(score, attrs.evolve(DOC, id=name)), name)
    page, end = best.page()
    assert [name for _, name in page] == ["a", "b"]
    assert end == page[-1][0]
    assert best.is_closed_to(0.29)
    assert not best.is_closed_to(0.3)


def test_sqlite_fts_declares_all_but_vectors() -> None:
    declared = declared_in(PLUGIN / "plugin.json")
    missing = {
        n for word in vocabulary(MemoryCapabilities) if not getattr(declared, word.field) for n in word.statements
    }
    assert missing == {28, 29, 30}
