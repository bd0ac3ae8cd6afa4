"""From a file to checked rows. Values are exactly the file's text; a row that cannot be used is named by its line."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final
from typing import TextIO

import attrs

from gatehook import Diagnostic
from gatehook import GatehookError
from gatehook import Timeframe
from gatehook.diagnostics.codes import market as codes
from gatehook.kinds.amounts import exact
from gatehook.kinds.amounts import on_step
from gatehook.kinds.amounts import plain

from .bars import end_of
from .bars import infer_timeframe
from .columns import Columns
from .columns import find_columns
from .moments import moment
from .settings import Settings

_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\Z", re.ASCII)
#: A file that is refused says so about this many rows, not about all of them.
_NAMED: Final = 20


@attrs.frozen
class Row:
    """A candle's open, high, low and close, and its volume; or a tick's bid and ask, and their sizes.

    A size that the file lacks is ``None``. ``begin`` is when it opened, ``end`` when it is known: a tick's are the
    same.
    """

    line: int
    begin: int
    end: int
    prices: tuple[Decimal, ...]
    sizes: tuple[Decimal | None, ...]


@attrs.frozen(kw_only=True)
class Recording:
    """A file's rows in order of time, and what was left out."""

    rows: Sequence[Row]
    timeframe: Timeframe | None
    price_increment: Decimal
    skipped: tuple[Diagnostic, ...]


def read_recording(settings: Settings) -> Recording:
    """Read the file; ``timeframe`` is ``None`` for ticks.

    Raises:
        GatehookError: saying what about the file, and which of its rows, cannot be used.
    """
    try:
        with settings.path.open(encoding="utf-8-sig", newline="") as file:
            return _read(file, settings)
    except (OSError, UnicodeDecodeError) as error:
        raise GatehookError(codes.FILE_UNREADABLE(path=settings.path, why=_reason(error))) from error


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else f"it is not UTF-8 ({error.reason})"


def _read(file: TextIO, settings: Settings) -> Recording:
    first = file.readline()
    delimiter = max(",;\t", key=first.count)
    header = next(csv.reader([first], delimiter=delimiter), [])
    try:
        columns = find_columns(header, settings.format)
    except ValueError as error:
        raise GatehookError(
            codes.UNKNOWN_COLUMNS(path=settings.path, line=1, found=", ".join(header) or "nothing", missing=error)
        ) from None
    problems = _Problems(settings)
    rows = list(_rows(file, delimiter, columns, settings, problems))
    timeframe = _timeframe(rows, settings) if columns.is_candles else None
    if timeframe is not None:
        rows = list(_whole_bars(rows, timeframe, settings, problems))
    increment = settings.price_increment or _finest(rows)
    return Recording(rows=rows, timeframe=timeframe, price_increment=increment, skipped=problems.reported(bool(rows)))


class _Problems:
    """The rows that cannot be used."""

    def __init__(self, settings: Settings) -> None:
        self._path = settings.path
        self._skip = settings.skip_bad_rows
        self._code = codes.ROW_SKIPPED if self._skip else codes.BAD_ROW
        self._found: list[Diagnostic] = []

    def add(self, line: int, why: object) -> None:
        """Name a row; raises when rows are not skipped and enough are named."""
        self._found.append(self._code(path=self._path, line=line, why=why))
        if not self._skip and len(self._found) >= _NAMED:
            raise GatehookError(*self._found)

    def reported(self, any_rows: bool) -> tuple[Diagnostic, ...]:
        """Return the rows that were skipped; raises when some were not to be, or no others are left."""
        found = sorted(self._found, key=lambda one: one.line or 0)
        if not any_rows:
            found.append(codes.NO_ROWS(path=self._path))
        if found and not (self._skip and any_rows):
            raise GatehookError(*found)
        return tuple(found)


def _rows(file: TextIO, delimiter: str, columns: Columns, settings: Settings, problems: _Problems) -> Iterator[Row]:
    before: Row | None = None
    reader = csv.reader(file, delimiter=delimiter)
    while True:
        try:
            fields = next(reader)
            if fields:
                before = _row(reader.line_num + 1, fields, columns, settings, before)
                yield before
        except StopIteration:
            return
        except UnicodeDecodeError:  # a ValueError too, but of the file: nothing behind it can be read
            raise
        except (ValueError, csv.Error) as error:
            problems.add(reader.line_num + 1, error)


def _row(line: int, fields: list[str], columns: Columns, settings: Settings, before: Row | None) -> Row:
    if len(fields) != columns.width:
        raise ValueError(f"it has {len(fields)} fields, the header {columns.width}")
    written = " ".join(fields[place].strip() for place in columns.time)
    begin = moment(written, settings.zone, before.begin if before and columns.is_candles else None)
    prices = tuple(_number(fields[place].strip()) for place in columns.prices)
    sizes = tuple(None if place is None else _number(fields[place].strip()) for place in columns.sizes)
    if before is not None:
        _check_order(begin, before, columns.is_candles)
    _check_values(prices, sizes, settings.price_increment)
    if columns.is_candles:
        _check_candle(*prices)
    elif prices[0] > prices[1]:
        raise ValueError("the bid is above the ask")
    return Row(line, begin, begin, prices, sizes)


def _number(text: str) -> Decimal:
    if _NUMBER.match(text) is None:
        raise ValueError(f"not a decimal number: {text!r}")
    return exact(text)


def _check_order(begin: int, before: Row, is_candles: bool) -> None:
    if begin < before.begin:
        raise ValueError(f"its time is before that of line {before.line}")
    if begin == before.begin and is_candles:
        raise ValueError(f"it repeats the time of line {before.line}")


def _check_values(prices: Sequence[Decimal], sizes: Sequence[Decimal | None], increment: Decimal | None) -> None:
    for price in prices:
        if price <= 0:
            raise ValueError(f"the price {plain(price)} is not above zero")
        if increment is not None and not on_step(price, increment):
            raise ValueError(f"the price {plain(price)} is off the price_increment {plain(increment)}")
    if any(size is not None and size < 0 for size in sizes):
        raise ValueError("a size or volume is below zero")


def _check_candle(first: Decimal, high: Decimal, low: Decimal, last: Decimal) -> None:
    if not (low <= min(first, last) and max(first, last) <= high):
        raise ValueError("open or close is outside low and high")


def _timeframe(rows: Sequence[Row], settings: Settings) -> Timeframe | None:
    if settings.timeframe is not None or not rows:
        return settings.timeframe
    try:
        return infer_timeframe([row.begin for row in rows])
    except ValueError as error:
        raise GatehookError(codes.TIMEFRAME_UNCLEAR(path=settings.path, why=error)) from None


def _whole_bars(rows: Sequence[Row], timeframe: Timeframe, settings: Settings, problems: _Problems) -> Iterator[Row]:
    before: Row | None = None
    for row in rows:
        if before is not None and row.begin < before.end:
            problems.add(row.line, f"it begins before the {timeframe} candle of line {before.line} ends")
            continue
        before = attrs.evolve(row, end=end_of(row.begin, timeframe, settings.zone))
        yield before


def _finest(rows: Sequence[Row]) -> Decimal:
    digits = 0
    for row in rows:
        for price in row.prices:
            exponent = price.as_tuple().exponent
            assert isinstance(exponent, int), "exact() lets only finite numbers through"
            digits = max(digits, -exponent)
    return Decimal(1).scaleb(-digits)


def name_of(path: Path) -> str:
    """Return the symbol that a file's name suggests."""
    return path.name.split(".")[0].upper()
