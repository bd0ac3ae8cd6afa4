"""The trade server: takes and refuses requests, matches them with the market, keeps the books."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN
from decimal import Decimal
from typing import Final

import attrs

from gatehook.kinds.amounts import on_step
from gatehook.testing.metaapi.book import Book
from gatehook.testing.metaapi.book import Deal
from gatehook.testing.metaapi.book import Order
from gatehook.testing.metaapi.book import Position
from gatehook.testing.metaapi.book import Receipt
from gatehook.testing.metaapi.book import TradeRefused
from gatehook.testing.metaapi.book import Wish
from gatehook.testing.metaapi.market import Market
from gatehook.testing.metaapi.money import Worth
from gatehook.testing.metaapi.rules import check_order
from gatehook.testing.metaapi.rules import check_stops

DONE: Final = "TRADE_RETCODE_DONE"
PLACED: Final = "TRADE_RETCODE_PLACED"
PARTIAL: Final = "TRADE_RETCODE_DONE_PARTIAL"
NO_CHANGES: Final = "TRADE_RETCODE_NO_CHANGES"


@attrs.frozen
class Engine:
    """Trades one account at one moment; ``ticket`` makes the number of an order or a deal."""

    market: Market
    book: Book
    now: int
    ticket: Callable[[], str]

    @property
    def worth(self) -> Worth:
        """The account's worth at this moment."""
        return Worth(self.market, self.book, self.now)

    def at_market(self, symbol: str, sign: int, volume: Decimal, wish: Wish) -> Receipt:
        """Buy (sign 1) or sell (-1) at once.

        Raises:
            TradeRefused: with the trade server's reason; nothing has changed.
        """
        check_order(self.market, symbol, volume, self.now)
        price = self.worth.close_price(symbol, -sign)
        check_stops(self.market, symbol, sign, self.worth.close_price(symbol, sign), wish)
        self._check_margin(symbol, sign, volume, price)
        name = "ORDER_TYPE_BUY" if sign > 0 else "ORDER_TYPE_SELL"
        return self._fill_now(self._order(name, symbol, volume, None, wish), price)

    def resting(self, order_type: str, symbol: str, volume: Decimal, price: Decimal, wish: Wish) -> Receipt:
        """Rest a limit or stop order.

        Raises:
            TradeRefused: see above.
        """
        check_order(self.market, symbol, volume, self.now)
        order = self._order(order_type, symbol, volume, price, wish)
        self._check_resting(order, price, wish)
        self._check_margin(symbol, order.sign, volume, price)
        return self._rest(order)

    def modify_order(self, order_id: str, price: Decimal, wish: Wish) -> Receipt:
        """Move a resting order; protection that ``wish`` leaves out stays, zero takes it away.

        Raises:
            TradeRefused: see above.
        """
        order = self._resting_order(order_id)
        changed = _protected(order.wish, wish)
        if (order.open_price, order.wish) == (price, changed):
            return Receipt(NO_CHANGES, order.id)
        self._check_resting(order, price, changed)
        order.open_price, order.wish = price, changed
        return Receipt(DONE, order.id)

    def cancel(self, order_id: str) -> Receipt:
        """Take a resting order back.

        Raises:
            TradeRefused: where there is none.
        """
        order = self._resting_order(order_id)
        self.end(order, "ORDER_STATE_CANCELED")
        return Receipt(DONE, order.id)

    def modify_position(self, position_id: str, wish: Wish) -> Receipt:
        """Change a position's protection; what ``wish`` leaves out stays, zero takes it away.

        Raises:
            TradeRefused: see above.
        """
        position = self._position(position_id)
        changed = _protected(position.wish, wish)
        if changed == position.wish:
            return Receipt(NO_CHANGES, position_id=position.id)
        check_stops(
            self.market, position.symbol, position.sign, self.worth.close_price(position.symbol, position.sign), changed
        )
        position.wish, position.updated = changed, self.now
        return Receipt(DONE, position_id=position.id)

    def close(self, position_id: str, reason: str = "EXPERT", comment: str | None = None) -> Receipt:
        """Close a position at the market, as far as the market takes it.

        Raises:
            TradeRefused: where there is none, or its market is closed.
        """
        position = self._position(position_id)
        check_order(self.market, position.symbol, position.volume, self.now)
        name = "ORDER_TYPE_SELL" if position.sign > 0 else "ORDER_TYPE_BUY"
        order = self._order(name, position.symbol, position.volume, None, Wish(comment=comment))
        order.position_id, order.reason, order.closes = position.id, f"ORDER_REASON_{reason}", True
        return self._fill_now(order, self.worth.close_price(position.symbol, position.sign))

    def fill_resting(self, order: Order, price: Decimal) -> None:
        """Fill what the market gives of an order that waits; without the money for it, it ends as rejected."""
        if not self._can_fill(order, price):
            self.end(order, "ORDER_STATE_REJECTED")
            return
        volume = self.market.take(order.symbol, order.left)
        if volume:
            self._fill(order, volume, price)
            order.state = "ORDER_STATE_PARTIAL"
        if not order.left:
            self.end(order, "ORDER_STATE_FILLED")

    def end(self, order: Order, state: str) -> None:
        """Move an order to the history."""
        order.state, order.done = state, self.now
        self.book.orders.pop(order.id, None)
        self.book.history.append(order)

    def _rest(self, order: Order) -> Receipt:
        order.state = "ORDER_STATE_PLACED"
        self.book.orders[order.id] = order
        return Receipt(PLACED, order.id)

    def _order(self, order_type: str, symbol: str, volume: Decimal, price: Decimal | None, wish: Wish) -> Order:
        return Order(
            id=self.ticket(),
            type=order_type,
            symbol=symbol,
            volume=volume,
            left=volume,
            open_price=price,
            state="ORDER_STATE_STARTED",
            time=self.now,
            wish=wish,
        )

    def _fill_now(self, order: Order, price: Decimal) -> Receipt:
        """Fill at once what the market gives; the rest is taken back."""
        if self.market.execution:
            order.due = self.now + self.market.execution
            return self._rest(order)
        volume = self.market.take(order.symbol, order.left)
        if not volume:
            raise TradeRefused("TRADE_RETCODE_REJECT", "the market offers nothing")
        self._fill(order, volume, price)
        self.end(order, "ORDER_STATE_PARTIAL" if order.left else "ORDER_STATE_FILLED")
        return Receipt(PARTIAL if order.left else DONE, order.id, order.position_id)

    def _fill(self, order: Order, volume: Decimal, price: Decimal) -> None:
        order.left -= volume
        held = self._affected(order)
        if held is None:
            self._open(order, volume, price)
        elif held.sign == order.sign:
            self._add(held, order, volume, price)
        else:
            self._reduce(held, order, volume, price)

    def _affected(self, order: Order) -> Position | None:
        """Return the position that a fill changes: the one it closes, on a netting account that of the symbol."""
        if order.position_id is not None:
            return self.book.positions.get(order.position_id)
        if not self.book.settings.netting:
            return None
        return next((one for one in self.book.positions.values() if one.symbol == order.symbol), None)

    def _open(self, order: Order, volume: Decimal, price: Decimal) -> None:
        position = Position(
            id=order.id,
            symbol=order.symbol,
            sign=order.sign,
            volume=volume,
            open_price=price,
            time=self.now,
            updated=self.now,
            wish=order.wish,
        )
        self.book.positions[position.id] = position
        self._deal(order, position, volume, price, "DEAL_ENTRY_IN")

    def _add(self, held: Position, order: Order, volume: Decimal, price: Decimal) -> None:
        total = held.volume + volume
        least = self.market.symbols[held.symbol].point.scaleb(-3)
        average = (held.open_price * held.volume + price * volume) / total
        held.open_price, held.volume = average.quantize(least, ROUND_HALF_EVEN), total
        held.wish, held.updated = _protected(held.wish, order.wish), self.now
        self._deal(order, held, volume, price, "DEAL_ENTRY_IN")

    def _reduce(self, held: Position, order: Order, volume: Decimal, price: Decimal) -> None:
        closed = min(volume, held.volume)
        profit = self.worth.profit(held, price, closed)
        swap = (held.swap * closed / held.volume).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
        entry = "DEAL_ENTRY_OUT" if volume <= held.volume else "DEAL_ENTRY_INOUT"
        held.volume -= closed
        held.swap -= swap
        held.realized += profit
        held.updated = self.now
        self._deal(order, held, volume, price, entry, profit, swap)
        rest = volume - closed
        if rest:
            held.sign, held.volume, held.open_price, held.time = order.sign, rest, price, self.now
            held.wish = order.wish
        elif not held.volume:
            del self.book.positions[held.id]

    def _deal(
        self,
        order: Order,
        position: Position,
        volume: Decimal,
        price: Decimal,
        entry: str,
        profit: Decimal = Decimal(0),
        swap: Decimal = Decimal(0),
    ) -> None:
        commission = -(self.market.symbols[order.symbol].commission * volume).quantize(Decimal("0.01"))
        order.position_id = position.id
        position.commission += commission
        self.book.balance += profit + swap + commission
        self.book.deals.append(
            Deal(
                id=self.ticket(),
                type="DEAL_TYPE_BUY" if order.sign > 0 else "DEAL_TYPE_SELL",
                entry=entry,
                symbol=order.symbol,
                order_id=order.id,
                position_id=position.id,
                time=self.now,
                volume=volume,
                price=price,
                commission=commission,
                swap=swap,
                profit=profit,
                comment=order.wish.comment,
                client_id=order.wish.client_id,
                reason=order.reason.replace("ORDER", "DEAL"),
            )
        )

    def _check_resting(self, order: Order, price: Decimal, wish: Wish) -> None:
        """Refuse a price on the wrong side of the market, or too near to it."""
        symbol = self.market.symbols[order.symbol]
        market = self.worth.close_price(order.symbol, -order.sign)
        beyond = -order.sign if order.type.endswith("LIMIT") else order.sign
        if (price - market) * beyond < symbol.stops_level * symbol.point or not on_step(price, symbol.point):
            raise TradeRefused("TRADE_RETCODE_INVALID_PRICE", f"{price} cannot rest while the market is at {market}")
        check_stops(self.market, order.symbol, order.sign, price, wish)

    def _can_fill(self, order: Order, price: Decimal) -> bool:
        if order.closes:
            held = self.book.positions.get(order.position_id or "")
            order.left = min(order.left, held.volume if held else Decimal(0))
            return bool(order.left)
        try:
            self._check_margin(order.symbol, order.sign, order.left, price)
        except TradeRefused:
            return False
        return True

    def _check_margin(self, symbol: str, sign: int, volume: Decimal, price: Decimal) -> None:
        worth = self.worth
        if self.book.settings.netting:
            same = [one for one in self.book.positions.values() if one.symbol == symbol]
            held = sum((one.volume * one.sign for one in same), Decimal(0))
            volume = max(Decimal(0), abs(held + sign * volume) - abs(held))
        if worth.margin(symbol, volume, price) > worth.equity - worth.margin_used:
            raise TradeRefused("TRADE_RETCODE_NO_MONEY", "there is not enough money")

    def _resting_order(self, order_id: str) -> Order:
        order = self.book.orders.get(order_id)
        if order is None:
            raise TradeRefused("TRADE_RETCODE_INVALID_ORDER", f"no order {order_id} rests")
        return order

    def _position(self, position_id: str) -> Position:
        position = self.book.positions.get(position_id)
        if position is None:
            raise TradeRefused("TRADE_RETCODE_POSITION_CLOSED", f"no position {position_id} is open")
        return position


def _protected(had: Wish, wish: Wish) -> Wish:
    """Return ``had`` with the protection that ``wish`` names; zero takes it away."""
    stop_loss = had.stop_loss if wish.stop_loss is None else wish.stop_loss or None
    take_profit = had.take_profit if wish.take_profit is None else wish.take_profit or None
    return attrs.evolve(had, stop_loss=stop_loss, take_profit=take_profit, trailing=wish.trailing or had.trailing)
