"""The settings of an entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen(kw_only=True)
class Settings:
    """What an entry is configured with; its token is the session's alone.

    Attributes:
        allowed: the accounts that may be used; ``None``: all may be read and none traded.
        symbols: the symbols to use; ``None``: all.
        prices_account: the account whose prices and instruments are used; ``None``: the first.
        poll, candle_poll: seconds between two questions for a price, for candles.
        stale_after: seconds without a new price after which a symbol is stale.
        connect_timeout: seconds in which an account may be deployed and synchronized.
    """

    allowed: frozenset[str] | None = None
    symbols: tuple[str, ...] | None = None
    prices_account: str | None = None
    poll: float = 1.0
    candle_poll: float = 5.0
    stale_after: float = 60.0
    connect_timeout: float = 600.0

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Settings:
        """Read a validated configuration."""
        allowed, symbols = config.get("allowedAccounts"), config.get("symbols")
        return cls(
            allowed=None if allowed is None else frozenset(allowed),
            symbols=None if symbols is None else tuple(symbols),
            prices_account=config.get("pricesAccount"),
            poll=float(config.get("poll", 1)),
            candle_poll=float(config.get("candlePoll", 5)),
            stale_after=float(config.get("staleAfter", 60)),
            connect_timeout=float(config.get("connectTimeout", 600)),
        )
