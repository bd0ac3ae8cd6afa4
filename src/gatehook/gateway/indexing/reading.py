"""A file of a folder as documents: read, freed of what was recalled and of secrets, divided. Blocking: for a thread."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable
from typing import Final

import attrs

from gatehook.catalog.safe_files import directory_of
from gatehook.catalog.safe_files import open_below
from gatehook.config.memory import FolderConfig
from gatehook.diagnostics import GatehookError
from gatehook.gateway.indexing.state import Indexed
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.times import Ns
from gatehook.memory.documents.chunks import Chunk
from gatehook.memory.documents.chunks import chunks_of
from gatehook.memory.documents.front_matter import FrontMatter
from gatehook.memory.documents.front_matter import front_matter_of
from gatehook.memory.documents.texts import NotText
from gatehook.memory.documents.texts import lines_of
from gatehook.memory.documents.texts import text_of
from gatehook.memory.documents.walking import Stamp
from gatehook.memory.recalled import strip_recalled

#: ``meta.source`` of every document that is a part of a file.
SOURCE: Final = "files"
#: The key of ``meta`` with the date that a file gives itself; it is there only where that is its time.
DATE: Final = "date"
#: Another number when files are divided in another way: then all are read again.
_DIVISION: Final = 2
#: A file that changed so shortly before it was read may change again without another stamp, in nanoseconds.
_UNSETTLED: Final = 2_000_000_000


@attrs.frozen(kw_only=True)
class Draft:
    """A file that was read.

    Attributes:
        indexed: what to write down once its documents are in the memory.
        docs: its documents; ``None`` where it says what it said before.
        problem: why it has none; ``keeps`` then says whether those it had stay.
    """

    path: str
    indexed: Indexed
    docs: tuple[MemoryDoc, ...] | None = ()
    problem: str = ""
    keeps: bool = False


@attrs.frozen(kw_only=True)
class Reader:
    """Reads the files of one folder."""

    folder: FolderConfig
    most_bytes: int
    redact: Callable[[str], str]
    wall: Callable[[], Ns]

    def read(self, path: str, before: Indexed) -> Draft:
        """Read a file that was indexed as ``before``, if at all."""
        try:
            data, stamp = self._bytes(path)
        except (OSError, GatehookError) as error:
            kept = attrs.evolve(before, stamp="")
            return Draft(path=path, indexed=kept, problem=_why(error), keeps=True)
        settled = self.wall() - max(stamp.modified, stamp.changed) > _UNSETTLED
        indexed = Indexed(
            stamp=mark_of(stamp) if settled else "", device=stamp.device, digest=self._digest(data), ids=before.ids
        )
        if before.digest == indexed.digest:
            return Draft(path=path, indexed=indexed, docs=None)
        try:
            docs = tuple(self._documents(path, data, stamp))
        except NotText as error:
            return Draft(path=path, indexed=attrs.evolve(indexed, ids=()), problem=str(error))
        return Draft(path=path, indexed=attrs.evolve(indexed, ids=tuple(doc.id for doc in docs)), docs=docs)

    def _bytes(self, path: str) -> tuple[bytes, Stamp]:
        with directory_of(self.folder.path) as directory:
            descriptor = open_below(directory, self.folder.path, path)
        with os.fdopen(descriptor, "rb") as file:
            about = os.fstat(descriptor)
            if not stat.S_ISREG(about.st_mode):
                raise OSError(0, "it is no regular file")
            # one more byte than is taken tells that there are too many
            return file.read(self.most_bytes + 1), Stamp.of(about)

    def _digest(self, data: bytes) -> str:
        way = json.dumps([_DIVISION, self.folder.kind, sorted(self.folder.tags), self.most_bytes])
        return hashlib.blake2b(data, digest_size=20, key=hashlib.blake2b(way.encode()).digest()).hexdigest()

    def _documents(self, path: str, data: bytes, stamp: Stamp) -> list[MemoryDoc]:
        if len(data) > self.most_bytes:
            raise NotText(f"it has more than {self.most_bytes} bytes (memory.max_file_bytes)")
        text = self._clean(text_of(data))
        front = front_matter_of(lines_of(text))
        chunks = [chunk for chunk in chunks_of(path, text, front=front) if chunk.text.strip()]
        return [self._document(path, chunk, front, stamp) for chunk in chunks]

    def _clean(self, text: str) -> str:
        own = strip_recalled(text, keep_lines=True)
        redacted = self.redact(own)
        if redacted is not own and len(lines_of(redacted)) != len(lines_of(own)):
            raise NotText("it holds a secret of several lines")
        return redacted

    def _document(self, path: str, chunk: Chunk, front: FrontMatter, stamp: Stamp) -> MemoryDoc:
        wall = self.wall()
        ts = min(stamp.modified, wall) if front.date is None else front.date[1]
        return MemoryDoc(
            id=chunk.id,
            text=chunk.text,
            namespace=self.folder.parts,
            ts=ts,
            kind=self.folder.kind,
            tags={*self.folder.tags, *front.tags},
            meta={
                "source": SOURCE,
                "path": path,
                "heading": " > ".join(chunk.trail),
                "first_line": chunk.first,
                "last_line": chunk.last,
                **_said(front),
            },
            prev_id=chunk.previous,
            # Anybody can set the time of a change to the past. When the file came to be there as it is, nobody can.
            available_at=max(ts, min(max(stamp.modified, stamp.changed), wall)),
        )


def _said(front: FrontMatter) -> dict[str, str | tuple[str, ...]]:
    """Return what front matter adds to the metadata."""
    said: dict[str, str | tuple[str, ...]] = {"title": front.title, "aliases": front.aliases}
    if front.date is not None:
        said[DATE] = front.date[0]
    return {name: value for name, value in said.items() if value}


def mark_of(stamp: Stamp) -> str:
    """Return a stamp as it is written down; the device is apart, since a disk may get another number."""
    return f"{stamp.modified} {stamp.changed} {stamp.size} {stamp.inode}"


def _why(error: Exception) -> str:
    if isinstance(error, GatehookError):
        return error.diagnostics[0].message.rstrip(".")
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
