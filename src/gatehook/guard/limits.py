"""Limits of accounts and of entries: checked, and reserved in one go, so that two commands never share what is left."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from decimal import Decimal

import attrs

from gatehook.config.trading import LimitsConfig
from gatehook.guard.days import Days
from gatehook.guard.exposure import Exposure
from gatehook.guard.facts import CommandFacts
from gatehook.guard.facts import OrderFacts
from gatehook.guard.figures import Figures
from gatehook.guard.figures import Measure
from gatehook.guard.figures import NotKnown
from gatehook.guard.figures import Scope
from gatehook.guard.figures import measure_of
from gatehook.guard.figures import total
from gatehook.guard.limit_use import LimitUse
from gatehook.guard.limit_use import rows_of
from gatehook.guard.order_limits import check_order
from gatehook.guard.order_limits import uncomputable
from gatehook.guard.worth import base_each
from gatehook.kinds.amounts import LEDGER
from gatehook.kinds.amounts import plain
from gatehook.kinds.errors import LimitExceeded
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import InstrumentId


@attrs.frozen(kw_only=True)
class Needs:
    """What the limits of an account must know: a quote, an order's base units and worth, the account's equity."""

    quote: bool
    value: bool
    equity: bool

    @property
    def any(self) -> bool:
        """Whether anything must be asked for."""
        return self.quote or self.value or self.equity


class Limits:
    """The limits, and what of them is in use. Everything is synchronous: what ``reserve`` lets through is counted
    before anybody else is asked.
    """

    def __init__(
        self,
        settings: Mapping[str, LimitsConfig],
        exposure: Exposure,
        days: Days,
        monotonic: Callable[[], float],
    ) -> None:
        """``settings`` are by ``ENTRY`` or ``ENTRY/ACCOUNT``; ``monotonic`` is the clock of the minute."""
        self._settings = settings
        self._exposure = exposure
        self._figures = Figures(exposure, days, monotonic)
        self._measures: dict[InstrumentId, Measure] = {}

    def needs(self, account: AccountKey) -> Needs:
        """Say what the limits of an account and its entry must know of an order."""
        found = [config for _, config in self._scopes(account)]
        return Needs(
            quote=any(one.price_band is not None for one in found),
            value=any({one.max_quantity, one.max_notional, one.max_position} - {None} for one in found),
            equity=any(one.max_daily_loss is not None for one in found),
        )

    def check(self, facts: CommandFacts) -> None:
        """Check a command against the limits of its account and of its entry, without what it holds itself already.

        What only reduces is exempt: a reducing command, and every reduce-only order.

        Raises:
            LimitExceeded: naming limit, scope, use, bound and headroom.
            LimitUncomputable: a limit is set, and what it needs is not known.
        """
        orders = _counted(facts)
        if not orders:
            return
        for scope, config in self._scopes(facts.account):
            for order in orders:
                check_order(config, order)
            self._check_counts(config, scope, facts.command_id, orders)
            self._check_position(config, scope, orders)
            self._check_loss(config, scope)

    def reserve(self, facts: CommandFacts) -> None:
        """Check a command and count it: all its orders, or none. Until ``release`` or ``settle``.

        Raises:
            LimitExceeded, LimitUncomputable: see ``check``; nothing is counted.
        """
        self.check(facts)
        self.release(facts.command_id)
        orders = _counted(facts)
        if orders:
            self._figures.count(facts.account, facts.command_id, len(orders))
        for order in facts.orders:
            self._hold(facts, order)

    def release(self, command_id: str) -> None:
        """Give back all that was counted for a command: nothing was sent."""
        self._exposure.release(command_id)
        self._figures.uncount(command_id)

    def settle(self, command_id: str) -> None:
        """Hold nothing more for a command that was sent, now that the journal has its outcome; it still counts in the
        minute.
        """
        self._exposure.release(command_id)

    def use(self, account: AccountKey) -> tuple[LimitUse, ...]:
        """What the limits of an account and of its entry are set to, and what of them is in use."""
        return tuple(
            row
            for scope, config in self._scopes(account)
            for row in rows_of(
                config,
                scope,
                self._figures,
                {one: self._measures.get(one) for one in self._exposure.instruments(scope)},
            )
        )

    def _hold(self, facts: CommandFacts, order: OrderFacts) -> None:
        request = order.request
        self._exposure.hold(
            _key(order),
            request.account,
            request.instrument_id,
            request.side,
            request.quantity,
            unit=request.quantity_unit,
            command_id=facts.command_id,
            base_each=base_each(order),
            reduce_only=request.reduce_only,
            position_id=request.position_id,
            owner=facts.caller,
            amends=order.replaces is not None,
        )

    def _check_counts(self, config: LimitsConfig, scope: Scope, command_id: str, orders: list[OrderFacts]) -> None:
        more = Decimal(len(orders))
        if config.orders_per_minute is not None:
            sent = self._figures.sent(scope, without=command_id)
            _check_sum("orders_per_minute", config, Decimal(sent), more, Decimal(config.orders_per_minute))
        if config.max_open_orders is not None:
            working = self._figures.working(scope, _keys(orders))
            _check_sum("max_open_orders", config, Decimal(working), more, Decimal(config.max_open_orders))

    def _check_position(self, config: LimitsConfig, scope: Scope, orders: list[OrderFacts]) -> None:
        if config.max_position is None:
            return
        own = _keys(orders)
        for instrument_id, side in {(one.instrument.id, one.request.side): None for one in orders}:
            mine = [one for one in orders if (one.instrument.id, one.request.side) == (instrument_id, side)]
            try:
                measure = self._measures[instrument_id] = measure_of(mine)
                used = self._figures.worst(scope, instrument_id, side, measure, own)
                added = total(self._figures.added(one) for one in mine)
            except NotKnown as why:
                raise uncomputable("max_position", config, str(why)) from None
            _check_sum(
                "max_position", config, used, added, config.max_position, f" on the {side} side of {instrument_id}"
            )

    def _check_loss(self, config: LimitsConfig, scope: Scope) -> None:
        if config.max_daily_loss is None:
            return
        try:
            loss = self._figures.loss(scope)
        except NotKnown as why:
            raise uncomputable("max_daily_loss", config, str(why)) from None
        if loss >= config.max_daily_loss:
            raise LimitExceeded(
                f"max_daily_loss of {config.scope} is {plain(config.max_daily_loss)}, and {plain(loss)} is lost today"
            )

    def _scopes(self, account: AccountKey) -> Iterator[tuple[Scope, LimitsConfig]]:
        scopes: tuple[Scope, ...] = (account, account.entry_id)
        for scope in scopes:
            config = self._settings.get(str(scope))
            if config is not None:
                yield scope, config


def _counted(facts: CommandFacts) -> list[OrderFacts]:
    """The orders that limits count: none of those that only reduce."""
    return [] if facts.reducing else [one for one in facts.orders if not one.request.reduce_only]


def _key(order: OrderFacts) -> str:
    return order.replaces or order.request.client_order_id


def _keys(orders: list[OrderFacts]) -> frozenset[str]:
    return frozenset(_key(one) for one in orders)


def _check_sum(limit: str, config: LimitsConfig, used: Decimal, added: Decimal, most: Decimal, about: str = "") -> None:
    if LEDGER.add(used, added) > most:
        left = max(LEDGER.subtract(most, used), Decimal(0))
        raise LimitExceeded(
            f"{limit} of {config.scope} is {plain(most)}{about}: {plain(used)} in use, {plain(left)} left,"
            f" and this adds {plain(added)}"
        )
