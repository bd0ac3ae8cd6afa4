"""The trading day: it ends at a time of day in New York, where nights are paid for."""

from __future__ import annotations

from datetime import UTC
from datetime import datetime
from datetime import timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from gatehook.kinds.times import SECOND
from gatehook.kinds.times import Ns

ZONE: Final = "America/New_York"
#: Nights paid for at 17:00 of each weekday, Monday first: Wednesday's includes the weekend's value dates.
NIGHTS: Final = (1, 1, 3, 1, 1, 0, 0)
SWAP_TIME: Final = 17 * 60


@lru_cache(maxsize=4096)
def session_end(after: Ns, minutes: int) -> Ns:
    """Return the first time above ``after`` at which it is ``minutes`` past midnight in New York on a weekday."""
    local = datetime.fromtimestamp(after // SECOND, UTC).astimezone(ZoneInfo(ZONE))
    day = local.replace(hour=minutes // 60, minute=minutes % 60, second=0, microsecond=0, fold=0)
    while _ns(day) <= after or not NIGHTS[day.weekday()]:
        day += timedelta(days=1)
    return _ns(day)


def nights(start: Ns, end: Ns) -> int:
    """Return how many nights are paid for in (start, end]."""
    count, at = 0, session_end(start, SWAP_TIME)
    while at <= end:
        count += NIGHTS[datetime.fromtimestamp(at // SECOND, UTC).astimezone(ZoneInfo(ZONE)).weekday()]
        at = session_end(at, SWAP_TIME)
    return count


def _ns(moment: datetime) -> Ns:
    return int(moment.timestamp()) * SECOND
