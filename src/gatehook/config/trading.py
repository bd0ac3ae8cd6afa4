"""The sections that say how much may be traded, by whom, and how it is written down."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

import attrs

from gatehook.config.settings import Shape
from gatehook.config.settings import about


class RiskClass(StrEnum):
    """What an operation can do to money."""

    READ = "read"
    TRADE = "trade"
    FUNDS = "funds"
    NOTIFY = "notify"
    ADMIN = "admin"


class Permit(StrEnum):
    """What a rule says of an operation."""

    ALLOW = "allow"
    ASK = "ask"
    DENY = "deny"


def _no_paths() -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType({})


@attrs.frozen(kw_only=True)
class TradingSection:
    """``[trading]``. Times are seconds."""

    valuation_currency: str = attrs.field(
        default="USD", metadata=about(Shape.CURRENCY, "the currency in which limits are counted")
    )
    conversion: Mapping[str, tuple[str, ...]] = attrs.field(
        factory=_no_paths,
        metadata=about(
            Shape.CONVERSION, "by currency, the instruments whose quotes lead to the valuation currency, in order"
        ),
    )
    max_quote_age: float = attrs.field(
        default=30.0, metadata=about(Shape.SECONDS, "a quote that is older values nothing")
    )
    day_start: str = attrs.field(
        default="00:00", metadata=about(Shape.TIME_OF_DAY, "when a trading day starts, in UTC")
    )
    reconcile_every: float = attrs.field(
        default=60.0, metadata=about(Shape.SECONDS, "how often every account is compared with its venue")
    )
    approval_timeout: float = attrs.field(
        default=60.0, metadata=about(Shape.SECONDS, "how long an approval waits for its answer; none means no")
    )
    approvals_per_minute: int = attrs.field(
        default=5, metadata=about(Shape.COUNT, "more approvals than this in a minute are denied without asking")
    )


@attrs.frozen(kw_only=True)
class AuditSection:
    """``[audit]``."""

    key_file: Path | None = attrs.field(
        default=None,
        metadata=about(Shape.PATH, "where the key of the hash chain is kept", shown="audit.key in the data directory"),
    )
    anchors: Path | None = attrs.field(
        default=None,
        metadata=about(
            Shape.PATH, "the second file, to which heads are written", shown="audit.anchors in the data directory"
        ),
    )
    anchor_every: int = attrs.field(
        default=100, metadata=about(Shape.COUNT, "how many records at most lie between two anchors")
    )


@attrs.frozen(kw_only=True)
class LimitsConfig:
    """``[limits."ENTRY"]`` for all accounts of an entry together, ``[limits."ENTRY/ACCOUNT"]`` for one account.

    Quantities are in base units, worth in the valuation currency. ``None`` is no limit. Attributes:
        scope: ``ENTRY`` or ``ENTRY/ACCOUNT``.
    """

    scope: str
    max_quantity: Decimal | None = attrs.field(
        default=None, metadata=about(Shape.AMOUNT, "the largest order, in base units")
    )
    max_notional: Decimal | None = attrs.field(
        default=None, metadata=about(Shape.AMOUNT, "the largest order, by its worth in the valuation currency")
    )
    price_band: Decimal | None = attrs.field(
        default=None,
        metadata=about(Shape.AMOUNT, 'how far a price may be from the last quote, as a fraction: "0.05" is 5 %'),
    )
    orders_per_minute: int | None = attrs.field(
        default=None, metadata=about(Shape.COUNT, "how many orders and amends may be sent in a minute")
    )
    max_open_orders: int | None = attrs.field(
        default=None, metadata=about(Shape.COUNT, "how many orders may work at the same time")
    )
    max_position: Decimal | None = attrs.field(
        default=None,
        metadata=about(Shape.AMOUNT, "the largest position in one instrument, open orders included, in base units"),
    )
    max_daily_loss: Decimal | None = attrs.field(
        default=None, metadata=about(Shape.AMOUNT, "the loss of a day at which new risk is refused")
    )
    symbols: tuple[str, ...] = attrs.field(
        default=(), metadata=about(Shape.PATTERNS, "the instruments that may be traded; * matches anything")
    )


@attrs.frozen(kw_only=True)
class PermissionRule:
    """One of ``[[permissions]]``: the first rule that matches decides. ``*`` in a pattern matches anything."""

    caller: str = attrs.field(default="*", metadata=about(Shape.PATTERN, "who asks"))
    entry: str = attrs.field(default="*", metadata=about(Shape.PATTERN, "the entry that is asked"))
    account: str = attrs.field(default="*", metadata=about(Shape.PATTERN, "the venue's id of the account"))
    risk: RiskClass = attrs.field(
        default=RiskClass.TRADE,
        metadata=about(Shape.CHOICE, "what the operation can do", choices=RiskClass, key="class"),
    )
    decision: Permit = attrs.field(
        default=Permit.ASK, metadata=about(Shape.CHOICE, "what then happens", choices=Permit)
    )
