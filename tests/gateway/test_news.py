"""News in the memory: every item of a feed, once, in its newest revision, and never before it was retrieved."""

from __future__ import annotations

import json

import attrs
import pytest

from gatehook import ExternalFeed
from gatehook import FeedQuery
from gatehook import NewsEvent
from gatehook import NotConnected
from gatehook import Page
from gatehook import Secret
from gatehook import hookimpl
from gatehook.gateway.news import CURSORS_FILE
from gatehook.gateway.positions import Positions
from gatehook.kinds.codec import to_json
from gatehook.kinds.errors import CursorExpired
from gatehook.kinds.errors import RateLimited
from gatehook.kinds.feed import NewsKind
from gatehook.kinds.filters import Eq
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.kinds.times import HOUR
from gatehook.memory.recalled import mark_recalled
from tests.orders.conftest import eventually

pytestmark = pytest.mark.anyio

T0 = 1_700_000_000_000_000_000
#: Seconds that a busy machine may take.
PATIENCE = 20.0
ABOUT = {
    "id": "wire",
    "name": "Wire",
    "version": "1.0.0",
    "kinds": ["feed.external"],
    "configSchema": {"type": "object"},
}
ABOUT |= {"entry": {"type": "python.module", "module": "wire.py"}}


def item(event_id, headline="Rates unchanged", *, at=0, late=0, **more):
    published = T0 + at * HOUR
    given = {"source": "Newswire", "kind": NewsKind.NEWS, "published_at": published, **more}
    return NewsEvent(event_id=event_id, headline=headline, retrieved_at=published + late * HOUR, **given)


class Wire(ExternalFeed):
    """A feed of a list: its cursor is a place in it."""

    def __init__(self):
        self.items = []
        self.asked = []
        self.failure = None
        self.context = None

    async def fetch(self, query, *, cursor=None, limit=100):
        self.asked.append((query, cursor))
        if self.failure is not None:
            raise self.failure
        start = int(cursor or 0)
        items = self.items[start : start + min(limit, 2)]
        return Page(items=items, cursor=str(start + len(items)))

    @hookimpl
    def provide_feed(self, context):
        self.context = context
        return self


@pytest.fixture
def wire():
    return Wire()


@pytest.fixture
def newsroom(gateway, wire, tmp_path):
    """Run a gateway that remembers the wire, with two memories."""

    def running(**news):
        entries = {name: {"plugin": "sqlite_fts", "config": {"path": str(tmp_path / name)}} for name in ("a", "b")}
        config = {
            "memory": {"news": [{"feed": "wire", "every": 0.01, **news}]},
            "plugins": {"slots": {"memory": "a"}, "entries": entries},
        }
        return gateway(config, plugins=[(ABOUT, wire)])

    return running


async def there(running, text="", **more):
    query = Query(text=text, namespaces=(NamespaceSelector(namespace=("news",)),), limit=100, **more)
    return {hit.stored.doc.id: hit.stored for hit in (await running.host.memory().search(query)).hits}


async def come(running, *ids):
    async def all_there():
        return set(ids) <= set(await there(running))

    await eventually(all_there, PATIENCE)


def codes(running):
    return [one.code for one in running.host.diagnostics if one.code.startswith("news.")]


async def test_an_item_is_a_document_with_all_that_is_known_of_it(newsroom, wire):
    wire.items = [
        item("n1", "ECB holds", summary="No change.", symbols=["EURUSD", "GER40"], url="https://x.test/1", late=2),
        item("f1", "Annual report", kind=NewsKind.FILING),
    ]
    async with newsroom() as running:
        await come(running, "n1", "f1")
        found = await there(running, filter=Eq("meta.symbol", "GER40"))
        (doc,) = (one.doc for one in found.values())
        assert (doc.namespace, doc.kind, doc.text) == (("news", "wire"), "news", "ECB holds\n\nNo change.")
        assert (doc.ts, doc.available_at) == (T0, T0 + 2 * HOUR)
        assert dict(doc.meta) == {
            "source": "Newswire",
            "symbol": ("EURUSD", "GER40"),
            "revision": 1,
            "trust": "untrusted",
            "url": "https://x.test/1",
        }
        assert set(await there(running, filter=Eq("kind", "filing"))) == {"f1"}
        assert set(await there(running, "annual report")) == {"f1"}


async def test_a_backtest_reads_no_item_before_it_was_retrieved_and_each_revision_in_its_time(newsroom, wire):
    wire.items = [item("n1", "first words", late=1)]
    async with newsroom() as running:
        await come(running, "n1")
        wire.items += [item("n1", "second words", late=5, revision=2), item("n2")]
        await come(running, "n2")
        for hours, texts in ((0, []), (1, ["first words"]), (4, ["first words"]), (5, ["second words"])):
            found = await there(running, as_of=T0 + hours * HOUR, filter=Eq("meta.source", "Newswire"))
            assert [one.doc.text for name, one in found.items() if name == "n1"] == texts


