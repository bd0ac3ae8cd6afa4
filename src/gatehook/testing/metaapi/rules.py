"""What the trade server refuses before it looks at the money: volumes, closed markets, misplaced stops."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from gatehook.kinds.amounts import on_step
from gatehook.testing.metaapi.book import TradeRefused
from gatehook.testing.metaapi.book import Wish
from gatehook.testing.metaapi.market import Market

#: What MetaTrader gives for the client's id and the comment together.
WORDS: Final = 26


def check_order(market: Market, symbol_name: str, volume: Decimal, now: int) -> None:
    """Refuse an unknown symbol, one that is not traded now, and a volume off its steps.

    Raises:
        TradeRefused: with the trade server's code.
    """
    symbol = market.symbols.get(symbol_name)
    if symbol is None:
        raise TradeRefused("ERR_MARKET_UNKNOWN_SYMBOL", f"there is no symbol {symbol_name}")
    if symbol.trade_mode != "SYMBOL_TRADE_MODE_FULL":
        raise TradeRefused("TRADE_RETCODE_TRADE_DISABLED", f"{symbol_name} is not traded")
    if not market.is_open(symbol_name, now):
        raise TradeRefused("TRADE_RETCODE_MARKET_CLOSED", f"the market of {symbol_name} is closed")
    if not symbol.min_volume <= volume <= symbol.max_volume or not on_step(volume, symbol.volume_step):
        raise TradeRefused("TRADE_RETCODE_INVALID_VOLUME", f"{volume} lots of {symbol_name} cannot be traded")


def check_stops(market: Market, symbol_name: str, sign: int, price: Decimal, wish: Wish) -> None:
    """Refuse a stop loss that is not below the price (for a purchase), or a take profit that is not above it.

    Raises:
        TradeRefused: as ``TRADE_RETCODE_INVALID_STOPS``.
    """
    symbol = market.symbols[symbol_name]
    near = symbol.stops_level * symbol.point
    for level, side in ((wish.stop_loss, -sign), (wish.take_profit, sign)):
        if level and ((level - price) * side < near or not on_step(level, symbol.point)):
            raise TradeRefused("TRADE_RETCODE_INVALID_STOPS", f"{level} cannot protect at {price}")


def check_words(comment: str | None, client_id: str | None) -> None:
    """Refuse a client's id and a comment that do not fit in a terminal's comment together.

    Raises:
        TradeRefused: as an invalid request.
    """
    if len(comment or "") + len(client_id or "") > WORDS:
        raise TradeRefused("TRADE_RETCODE_INVALID", f"clientId and comment have at most {WORDS} characters together")
