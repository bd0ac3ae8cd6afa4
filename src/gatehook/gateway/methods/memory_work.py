"""The memory's long work, as streams: building indices again, export, import, tuning. The last item is the result."""

from __future__ import annotations

from collections.abc import AsyncIterator
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from typing import Final

import anyio.to_thread
import attrs

from gatehook.gateway.methods.memory_queries import namespace_of
from gatehook.gateway.methods.method import Method
from gatehook.gateway.methods.method import Stream
from gatehook.gateway.params import Params
from gatehook.host import MemoryHandle
from gatehook.kinds.memory import IndexPart
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Progress
from gatehook.memory.portable import ImportReport
from gatehook.memory.portable import export_lines
from gatehook.memory.portable import import_file

#: So many characters of lines go in one item.
_CHUNK: Final = 200_000


class MemoryWork:
    """``memory.*`` that takes its time. ``memory`` returns the handle of whatever fills the slot now, or raises."""

    def __init__(self, memory: Callable[[], MemoryHandle]) -> None:
        self._memory = memory

    def table(self) -> dict[str, Method | Stream]:
        """Return the methods by name."""
        return {
            "memory.reindex": Stream(self.reindex),
            "memory.export": Stream(self.export),
            "memory.import": Stream(self.import_),
            "memory.tune": Method(self.tune, timeout=600.0),
        }

    async def reindex(self, params: Params) -> AsyncIterator[Any]:
        """Build an index again while searches go on."""
        memory = self._memory()
        part = params.maybe_read("part", IndexPart) or IndexPart.ALL
        done = 0
        async for progress in memory.reindex(part):
            done = progress.done
            yield progress_json(progress)
        yield result_json({"entry": memory.entry_id, "part": str(part), "done": done})

    async def export(self, params: Params) -> AsyncIterator[Any]:
        """Send the lines of an export, some at a time."""
        selector = NamespaceSelector(namespace=namespace_of(params))
        lines: list[str] = []
        size = documents = 0
        async for line in export_lines(self._memory(), selector, assigned=params.flag("assigned")):
            lines.append(line)
            documents += 1
            size += len(line)
            if size >= _CHUNK:
                yield {"lines": lines, "progress": {"done": documents - 1, "total": None, "what": "documents"}}
                lines, size = [], 0
        yield {"lines": lines}
        yield result_json({"documents": documents - 2})

    async def import_(self, params: Params) -> AsyncIterator[Any]:
        """Read a file that this machine has, named by its whole path."""
        memory = self._memory()
        path = params.read("path", _absolute)
        longest = memory.capabilities.max_document_bytes
        steps = import_file(memory, path, keep_going=params.flag("keep_going"), max_bytes=longest)
        async for step in steps:
            yield progress_json(step) if isinstance(step, Progress) else result_json(_imported(step))

    async def tune(self, params: Params) -> Any:
        """Measure on labelled queries how much meaning should count beside words."""
        from gatehook.memory.tuning import read_labelled
        from gatehook.memory.tuning import tune

        path = params.read("path", _absolute)
        labelled = await anyio.to_thread.run_sync(read_labelled, path)
        report = await tune(self._memory(), labelled)
        return {"schemaVersion": 1, "report": {**attrs.asdict(report), "gain": report.gain}}


def _absolute(text: str) -> Path:
    path = Path(text)
    if not path.is_absolute():
        raise ValueError("the path is not a whole one")
    return path


def _imported(report: ImportReport) -> Mapping[str, Any]:
    return {**attrs.asdict(report, recurse=False), "lines": [attrs.asdict(one) for one in report.lines]}


def progress_json(progress: Progress) -> Mapping[str, Any]:
    """Return how far the work is, as an item of its stream."""
    return {"progress": attrs.asdict(progress)}


def result_json(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the work came to, as the last item of its stream."""
    return {"result": {"schemaVersion": 1, **result}}
