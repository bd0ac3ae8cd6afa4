"""What positions are worth: profit, margin and conversion into the account's currency."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN
from decimal import Decimal
from typing import Final

import attrs

from gatehook.kinds.amounts import RATIO
from gatehook.testing.metaapi.book import Book
from gatehook.testing.metaapi.book import Position
from gatehook.testing.metaapi.market import Market

_CENT: Final = Decimal("0.01")


@attrs.frozen
class Worth:
    """Values an account at the market of a moment."""

    market: Market
    book: Book
    now: int

    def close_price(self, symbol: str, sign: int) -> Decimal:
        """Return what a position of this sign can be closed at."""
        price = self.market.at(symbol, self.now)
        return price.bid if sign > 0 else price.ask

    def profit(self, position: Position, price: Decimal | None = None, volume: Decimal | None = None) -> Decimal:
        """Return what closing it would gain, without swap and commission."""
        symbol = self.market.symbols[position.symbol]
        at = self.close_price(position.symbol, position.sign) if price is None else price
        lots = position.volume if volume is None else volume
        gained = (at - position.open_price) * position.sign * lots * symbol.contract_size
        return self._converted(gained, symbol.profit_currency)

    def margin(self, symbol_name: str, volume: Decimal, price: Decimal) -> Decimal:
        """Return what a volume ties up when it is opened at a price."""
        symbol = self.market.symbols[symbol_name]
        value = volume * symbol.contract_size * price / self.book.settings.leverage
        return self._converted(value, symbol.profit_currency)

    @property
    def margin_used(self) -> Decimal:
        """What all positions tie up."""
        held = self.book.positions.values()
        return sum((self.margin(one.symbol, one.volume, one.open_price) for one in held), Decimal(0))

    @property
    def equity(self) -> Decimal:
        """The balance with what closing everything would gain."""
        held = self.book.positions.values()
        return sum((self.profit(one) + one.swap for one in held), self.book.balance)

    def rate(self, currency: str) -> Decimal:
        """Return what one unit of a currency is worth in the account's."""
        own = self.book.settings.currency
        if currency == own:
            return Decimal(1)
        for symbol in self.market.symbols.values():
            price = self.market.at(symbol.name, self.now)
            if (symbol.base, symbol.profit_currency) == (currency, own):
                return price.bid
            if (symbol.base, symbol.profit_currency) == (own, currency):
                return RATIO.divide(Decimal(1), price.ask)
        raise ValueError(f"no symbol converts {currency} into {own}")

    def _converted(self, amount: Decimal, currency: str) -> Decimal:
        return (amount * self.rate(currency)).quantize(_CENT, ROUND_HALF_EVEN)
