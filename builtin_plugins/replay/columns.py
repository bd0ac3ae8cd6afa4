"""Which column of a file is what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

_NAMES: Final = {
    "time": ("time", "datetime", "timestamp", "gmttime", "localtime", "opentime", "date", "ts", ""),
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c", "last"),
    "volume": ("volume", "vol", "tickvol", "tickvolume", "v"),
    "bid": ("bid", "bidprice"),
    "ask": ("ask", "askprice", "offer"),
    "bid_size": ("bidvolume", "bidsize", "bidqty"),
    "ask_size": ("askvolume", "asksize", "askqty"),
}
_CANDLES: Final = (("open", "high", "low", "close"), ("volume",))
_TICKS: Final = (("bid", "ask"), ("bid_size", "ask_size"))


@attrs.frozen
class Columns:
    """Where the values of a row are: its time in one column or two; open, high, low, close and volume, or bid, ask and
    their sizes. A size may be nowhere.
    """

    is_candles: bool
    time: tuple[int, ...]
    prices: tuple[int, ...]
    sizes: tuple[int | None, ...]
    width: int


def find_columns(header: Sequence[str], wanted: str) -> Columns:
    """Read a header; ``wanted`` is candles, ticks or auto.

    Raises:
        ValueError: naming the columns that are missing.
    """
    words = ["".join(letter for letter in name.lower() if letter.isalnum()) for name in header]
    places = {meaning: _first(words, names) for meaning, names in _NAMES.items()}
    is_candles = wanted == "candles" or (wanted == "auto" and places["bid"] is None)
    prices, sizes = _CANDLES if is_candles else _TICKS
    missing = [name for name in ("time", *prices) if places[name] is None]
    if missing:
        raise ValueError(", ".join(missing))
    return Columns(
        is_candles,
        _time(words, places["time"]),
        tuple(place for name in prices if (place := places[name]) is not None),
        tuple(places[name] for name in sizes),
        len(header),
    )


def _first(words: Sequence[str], names: Sequence[str]) -> int | None:
    return next((words.index(name) for name in names if name in words), None)


def _time(words: Sequence[str], place: int | None) -> tuple[int, ...]:
    if "date" in words and "time" in words:
        return (words.index("date"), words.index("time"))
    return () if place is None else (place,)
