"""What a child writes to stderr becomes lines of the entry's log: bounded, cleaned, redacted, and never too many."""

from __future__ import annotations

import logging
import re
import time
from collections import deque
from collections.abc import Callable
from typing import Final

LONGEST_LINE: Final = 500
KEPT: Final = 20
BURST: Final = 100
PER_SECOND: Final = 20.0
# Also what moves the cursor of a terminal or turns the direction of writing.
_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")


def one_line(text: str, longest: int = LONGEST_LINE) -> str:
    """Return foreign text on one line, without control characters, cut at ``longest`` characters."""
    line = " ".join(_UNPRINTABLE.sub(" ", text[: longest * 4]).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


class StderrLines:
    """Takes bytes as they come; logs whole lines; keeps the last ones for the message of an error."""

    def __init__(
        self,
        logger: logging.Logger,
        redact: Callable[[str], str],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._logger = logger
        self._redact = redact
        self._monotonic = monotonic
        self._rest = b""
        self._cut = False
        self._tail: deque[str] = deque(maxlen=KEPT)
        self._allowed = float(BURST)
        self._at = monotonic()
        self._dropped = 0

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines, redacted."""
        return tuple(self._tail)

    def feed(self, data: bytes) -> None:
        """Take what came."""
        *whole, rest = (self._rest + data).split(b"\n")
        for line in whole:
            self._end_line(line)
        if len(rest) > LONGEST_LINE * 4:  # a line without an end is one line, and takes no more memory than one
            if not self._cut:
                self._line(rest)
            self._cut, rest = True, b""
        self._rest = rest

    def close(self) -> None:
        """Take the rest as a line, and say how many were left out."""
        if self._rest:
            self._end_line(self._rest)
        self._rest = b""
        self._mention()

    def _end_line(self, line: bytes) -> None:
        if self._cut:
            self._cut = False
        else:
            self._line(line)

    def _line(self, line: bytes) -> None:
        # Redacted before it is cut: half a secret is a secret that no pattern finds.
        text = one_line(self._redact(line[: LONGEST_LINE * 8].decode("utf-8", errors="replace")))
        if not text:
            return
        self._tail.append(text)
        now = self._monotonic()
        self._allowed = min(float(BURST), self._allowed + (now - self._at) * PER_SECOND)
        self._at = now
        if self._allowed < 1:
            self._dropped += 1
            return
        self._allowed -= 1
        self._mention()
        self._logger.info("stderr: %s", text)

    def _mention(self) -> None:
        if self._dropped:
            self._logger.warning("stderr: … %d lines left out", self._dropped)
            self._dropped = 0
