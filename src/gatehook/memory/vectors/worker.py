"""What fills the vectors: one task of the memory's owner takes texts off the queue, and never gives up on one because
the embedder was away.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections import deque
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Final

import anyio
import anyio.lowlevel
import attrs
import numpy as np

from gatehook.context import Clock
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics.codes.embedding import EMBEDDER_DOWN
from gatehook.diagnostics.codes.embedding import EMBEDDER_WRONG
from gatehook.diagnostics.codes.embedding import TEXT_REFUSED
from gatehook.kinds.errors import Closed
from gatehook.kinds.errors import StorageUnavailable
from gatehook.memory.embedding.embedder import Blame
from gatehook.memory.embedding.embedder import Embedder
from gatehook.memory.embedding.embedder import EmbeddingFailed
from gatehook.memory.embedding.embedder import embedded
from gatehook.memory.vectors.store import Filling
from gatehook.memory.vectors.store import Job
from gatehook.memory.vectors.store import Space
from gatehook.memory.vectors.store import VectorStore

_TAKEN: Final = 512
#: While much waits, it is counted in one round of so many.
COUNTED: Final = 16
_REMEMBERED: Final = 4_096
_REST: Final = 0.5
_LONGEST_REST: Final = 60.0
#: After what only a person can mend, the next try.
_REST_OF_SETTINGS: Final = 60.0
_HOUR: Final = 3_600.0
_SECOND: Final = 1_000_000_000


@attrs.define
class Standing:
    """How the work goes, for health, statistics and who waits.

    Attributes:
        begun, rounds: how many looks at the queue were begun, and ended. failed: which one failed last. failure: why,
            ``""`` since it went well. resumes: when the next try is, on the monotonic clock.
    """

    space: Space
    filling: Filling = attrs.field(factory=Filling)
    begun: int = 0
    rounds: int = 0
    failed: int = 0
    failure: str = ""
    blame: Blame = Blame.SERVICE
    resumes: float = 0.0


class EmbedWorker:
    """Makes vectors of what waits, in batches of similar length, a bounded number of requests an hour."""

    def __init__(
        self,
        store: VectorStore,
        embedder: Embedder,
        clock: Clock,
        space: Space,
        *,
        requests_per_hour: int,
        longest_text: int,
        report: Callable[[Diagnostic], None],
        recovered: Callable[[], None],
    ) -> None:
        self.standing = Standing(space)
        self._store = store
        self._embedder = embedder
        self._clock = clock
        self._per_hour = requests_per_hour
        self._longest = longest_text
        self._report = report
        self._recovered = recovered
        self._failures = 0
        self._silence = 0.0
        self._asked: deque[float] = deque()
        self._known: OrderedDict[bytes, bytes] = OrderedDict()
        self._wake = anyio.Event()
        self._round = anyio.Event()

    def wake(self) -> None:
        """Say that something waits."""
        self._wake.set()

    def retry(self) -> None:
        """Try again now rather than later, unless the embedder asked for silence."""
        self.standing.resumes = min(self.standing.resumes, self._silence)
        self._wake.set()

    @property
    def silence(self) -> float:
        """Until when the embedder asked for silence, on the monotonic clock."""
        return self._silence

    def begin_again(self, space: Space) -> None:
        """Take note that the space was emptied: what made its vectors may be another service by now."""
        self.standing.space = space
        self.forget()
        self._embedder.hold_to("")

    def forget(self) -> None:
        """Use nothing of what was made, or is being made, so far: the texts of it are about to be queued again."""
        self._known = OrderedDict()

    def _follow(self, space: Space) -> None:
        """Take note of what another process did to the space."""
        before, self.standing.space = self.standing.space, space
        if before.active and not space.active:
            self.begin_again(space)
        if space.served != before.served:
            self._embedder.hold_to(space.served)

    def round(self) -> anyio.Event:
        """Return what is set when the queue was looked at once more."""
        return self._round

    async def run(self) -> None:
        """Work until cancelled, or until the memory is closed."""
        try:
            while True:
                self._wake = anyio.Event()
                self.standing.begun += 1
                more = await self._guarded_turn()
                self.standing.rounds += 1
                done, self._round = self._round, anyio.Event()
                done.set()
                await self._rest(more=more)
        except Closed:
            return
        finally:
            self._round.set()  # who waits for a look hears that there is none any more

    async def _guarded_turn(self) -> bool:
        try:
            return await self._turn()
        except StorageUnavailable as error:
            self._failed(EmbeddingFailed(f"what it made cannot be written: {error}"))
            return False

    async def _turn(self) -> bool:
        """Look at the queue once; return whether more waits that may be asked for now."""
        standing = self.standing
        self._follow(await self._store.reread(standing.space))
        jobs = await self._store.take(standing.space.id, self._clock.wall(), _TAKEN)
        try:
            await self._embed(jobs)
        except EmbeddingFailed as failed:
            self._failed(failed)
        else:
            if jobs:
                self._succeeded()
        more = len(jobs) == _TAKEN and not standing.failure
        if not more or not standing.rounds % COUNTED:
            await self._look()
        return more

    async def _look(self) -> None:
        """Take note of how full the space is, let it be searched when it is complete, and see to what it needs then.

        Where texts come all the time some always wait: that holds nothing up but its being complete.
        """
        standing = self.standing
        standing.filling = await self._store.filling(standing.space.id)
        if standing.failure:
            return
        if not standing.filling.waiting:
            self._follow(await self._store.complete(standing.space))
        while standing.space.active and await self._store.tend(standing.space) and not standing.filling.waiting:
            await anyio.lowlevel.checkpoint()

    async def _embed(self, jobs: Sequence[Job]) -> None:
        """Make and write the vectors of jobs, what is known already first."""
        known = [(job, self._known.get(_key(job))) for job in jobs]
        blank = [(job, None) for job in jobs if not job.text.strip()]
        at_once = blank + [(job, vector) for job, vector in known if vector is not None and job.text.strip()]
        if at_once:
            await self._answer(at_once)
        rest = [job for job, vector in known if vector is None and job.text.strip()]
        batches = deque(_batches(rest, self._embedder.batch))
        failed: list[EmbeddingFailed] = []
        async with anyio.create_task_group() as tasks:
            for _ in range(min(self._embedder.concurrency, len(batches))):
                tasks.start_soon(self._work, batches, failed)
        if failed:
            raise failed[0]

    async def _work(self, batches: deque[list[Job]], failed: list[EmbeddingFailed]) -> None:
        while batches and not failed:
            try:
                await self._one_batch(batches.popleft())
            except EmbeddingFailed as failure:
                failed.append(failure)

    async def _in_halves(self, jobs: list[Job], failed: EmbeddingFailed) -> None:
        """Embed the halves of a batch that was refused for its texts, until it is clear which text it is."""
        if len(jobs) == 1:
            await self._refused(jobs, failed)
            return
        half = len(jobs) // 2
        await self._one_batch(jobs[:half], split=True)
        await self._one_batch(jobs[half:], split=True)

    async def _probe(self, failed: EmbeddingFailed) -> None:
        """Tell a text that the embedder cannot take from an embedder that can take none."""
        try:
            await self._ask(["probe"])
        except EmbeddingFailed:
            raise EmbeddingFailed(failed.reason, Blame.SETTINGS, failed.retry_after) from None

    async def _one_batch(self, jobs: list[Job], *, split: bool = False) -> None:
        remembered = self._known
        try:
            made = await self._ask([job.text[: self._longest] for job in jobs])
        except EmbeddingFailed as failed:
            if failed.blame is not Blame.TEXTS:
                raise
            if not split:
                await self._probe(failed)
            await self._in_halves(jobs, failed)
            return
        if self._known is not remembered:
            return  # made before everything was begun again
        for job, vector in zip(jobs, made, strict=True):
            remembered[_key(job)] = vector
            while len(remembered) > _REMEMBERED:
                remembered.popitem(last=False)
        await self._answer(list(zip(jobs, made, strict=True)))

    async def _ask(self, texts: Sequence[str]) -> list[bytes]:
        self._spend()
        vectors = await embedded(self._embedder, texts, "document")
        await self._note_served()
        return [row.tobytes() for row in vectors.astype(np.dtype("<f2"))]

    def _spend(self) -> None:
        if not self._embedder.metered:
            return
        now = self._clock.monotonic()
        while self._asked and self._asked[0] <= now - _HOUR:
            self._asked.popleft()
        if len(self._asked) >= self._per_hour:
            wait = self._asked[0] + _HOUR - now
            raise EmbeddingFailed(f"its {self._per_hour} requests an hour are spent", Blame.SERVICE, wait)
        self._asked.append(now)

    async def _note_served(self) -> None:
        """Hold the service to the name it gave with the first vectors."""
        served, space = self._embedder.served, self.standing.space
        if served and not space.served:
            await self._store.note_served(space.id, served)
            self.standing.space = attrs.evolve(space, served=served)
            self._embedder.hold_to(served)

    async def _answer(self, done: Sequence[tuple[Job, bytes | None]]) -> None:
        await self._store.answer(self.standing.space.id, done)

    async def _refused(self, jobs: list[Job], failed: EmbeddingFailed) -> None:
        not_before = self._clock.wall() + int(_REST * _SECOND)
        await self._store.refuse(self.standing.space.id, jobs, not_before)
        filling = await self._store.filling(self.standing.space.id)
        if filling.refused > self.standing.filling.refused:
            self._report(TEXT_REFUSED(count=filling.refused, reason=failed.reason))
        self.standing.filling = filling

    def _failed(self, failed: EmbeddingFailed) -> None:
        standing = self.standing
        if standing.failure != failed.reason:
            code = EMBEDDER_WRONG if failed.blame is Blame.SETTINGS else EMBEDDER_DOWN
            self._report(code(reason=failed.reason))
        self._failures += 1
        standing.failed = standing.begun
        rest = min(_REST * 2 ** min(self._failures - 1, 16), _LONGEST_REST)
        if failed.blame is Blame.SETTINGS:
            rest = _REST_OF_SETTINGS
        now = self._clock.monotonic()
        self._silence = now + failed.retry_after if failed.retry_after is not None else now
        standing.failure, standing.blame = failed.reason, failed.blame
        standing.resumes = max(now + rest, self._silence)

    def _succeeded(self) -> None:
        self._failures = 0
        self.standing.failure = ""
        self._recovered()

    async def _rest(self, *, more: bool) -> None:
        """Wait until there is something to do and it may be done."""
        if more:
            return
        if self.standing.failure:
            await self._until_resumed()
            return
        until = await self._due()
        with anyio.move_on_after(until):
            await self._wake.wait()

    async def _until_resumed(self) -> None:
        while (left := self.standing.resumes - self._clock.monotonic()) > 0:
            self._wake = anyio.Event()
            with anyio.move_on_after(left):
                await self._wake.wait()

    async def _due(self) -> float | None:
        try:
            due = await self._store.waits_until(self.standing.space.id, self._clock.wall())
        except (Closed, StorageUnavailable):
            return _REST
        return None if due is None else max((due - self._clock.wall()) / _SECOND, 0.0)


def _key(job: Job) -> bytes:
    return hashlib.blake2b(job.text.encode(), digest_size=16).digest()


def _batches(jobs: Iterable[Job], most: int) -> list[list[Job]]:
    """Return jobs in batches of similar length: a model pads each text to the longest of its batch."""
    ordered = sorted(jobs, key=lambda job: len(job.text))
    return [ordered[at : at + most] for at in range(0, len(ordered), most)]
