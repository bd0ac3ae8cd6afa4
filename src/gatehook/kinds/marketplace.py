"""feed.marketplace: strategy listings, copy-trading signals. Provisional: may change until its part of Gatehook is
built.
"""

from __future__ import annotations

from abc import ABC
from abc import abstractmethod
from decimal import Decimal
from enum import StrEnum

import attrs

from gatehook.kinds.conversion import as_tuple
from gatehook.kinds.conversion import exact_or_none
from gatehook.kinds.orders import Side
from gatehook.kinds.provider import Page
from gatehook.kinds.provider import Provider
from gatehook.kinds.times import Ns


@attrs.frozen(kw_only=True)
class WindowStats:
    """Performance over one window (``30d``, ``all``, …); every ratio is a fraction, never a percentage."""

    window: str
    return_fraction: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    max_drawdown_fraction: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    win_fraction: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    trades: int | None = None


@attrs.frozen(kw_only=True)
class StrategyListing:
    """A strategy somebody offers to copy."""

    listing_id: str
    source: str
    name: str
    currency: str
    stats: tuple[WindowStats, ...] = attrs.field(default=(), converter=as_tuple)
    followers: int | None = None
    snapshot_version: str = ""
    as_of: Ns


class SignalAction(StrEnum):
    """What a signal asks for."""

    OPEN = "open"
    INCREASE = "increase"
    REDUCE = "reduce"
    CLOSE = "close"
    MODIFY = "modify"


@attrs.frozen(kw_only=True)
class TradeSignal:
    """One move of a copied strategy. A replayed or expired one is never acted on."""

    signal_id: str
    listing_id: str
    seq: int
    action: SignalAction
    position_ref: str
    instrument_raw: str
    side: Side
    quantity: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    price: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    ts_event: Ns
    expires_at: Ns
    replay: bool


class Marketplace(Provider, ABC):
    """What the author of a marketplace implements."""

    @abstractmethod
    async def list_strategies(self, *, query: str = "", cursor: str | None = None) -> Page[StrategyListing]:
        """Return listings; the pages of one ``snapshot_version`` are stable."""
