"""Codes of recorded prices."""

from __future__ import annotations

from typing import Final

from gatehook.diagnostics.records import Code
from gatehook.diagnostics.records import Severity

FILE_UNREADABLE: Final = Code(
    "market.file-unreadable",
    Severity.ERROR,
    "The price file {path} cannot be read: {why}.",
    "Name a CSV file in UTF-8 that this user may read, in the entry's `file`.",
)
UNKNOWN_COLUMNS: Final = Code(
    "market.unknown-columns",
    Severity.ERROR,
    "The header of {path} says {found}; it lacks {missing}.",
    "Candles need columns for time, open, high, low and close, ticks for time, bid and ask; rename them in the file.",
)
BAD_ROW: Final = Code(
    "market.bad-row",
    Severity.ERROR,
    "This row of the price file is not usable: {why}.",
    'Mend the row, or set the entry\'s `bad_rows` to "skip": each skipped row is then reported.',
)
ROW_SKIPPED: Final = Code(
    "market.row-skipped",
    Severity.WARNING,
    "This row of the price file is left out: {why}.",
    "Mend the row; what trades in this replay does not see it.",
)
NO_ROWS: Final = Code(
    "market.no-rows",
    Severity.ERROR,
    "The price file {path} has no usable row below its header.",
    "Name a file with prices.",
)
TIMEFRAME_UNCLEAR: Final = Code(
    "market.timeframe-unclear",
    Severity.ERROR,
    "How long the candles of {path} are cannot be told from their times: {why}.",
    "Say it in the entry's `timeframe`: 1m, 5m, 15m, 30m, 1h, 4h, 1d, 1w or 1mn.",
)
INSTRUMENT_UNCLEAR: Final = Code(
    "market.instrument-unclear",
    Severity.ERROR,
    "What {symbol} is made of cannot be told from its name.",
    "Say it in the entry's `base` and `quote`, like EUR and USD.",
)
BAD_SETTING: Final = Code(
    "market.bad-setting",
    Severity.ERROR,
    "The replay cannot use its `{name}` {value!r}: {why}.",
    "Change it in the entry's configuration.",
)
