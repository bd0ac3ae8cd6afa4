"""A flush of vectors outlasts the deadline of a call while texts get theirs; one that gets nowhere says what to do."""

from __future__ import annotations

import anyio
import pytest

from gatehook import MemoryBackend
from gatehook import hookimpl
from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.memory import MemoryStats
from tests.host.plugin_kit import MEMORY_KIND
from tests.host.plugin_kit import host_of
from tests.host.scripted import manifest

pytestmark = pytest.mark.anyio
VECTORS = manifest("notes", kinds=[MEMORY_KIND], capabilities={"supportsVectors": True})
TEXTS = 30


class Notes(MemoryBackend):
    """Makes a vector every now and then, while it is flushed, until so many are made."""

    def __init__(self, able: int, *, tells: bool = True) -> None:
        self.able, self.tells = able, tells
        self.made, self.flushes, self.budgets = 0, 0, []

    @hookimpl
    def provide_memory_backend(self, context):
        return self

    async def flush(self, *, vectors=False):
        self.flushes += vectors
        while vectors and self.made < TEXTS:
            await (anyio.sleep(0.02) if self.made < self.able else anyio.sleep_forever())
            self.made += 1

    async def stats(self, namespace=None):
        told = {"vectors": self.made, "vectors_waiting": TEXTS - self.made} if self.tells else {}
        return MemoryStats(documents=TEXTS, namespaces=1, bytes_on_disk=0, details=told)

    async def maintain(self, budget):
        self.budgets.append(budget)

    async def upsert(self, docs, *, if_revision=None):
        raise NotImplementedError

    get = delete = search = upsert


def opened(path, notes):
    return host_of(path, plugins=[(VECTORS, notes)], slots={"memory": "notes"}, supervision={"call_timeout": 0.1})


async def test_a_flush_of_vectors_goes_on_while_texts_get_theirs(tmp_path):
    notes = Notes(able=TEXTS)
    async with opened(tmp_path, notes) as host:
        await host.memory().flush(vectors=True)
        assert notes.made == TEXTS
        assert notes.flushes > 1
        assert host.memory().health().status == "ok"


@pytest.mark.parametrize("tells", [True, False])
async def test_a_flush_that_gets_nowhere_says_what_to_do(tmp_path, tells):
    notes = Notes(able=3, tells=tells)
    async with opened(tmp_path, notes) as host:
        with pytest.raises(StorageUnavailable, match=r"^notes: (27 )?texts wait for vectors.* and flush again$"):
            await host.memory().flush(vectors=True)
        # It did not fail: the next call is let through.
        assert host.memory().health().status == "ok"
        await host.memory().flush()


async def test_maintenance_is_asked_for_no_more_time_than_a_call_may_take(tmp_path):
    notes = Notes(able=0)
    async with opened(tmp_path, notes) as host:
        await host.memory().maintain(60.0)
        await host.memory().maintain(0.01)
    assert notes.budgets == [pytest.approx(0.08), 0.01]
