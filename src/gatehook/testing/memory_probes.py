"""What the memory statements need besides a memory: random filters and texts, a clock to set, processes to kill."""

from __future__ import annotations

import inspect
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from typing import Final
from typing import Protocol

import anyio
import anyio.to_thread
from anyio.abc import TaskStatus

from gatehook.clocks import SystemClock
from gatehook.context import Clock
from gatehook.kinds import filters
from gatehook.kinds.capabilities import MemoryCapabilities
from gatehook.kinds.capabilities import vocabulary
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.filters import Filter
from gatehook.kinds.filters import Scalar
from gatehook.kinds.memory import MemoryBackend
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.memory.moves import MoveStateFile
from gatehook.memory.moving import migrate
from gatehook.memory.parity import ParityReport
from gatehook.memory.portable import export_lines


class OpenMemory(Protocol):
    """Opens the memory under test over a directory; a second opening of one directory finds what the first one wrote.

    A function at the top of a module, so that a second process can call it too.
    """

    def __call__(self, directory: Path, clock: Clock) -> AbstractAsyncContextManager[MemoryBackend]:
        """Return a context manager that opens the memory and closes it."""


class OpenEmbedding(Protocol):
    """Opens the memory under test with an embedder: the endpoint at ``url`` (the OpenAI API's embeddings call, no key),
    and a model of it whose vectors have ``DIMS`` numbers.
    """

    def __call__(
        self, directory: Path, clock: Clock, url: str, model: str
    ) -> AbstractAsyncContextManager[MemoryBackend]:
        """Return a context manager that opens the memory and closes it."""


#: How many numbers the vectors of the embedder under test have.
DIMS: Final = 64


class SetClock(SystemClock):
    """A clock whose market time the test sets."""

    def __init__(self, now: int = 1_000_000) -> None:
        self.time = now

    def now(self) -> int:
        """Return the time that was set."""
        return self.time


def declared_in(manifest: Path) -> MemoryCapabilities:
    """Read the capabilities of a memory's manifest."""
    declared = json.loads(manifest.read_bytes()).get("capabilities", {})
    words = {word.key: word.field for word in vocabulary(MemoryCapabilities)}
    return MemoryCapabilities(**{words[key]: value for key, value in declared.items() if key in words})


_FIELDS: Final = (
    "kind",
    "ts",
    "available_at",
    "tags",
    "meta.a",
    "meta.ключ",
    "meta.it's",
    'meta."q"',
    "meta.x' OR 1=1--",
)
_SCALARS: Final[tuple[Scalar, ...]] = (None, True, False, 0, 1, 1.0, 2, 2.5, -1, "", "1", "true", "a", "B", "é", "it's")


def random_document(rng: random.Random, number: int) -> MemoryDoc:
    """Make a document with every sort of field there, missing, ``None``, or a list."""
    meta: dict[str, Any] = {}
    for field in _FIELDS[4:]:
        if rng.random() < 0.6:
            several = tuple(rng.choices(list(_SCALARS), k=rng.randrange(3)))
            meta[field.removeprefix("meta.")] = several if rng.random() < 0.3 else rng.choice(_SCALARS)
    tags = frozenset(rng.choices(("a", "B", "é", "it's", "1"), k=rng.randrange(3)))
    kind = rng.choice(("note", "a", "1"))
    return MemoryDoc(id=f"d{number:03}", text="same", namespace=("f",), ts=number % 3, kind=kind, tags=tags, meta=meta)


def random_filter(rng: random.Random, depth: int = 3) -> Filter:
    """Make a tree of filters."""
    if depth and rng.random() < 0.5:
        parts = tuple(random_filter(rng, depth - 1) for _ in range(rng.randrange(3)))
        return rng.choice((filters.And(parts), filters.Or(parts), filters.Not(random_filter(rng, depth - 1))))
    field, value = rng.choice(_FIELDS), rng.choice(_SCALARS)
    if value is not None and not isinstance(value, bool) and rng.random() < 0.4:
        return rng.choice((filters.Lt, filters.Le, filters.Gt, filters.Ge))(field, value)
    return rng.choice(
        (
            filters.Eq(field, value),
            filters.Ne(field, value),
            filters.In(field, tuple(rng.choices(list(_SCALARS), k=rng.randrange(4)))),
            filters.Exists(field),
        )
    )


_PIECES: Final = (
    *(
        '"',
        "'",
        "AND",
        "OR",
        "NOT",
        "NEAR(",
        "*",
        "^",
        ":",
        "(",
        ")",
        "\0",
        "\ud800",
        "-",
        "+",
        "{",
        "}",
        ";--",
        "%",
        "_",
    ),
    *(
        "stop",
        "текст",
        "\u202e",
        "שלום",
        "成語",
        "🙂",
        "é",
        "\\",
        "text:",
        "docs",
        " ",
        "\n",
        "scope",
        "a.b",
        "1e9",
        "ﬀ",
    ),
)


