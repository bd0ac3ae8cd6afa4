"""News and conversations come into each built-in memory alike."""

from __future__ import annotations

import pytest

from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.kinds.times import HOUR
from tests.gateway import test_chat
from tests.gateway import test_news
from tests.gateway.test_chat import TalkPlugin
from tests.gateway.test_chat import said
from tests.gateway.test_news import PATIENCE
from tests.gateway.test_news import T0
from tests.gateway.test_news import Wire
from tests.gateway.test_news import item
from tests.memory.postgres.opening import schema_of
from tests.memory.postgres.server import VARIABLE
from tests.memory.postgres.server import NoServer
from tests.memory.postgres.server import running
from tests.orders.conftest import eventually

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["sqlite_fts", "hybrid_embeddings", "tantivy", "postgres"])
def memory(request, tmp_path):
    """The entry of a memory whose texts are still there when it is opened again."""
    embedder = {"embedder": {"type": "hashing"}}
    if request.param != "postgres":
        yield {"plugin": request.param, "config": embedder if request.param == "hybrid_embeddings" else {}}
        return
    try:
        with running() as server, pytest.MonkeyPatch.context() as patch:
            patch.setenv(VARIABLE, server.dsn)
            yield {
                "plugin": "postgres",
                "config": {"dsn": {"env": VARIABLE}, "schema": schema_of(tmp_path), **embedder},
            }
    except NoServer as error:
        pytest.skip(f"PostgreSQL does not run here: {error}")


@pytest.fixture
def remembering(gateway, memory):
    """Run a gateway that remembers a feed and a channel in the memory."""

    def running(wire, talk):
        config = {
            "memory": {"news": [{"feed": "wire", "every": 0.01}]},
            "plugins": {"slots": {"memory": "ours"}, "entries": {"ours": memory}},
        }
        return gateway(config, plugins=[(test_news.ABOUT, wire), (test_chat.ABOUT, talk)])

    return running


async def found(gateway, namespace, text="", **more):
    query = Query(text=text, namespaces=(NamespaceSelector(namespace=(namespace,)),), limit=100, **more)
    return {hit.stored.doc.id: hit.stored for hit in (await gateway.host.memory().search(query)).hits}


async def come(gateway, *ids):
    async def there():
        return set(ids) <= set(await found(gateway, "news"))

    await eventually(there, PATIENCE)


async def test_news_and_turns_come_in_once_each_in_its_time_also_over_a_restart(remembering):
    wire, talk = Wire(), TalkPlugin()
    wire.items = [item("n1", "ECB holds rates", late=1), item("n2", "Copper falls")]
    async with remembering(wire, talk) as gateway:
        talk.channel.say(said("0", "shall we sell copper"))
        talk.channel.say(said("1", "not before the inventories", at=1))
        await come(gateway, "n2")
        await gateway.remember_everything()
        first = await found(gateway, "news") | await found(gateway, "chat")
    wire.items += [item("n1", "ECB cuts rates", late=5, revision=2), item("n3", "Gold rises")]
    async with remembering(wire, talk) as gateway:
        talk.channel.say(said("2", "they fell", at=2))
        await come(gateway, "n3")
        await gateway.remember_everything()
        again = await found(gateway, "news") | await found(gateway, "chat")
        assert {name: stored.revision for name, stored in again.items()} == {
            "n1": 2, "n2": 1, "n3": 1, "0": 1, "1": 1, "2": 1,
        }  # fmt: skip
        assert [again[name].doc.prev_id for name in "012"] == [None, "0", "1"]
        assert all(first[name].created_at == again[name].created_at for name in first)
        assert set(await found(gateway, "news", "rates")) == {"n1"}
        assert "1" in await found(gateway, "chat", "inventories")
        for hours, said_then in ((0, None), (1, "ECB holds rates"), (5, "ECB cuts rates")):
            known = await found(gateway, "news", as_of=T0 + hours * HOUR)
            assert (known["n1"].doc.text if "n1" in known else None) == said_then
