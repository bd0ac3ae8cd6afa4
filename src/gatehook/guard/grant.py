"""A grant: what a person allowed in advance, and how much of it is left."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from decimal import ROUND_CEILING
from decimal import Context
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any
from typing import Final

import attrs

from gatehook.config.readers import PATTERN_RULE
from gatehook.config.readers import is_pattern
from gatehook.guard.facts import CommandFacts
from gatehook.guard.facts import OrderFacts
from gatehook.kinds.conversion import as_tuple
from gatehook.kinds.conversion import exact_or_none
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from gatehook.kinds.times import Ns

#: Seconds in which ``rate_per_minute`` counts.
WINDOW: Final = 60.0
LARGEST_RATE: Final = 1000
_LARGEST_USES: Final = 1_000_000
_LARGEST_LIST: Final = 100
# A sum that does not fit is rounded up: what is counted as used is never less than what was.
_COUNTED: Final = Context(prec=60, rounding=ROUND_CEILING)


def _pattern(_: Any, about: attrs.Attribute[Any], value: Any) -> None:
    if not is_pattern(value):
        raise ValueError(f"{about.name} is {PATTERN_RULE}")


def _patterns(instance: Any, about: attrs.Attribute[Any], value: Sequence[Any]) -> None:
    for one in value:
        _pattern(instance, about, one)
    _bounded(instance, about, value)


def _bounded(_: Any, about: attrs.Attribute[Any], value: Sequence[Any]) -> None:
    if len(value) > _LARGEST_LIST:
        raise ValueError(f"{about.name} has more than {_LARGEST_LIST} elements")


def _amount(_: Any, about: attrs.Attribute[Any], value: Decimal | None) -> None:
    if value is not None and value <= 0:
        raise ValueError(f"{about.name} is above zero")


def _count(largest: int) -> Any:
    def check(_: Any, about: attrs.Attribute[Any], value: Any) -> None:
        if value is not None and (type(value) is not int or not 1 <= value <= largest):
            raise ValueError(f"{about.name} is a whole number from 1 to {largest}")

    return check


def _listed(values: Sequence[Any]) -> tuple[Any, ...]:
    if isinstance(values, str):  # the letters of "EUR*" would be patterns, the last of which matches anything
        raise TypeError("a list of words is no string")
    return as_tuple(values)


def _sides(values: Sequence[Any]) -> tuple[Side, ...]:
    return tuple(Side(_text(one)) for one in _listed(values))


def _types(values: Sequence[Any]) -> tuple[OrderType, ...]:
    return tuple(OrderType(_text(one)) for one in _listed(values))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a word is a string, not {type(value).__name__}")
    return str(value)


@attrs.frozen(kw_only=True)
class Grant:
    """Turns ``ask`` into ``allow`` for the commands in its scope. Worth is in the valuation currency.

    Attributes:
        caller, entry, account: patterns; ``*`` matches anything.
        symbols: patterns of which one matches ``SYMBOL.VENUE``; empty is any instrument.
        sides, types: empty is any.
        max_notional: the worth of one order at most.
        max_daily_notional: the worth of all orders of one trading day at most.
        rate_per_minute: how many orders in any minute.
        uses_left: how many commands; ``None`` is any number.
        expires_at, given_at: the machine's time.
    """

    grant_id: str
    caller: str = attrs.field(validator=_pattern)
    entry: str = attrs.field(default="*", validator=_pattern)
    account: str = attrs.field(default="*", validator=_pattern)
    symbols: tuple[str, ...] = attrs.field(default=(), converter=_listed, validator=_patterns)
    sides: tuple[Side, ...] = attrs.field(default=(), converter=_sides, validator=_bounded)
    types: tuple[OrderType, ...] = attrs.field(default=(), converter=_types, validator=_bounded)
    max_notional: Decimal | None = attrs.field(default=None, converter=exact_or_none, validator=_amount)
    max_daily_notional: Decimal | None = attrs.field(default=None, converter=exact_or_none, validator=_amount)
    rate_per_minute: int | None = attrs.field(default=None, validator=_count(LARGEST_RATE))
    uses_left: int | None = attrs.field(default=None, validator=_count(_LARGEST_USES))
    expires_at: Ns
    given_by: str
    given_at: Ns

    def matches(self, facts: CommandFacts) -> bool:
        """Say whether a command is in its scope, whatever is left of it. What is not known is not in it."""
        of_whom = (
            (self.caller, facts.caller),
            (self.entry, facts.account.entry_id),
            (self.account, facts.account.account_id),
        )
        if not all(fnmatchcase(text, pattern) for pattern, text in of_whom):
            return False
        if not facts.orders:  # which instrument, side, type or worth: nobody knows
            return not self._looks_at_orders
        return all(self._matches_order(one) for one in facts.orders)

    @property
    def _looks_at_orders(self) -> bool:
        return bool(self.symbols or self.sides or self.types or self._counts_worth)

    @property
    def _counts_worth(self) -> bool:
        return self.max_notional is not None or self.max_daily_notional is not None

    def _matches_order(self, order: OrderFacts) -> bool:
        request = order.request
        symbol = str(request.instrument_id)
        return (
            (not self.symbols or any(fnmatchcase(symbol, one) for one in self.symbols))
            and (not self.sides or request.side in self.sides)
            and (not self.types or request.type in self.types)
            and (not self._counts_worth or self._is_within(order.value))
        )

    def _is_within(self, value: Decimal | None) -> bool:
        if value is None or not value.is_finite() or value < 0:
            return False
        return self.max_notional is None or value <= self.max_notional


@attrs.frozen(kw_only=True)
class Moment:
    """Now, on every clock that a grant looks at: the wall's, the monotonic one in seconds, the trading day's number."""

    wall: Ns
    monotonic: float
    day: int


@attrs.frozen(kw_only=True)
class Use:
    """A grant, and what was used of it.

    Attributes:
        deadline: when it ends on the monotonic clock, whatever the wall clock says.
        day: the trading day that ``worth`` was used on.
        recent: when the orders of the last minute were, on the monotonic clock.
    """

    grant: Grant
    deadline: float
    day: int
    worth: Decimal = Decimal(0)
    recent: tuple[float, ...] = ()

    def is_over(self, now: Moment) -> bool:
        """Say whether it has expired, by either clock."""
        return now.wall >= self.grant.expires_at or now.monotonic >= self.deadline

    def covers(self, facts: CommandFacts, now: Moment) -> bool:
        """Say whether the command is in the scope, and enough is left for every order of it."""
        if self.is_over(now) or not self.grant.matches(facts):
            return False
        used = self.counted(facts, now)
        daily, rate = self.grant.max_daily_notional, self.grant.rate_per_minute
        return (daily is None or used.worth <= daily) and (rate is None or len(used.recent) <= rate)

    def counted(self, facts: CommandFacts, now: Moment) -> Use:
        """Return what is used once the command is; only what the grant limits is counted.

        A day that lies before the last one (the clock was set back) starts no new count.
        """
        grant, day, worth, recent = self.grant, max(self.day, now.day), self.worth, self.recent
        if grant.max_daily_notional is not None:
            worth = Decimal(0) if day > self.day else worth
            for order in facts.orders:
                worth = _COUNTED.add(worth, order.value or Decimal(0))
        if grant.rate_per_minute is not None:
            within = tuple(at for at in recent if at > now.monotonic - WINDOW)
            recent = (*within, *(now.monotonic for _ in range(max(1, len(facts.orders)))))
        return attrs.evolve(self, day=day, worth=worth, recent=recent)

    def after(self, facts: CommandFacts, now: Moment) -> Use | None:
        """Return what is left when the command was used; ``None`` when nothing is."""
        used = self.counted(facts, now)
        left = self.grant.uses_left
        if left is None:
            return used
        return attrs.evolve(used, grant=attrs.evolve(self.grant, uses_left=left - 1)) if left > 1 else None


Uses = Mapping[str, Use]
