"""Running plugin code at load time on daemon threads, each piece with a deadline.

A thread whose piece takes longer than ``patience`` gets a sibling, so that one slow import holds up nobody. At the
deadline the piece is given up and its thread abandoned: it cannot be ended, and does not keep the process alive.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from collections.abc import Iterable
from typing import Final
from typing import Generic
from typing import TypeVar

import attrs

T = TypeVar("T")

PATIENCE: Final = 0.2
#: Seconds between two looks at what is finished, while more is to come.
TICK: Final = 0.02


class LoadTimeout(Exception):
    """The piece did not end before its deadline; its thread was abandoned."""


@attrs.define(eq=False)
class Piece(Generic[T]):
    """One piece of work and what became of it: a result or an error, whichever is not ``None``."""

    name: str
    run: Callable[[], T]
    started: float | None = None
    result: T | None = None
    error: BaseException | None = None
    over: bool = False


class Batch(Generic[T]):
    """Pieces of work in their order, run by as many daemon threads as it takes to get past the slow ones."""

    def __init__(self, pieces: Iterable[Piece[T]], *, deadline: float, patience: float = PATIENCE) -> None:
        """Prepare; ``deadline`` and ``patience`` are seconds for each piece from its own start."""
        self._waiting = deque(pieces)
        self._running: list[Piece[T]] = []
        self._finished: list[Piece[T]] = []
        self._deadline = deadline
        self._patience = patience
        self._changed = threading.Condition()

    @property
    def done(self) -> bool:
        """Whether every piece was handed out by ``next_finished``."""
        with self._changed:
            return not (self._waiting or self._running or self._finished)

    def next_finished(self) -> list[Piece[T]]:
        """Block until pieces are finished or given up, and return them; an empty list when none is left.

        Never blocks longer than a piece's deadline.
        """
        with self._changed:
            while not self._finished and (self._waiting or self._running):
                self._give_up()
                if self._waiting and all(self._age(piece) >= self._patience for piece in self._running):
                    self._spawn()
                if not self._finished:
                    self._changed.wait(self._next_look())
            finished, self._finished = self._finished, []
            return finished

    def abandon(self) -> None:
        """Begin nothing more, and let nobody wait: whoever wanted the results is gone."""
        with self._changed:
            self._waiting.clear()
            for piece in self._running:
                piece.over = True
            self._running.clear()
            self._changed.notify_all()

    def _age(self, piece: Piece[T]) -> float:
        return 0.0 if piece.started is None else time.monotonic() - piece.started

    def _next_look(self) -> float:
        if self._waiting:
            return TICK
        return max(0.001, min((self._deadline - self._age(piece) for piece in self._running), default=TICK))

    def _give_up(self) -> None:
        for piece in [piece for piece in self._running if self._age(piece) >= self._deadline]:
            piece.error = LoadTimeout(f"no end after {self._deadline:g} s")
            self._finish(piece)

    def _finish(self, piece: Piece[T]) -> None:
        piece.over = True
        self._running.remove(piece)
        self._finished.append(piece)
        if not self._waiting:  # before the last, waking somebody for each costs more than the import
            self._changed.notify_all()

    def _spawn(self) -> None:
        piece = self._take()
        threading.Thread(target=self._work, args=(piece,), name=f"gatehook-load-{piece.name}", daemon=True).start()

    def _take(self) -> Piece[T]:
        piece = self._waiting.popleft()
        piece.started = time.monotonic()
        self._running.append(piece)
        return piece

    def _work(self, piece: Piece[T]) -> None:
        while True:
            result, error = _outcome(piece.run)
            with self._changed:
                if piece.over:
                    return
                piece.result, piece.error = result, error
                self._finish(piece)
                if not self._waiting:
                    return
                piece = self._take()


def _outcome(run: Callable[[], T]) -> tuple[T | None, BaseException | None]:
    try:
        return run(), None
    except BaseException as error:  # noqa: BLE001  whatever a plugin raises on this thread of ours, exits too, is its failure
        return None, error
