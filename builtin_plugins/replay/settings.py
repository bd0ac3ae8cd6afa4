"""The entry's configuration, typed."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any
from typing import Self
from typing import TypeVar
from zoneinfo import ZoneInfo

import attrs

from gatehook import GatehookError
from gatehook import Timeframe
from gatehook.diagnostics.codes import market as codes
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
            GatehookError: for a time zone that this machine does not know, and for a step of zero.
        """
        timeframe = config.get("timeframe")
        return cls(
            path=Path(config["file"]).expanduser(),
            symbol=config.get("symbol"),
            base=config.get("base"),
            quote=config.get("quote"),
            price_increment=_step(config, "price_increment", None),
            size_increment=_step(config, "size_increment", Decimal(1)),
            timeframe=None if timeframe is None else Timeframe(timeframe),
            zone=_zone(config.get("timezone", "UTC")),
            side=CandleSide(config.get("side", "bid")),
            spread=Decimal(config.get("spread", "0")),
            format=config.get("format", "auto"),
            pace=float(config.get("pace", 0)),
            skip_bad_rows=config.get("bad_rows", "refuse") == "skip",
        )


Default = TypeVar("Default", Decimal, None)


def _step(config: Mapping[str, Any], name: str, default: Default) -> Decimal | Default:
    if config.get(name) is None:
        return default
    step = Decimal(config[name])
    if step == 0:
        raise GatehookError(codes.BAD_SETTING(name=name, value=config[name], why="a step is above zero"))
    return step


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # unknown, a directory of the database, not a name at all
        why = "no time zone has this name; write it like Europe/Athens"
        raise GatehookError(codes.BAD_SETTING(name="timezone", value=name, why=why)) from None
