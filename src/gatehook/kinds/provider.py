"""What every provider is: an async context manager that can say how it is."""

from __future__ import annotations

from enum import StrEnum
from types import TracebackType
from typing import ClassVar
from typing import Generic
from typing import Self
from typing import TypeVar

import attrs

from gatehook.kinds.conversion import as_tuple

T = TypeVar("T")


class HealthStatus(StrEnum):
    """``degraded`` works with a restriction that the reasons name."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


@attrs.frozen(kw_only=True)
class Health:
    """How a provider is, by what was observed. ``reasons`` are short sentences, empty when all is well."""

    status: HealthStatus = HealthStatus.OK
    reasons: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)


@attrs.frozen(kw_only=True)
class Page(Generic[T]):
    """A part of a listing; ``cursor`` leads to the next part, ``None`` at the end. ``complete`` is false where the
    provider could not see everything.
    """

    items: tuple[T, ...] = attrs.field(converter=as_tuple)
    cursor: str | None = None
    complete: bool = True


class Provider:
    """The base of all seven kinds. ``__aenter__`` connects, ``__aexit__`` lets go; the same object is entered once.

    Attributes:
        narrowed_by_configuration: set it where the entry's configuration decides which of the declared capabilities
            there are (a file of candles has no ticks): then less than declared is no degradation.
    """

    narrowed_by_configuration: ClassVar[bool] = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return None

    def health(self) -> Health:
        """Say how it is, at once and without I/O."""
        return Health()

    def capabilities(self) -> object | None:
        """What it can really do now: an instance of its kind's capabilities, or ``None`` for "as the manifest
        declares".

        Asked once after ``__aenter__``. Narrower than declared makes the entry degraded; wider is ignored.
        """
        return None
