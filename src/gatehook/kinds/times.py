"""Time: int nanoseconds since 1970 in UTC inside, RFC 3339 text in JSON."""

from __future__ import annotations

import re
from datetime import UTC
from datetime import datetime
from functools import lru_cache
from typing import Annotated
from typing import Final

#: Nanoseconds since 1970-01-01T00:00:00Z.
Ns = Annotated[int, "nanoseconds UTC"]

SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

_RFC3339: Final = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)\Z")


def to_rfc3339(ns: int) -> str:
    """Write nanoseconds as RFC 3339 in UTC, with as many digits of the second as the value has."""
    seconds, rest = divmod(ns, SECOND)
    return f"{_whole(seconds)}.{rest:09d}".rstrip("0") + "Z" if rest else f"{_whole(seconds)}Z"


@lru_cache(maxsize=256)
def _whole(seconds: int) -> str:
    """Write whole seconds; what happens together is of the same few."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().removesuffix("+00:00")


def from_rfc3339(text: str) -> int:
    """Read RFC 3339 text (the offset is required) as nanoseconds UTC.

    Raises:
        ValueError: for anything else, a date that does not exist included.
    """
    match = _RFC3339.match(text)
    if match is None:
        raise ValueError(f"not an RFC 3339 time with an offset: {text!r}")
    day, clock, fraction, offset = match.groups()
    whole = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if offset in 'Zz' else offset}")
    return int(whole.timestamp()) * SECOND + int((fraction or "").ljust(9, "0"))
