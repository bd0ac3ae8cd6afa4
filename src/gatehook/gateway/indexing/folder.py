"""One folder brought into the memory: what changed is written, what is gone is deleted.

What may be in the memory is written down before it is there, so that a round that was cut off leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from functools import partial
from threading import Event
from typing import Final
from typing import TypeVar

import anyio
import anyio.to_thread
import attrs

from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics.codes import documents as codes
from gatehook.gateway.indexing.changes import Changes
from gatehook.gateway.indexing.changes import Tell
from gatehook.gateway.indexing.reading import DATE
from gatehook.gateway.indexing.reading import SOURCE
from gatehook.gateway.indexing.reading import Draft
from gatehook.gateway.indexing.reading import Reader
from gatehook.gateway.indexing.reading import mark_of
from gatehook.gateway.indexing.state import Indexed
from gatehook.gateway.indexing.state import IndexState
from gatehook.host import MemoryHandle
from gatehook.kinds.filters import Eq
from gatehook.kinds.filters import is_encodable
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Progress
from gatehook.memory.documents.globs import Globs
from gatehook.memory.documents.walking import Walk
from gatehook.memory.documents.walking import walk

T = TypeVar("T")

#: So many files are read at a time, and so many documents go to the memory at once.
_FILES: Final = 16
_DOCUMENTS: Final = 200


@attrs.frozen(kw_only=True)
class FolderRound:
    """One look at a folder, for one memory. What it needs of the gateway, and nothing that outlives it.

    Attributes:
        below: only this part of the folder, as a relative path; empty for all of it.
    """

    reader: Reader
    most_files: int
    memory: MemoryHandle
    state: IndexState
    report: Callable[[Diagnostic], object]
    limiter: anyio.CapacityLimiter
    below: str = ""

    async def run(self, tell: Tell) -> Changes:
        """Look, and bring the memory up with the folder.

        Raises:
            ProviderError: the memory does not work; what was not written will be by the next round.
            sqlite3.Error: what was indexed cannot be written down.
        """
        folder = self.reader.folder
        changes = Changes(str(folder.path))
        known = await self._known()
        try:
            found = await self._walk()
        except OSError as error:
            self._unreachable(changes, error.strerror or str(error))
            return changes
        for path, why in found.unseen.items():
            self._unreachable(changes, f"{path}: {why}")
        if found.too_many:
            self.report(codes.TOO_MANY_FILES(path=folder.path, limit=self.most_files))
        gone = self._gone(known, found, changes)
        await self._bring(self._to_read(known, found, changes), known, gone, changes, tell)
        await self._remove(gone, changes)
        return changes

    async def _known(self) -> dict[str, Indexed]:
        """Return what was indexed. Where nothing is written down, the memory says what it has of the folder."""
        known = await self._blocking(self.state.files)
        if not known and self.memory.capabilities.scan:
            ids: dict[str, list[str]] = {}
            async for path, doc_id in self._there():
                ids.setdefault(path, []).append(doc_id)
            known = {path: Indexed(ids=tuple(found)) for path, found in ids.items()}
            await self._blocking(lambda: self.state.write(known))
        return known

    async def _there(self) -> AsyncIterator[tuple[str, str]]:
        selector = NamespaceSelector(namespace=self.reader.folder.parts, exact=True)
        async for stored in self.memory.scan(selector, filter=Eq("meta.source", SOURCE)):
            yield str(stored.doc.meta.get("path", "")), stored.doc.id

    async def _walk(self) -> Walk:
        folder, stopped = self.reader.folder, Event()
        globs = Globs(folder.include, folder.exclude)
        try:
            return await anyio.to_thread.run_sync(
                lambda: walk(folder.path, globs, most=self.most_files, stopped=stopped.is_set),
                limiter=self.limiter,
                abandon_on_cancel=True,
            )
        finally:
            stopped.set()

    def _to_read(self, known: Mapping[str, Indexed], found: Walk, changes: Changes) -> list[str]:
        paths = [
            path
            for path, stamp in found.files.items()
            if self._is_meant(path) and (path not in known or known[path].stamp != mark_of(stamp))
        ]
        for path in paths:
            if not is_encodable(path):
                self._skip(path.encode(errors="replace").decode(), "its name is not UTF-8", changes)
        return [path for path in paths if is_encodable(path)]

    def _gone(self, known: Mapping[str, Indexed], found: Walk, changes: Changes) -> dict[str, Indexed]:
        """Return what is there no more, without what may be there on a disk that is not."""
        missing = {path: one for path, one in known.items() if path not in found.files and self._is_meant(path)}
        devices = {*found.devices, *(known[path].device for path in found.files if path in known)}
        gone = {
            path: one
            for path, one in missing.items()
            if not found.hides(path) and (one.device in devices or (not one.device and bool(found.files)))
        }
        if len(gone) < len(missing) and not found.unseen:
            self._unreachable(changes, "what was in it was on another disk, which is not there")
        return gone

    def _is_meant(self, path: str) -> bool:
        return not self.below or path == self.below or path.startswith(f"{self.below}/")

    async def _bring(
        self,
        paths: Sequence[str],
        known: Mapping[str, Indexed],
        gone: Mapping[str, Indexed],
        changes: Changes,
        tell: Tell,
    ) -> None:
        moved = {one.digest: one for one in gone.values() if one.digest}
        done = 0
        for batch in _batches(paths, _FILES):
            drafts = await self._blocking(partial(self._read, batch, known), abandon=True)
            await self._write(drafts, known, moved)
            self._count(drafts, known, changes)
            done += len(batch)
            tell(Progress(done=done, total=len(paths), what="files"))
            await anyio.lowlevel.checkpoint()

    def _read(self, paths: Sequence[str], known: Mapping[str, Indexed]) -> list[Draft]:
        return [self.reader.read(path, known.get(path, Indexed())) for path in paths]

    async def _write(self, drafts: Sequence[Draft], known: Mapping[str, Indexed], moved: Mapping[str, Indexed]) -> None:
        """Write down what may be in the memory soon, bring it there, and write down that it is."""
        before = {draft.path: known.get(draft.path, Indexed()) for draft in drafts}
        written = [draft for draft in drafts if draft.docs is not None and not draft.keeps]
        if written:
            await self._blocking(
                lambda: self.state.write({one.path: _pending(one, before[one.path]) for one in written})
            )
        docs = [doc for draft in written for doc in draft.docs or ()]
        before_there = await self._same(written, moved)
        for batch in _batches([_at(doc, before_there.get(_identity(doc))) for doc in docs], _DOCUMENTS):
            rejected = (await self.memory.upsert(batch)).rejected
            for doc_id, why in rejected:
                self.report(codes.FILE_SKIPPED(path=self.reader.folder.path / doc_id, why=why))
        stale = [one for draft in written for one in before[draft.path].ids if one not in set(draft.indexed.ids)]
        await self._delete(stale)
        await self._blocking(lambda: self.state.write({draft.path: draft.indexed for draft in drafts}))

    async def _same(self, drafts: Iterable[Draft], moved: Mapping[str, Indexed]) -> dict[str, MemoryDoc]:
        """Return what was there before with the same text: an edit elsewhere makes it no newer."""
        ids = {one for draft in drafts for one in draft.indexed.ids}
        ids |= {one for draft in drafts for one in moved.get(draft.indexed.digest, Indexed()).ids}
        found: dict[str, MemoryDoc] = {}
        for batch in _batches(sorted(ids), _DOCUMENTS):
            for stored in await self.memory.get(self.reader.folder.parts, batch):
                if stored is not None:
                    found[_identity(stored.doc)] = stored.doc
        return found

    async def _remove(self, gone: Mapping[str, Indexed], changes: Changes) -> None:
        for batch in _batches(sorted(gone), _FILES):
            await self._delete([one for path in batch for one in gone[path].ids])
            await self._blocking(partial(self.state.write, {}, gone=batch))
            changes.removed += batch

    async def _delete(self, ids: Sequence[str]) -> None:
        for batch in _batches(ids, _DOCUMENTS):
            await self.memory.delete(self.reader.folder.parts, batch)

    def _count(self, drafts: Iterable[Draft], known: Mapping[str, Indexed], changes: Changes) -> None:
        for draft in drafts:
            if draft.problem:
                self._skip(draft.path, draft.problem, changes)
            elif draft.docs is not None:
                (changes.changed if draft.path in known else changes.added).append(draft.path)
                changes.documents += len(draft.docs)

    def _skip(self, path: str, why: str, changes: Changes) -> None:
        changes.skipped.append((path, why))
        self.report(codes.FILE_SKIPPED(path=self.reader.folder.path / path, why=why))

    def _unreachable(self, changes: Changes, why: str) -> None:
        changes.unreachable = why
        self.report(codes.FOLDER_UNREACHABLE(path=self.reader.folder.path, why=why))

    async def _blocking(self, work: Callable[[], T], *, abandon: bool = False) -> T:
        return await anyio.to_thread.run_sync(work, limiter=self.limiter, abandon_on_cancel=abandon)


def _pending(draft: Draft, before: Indexed) -> Indexed:
    """Return what to write down before documents are written: all that may be there if it goes no further."""
    return Indexed(device=draft.indexed.device, ids=tuple(dict.fromkeys((*before.ids, *draft.indexed.ids))))


def _identity(doc: MemoryDoc) -> str:
    return f"{doc.meta.get('heading', '')}\0{doc.text}"


def _at(doc: MemoryDoc, before: MemoryDoc | None) -> MemoryDoc:
    """Return a document with the times that its text had before, but for a date that was given or taken away."""
    if before is None:
        return doc
    ts = doc.ts if DATE in doc.meta or DATE in before.meta else before.ts
    known = before.ts if before.available_at is None else before.available_at
    return attrs.evolve(doc, ts=ts, available_at=max(ts, known))


def _batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
