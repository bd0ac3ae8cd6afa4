"""What limits are set to and what of them is in use, as a person is shown it."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from decimal import Decimal

import attrs

from gatehook.config.trading import LimitsConfig
from gatehook.guard.figures import Figures
from gatehook.guard.figures import Measure
from gatehook.guard.figures import NotKnown
from gatehook.guard.figures import Scope
from gatehook.kinds.amounts import LEDGER
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.orders import Side


@attrs.frozen(kw_only=True)
class LimitUse:
    """A row of ``limits show``.

    Attributes:
        limit: its name in the configuration.
        scope: ``ENTRY`` or ``ENTRY/ACCOUNT``.
        bound: what it is set to; ``None`` for symbols.
        use: how much is in use; ``None`` for a limit that each order keeps by itself, and where it is not known.
        headroom: what is left, never below zero; ``None`` where ``use`` is.
        about: what the row is about: an instrument and side, patterns, or why the use is not known.
    """

    limit: str
    scope: str
    bound: Decimal | None
    use: Decimal | None = None
    headroom: Decimal | None = None
    about: str = ""


def rows_of(
    config: LimitsConfig, scope: Scope, figures: Figures, positions: Mapping[InstrumentId, Measure | None]
) -> Iterator[LimitUse]:
    """Return the rows of one scope; ``positions`` are the instruments that ``max_position`` is shown for."""
    yield from _order_rows(config)
    for name, used in (("orders_per_minute", figures.sent), ("max_open_orders", figures.working)):
        count = getattr(config, name)
        if count is not None:
            yield _row(name, config, Decimal(count), Decimal(used(scope)))
    if config.max_position is not None:
        yield from _position_rows(config, config.max_position, scope, figures, positions)
    if config.max_daily_loss is not None:
        try:
            yield _row("max_daily_loss", config, config.max_daily_loss, figures.loss(scope))
        except NotKnown as why:
            yield _row("max_daily_loss", config, config.max_daily_loss, None, str(why))


def _order_rows(config: LimitsConfig) -> Iterator[LimitUse]:
    """The limits that each order keeps by itself."""
    if config.symbols:
        yield LimitUse(limit="symbols", scope=config.scope, bound=None, about=", ".join(config.symbols))
    for name in ("max_quantity", "max_notional", "price_band"):
        bound = getattr(config, name)
        if bound is not None:
            yield LimitUse(limit=name, scope=config.scope, bound=bound, about="each order")


def _position_rows(
    config: LimitsConfig,
    bound: Decimal,
    scope: Scope,
    figures: Figures,
    positions: Mapping[InstrumentId, Measure | None],
) -> Iterator[LimitUse]:
    for instrument_id, measure in positions.items():
        for side in Side:
            about = f"{instrument_id} {side}"
            if measure is None:
                yield _row("max_position", config, bound, None, f"{about}: counted with the next order in it")
                continue
            try:
                used = figures.worst(scope, instrument_id, side, measure)
            except NotKnown as why:
                yield _row("max_position", config, bound, None, f"{about}: {why}")
            else:
                yield _row("max_position", config, bound, max(used, Decimal(0)), about)


def _row(limit: str, config: LimitsConfig, bound: Decimal, use: Decimal | None, about: str = "") -> LimitUse:
    headroom = None if use is None else max(LEDGER.subtract(bound, use), Decimal(0))
    return LimitUse(limit=limit, scope=config.scope, bound=bound, use=use, headroom=headroom, about=about)
