"""Times as files write them."""

from __future__ import annotations

import re
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from typing import Final
from zoneinfo import ZoneInfo

from gatehook.kinds.times import SECOND

_CLOCK: Final = r"(?:[T ](?P<hour>\d\d?):?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?)?"
_OFFSET: Final = r"\s*(?P<offset>Z|UTC|GMT|[+-]\d\d:?\d\d)?\Z"
_DATES: Final = (
    r"(?P<year>\d{4})(?P<sep>[-./])(?P<month>\d\d?)(?P=sep)(?P<day>\d\d?)",
    r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)",
    r"(?P<day>\d\d?)\.(?P<month>\d\d?)\.(?P<year>\d{4})",
)
_WRITTEN: Final = [re.compile(date + _CLOCK + _OFFSET, re.ASCII) for date in _DATES]
_EPOCH: Final = re.compile(r"(\d{9,10}|\d{13}|\d{16}|\d{19})(?:\.(\d{1,9}))?\Z", re.ASCII)
_ZERO: Final = datetime(1970, 1, 1, tzinfo=UTC)


def moment(text: str, zone: ZoneInfo, after: int | None = None) -> int:
    """Read a time as nanoseconds UTC: ISO 8601, ``2017.04.19 09:00``, ``19.04.2017 09:00``, ``20170419 090000``, or
    seconds, milliseconds, microseconds or nanoseconds since 1970.

    A time without an offset is in ``zone``. One that the clocks there showed twice is the first, unless that is not
    after ``after``.

    Raises:
        ValueError: for any other text, a date that does not exist, and a time that the clocks in ``zone`` skipped.
    """
    if epoch := _EPOCH.match(text):
        return _from_epoch(epoch[1], epoch[2] or "")
    for pattern in _WRITTEN:
        if match := pattern.match(text):
            return _from_parts(match, zone, after)
    raise ValueError(f"not a time: {text!r}")


def _from_epoch(whole: str, fraction: str) -> int:
    unit = 9 if len(whole) <= 10 else 19 - len(whole)  # noqa: PLR2004  digits of today in s, ms, us, ns: 10, 13, 16, 19
    return int(whole) * int(10**unit) + int(fraction[:unit].ljust(unit, "0") or "0")


def _from_parts(match: re.Match[str], zone: ZoneInfo, after: int | None) -> int:
    part = match.groupdict()
    naive = datetime(  # noqa: DTZ001  its zone follows
        int(part["year"]),
        int(part["month"]),
        int(part["day"]),
        int(part["hour"] or 0),
        int(part["minute"] or 0),
        int(part["second"] or 0),
    )
    rest = int((part["fraction"] or "").ljust(9, "0"))
    if part["offset"]:
        return _since_1970(naive.replace(tzinfo=_offset(part["offset"]))) + rest
    first = _localize(naive, zone)
    if after is None or first + rest > after:
        return first + rest
    return _since_1970(naive.replace(tzinfo=zone, fold=1)) + rest


def _offset(text: str) -> timezone:
    if text in ("Z", "UTC", "GMT"):
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def _localize(naive: datetime, zone: ZoneInfo) -> int:
    local = naive.replace(tzinfo=zone)
    if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != naive:
        raise ValueError(f"clocks in {zone.key} never showed {naive:%Y-%m-%d %H:%M:%S}")
    return _since_1970(local)


def _since_1970(moment: datetime) -> int:
    passed = moment - _ZERO
    return (passed.days * 86_400 + passed.seconds) * SECOND
