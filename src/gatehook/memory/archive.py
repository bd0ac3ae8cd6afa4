"""Reading an export: batch by batch in a thread, every line checked, every bad one named."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from collections.abc import Generator
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import IO
from typing import Any
from typing import Final

import anyio
import anyio.to_thread
import attrs

from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import memory as codes
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import Namespace
from gatehook.memory.lines import MAX_LINE
from gatehook.memory.lines import SCHEMA_VERSION
from gatehook.memory.lines import BadLineError
from gatehook.memory.lines import new_digest
from gatehook.memory.lines import read_document
from gatehook.memory.lines import read_object
from gatehook.memory.rules import fault_of

_BATCH: Final = 200
_BATCH_BYTES: Final = 4_000_000
_END_FIELDS: Final = frozenset({"digest", "documents"})


@attrs.frozen
class BadLine:
    """A line that is not imported: its number from 1, the rule it breaks, and what to do about it."""

    line: int
    rule: str
    remedy: str


class Batch:
    """Documents of some lines that follow each other, and the bad lines among them."""

    def __init__(self) -> None:
        self.docs: list[MemoryDoc] = []
        self.bad: list[BadLine] = []
        self._numbers: dict[tuple[Namespace, str], int] = {}
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        """Whether it is time for the next one."""
        return len(self.docs) + len(self.bad) >= _BATCH or self._bytes >= _BATCH_BYTES

    def number_of(self, doc: MemoryDoc) -> int:
        """Return the number of a document's line."""
        return self._numbers[doc.namespace, doc.id]

    def take(self, number: int, line: bytes, doc: MemoryDoc) -> None:
        """Add a document."""
        self.docs.append(doc)
        self._numbers[doc.namespace, doc.id] = number
        self._bytes += len(line)

    def refuse(self, number: int, error: BadLineError) -> None:
        """Add a bad line."""
        self.bad.append(BadLine(number, error.rule, error.remedy))


async def batches(path: Path, max_bytes: int) -> AsyncGenerator[Batch, None]:
    """Yield a file's documents; ``max_bytes`` is the longest text that is good.

    Raises:
        GatehookError: for a file that cannot be read or is no export.
    """
    limiter = anyio.CapacityLimiter(1)
    reading = _Archive(path, max_bytes).read()

    def following() -> Batch | None:
        try:
            return next(reading, None)
        except OSError as error:
            raise _unusable(path, error.strerror or str(error)) from error

    try:
        while (batch := await anyio.to_thread.run_sync(following, limiter=limiter)) is not None:
            yield batch
    finally:
        reading.close()


def _unusable(path: Path, why: str) -> GatehookError:
    return GatehookError(codes.IMPORT_FILE(path=path, why=why))


class _Archive:
    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._digest = new_digest()
        self._lines = 0
        self._ended = False

    def read(self) -> Generator[Batch, None, None]:
        """Yield batches; a generator, so that the file is closed with it."""
        batch, number = Batch(), 1
        with self._path.open("rb") as file:
            self._check_header(file.readline(MAX_LINE))
            for number, line in enumerate(_lines(file), start=2):
                self._read_line(batch, number, line)
                if batch.is_full:
                    yield batch
                    batch = Batch()
        if not self._ended:
            batch.refuse(number + 1, BadLineError("the last line is missing: the file was cut short", "Export again."))
        yield batch

    def _check_header(self, line: bytes) -> None:
        try:
            header = read_object(line)
        except BadLineError:
            header = {}
        if header.get("gatehook") != "memory":
            raise _unusable(self._path, "its first line is not that of an export")
        version = header.get("schemaVersion")
        if version != SCHEMA_VERSION:
            raise _unusable(self._path, f"its schema version is {version!r}, this release reads {SCHEMA_VERSION}")

    def _read_line(self, batch: Batch, number: int, line: bytes) -> None:
        try:
            fields = self._object(line)
            if fields.keys() == _END_FIELDS:
                self._end(fields)
            else:
                batch.take(number, line, self._document(fields))
        except BadLineError as error:
            batch.refuse(number, error)

    def _object(self, line: bytes) -> Mapping[str, Any]:
        fields: Mapping[str, Any] = {}
        try:
            if self._ended:
                raise BadLineError("it comes after the last line", "Import one export at a time.")
            fields = read_object(line)
        finally:
            if fields.keys() != _END_FIELDS:
                self._digest.update(line + b"\n")
                self._lines += 1
        return fields

    def _end(self, fields: Mapping[str, Any]) -> None:
        self._ended = True
        if fields["documents"] != self._lines:
            rule = f"the export had {fields['documents']} documents, the file has {self._lines}"
            raise BadLineError(rule, "Export again, or import what is there without the rest.")
        if fields["digest"] != self._digest.hexdigest():
            raise BadLineError("the digest is another: the file was changed", "Export again, or import it as it is.")

    def _document(self, fields: Mapping[str, Any]) -> MemoryDoc:
        doc = read_document(fields)
        fault = fault_of(doc, self._max_bytes)
        if fault is not None:
            raise BadLineError(fault, "Correct the document, or leave it out.")
        return doc


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Yield lines without their ends; of one that is too long as much as shows it."""
    while line := file.readline(MAX_LINE + 1):
        rest = line
        while len(rest) > MAX_LINE and not rest.endswith(b"\n"):
            rest = file.readline(MAX_LINE + 1)
        yield line.removesuffix(b"\n")
