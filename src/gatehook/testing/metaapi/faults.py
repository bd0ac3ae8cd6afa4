"""What can be made to go wrong with a call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from enum import StrEnum
from typing import Final

import attrs

from gatehook.kinds.amounts import exact


class Fault(StrEnum):
    """What goes wrong with a call; without a ``tool`` it is any call, for the first ten any that trades."""

    DROP_REPLY = "drop_reply"  #: does what is asked, never answers
    DROP_REQUEST = "drop_request"  #: does nothing, never answers
    CUT_REPLY = "cut_reply"  #: does what is asked, then ends the session
    CUT_REQUEST = "cut_request"  #: does nothing, then ends the session
    PARTIAL = "partial"  #: the market takes only ``fraction`` of the volume
    PLACED = "placed"  #: an order at the market is only placed, and filled after ``seconds``
    ERROR = "error"  #: does nothing, answers with an error of ``code``
    LATE_ERROR = "late_error"  #: does what is asked, answers with an error of ``code``
    DELAY = "delay"  #: waits ``seconds``, then does what is asked
    DELAY_REPLY = "delay_reply"  #: does what is asked, waits ``seconds``, then answers
    SYNCHRONIZING = "synchronizing"  #: history is empty and says ``synchronizing``
    NOT_JSON = "not_json"  #: the text is no JSON
    NAN = "nan"  #: the numbers are NaN
    WRONG_TYPES = "wrong_types"  #: numbers are texts, texts are numbers, lists are objects
    OTHER_TOOL = "other_tool"  #: the answer is another tool's
    OTHER_ACCOUNT = "other_account"  #: the answer is about another account
    HUGE = "huge"  #: the text has ``size`` bytes
    MALFORMED = "malformed"  #: the frame on the wire is no JSON
    FLOOD = "flood"  #: ``size`` notifications come before the answer


_OF_TRADES: Final = frozenset(list(Fault)[:10])


@attrs.define
class Trouble:
    """A fault that waits for its calls: ``times`` of them, ``None`` for all."""

    fault: Fault
    tool: str | None = None
    times: int | None = None
    code: str = "UNKNOWN_ERROR"
    seconds: float = attrs.field(default=1.0, converter=float)
    fraction: Decimal = attrs.field(default=Decimal("0.5"), converter=exact)
    size: int = 2_000_000

    def fits(self, tool: str, *, trades: bool) -> bool:
        """Say whether it befalls a call."""
        if self.times == 0:
            return False
        return self.tool == tool if self.tool is not None else trades or self.fault not in _OF_TRADES


class Faults:
    """The faults that wait."""

    def __init__(self) -> None:
        self._waiting: list[Trouble] = []

    def add(self, trouble: Trouble) -> None:
        """Let it happen from now on."""
        self._waiting.append(trouble)

    @contextmanager
    def during(self, trouble: Trouble) -> Iterator[None]:
        """Let it happen for as long as the block lasts."""
        self._waiting.append(trouble)
        try:
            yield
        finally:
            self._waiting = [one for one in self._waiting if one is not trouble]

    def clear(self) -> None:
        """Let nothing happen any more."""
        self._waiting.clear()

    def take(self, tool: str, *, trades: bool, of: frozenset[Fault]) -> dict[Fault, Trouble]:
        """Return which of the faults ``of`` befall a call, counting it."""
        found: dict[Fault, Trouble] = {}
        for one in self._waiting:
            if one.fault in of and one.fault not in found and one.fits(tool, trades=trades):
                one.times = None if one.times is None else one.times - 1
                found[one.fault] = one
        self._waiting = [one for one in self._waiting if one.times != 0]
        return found
