"""The statements about vectors are sharp: memories with a defect break the statement that is about it."""

from __future__ import annotations

import attrs
import pytest

from gatehook.kinds.capabilities import MemoryCapabilities
from gatehook.kinds.errors import StorageUnavailable
from gatehook.memory.embedding.embedder import EmbedderIdentity
from gatehook.memory.embedding.embedder import EmbeddingFailed
from gatehook.memory.embedding.queries import QueryVectors
from gatehook.memory.vectors import queue
from gatehook.memory.vectors.asking import NoVectors
from gatehook.memory.vectors.hybrid import HybridMemory
from gatehook.memory.vectors.meaning import Meaning
from gatehook.memory.vectors.store import Space
from gatehook.memory.vectors.worker import EmbedWorker
from gatehook.testing.memory_probes import SetClock
from tests.memory.hybrid import test_hybrid_statements

pytestmark = pytest.mark.anyio
STATEMENTS = test_hybrid_statements.TestHybridEmbeddings
CAPABILITIES = MemoryCapabilities(vectors=True, as_of=True)


def fails_closed(patch):
    ready = Meaning.ready

    async def instead(self, query):
        try:
            return await ready(self, query)
        except NoVectors as missing:
            raise StorageUnavailable(str(missing)) from missing

    patch.setattr(Meaning, "ready", instead)


def says_nothing(patch):
    by_words = HybridMemory._by_words

    async def instead(self, query, started, *degraded):
        return attrs.evolve(await by_words(self, query, started, *degraded), degraded=())

    patch.setattr(HybridMemory, "_by_words", instead)


def finds_nothing(patch):
    by_words = HybridMemory._by_words

    async def instead(self, query, started, *degraded):
        page = await by_words(self, query, started, *degraded)
        return attrs.evolve(page, hits=()) if degraded else page

    patch.setattr(HybridMemory, "_by_words", instead)


def claims_to_have_searched_both(patch):
    by_words = HybridMemory._by_words

    async def instead(self, query, started, *degraded):
        return attrs.evolve(await by_words(self, query, started, *degraded), mode_used=query.mode)

    patch.setattr(HybridMemory, "_by_words", instead)


def gives_up_on_a_text(patch):
    embed = EmbedWorker._embed

    async def instead(self, jobs):
        try:
            await embed(self, jobs)
        except EmbeddingFailed:
            await self._answer([(job, None) for job in jobs])
            raise

    patch.setattr(EmbedWorker, "_embed", instead)


def writes_no_vectors(patch):
    answer = queue.answer
    patch.setattr(
        queue, "answer", lambda connection, space, done: answer(connection, space, [(job, None) for job, _ in done])
    )


def takes_every_embedder_for_one(patch):
    patch.setattr(EmbedderIdentity, "to_json", lambda _: "{}")


def searches_a_space_before_it_is_complete(patch):
    patch.setattr(Space, "active", property(lambda _: True))


def slow_once(patch):
    """Let the first vector of a query that each memory asks for come too late."""
    ask, slow = QueryVectors.ask, set()

    async def instead(self, text, at_most):
        first = self not in slow
        slow.add(self)
        return await ask(self, text, 0.0 if first else at_most)

    patch.setattr(QueryVectors, "ask", instead)


DEFECTS = [
    (27, writes_no_vectors),
    (28, fails_closed),
    (28, says_nothing),
    (28, finds_nothing),
    (28, claims_to_have_searched_both),
    (29, gives_up_on_a_text),
    (30, takes_every_embedder_for_one),
    (30, searches_a_space_before_it_is_complete),
]


async def breach(number, directory) -> str | None:
    """Run one statement; return what broke it, ``None`` if it holds."""
    (name,) = [one for one in dir(STATEMENTS) if one.startswith(f"test_{number:02}_")]
    clock = SetClock()
    try:
        if number == 27:
            async with test_hybrid_statements.open_hybrid(directory, clock) as memory:
                await getattr(STATEMENTS(), name)(memory, CAPABILITIES)
        else:
            await getattr(STATEMENTS(), name)(directory, clock, CAPABILITIES)
    except (Exception, BaseExceptionGroup) as error:  # a defect may break it in any way
        return repr(error)
    return None


@pytest.mark.parametrize(("number", "defect"), DEFECTS, ids=lambda one: getattr(one, "__name__", str(one)))
async def test_a_defect_breaks_its_statement(tmp_path, monkeypatch, number, defect):
    defect(monkeypatch)
    assert await breach(number, tmp_path) is not None


@pytest.mark.parametrize(("number", "defect"), DEFECTS, ids=lambda one: getattr(one, "__name__", str(one)))
async def test_an_embedder_that_is_slow_once_hides_no_defect(tmp_path, monkeypatch, number, defect):
    slow_once(monkeypatch)
    defect(monkeypatch)
    assert await breach(number, tmp_path) is not None


@pytest.mark.parametrize("number", sorted({number for number, _ in DEFECTS}))
async def test_an_embedder_that_is_slow_once_breaks_no_statement(tmp_path, monkeypatch, number):
    slow_once(monkeypatch)
    assert await breach(number, tmp_path) is None


@pytest.mark.parametrize("number", sorted({number for number, _ in DEFECTS}))
async def test_without_a_defect_the_statement_holds(tmp_path, number):
    assert await breach(number, tmp_path) is None