async def test_an_item_that_claims_to_be_retrieved_before_it_was_published_is_known_from_its_publication(
    newsroom, wire
):
    wire.items = [item("n1", at=3, late=-3)]
    async with newsroom() as running:
        await come(running, "n1")
        assert not await there(running, as_of=T0)
        assert set(await there(running, as_of=T0 + 3 * HOUR)) == {"n1"}


async def test_nothing_is_lost_or_doubled_over_a_restart(newsroom, wire):
    wire.items = [item(f"n{n}") for n in range(5)]
    async with newsroom() as running:
        await come(running, "n4")
        first = await there(running)
    wire.items.append(item("n5"))
    wire.asked.clear()
    async with newsroom() as running:
        await come(running, "n5")
        again = await there(running)
    assert wire.asked[0][1] == "5"
    assert {name: (one.revision, one.created_at) for name, one in first.items()}.items() <= {
        name: (one.revision, one.created_at) for name, one in again.items()
    }.items()


async def test_a_feed_read_again_from_its_beginning_changes_nothing(newsroom, wire, tmp_path):
    wire.items = [item("n1", "old"), item("n2"), item("n1", "new", revision=2), item("n3")]
    async with newsroom() as running:
        await come(running, "n3")
        before = await there(running)
    (tmp_path / "data" / CURSORS_FILE).unlink()
    wire.items = [attrs.evolve(one, retrieved_at=one.retrieved_at + HOUR) for one in wire.items]
    wire.items.append(item("n4"))
    async with newsroom() as running:
        await come(running, "n4")
        after = await there(running)
    assert after["n1"].doc.text == "new"
    assert {name: one.revision for name, one in after.items()} == {
        **{name: one.revision for name, one in before.items()},
        "n4": 1,
    }
    assert after["n2"].doc.available_at == before["n2"].doc.available_at == T0


@pytest.mark.parametrize("content", ["", "[1]", '{"a/wire/x": 3}'])
async def test_damaged_cursors_mean_from_the_start(newsroom, wire, tmp_path, content):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / CURSORS_FILE).write_text(content)
    wire.items = [item("n1")]
    async with newsroom() as running:
        await come(running, "n1")
    assert list(json.loads((tmp_path / "data" / CURSORS_FILE).read_text()).values()) == ["1"]


async def test_another_memory_gets_everything_and_the_first_one_what_it_missed(newsroom, wire):
    wire.items = [item("n1")]
    async with newsroom(every=3600) as running:
        await come(running, "n1")
        for slot, new in (("b", "n2"), ("a", "n3")):
            wire.items.append(item(new))
            await running.host.use_slot("memory", slot)
            await come(running, *(one.event_id for one in wire.items))
        assert {one.revision for one in (await there(running)).values()} == {1}


async def test_another_question_is_asked_from_the_start(newsroom, wire):
    wire.items = [item("n1")]
    async with newsroom(symbols=["A"], kinds=["news", "social"], text="rates") as running:
        await come(running, "n1")
    asked = FeedQuery(text="rates", symbols=("A",), kinds=(NewsKind.NEWS, NewsKind.SOCIAL))
    assert wire.asked[0] == (asked, None)
    wire.asked.clear()
    async with newsroom(symbols=["B"]):
        await eventually(lambda: wire.asked, PATIENCE)
    assert wire.asked[0] == (FeedQuery(symbols=("B",)), None)


async def test_a_feed_that_fails_is_said_once_and_goes_on_from_where_it_was(newsroom, wire):
    wire.items = [item("n1")]
    async with newsroom() as running:
        await come(running, "n1")
        for n in range(3):
            asked = len(wire.asked)
            wire.failure = NotConnected(f"attempt {n}")
            await eventually(lambda asked=asked: len(wire.asked) > asked, PATIENCE)
        await eventually(lambda: codes(running), PATIENCE)
        wire.failure = None
        wire.items.append(item("n2"))
        await come(running, "n2")
        assert codes(running) == ["news.feed-failed"]


async def test_a_memory_that_fails_is_said_and_gets_everything_when_it_works(newsroom, wire, memory_works):
    wire.items = [item("n1"), item("n2"), item("n3")]
    async with newsroom() as running:
        await eventually(lambda: codes(running) == ["news.not-remembered"], PATIENCE)
        memory_works.set()
        await running.host.restart("a")
        await come(running, "n1", "n2", "n3")
        assert codes(running) == ["news.not-remembered"]


