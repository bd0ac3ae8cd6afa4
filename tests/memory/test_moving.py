"""Moving documents to another memory: everything arrives, whatever happens meanwhile, and the report says the truth."""

from __future__ import annotations

import json

import pytest

from gatehook.kinds.memory import Progress
from gatehook.memory.moves import MoveStateFile
from gatehook.memory.moving import follow
from gatehook.memory.moving import migrate
from gatehook.memory.parity import parity_json
from gatehook.memory.portable import export_lines
from gatehook.memory.sqlite.backend import SqliteMemory
from gatehook.testing.memory_statements import EVERYTHING
from gatehook.testing.memory_statements import doc
from tests.memory.dict_backend.plugin import DictMemory

pytestmark = pytest.mark.anyio


@pytest.fixture
def state(tmp_path):
    return MoveStateFile(tmp_path / "moves", "a", "b")


@pytest.fixture(params=["sqlite", "dict"])
async def target(request, tmp_path, clock):
    other = SqliteMemory(tmp_path / "other.sqlite", clock) if request.param == "sqlite" else DictMemory(clock)
    async with other as memory:
        yield memory


async def moved(source, target, state, *, serving=False, meanwhile=None):
    report = None
    async for step in migrate(source, target, state, is_serving=lambda: serving):
        if isinstance(step, Progress):
            if meanwhile is not None:
                await meanwhile(step)
        else:
            report = step
    return report


async def exported(memory):
    return [line async for line in export_lines(memory)]


def some(count, **fields):
    return [doc(f"d{n:03}", f"note {n} on topic {n % 7}", namespace=(f"n{n % 3}",), **fields) for n in range(count)]


async def test_everything_is_there_and_the_report_says_so(memory, target, state):
    await memory.upsert(some(450))
    report = await moved(memory, target, state)
    assert report.holds
    assert await exported(target) == await exported(memory)
    told = parity_json(report)
    assert (told["documents"], told["differing"], told["extra"], told["queries"]) == (450, 0, 0, 20)
    assert [one["source"] for one in told["namespaces"]] == [one["target"] for one in told["namespaces"]] == [150] * 3
    assert 0 < told["top10Overlap"] <= 1
    assert not state.path.exists()


async def test_an_empty_memory_moves_too(memory, target, state):
    report = await moved(memory, target, state)
    assert (report.holds, report.queries, report.overlap) == (True, 0, 1.0)


async def test_a_second_move_changes_nothing(memory, target, state, clock):
    await memory.upsert(some(30))
    await moved(memory, target, state)
    before = [stored async for stored in target.scan(EVERYTHING[0])]
    clock.time += 5
    assert (await moved(memory, target, state)).holds
    assert [stored async for stored in target.scan(EVERYTHING[0])] == before


async def test_a_stopped_move_goes_on_where_it_was(memory, target, state):
    await memory.upsert(some(450))
    async for step in migrate(memory, target, state, is_serving=lambda: False):
        if step.done >= 200:
            break
    assert json.loads(state.path.read_text())["copied"] == 200
    seen = []

    async def meanwhile(step):
        seen.append((step.what, step.done))

    assert (await moved(memory, target, state, meanwhile=meanwhile)).holds
    assert seen[0] == ("documents", 300)
    assert await exported(target) == await exported(memory)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"copied": 3}', '{"copied": "x", "position": 1, "copied_all": 1}'])
async def test_a_damaged_state_begins_anew(memory, target, state, text):
    await memory.upsert(some(10))
    state.path.parent.mkdir()
    state.path.write_text(text)
    assert (await moved(memory, target, state)).holds


async def test_what_is_written_changed_and_deleted_meanwhile_is_caught_up(memory, target, state, clock):
    await memory.upsert(some(300))
    steps = 0

    async def meanwhile(step):
        nonlocal steps
        steps += 1
        if steps <= 5:
            clock.time += 1
            await memory.upsert([doc(f"a{steps}", "written behind the scan", namespace=("n0",))])
            await memory.upsert([doc("d001", f"changed {steps}", namespace=("n1",))])
            await memory.delete((f"n{steps % 3}",), [f"d{steps:03}"])

    report = await moved(memory, target, state, meanwhile=meanwhile)
    assert (report.holds, report.extra) == (True, 0)
    assert await exported(target) == await exported(memory)


async def test_what_the_target_had_is_kept_and_counted(memory, target, state):
    await target.upsert([doc("own", "the target's own"), doc("d000", "another text", namespace=("n0",))])
    await memory.upsert(some(30))
    report = await moved(memory, target, state)
    assert (report.holds, report.extra, report.extra_examples) == (True, 1, ("suite: own",))
    assert (await target.get(("n0",), ["d000"]))[0].doc.text == "note 0 on topic 0"


async def test_a_target_that_serves_by_now_keeps_what_is_newer_there(memory, target, state, clock):
    await memory.upsert(some(3))
    clock.time += 5
    await target.upsert([doc("d000", "newer", namespace=("n0",)), doc("own")])
    report = await moved(memory, target, state, serving=True)
    assert (report.holds, report.differing, report.extra) == (False, 1, 1)
    assert report.examples == ("n0: d000",)
    assert (await target.get(("n0",), ["d000"]))[0].doc.text == "newer"
    assert (await target.get(("n1",), ["d001"]))[0] is not None


async def test_what_came_between_the_last_round_and_the_switch_follows(memory, target, state, clock):
    await memory.upsert(some(30))
    await moved(memory, target, state)
    clock.time += 5
    since = clock.time
    await memory.upsert([doc("late"), doc("d001", "late change", namespace=("n1",))])
    clock.time += 5
    await target.upsert([doc("d002", "newer in the target", namespace=("n2",))])
    await target.delete(("n0",), ["d000"])
    assert await follow(memory, target, since) == 2
    texts = {one.doc.id: one.doc.text async for one in target.scan(EVERYTHING[0])}
    assert (texts["late"], texts["d001"], texts["d002"]) == ("plain words", "late change", "newer in the target")
    assert "d000" not in texts


async def test_other_hits_are_listed(memory, state, clock):
    await memory.upsert([doc(f"d{n}", "same words " * (n + 1)) for n in range(15)])

    class Contrary(DictMemory):
        async def search(self, query):
            page = await super().search(query)
            return page if len(page.hits) < 10 else type(page)(hits=page.hits[::-1][:5], mode_used=page.mode_used)

    async with Contrary(clock) as target:
        report = await moved(memory, target, state)
    assert report.holds
    assert report.overlap < 1
    assert report.other_hits[0].only_source
    assert len(report.other_hits) == 15


async def test_a_document_that_the_target_refuses_is_named(memory, clock, state):
    class Small(DictMemory):
        async def upsert(self, docs, *, if_revision=None):
            return await super().upsert([one for one in docs if len(one.text) < 100], if_revision=if_revision)

    await memory.upsert([doc("long", "x" * 200), doc("short")])
    async with Small(clock) as target:
        report = await moved(memory, target, state)
    assert (report.holds, report.differing, report.examples) == (False, 1, ("suite: long",))
