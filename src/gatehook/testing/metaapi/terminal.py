"""What each tool answers: the method of a tool has its name."""

# ruff: noqa: D102  what a tool does is said where it is defined

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from typing import Final

import attrs

from gatehook.kinds.times import DAY
from gatehook.testing.metaapi.book import Order
from gatehook.testing.metaapi.book import Receipt
from gatehook.testing.metaapi.book import TradeRefused
from gatehook.testing.metaapi.engine import Engine
from gatehook.testing.metaapi.reading import Arguments
from gatehook.testing.metaapi.reading import ToolError
from gatehook.testing.metaapi.times import broker_text
from gatehook.testing.metaapi.times import utc_text
from gatehook.testing.metaapi.world import World
from gatehook.testing.metaapi.writing import account_information
from gatehook.testing.metaapi.writing import listed_account
from gatehook.testing.metaapi.writing import price_of
from gatehook.testing.metaapi.writing import specification

_MOST: Final = 1000
_SPAN: Final = 30 * DAY


@attrs.frozen
class Terminal:
    """The tools over one account, for one call."""

    world: World
    engine: Engine
    given: Arguments

    def get_account_information(self) -> Any:
        return account_information(self.engine)

    def get_account_state(self) -> Any:
        positions, orders = self.get_positions(), self.get_orders()
        information = self.get_account_information()
        summary = {
            "balance": information["balance"],
            "equity": information["equity"],
            "positionsCount": len(positions),
            "ordersCount": len(orders),
            "totalProfit": sum((one["profit"] for one in positions), Decimal(0)),
        }
        return {"account": information, "positions": positions, "orders": orders, "summary": summary}

    def get_terminal_state(self) -> Any:
        return {
            "accountInfo": self.get_account_information(),
            "positions": self.get_positions(),
            "orders": self.get_orders(),
            "symbols": self.get_symbols(),
            "timestamp": utc_text(self.engine.now),
        }

    def get_server_time(self) -> Any:
        return {"serverTime": utc_text(self.engine.now), "brokerTime": broker_text(self.engine.now)}

    def place_market_order(self) -> Any:
        sign = self.given.sign("side")
        wish = self.given.wish()
        return self._receipt(self.engine.at_market(self.given.text("symbol"), sign, self.given.number("volume"), wish))

    def create_market_order_with_trailing_sl(self) -> Any:
        sign = self.given.sign("actionType")
        wish = attrs.evolve(self.given.wish(), trailing=self.given.trailing())
        return self._receipt(self.engine.at_market(self.given.text("symbol"), sign, self.given.number("volume"), wish))

    def place_limit_order(self) -> Any:
        return self._rest("ORDER_TYPE_BUY_LIMIT" if self.given.sign("side") > 0 else "ORDER_TYPE_SELL_LIMIT")

    def create_stop_buy_order(self) -> Any:
        return self._rest("ORDER_TYPE_BUY_STOP")

    def create_stop_sell_order(self) -> Any:
        return self._rest("ORDER_TYPE_SELL_STOP")

    def close_position(self) -> Any:
        return self._receipt(self.engine.close(self.given.text("positionId")))

    def modify_position(self) -> Any:
        return self._receipt(self.engine.modify_position(self.given.text("positionId"), self.given.protection()))

    def cancel_order(self) -> Any:
        return self._receipt(self.engine.cancel(self.given.text("orderId")))

    def modify_order(self) -> Any:
        price = self.given.number("openPrice")
        return self._receipt(self.engine.modify_order(self.given.text("orderId"), price, self.given.protection()))

    def get_symbols(self) -> Any:
        return list(self.world.market.symbols)

    def get_symbol_specification(self) -> Any:
        return specification(self.world.market.symbols[self._symbol()])

    def get_symbol_price(self) -> Any:
        return price_of(self.engine, self._symbol())

    def subscribe_price(self) -> Any:
        symbol = self._symbol()
        return {"success": True, "symbol": symbol, "message": f"{symbol} is followed"}

    def calculate_margin(self) -> Any:
        price, volume = self.given.number("openPrice"), self.given.number("volume")
        return {"margin": self.engine.worth.margin(self._symbol(), volume, price)}

    def get_positions(self) -> Any:
        worth = self.engine.worth
        return [
            one.to_json(worth.close_price(one.symbol, one.sign), worth.profit(one))
            for one in self.engine.book.positions.values()
        ]

    def get_position(self) -> Any:
        return _one(self.get_positions(), self.given.text("positionId"), "position")

    def get_orders(self) -> Any:
        return [self._order(one) for one in self.engine.book.orders.values()]

    def get_order(self) -> Any:
        return _one(self.get_orders(), self.given.text("orderId"), "order")

    def get_history_orders(self) -> Any:
        start, end = self._span()
        history = self.engine.book.history
        found = [self._order(one) for one in history if start <= (one.done or one.time) <= end]
        return self._complete("historyOrders", found)

    def get_deals(self) -> Any:
        start, end = self._span()
        return self._complete("deals", [one.to_json() for one in self.engine.book.deals if start <= one.time <= end])

    def get_history_orders_by_ticket(self) -> Any:
        ticket = self.given.text("ticket")
        found = [self._order(one) for one in self.engine.book.history if one.id == ticket]
        return self._by_ticket(ticket, "historyOrders", found)

    def get_deals_by_ticket(self) -> Any:
        ticket = self.given.text("ticket")
        found = [one.to_json() for one in self.engine.book.deals if one.id == ticket]
        return self._by_ticket(ticket, "deals", found)

    def get_candles(self) -> Any:
        symbol, frame = self._symbol(), self.given.text("timeframe")
        latest = min(self.given.moment("startTime", self.engine.now), self.engine.now)
        candles = self.world.market.candles(symbol, frame, latest, self._limit(), self.engine.now)
        return {"symbol": symbol, "timeframe": frame, "count": len(candles), "candles": candles}

    def get_ticks(self) -> Any:
        symbol, start = self._symbol(), self.given.moment("startTime", self.engine.now - 1000 * 1_000_000_000)
        offset = int(self.given.number("offset", Decimal(0)))
        ticks = self.world.market.ticks(symbol, start, self.engine.now, offset, self._limit())
        note = {} if ticks else {"note": "there are no ticks from this time on"}
        return {
            "symbol": symbol,
            "startTime": utc_text(start),
            "offset": offset,
            "count": len(ticks),
            "ticks": ticks,
            **note,
        }

    def deploy_account(self) -> Any:
        return self._deployed("DEPLOYED", "CONNECTED")

    def undeploy_account(self) -> Any:
        return self._deployed("UNDEPLOYED", "DISCONNECTED")

    def redeploy_account(self) -> Any:
        return self._deployed("DEPLOYED", "CONNECTED")

    def _deployed(self, state: str, connection: str) -> Any:
        book = self.engine.book
        book.state, book.connection = state, connection
        return {"success": True, "accountId": book.settings.id, "state": state}

    def _rest(self, order_type: str) -> Any:
        price, volume = self.given.number("openPrice"), self.given.number("volume")
        return self._receipt(
            self.engine.resting(order_type, self.given.text("symbol"), volume, price, self.given.wish())
        )

    def _receipt(self, receipt: Receipt) -> Any:
        client_id = self.given.client_id()
        return {
            "success": True,
            **({} if receipt.order_id is None else {"orderId": receipt.order_id}),
            **({} if receipt.position_id is None else {"positionId": receipt.position_id}),
            "stringCode": receipt.code,
            "message": _MESSAGES[receipt.code],
            **({} if client_id is None else {"clientOrderId": client_id}),
        }

    def _symbol(self) -> str:
        symbol = self.given.text("symbol")
        if symbol not in self.world.market.symbols:
            raise TradeRefused("ERR_MARKET_UNKNOWN_SYMBOL", f"there is no symbol {symbol}")
        return symbol

    def _order(self, order: Order) -> Any:
        return order.to_json(self.engine.worth.close_price(order.symbol, -order.sign))

    def _span(self) -> tuple[int, int]:
        end = self.given.moment("endTime", self.engine.now)
        return self.given.moment("startTime", end - _SPAN), end

    def _limit(self) -> int:
        return max(0, min(_MOST, int(self.given.number("limit", Decimal(_MOST)))))

    def _complete(self, word: str, found: list[Any]) -> Any:
        synchronizing = self.engine.book.synchronizing
        return {word: [] if synchronizing else found, "synchronizing": synchronizing}

    def _by_ticket(self, ticket: str, word: str, found: list[Any]) -> Any:
        orders = self._complete(word, found)
        return {"ticket": ticket, "count": len(orders[word]), "orders": orders}


def list_accounts(world: World, allowed: frozenset[str] | None) -> Any:
    """Return the accounts of the connection; ``None`` allows all."""
    return [listed_account(book) for name, book in world.books.items() if allowed is None or name in allowed]


def _one(found: list[Any], wanted: str, what: str) -> Any:
    for one in found:
        if one["id"] == wanted:
            return one
    raise ToolError(f"there is no {what} {wanted}")


_MESSAGES: Final[Mapping[str, str]] = {
    "TRADE_RETCODE_DONE": "Request completed",
    "TRADE_RETCODE_PLACED": "Order placed",
    "TRADE_RETCODE_DONE_PARTIAL": "Only part of the request was completed",
    "TRADE_RETCODE_NO_CHANGES": "No changes in request",
}