async def test_a_cursor_that_expired_means_from_the_beginning(newsroom, wire, tmp_path):
    wire.items = [item("n1")]
    async with newsroom() as running:
        await come(running, "n1")
    fetch = wire.fetch

    async def forgetful(query, *, cursor=None, limit=100):
        if cursor == "1":
            raise CursorExpired("too long ago")
        return await fetch(query, cursor=cursor, limit=limit)

    wire.fetch = forgetful
    wire.items = [item("n8"), item("n9")]
    async with newsroom() as running:
        await come(running, "n1", "n8", "n9")
        assert codes(running) == []


async def test_a_feed_without_a_cursor_is_asked_again_as_it_was(newsroom, wire):
    async def fetch(query, *, cursor=None, limit=100):
        wire.asked.append(cursor)
        return Page(items=wire.items)

    wire.fetch, wire.items = fetch, [item("n1")]
    async with newsroom() as running:
        await come(running, "n1")
        wire.items.append(item("n2"))
        await come(running, "n2")
        assert set(wire.asked) == {None}


async def test_what_is_no_item_is_left_out_and_said_and_the_rest_is_remembered(newsroom, wire):
    wire.items = ["n0", item("n1", symbols=[3]), item("n2", 7), item("x" * 1001), item("n\ud800"), item("n3")]
    async with newsroom() as running:
        await come(running, "n3")
        assert set(await there(running)) == {"n3"}
        assert set(codes(running)) == {"news.item-refused"}


async def test_what_was_recalled_is_not_remembered_as_news_and_secrets_are_masked(newsroom, wire):
    async with newsroom() as running:
        running.host.redactor.add(Secret("hunter2hunter2"))
        wire.items = [item("n1", "the swing low, password hunter2hunter2")]
        await come(running, "n1")
        query = Query(text="swing", namespaces=(NamespaceSelector.everything(),))
        (hit,) = (await running.host.memory().search(query)).hits
        assert "hunter2" not in hit.stored.doc.text
        wire.items += [
            item("n2", mark_recalled(hit)),
            item("n3", "own words", summary=mark_recalled(hit)),
        ]
        await come(running, "n3")
        assert set(await there(running, "swing")) == {"n1"}
        assert set(await there(running)) == {"n1", "n3"}


@pytest.mark.parametrize("as_json", [False, True])
async def test_what_a_feed_publishes_itself_is_remembered_at_once(newsroom, wire, as_json):
    wire.failure = RateLimited("not now", retry_after=1000)
    async with newsroom(kinds=["social"], symbols=["A"], text="rates") as running:
        wanted = {"kind": NewsKind.SOCIAL, "symbols": ["A"]}
        items = [
            item("n1", **wanted),
            item("n2", symbols=["A"]),
            item("n3", kind=NewsKind.SOCIAL),
            item("n4", "Inflation", **wanted),
        ]
        for one in items:
            wire.context.events.publish("social.post", to_json(one) if as_json else one)
        wire.context.events.publish("news.item", {"event_id": "n5"})
        wire.context.events.publish("market.note", items[0])
        running.host.bus.publish("news.item", item("n6", **wanted), source="somebody")
        await running.remember_everything()
        assert set(await there(running)) == {"n1"}
        assert set(codes(running)) == {"news.feed-failed", "news.item-refused"}
    assert len(wire.asked) == 1  # it said when it may be asked again


async def test_without_the_section_a_feed_is_not_asked(gateway, wire):
    async with gateway(plugins=[(ABOUT, wire)]) as running:
        wire.context.events.publish("news.item", item("n1"))
        await running.remember_everything()
        assert await there(running) == {}
    assert wire.asked == []


async def test_an_entry_that_is_no_feed_is_said_before_anything_runs(make_host):
    host = make_host({"memory": {"news": [{"feed": "paper"}, {"feed": "wir"}]}})
    found = {one.code: one.message for one in host.plan.diagnostics}
    assert "paper provides no feed.external" in found["news.no-feed"]
    assert "wir" in found["config.dangling-reference"]


async def test_items_whose_cursor_could_not_be_written_are_read_again_and_stay_as_they_are(newsroom, wire, monkeypatch):
    async def refuse(positions, name, position):
        raise OSError("the disk is full")

    wire.items = [item(f"n{n}") for n in range(3)]
    with monkeypatch.context() as patch:
        patch.setattr(Positions, "set", refuse)
        async with newsroom() as running:
            await come(running, "n0", "n1")
            await eventually(lambda: codes(running) == ["news.not-remembered"], PATIENCE)
    async with newsroom() as running:
        await come(running, "n2")
        assert {one.revision for one in (await there(running)).values()} == {1}