def hostile_texts(rng: random.Random, count: int) -> Iterator[str]:
    """Yield queries that break naive search: some known, the others random."""
    yield from (
        "",
        "   ",
        '"',
        "AND",
        "NOT",
        "* * *",
        "\0",
        "\ud800",
        "a" * 100_000,
        "word " * 20_000,
        "(" * 5_000,
        "成" * 9_999,
    )
    for _ in range(count):
        glue = rng.choice(("", " "))
        yield glue.join(rng.choices(_PIECES, k=rng.randrange(1, 12)))


_CHILD: Final = """
import runpy, sys, anyio
from gatehook.testing import memory_probes
opener = runpy.run_path(sys.argv[1], run_name="opener")[sys.argv[2]]
anyio.run(getattr(memory_probes, sys.argv[3]), opener, sys.argv[4])
"""


@contextmanager
def child(opener: OpenMemory, task: Callable[[OpenMemory, str], Awaitable[None]], directory: Path) -> Iterator[Any]:
    """Run one of the tasks below in a second process; it is killed at the end."""
    found: Any = inspect.unwrap(opener)
    arguments = [inspect.getfile(found), found.__name__, getattr(task, "__name__", ""), str(directory)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = subprocess.Popen(
        [sys.executable, "-c", _CHILD, *arguments], stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


async def write_until_killed(opener: OpenMemory, directory: str) -> None:
    """Write documents from several tasks, and print the id of each when it is acknowledged."""
    async with opener(Path(directory), SystemClock()) as memory, anyio.create_task_group() as tasks:
        run = time.time_ns()
        for writer in range(4):
            tasks.start_soon(_write, memory, f"{run}-{writer}")


async def _write(memory: MemoryBackend, prefix: str) -> None:
    for number in range(1_000_000):
        doc = MemoryDoc(id=f"{prefix}-{number}", text=f"survivor {number}", namespace=("kill",), ts=number)
        await memory.upsert([doc])
        _say(doc.id)


async def read_then_write(opener: OpenMemory, directory: str) -> None:
    """Say what a search finds, then whether a write is refused."""
    async with opener(Path(directory), SystemClock()) as memory:
        found = await memory.search(Query(text="shared", namespaces=(NamespaceSelector.everything(),)))
        _say(",".join(hit.stored.doc.id for hit in found.hits))
        try:
            await memory.upsert([MemoryDoc(id="second", text="shared", namespace=("n",), ts=1)])
        except ProviderError as error:
            _say(f"refused: {error}")
        else:
            _say("written")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def worst_lag(work: Awaitable[Any]) -> float:
    """Return the longest time in seconds that the loop was held up while the work ran, from first to last."""
    worst, ended = 0.0, False

    async def probe(*, task_status: TaskStatus[None]) -> None:
        nonlocal worst
        before = time.perf_counter()
        task_status.started()
        while not ended:
            await anyio.sleep(0.001)
            now = time.perf_counter()
            worst, before = max(worst, now - before - 0.001), now

    async with anyio.create_task_group() as tasks:
        await tasks.start(probe)
        try:
            await work
        finally:
            ended = True
    return worst


async def holds_up(call: Callable[[], Awaitable[Any]], limit: float = 0.05, tries: int = 8) -> bool:
    """Say whether a call holds up the loop: each time longer than ``limit`` seconds, and than it is held up by a thread
    that has nothing to do with it but works as long. On a busy machine that is long, and no doing of the call.
    """
    least = float("inf")
    for _ in range(tries):
        begun = time.perf_counter()
        least = min(least, await worst_lag(call()))
        if least < limit:
            return False
        took = time.perf_counter() - begun
        limit = max(limit, await worst_lag(anyio.to_thread.run_sync(_work_for, min(took, 1.0))))
    return least >= limit


def _work_for(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        json.dumps(list(range(1_000)))


def files_with(directory: Path, needle: bytes) -> list[Path]:
    """Return the files below a directory that hold these bytes."""
    return [file for file in directory.rglob("*") if file.is_file() and needle in file.read_bytes()]


async def exported(memory: MemoryBackend) -> bytes:
    """Return a memory's export."""
    return b"".join([f"{line}\n".encode() async for line in export_lines(memory)])


async def moved(source: MemoryBackend, target: MemoryBackend, state: MoveStateFile) -> ParityReport:
    """Move everything, and return the report."""
    *_, report = [step async for step in migrate(source, target, state, is_serving=lambda: False)]
    assert isinstance(report, ParityReport)
    return report
