"""The entry's configuration, as the engine reads it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from typing import Literal

import attrs

from gatehook.kinds.accounts import AccountType
from gatehook.kinds.accounts import PositionMode
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.times import SECOND


@attrs.frozen(kw_only=True)
class AccountSettings:
    """One paper account: what it starts with and how it is kept. A cash account has no positions and no leverage."""

    account_id: str
    currency: str
    account_type: AccountType
    position_mode: PositionMode
    leverage: Decimal
    balance: Decimal

    def __attrs_post_init__(self) -> None:
        if (self.account_type is AccountType.CASH) is not (self.position_mode is PositionMode.NONE):
            raise ValueError(
                f"account {self.account_id}: a cash account has position_mode none, and a margin account has not"
            )


@attrs.frozen(kw_only=True)
class Settings:
    """The rules of this venue.

    Attributes:
        entry_id: the entry this venue is.
        spread, spreads: what a candle's ask is above its bid, in the quote currency: for all, and by instrument.
        commission_rate: the part of a fill's worth that is taken.
        limit_fill: whether a resting limit fills when the price touches it, or only when it goes through it.
        participation: the part of a candle's volume that our orders may take; ``None`` is without limit.
        swaps: quote currency per base unit and night, (long, short).
        max_quote_age: how old a price may be for an order to be taken, in nanoseconds.
        stop_out: the margin level (equity / margin) at which positions are closed.
        session_end: minutes after midnight in New York at which the trading day ends.
    """

    entry_id: str
    accounts: tuple[AccountSettings, ...]
    spread: Decimal = Decimal(0)
    spreads: Mapping[InstrumentId, Decimal] = attrs.field(factory=dict)
    commission_rate: Decimal = Decimal(0)
    limit_fill: Literal["touch", "through"] = "touch"
    participation: Decimal | None = None
    swaps: Mapping[InstrumentId, tuple[Decimal, Decimal]] = attrs.field(factory=dict)
    max_quote_age: int = 60 * SECOND
    stop_out: Decimal = Decimal("0.5")
    session_end: int = 17 * 60

    def spread_of(self, instrument_id: InstrumentId) -> Decimal:
        """Return what a candle's ask is above its bid."""
        return self.spreads.get(instrument_id, self.spread)


def settings_from(entry_id: str, config: Mapping[str, Any]) -> Settings:
    """Read the validated configuration of an entry, defaults applied.

    Raises:
        ValueError: for an account that contradicts itself, or two with one id.
    """
    accounts = tuple(_account(one) for one in config["accounts"])
    ids = [one.account_id for one in accounts]
    if len(set(ids)) != len(ids):
        raise ValueError(f"two paper accounts have one id: {', '.join(sorted(ids))}")
    participation = config.get("participation")
    hours, minutes = config["session_end"].split(":")
    return Settings(
        entry_id=entry_id,
        accounts=accounts,
        spread=Decimal(config["spread"]),
        spreads={InstrumentId.parse(key): Decimal(value) for key, value in config["spreads"].items()},
        commission_rate=Decimal(config["commission_rate"]),
        limit_fill=config["limit_fill"],
        participation=None if participation is None else Decimal(participation),
        swaps={
            InstrumentId.parse(key): (Decimal(value["long"]), Decimal(value["short"]))
            for key, value in config["swap"].items()
        },
        max_quote_age=config["max_quote_age"] * SECOND,
        stop_out=Decimal(config["stop_out"]),
        session_end=int(hours) * 60 + int(minutes),
    )


def _account(data: Mapping[str, Any]) -> AccountSettings:
    kind = AccountType(data.get("type", "margin"))
    mode = data.get("position_mode", "netting" if kind is AccountType.MARGIN else "none")
    return AccountSettings(
        account_id=data["id"],
        currency=data.get("currency", "USD"),
        account_type=kind,
        position_mode=PositionMode(mode),
        leverage=Decimal(data.get("leverage", "30")),
        balance=Decimal(data.get("balance", "100000")),
    )
