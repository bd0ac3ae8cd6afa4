"""The table: a code, an input that gives it, and where the diagnostic must say that it is."""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from gatehook.diagnostics import Diagnostic

if TYPE_CHECKING:
    from tests.bad_input.world import World

Provoke = Callable[["World"], Awaitable[Iterable[Diagnostic]]]


@attrs.frozen
class Row:
    """``place`` names the fields of the diagnostic that must be filled; ``what`` is the input in a few words."""

    code: str
    what: str
    place: Sequence[str]
    provoke: Provoke

    @property
    def id(self) -> str:
        return f"{self.code}: {self.what}"


class Table:
    """The rows of one subject."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add(self, code: str, what: str, at: str, provoke: Provoke) -> None:
        self.rows.append(Row(code, what, at.split(), provoke))

    def row(self, code: str, what: str, at: str) -> Callable[[Provoke], Provoke]:
        """Add the function below: it makes the input and returns the diagnostics that came of it."""

        def keep(provoke: Provoke) -> Provoke:
            self.add(code, what, at, provoke)
            return provoke

        return keep
