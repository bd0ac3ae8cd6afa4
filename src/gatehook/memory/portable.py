"""A memory as a file of JSON Lines: a header, a document a line in the order of (namespace, id), a last line.

The last line has the number of documents and a digest of their lines, so that a file which was cut short or changed is
known. Export, import into any other memory, export again: the bytes are equal.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Final

import attrs

from gatehook.kinds.errors import ProviderError
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Progress
from gatehook.memory.archive import BadLine
from gatehook.memory.archive import batches
from gatehook.memory.lines import MAX_LINE
from gatehook.memory.lines import end_line
from gatehook.memory.lines import header_line
from gatehook.memory.lines import new_digest
from gatehook.memory.lines import write_line
from gatehook.memory.writing import Key
from gatehook.memory.writing import Movable
from gatehook.memory.writing import Written
from gatehook.memory.writing import write

#: So many bad lines are named; all are counted.
MOST_NAMED: Final = 100


async def export_lines(
    memory: Movable, selector: NamespaceSelector | None = None, *, assigned: bool = False
) -> AsyncIterator[str]:
    """Yield a memory's lines without their ends; ``assigned`` adds revision and times of the memory itself.

    Raises:
        ProviderError: when the memory's scan is out of order; what was yielded lacks the last line then.
    """
    yield header_line()
    digest, documents = new_digest(), 0
    before: Key | None = None
    async for stored in memory.scan(selector or NamespaceSelector.everything()):
        key = (stored.doc.namespace, stored.doc.id)
        if before is not None and key <= before:
            raise ProviderError(f"the memory's scan is out of order: {key} came after {before}")
        before = key
        line = write_line(stored, assigned=assigned)
        digest.update(line.encode() + b"\n")
        documents += 1
        yield line
    yield end_line(documents, digest.hexdigest())


@attrs.frozen(kw_only=True)
class ImportReport:
    """What came of an import. ``bad`` counts the lines that are none; the first of them are named in ``lines``.

    ``written`` is false where a bad line kept everything out.
    """

    documents: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    bad: int = 0
    lines: tuple[BadLine, ...] = ()
    written: bool = True


async def import_file(
    memory: Movable, path: Path, *, keep_going: bool = False, max_bytes: int = MAX_LINE
) -> AsyncIterator[Progress | ImportReport]:
    """Read a file into a memory; yields progress, and the report at the end.

    The file is read twice: a bad line keeps all of it out, unless ``keep_going`` leaves out only the bad lines.
    ``max_bytes`` is the longest text that the memory takes.

    Raises:
        GatehookError: for a file that cannot be read or is no export.
    """
    report, total = ImportReport(), None
    if not keep_going:
        async with aclosing(_pass(None, path, max_bytes)) as checked:
            async for report in checked:
                yield Progress(done=report.documents, what="lines checked")
        if report.bad:
            yield attrs.evolve(report, written=False)
            return
        total = report.documents
    async with aclosing(_pass(memory, path, max_bytes)) as written:
        async for report in written:
            yield Progress(done=report.documents, total=total)
    yield report


async def _pass(memory: Movable | None, path: Path, max_bytes: int) -> AsyncGenerator[ImportReport, None]:
    """Yield what the lines came to so far; without a memory they are only checked."""
    report = ImportReport()
    async with aclosing(batches(path, max_bytes)) as read:
        async for batch in read:
            written = Written() if memory is None else await write(memory, batch.docs)
            bad = [*batch.bad, *(_refused(batch.number_of(doc), reason) for doc, reason in written.rejected)]
            report = _added(report, len(batch.docs), written, sorted(bad, key=lambda one: one.line))
            yield report


def _refused(number: int, reason: str) -> BadLine:
    return BadLine(number, reason, "Correct the document, or leave it out.")


def _added(report: ImportReport, documents: int, written: Written, bad: list[BadLine]) -> ImportReport:
    return ImportReport(
        documents=report.documents + documents,
        inserted=report.inserted + written.inserted,
        updated=report.updated + written.updated,
        unchanged=report.unchanged + written.unchanged,
        bad=report.bad + len(bad),
        lines=(*report.lines, *bad)[:MOST_NAMED],
    )
