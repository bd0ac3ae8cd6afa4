"""One bit a dimension, in memory: which vectors are worth reading. Disposable; built from the rows when first needed.

Codes lie in blocks, one for each first segment of a namespace, loaded when a search asks for it and dropped, the
longest unused first, above a bound. What the codes name is always read again and checked: a code of a document that is
gone, or that says something else now, costs time and nothing else.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gatehook.kinds.memory import NamespaceSelector
from gatehook.memory.scope import above
from gatehook.memory.scope import read_namespace
from gatehook.memory.scope import write_namespace
from gatehook.memory.vectors import bytewise

Bits = NDArray[np.uint64]
Numbers = NDArray[np.int64]

_WORD: Final = 64
_FIRST: Final = 256
_READ: Final = 4_096
_RID_BITS: Final = 40
_RID_MASK: Final = (1 << _RID_BITS) - 1
# By the number, not by the space: the plus keeps the planner from reading a whole space for what is new in it.
_NEW: Final = (
    "SELECT v.seq, v.rid, d.ns, d.past, v.e FROM vec v CROSS JOIN docs d ON d.rid = v.rid"
    " WHERE v.seq > ? AND +v.space = ? ORDER BY v.seq"
)
_BLOCK: Final = (
    "SELECT v.seq, v.rid, d.ns, d.past, v.e FROM docs d CROSS JOIN vec v ON v.space = ? AND v.rid = d.rid"
    " WHERE d.ns >= ? AND d.ns < ?"
)
#: seq, rid, namespace, past, vector.
_Row = tuple[int, int, str, int, bytes]


def bits_of(rows: Sequence[bytes], dims: int) -> Bits:
    """Return the sign of each number of packed vectors, 64 to a word."""
    packed = np.packbits(bytewise.read(rows, dims) >= 0, axis=1)
    words = -(-dims // _WORD)
    padded = np.zeros((len(rows), 8 * words), dtype=np.uint8)
    padded[:, : packed.shape[1]] = packed
    return padded.view(np.uint64)


class _Block:
    """The codes of all namespaces below one first segment."""

    def __init__(self, dims: int) -> None:
        words = -(-dims // _WORD)
        self.seq = 0
        self._count = 0
        self._seqs = np.zeros(_FIRST, dtype=np.int64)
        self._rids = np.zeros(_FIRST, dtype=np.int64)
        self._spaces = np.zeros(_FIRST, dtype=np.int32)
        self._past = np.zeros(_FIRST, dtype=bool)
        # Word by word, not text by text: counting bits along a row of six is ten times slower than down a column.
        self._codes = np.zeros((words, _FIRST), dtype=np.uint64)
        self._numbers: dict[str, int] = {}

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return sum(one.nbytes for one in (self._seqs, self._rids, self._spaces, self._past, self._codes))

    def add(self, rows: Sequence[_Row], dims: int) -> None:
        """Add the codes of rows."""
        if not rows:
            return
        end = self._count + len(rows)
        while end > len(self._rids):
            self._seqs, self._rids, self._spaces, self._past, self._codes = (
                np.concatenate([one, np.zeros_like(one)], axis=-1)
                for one in (self._seqs, self._rids, self._spaces, self._past, self._codes)
            )
        span = slice(self._count, end)
        self._seqs[span] = [row[0] for row in rows]
        self._rids[span] = [row[1] for row in rows]
        self._spaces[span] = [self._numbers.setdefault(row[2], len(self._numbers)) for row in rows]
        self._past[span] = [bool(row[3]) for row in rows]
        self._codes[:, span] = bits_of([row[4] for row in rows], dims).T
        self._count = end
        self.seq = max(self.seq, *(row[0] for row in rows))

    def distances(
        self, code: Bits, selectors: Sequence[NamespaceSelector], *, with_past: bool
    ) -> tuple[Numbers, Numbers]:
        """Return how far each code of a selection is and how new, the nearest and then newest first, in one number; and
        ``seq`` of each.
        """
        chosen = self._chosen(selectors)
        if not with_past:
            fresh = ~self._past[: self._count]
            chosen = fresh if chosen is None else chosen & fresh
        at = np.flatnonzero(chosen) if chosen is not None else np.arange(self._count)
        far = np.zeros(len(at), dtype=np.int64)
        for words, wanted in zip(self._codes, code[0], strict=True):
            far += np.bitwise_count(words.take(at) ^ wanted)
        return (far << _RID_BITS) | (_RID_MASK - self._rids.take(at)), self._seqs.take(at)

    def _chosen(self, selectors: Sequence[NamespaceSelector]) -> NDArray[np.bool_] | None:
        if any(not one.namespace and not one.exact for one in selectors):
            return None
        wanted = np.zeros(len(self._numbers) + 1, dtype=bool)
        for key, number in self._numbers.items():
            wanted[number] = any(_selects(one, key) for one in selectors)
        return wanted.take(self._spaces[: self._count])


def _selects(selector: NamespaceSelector, key: str) -> bool:
    wanted = write_namespace(selector.namespace)
    return key == wanted if selector.exact else key.startswith(wanted)


class Nearest:
    """Vectors (``seq``) of a selection by the distance of their codes, taken a few at a time."""

    def __init__(self, found: Sequence[tuple[Numbers, Numbers]]) -> None:
        none = np.zeros(0, dtype=np.int64)
        self._far = np.concatenate([none, *(far for far, _ in found)])
        self._seqs = np.concatenate([none, *(seqs for _, seqs in found)])
        self._start = 0

    def take(self, count: int) -> list[int]:
        """Return the next nearest; an empty list when all were taken."""
        far, seqs = self._far[self._start :], self._seqs[self._start :]
        if len(far) > count:
            order = np.argpartition(far, count - 1)
            far[:], seqs[:] = far[order], seqs[order]
        self._start += count
        nearest: list[int] = seqs[:count][np.argsort(far[:count])].tolist()
        return nearest


class Codes:
    """The codes of one space. Used by several reading threads; each call brings its own connection."""

    def __init__(self, space: int, dims: int, most_bytes: int) -> None:
        self._space = space
        self._dims = dims
        self._most = most_bytes
        self._lock = threading.Lock()
        self._loading = threading.Lock()
        self._blocks: dict[str, _Block] = {}
        self._seen = 0
        self._everything = False

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return sum(block.size for block in tuple(self._blocks.values()))

    def covers(self, selectors: Sequence[NamespaceSelector]) -> bool:
        """Say, without waiting, whether a search of this selection reads nothing but what is new."""
        return self._everything or all(root in self._blocks for root in _roots(selectors))

    def load(self, connection: sqlite3.Connection, selectors: Sequence[NamespaceSelector]) -> None:
        """Read the blocks that a selection needs, while searches go on."""
        with self._loading:
            roots = _roots(selectors)
            if "" in roots:
                self._load_everything(connection)
            else:
                for root in roots:
                    self._load_block(connection, root)

    def nearest(
        self, connection: sqlite3.Connection, code: Bits, selectors: Sequence[NamespaceSelector], *, with_past: bool
    ) -> Nearest:
        """Measure every code of a selection that is loaded, what was written meanwhile included."""
        with self._lock:
            self._refresh(connection)
            found = [block.distances(code, selectors, with_past=with_past) for block in self._used(selectors)]
        return Nearest(found)

    def _used(self, selectors: Sequence[NamespaceSelector]) -> list[_Block]:
        roots = _roots(selectors)
        used = list(self._blocks) if "" in roots else [root for root in roots if root in self._blocks]
        for root in used:  # the dict's last is the one used last
            self._blocks[root] = self._blocks.pop(root)
        return [self._blocks[root] for root in used]

    def _refresh(self, connection: sqlite3.Connection) -> None:
        """Take in what was written since, whichever process wrote it."""
        rows = connection.execute(_NEW, (self._seen, self._space))
        while some := rows.fetchmany(_READ):
            _take_in(self._blocks, some, self._dims, grow=self._everything)
            self._seen = some[-1][0]

    def _load_everything(self, connection: sqlite3.Connection) -> None:
        if self._everything:
            return
        blocks: dict[str, _Block] = {}
        seen = 0
        rows = connection.execute(_NEW, (0, self._space))
        while some := rows.fetchmany(_READ):
            _take_in(blocks, some, self._dims, grow=True)
            seen = some[-1][0]
        with self._lock:
            self._blocks, self._seen, self._everything = blocks, seen, True

    def _load_block(self, connection: sqlite3.Connection, root: str) -> None:
        if self._has(root):
            return
        block = _Block(self._dims)
        # Before the rows are read: all up to it are among them.
        newest = int(connection.execute("SELECT coalesce(max(seq), 0) FROM vec").fetchone()[0])
        rows = connection.execute(_BLOCK, (self._space, root, above(read_namespace(root))))
        while some := rows.fetchmany(_READ):
            block.add(some, self._dims)
        block.seq = max(block.seq, newest)
        with self._lock:
            self._seen = min(self._seen, block.seq) if self._blocks else block.seq
            self._blocks[root] = block
            self._evict(root)

    def _has(self, root: str) -> bool:
        return self._everything or root in self._blocks

    def _evict(self, newest: str) -> None:
        for root in [root for root in self._blocks if root != newest]:
            if self.size <= self._most:
                return
            del self._blocks[root]
            self._everything = False


def _take_in(blocks: dict[str, _Block], rows: Iterable[_Row], dims: int, *, grow: bool) -> None:
    by_root: dict[str, list[_Row]] = {}
    for row in rows:
        by_root.setdefault(_root_of(row[2]), []).append(row)
    for root, several in by_root.items():
        block = blocks.get(root)
        if block is None and grow:
            block = blocks[root] = _Block(dims)
        if block is not None:
            block.add([row for row in several if row[0] > block.seq], dims)


def _roots(selectors: Sequence[NamespaceSelector]) -> set[str]:
    """Return the keys of the blocks that a selection lies in; ``""`` stands for all."""
    return {write_namespace(one.namespace[:1]) for one in selectors}


def _root_of(key: str) -> str:
    return key[: key.index("\x01") + 1]
