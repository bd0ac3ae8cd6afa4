"""What is wrong with recorded prices and with the settings of their replay."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import Any

from gatehook.clocks import ReplayClock
from tests.bad_input.table import Table

TABLE = Table()

HEADER = "Time,Open,High,Low,Close,Volume\n"
GOOD = "2024-01-01 00:00,1.1,1.2,1.0,1.15,10\n2024-01-01 01:00,1.15,1.25,1.1,1.2,11\n"


@contextmanager
def logged():
    """Collect what plugins log: rows that are left out on purpose are said there."""

    class Keep(logging.Handler):
        def emit(self, record):
            lines.append(record)

    lines: list[logging.LogRecord] = []
    handler, logger = Keep(), logging.getLogger("gatehook.plugin")
    logger.addHandler(handler)
    try:
        yield lines
    finally:
        logger.removeHandler(handler)


def prices(code: str, what: str, at: str, text: str | None, *, name: str = "EURUSD.csv", **config: Any) -> None:
    async def provoke(world):
        path = world.folder / name
        if text is not None:
            path.write_text(text)
        entries = {"replay": {"config": {"file": str(path), **config}}}
        with logged() as lines:
            found = await world.hosted(builtin=True, entries=entries, clock=ReplayClock())
        return [*found, *(line.gatehook_diagnostic for line in lines if hasattr(line, "gatehook_diagnostic"))]

    TABLE.add(code, what, at, provoke)


prices("market.file-unreadable", "a file that is not there", "path", None)
prices("market.unknown-columns", "a header without prices", "path", "a,b,c\n" + GOOD)
prices("market.bad-row", "a price that is no number", "path line", HEADER + GOOD + "2024-01-01 02:00,x,1,1,1,1\n")
prices("market.bad-row", "NaN for a price", "path line", HEADER + GOOD + "2024-01-01 02:00,NaN,1,1,1,1\n")
prices(
    "market.row-skipped",
    "a bad row, to be skipped",
    "path line",
    HEADER + GOOD + "2024-01-01 02:00,x,1,1,1,1\n",
    bad_rows="skip",
)
prices("market.no-rows", "a header alone", "path", HEADER)
prices("market.timeframe-unclear", "one candle", "path", HEADER + GOOD.splitlines()[0] + "\n")
prices("market.instrument-unclear", "a file whose name is no pair", "entry", HEADER + GOOD, name="gold.csv")
prices("market.bad-setting", "a zone that there is not", "", HEADER + GOOD, timezone="Nowhere/Here")
