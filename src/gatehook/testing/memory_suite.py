"""The memory statements: what every ``MemoryBackend`` keeps, numbered as in the contract."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import anyio
import anyio.to_thread
import attrs
import pytest

from gatehook.kinds.capabilities import MemoryCapabilities
from gatehook.kinds.errors import Closed
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.filters import Eq
from gatehook.kinds.memory import MemoryBackend
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import SearchMode
from gatehook.memory.moves import MoveStateFile
from gatehook.memory.portable import ImportReport
from gatehook.memory.portable import import_file
from gatehook.memory.ranking import position
from gatehook.memory.sqlite.backend import SqliteMemory
from gatehook.testing import memory_probes as probes
from gatehook.testing.judged.floors import falls_below
from gatehook.testing.judged.floors import read_floor
from gatehook.testing.judged.judging import fill
from gatehook.testing.judged.judging import judge
from gatehook.testing.judged.making import make_set
from gatehook.testing.memory_contents_suite import ContentStatements
from gatehook.testing.memory_finding_suite import FindingStatements
from gatehook.testing.memory_statements import EVERYTHING
from gatehook.testing.memory_statements import NS
from gatehook.testing.memory_statements import doc
from gatehook.testing.memory_statements import find
from gatehook.testing.memory_statements import ids


@pytest.mark.anyio
class MemorySuite(ContentStatements, FindingStatements):
    """Inherit it, and set ``opener`` and ``manifest`` (see ``MemoryStatements``)."""

    suite: ClassVar[str] = "memory"

    async def test_31_sigkill_loses_nothing_that_was_acknowledged(
        self, tmp_path: Path, clock: probes.SetClock, capabilities: MemoryCapabilities
    ) -> None:
        self.needs("durable", capabilities.durable)
        rng, acknowledged = random.Random(31), set[str]()
        for _ in range(self.kills):
            with probes.child(type(self).opener, probes.write_until_killed, tmp_path) as process:
                lines = [await anyio.to_thread.run_sync(process.stdout.readline) for _ in range(rng.randrange(1, 60))]
                process.kill()
                lines += await anyio.to_thread.run_sync(process.stdout.readlines)
            acknowledged |= {line.strip() for line in lines if line.endswith("\n")}
            async with type(self).opener(tmp_path, clock) as memory:
                assert None not in await memory.get(("kill",), sorted(acknowledged))
                documents = (await memory.stats()).documents
                assert len((await find(memory, "survivor", limit=documents + 10)).hits) == documents
        assert len(acknowledged) >= self.kills

    async def test_32_a_second_process_reads_and_is_refused_or_safe_to_write(
        self, memory: MemoryBackend, tmp_path: Path, capabilities: MemoryCapabilities
    ) -> None:
        self.needs("supportsMultiprocess", capabilities.multiprocess)
        await memory.upsert([doc("first", "shared")])
        with probes.child(type(self).opener, probes.read_then_write, tmp_path) as process:
            found, written = [await anyio.to_thread.run_sync(process.stdout.readline) for _ in range(2)]
        assert found == "first\n"
        assert written.startswith(("refused: ", "written"))
        assert ("second" in ids(await find(memory, "shared", ("n",)))) is written.startswith("written")

    async def test_33_cancelling_leaves_it_usable_and_closing_is_final(
        self, tmp_path: Path, clock: probes.SetClock
    ) -> None:
        async with type(self).opener(tmp_path, clock) as memory:
            for delay in (0, 0.001, 0.005):
                with anyio.move_on_after(delay):
                    async with anyio.create_task_group() as tasks:
                        for number in range(20):
                            tasks.start_soon(memory.upsert, [doc(f"c{number}", "cancelled words " * 50)])
                            tasks.start_soon(find, memory, "cancelled words")
            await memory.upsert([doc("after", "usable")])
            assert ids(await find(memory, "usable")) == ["after"]
        with pytest.raises((Closed, NotConnected)):
            await memory.upsert([doc("late")])
        with pytest.raises((Closed, NotConnected)):
            await find(memory)

    async def test_34_no_call_holds_up_the_loop(self, memory: MemoryBackend) -> None:
        docs = [doc(f"b{n}", f"bulk words {n} " * 20, ts=n) for n in range(self.bulk)]
        calls = (lambda: memory.upsert(docs), lambda: find(memory, "bulk words 7", limit=50), memory.stats)
        for call in calls:
            assert not await probes.holds_up(call)

    async def test_35_nothing_of_what_was_forgotten_stays_in_a_file(
        self, memory: MemoryBackend, tmp_path: Path, capabilities: MemoryCapabilities
    ) -> None:
        self.needs("supportsForget", capabilities.forget)
        secret = "xqzzyforgetmetoken"  # a word to look for, no credential
        first = doc("s", f"one {secret}", tags={f"t{secret}"}, meta={"symbol": f"m{secret}"})
        await memory.upsert([first, *(doc(f"k{n}", f"kept {n}") for n in range(50))])
        await memory.upsert([doc("next", "reply", prev_id="s"), doc("s", f"two {secret}")])
        assert await memory.forget(NS, ["s"]) == 1
        assert (await find(memory, secret)).hits == ()
        assert (await memory.stats()).documents == 51
        assert await anyio.to_thread.run_sync(probes.files_with, tmp_path, secret.encode()) == []

    async def test_36_a_scan_is_ordered_and_an_export_is_equal_after_a_move(
        self, memory: MemoryBackend, tmp_path: Path, clock: probes.SetClock, capabilities: MemoryCapabilities
    ) -> None:
        self.needs("supportsScan", capabilities.scan)
        spaces: Sequence[tuple[str, ...]] = [("a",), ("a", "b"), ("a.b",), ("b",)]
        docs = [
            doc(f"d{n:03}", f"text {n} é 成語", namespace=spaces[n % 4], meta={"n": n, "l": (1, None)})
            for n in range(450)
        ]
        await memory.upsert(docs)
        expected = sorted((one.namespace, one.id) for one in docs)
        scanned = [one.doc async for one in memory.scan(EVERYTHING[0])]
        assert [(one.namespace, one.id) for one in scanned] == expected
        rest = [one.doc async for one in memory.scan(EVERYTHING[0], after=position(scanned[216]))]
        assert rest == scanned[217:]
        under = [one.doc.id async for one in memory.scan(NamespaceSelector(namespace=("a",)), filter=Eq("kind", "x"))]
        assert under == []
        clock.time += 5
        await memory.upsert([doc("d000", "changed", namespace=("a",)), attrs.evolve(scanned[1], text="corrected")])
        await self._moves(memory, tmp_path, clock)

    async def _moves(self, memory: MemoryBackend, directory: Path, clock: probes.SetClock) -> None:
        """Move everything to a memory of another make and back to an empty one of its own."""
        exported = await probes.exported(memory)
        (directory / "own").mkdir()
        async with (
            SqliteMemory(directory / "of-another-make.sqlite", clock) as foreign,
            type(self).opener(directory / "own", clock) as own,
        ):
            for source, target in ((memory, foreign), (foreign, own)):
                clock.time += 5
                report = await probes.moved(source, target, MoveStateFile(directory / "moves", "one", "other"))
                assert report.holds
                assert await probes.exported(target) == exported
            file = directory / "export.jsonl"
            await anyio.to_thread.run_sync(file.write_bytes, exported)
            *_, imported = [step async for step in import_file(own, file)]
            assert imported == ImportReport(documents=450, unchanged=450)

    async def test_38_quality_on_the_judged_set_does_not_fall(
        self, memory: MemoryBackend, capabilities: MemoryCapabilities
    ) -> None:
        judged = make_set()
        await fill(memory, judged)
        judgement = await judge(memory, judged, as_of=capabilities.as_of)
        name = json.loads(await anyio.to_thread.run_sync(self.manifest.read_bytes))["id"]
        assert falls_below(judgement, read_floor(name)) is None

    async def test_a_mode_that_is_not_declared_is_refused(
        self, memory: MemoryBackend, capabilities: MemoryCapabilities
    ) -> None:
        """Beyond the numbered statements: silence would look like a vector search that found nothing."""
        if not capabilities.vectors:
            with pytest.raises(UnsupportedCapability):
                await find(memory, "x", mode=SearchMode.VECTOR)
        assert attrs.evolve(await find(memory, "x"), took_ms=0).mode_used is not SearchMode.AUTO
