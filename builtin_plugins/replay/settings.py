"""The entry's configuration, typed."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any
from typing import Self
from zoneinfo import ZoneInfo

import attrs

from gatehook import Timeframe
from gatehook.kinds.prices import CandleSide


@attrs.frozen(kw_only=True)
class Settings:
    """What to replay, and how. ``None`` and ``auto`` are told from the file."""

    path: Path
    symbol: str | None = None
    base: str | None = None
    quote: str | None = None
    price_increment: Decimal | None = None
    size_increment: Decimal = Decimal(1)
    timeframe: Timeframe | None = None
    zone: ZoneInfo = attrs.field(factory=lambda: ZoneInfo("UTC"))
    side: CandleSide = CandleSide.BID
    spread: Decimal = Decimal(0)
    format: str = "auto"
    pace: float = 0.0
    skip_bad_rows: bool = False

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Self:
        """Read the configuration, which fits the schema.

        Raises:
            ValueError: for a time zone that this machine does not know, and for a step of zero.
        """
        increment = config.get("price_increment")
        timeframe = config.get("timeframe")
        settings = cls(
            path=Path(config["file"]).expanduser(),
            symbol=config.get("symbol"),
            base=config.get("base"),
            quote=config.get("quote"),
            price_increment=None if increment is None else Decimal(increment),
            size_increment=Decimal(config.get("size_increment", "1")),
            timeframe=None if timeframe is None else Timeframe(timeframe),
            zone=_zone(config.get("timezone", "UTC")),
            side=CandleSide(config.get("side", "bid")),
            spread=Decimal(config.get("spread", "0")),
            format=config.get("format", "auto"),
            pace=float(config.get("pace", 0)),
            skip_bad_rows=config.get("bad_rows", "refuse") == "skip",
        )
        if 0 in (settings.price_increment, settings.size_increment):
            raise ValueError("price_increment and size_increment are above zero")
        return settings


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # unknown, a directory of the database, not a name at all
        raise ValueError(f"no time zone has the name {name!r}; write it like Europe/Athens") from None
