"""The index as a search sees it: the newest commit, and what it says of itself."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

import attrs
import tantivy

from gatehook.memory.tantivy.engine import IndexFault
from gatehook.memory.tantivy.engine import engine
from gatehook.memory.tantivy.fields import WEIGHTS
from gatehook.memory.tantivy.fields import Mark
from gatehook.memory.tantivy.fields import mark_in
from gatehook.memory.tantivy.filling import builds_of
from gatehook.memory.tantivy.filling import open_index
from gatehook.memory.tantivy.queue import State

_FIELDS: Final = tuple(WEIGHTS)


@attrs.frozen
class View:
    """One commit.

    Attributes:
        documents: how many rows are in it.
    """

    searcher: tantivy.Searcher
    mark: Mark
    documents: int

    def frequency(self, field: str, stem: str) -> int:
        """Return how many documents have a stem in a field, those included that are deleted and still in a file."""
        return self.searcher.doc_freq(field, stem) if self.mark.lengths[_FIELDS.index(field)] else 0


class Views:
    """Gives the newest view of the build that the rows' file names; used by many threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._index: tantivy.Index | None = None
        self._view: View | None = None

    def at_least(self, state: State) -> View:
        """Return a view that holds everything up to ``state.upto``, or more.

        Raises:
            IndexFault: when there is none.
        """
        with self._lock:
            if self._view is None or self._index is None or self._view.mark.build != state.build:
                self._index = self._open(state.build)
                self._view = self._newest(self._index, state)
            elif self._view.mark.upto < state.upto or self._view.mark.copied is not None:
                self._view = self._newest(self._index, state)
            return self._view

    def close(self) -> None:
        """Let go of the files."""
        with self._lock:
            self._index = self._view = None

    def _open(self, build: str) -> tantivy.Index:
        if not build:
            raise IndexFault("there is none yet")
        return open_index(builds_of(self._path) / build)

    def _newest(self, index: tantivy.Index, state: State) -> View:
        with engine():
            index.reload()
            searcher = index.searcher()
            mark = mark_in(searcher)
            if mark is None or mark.build != state.build or mark.upto < state.upto:
                raise IndexFault("it belongs to older or other rows")
            return View(searcher, mark, searcher.num_docs - mark.states)
