"""How a terminal writes accounts, symbols and prices."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from gatehook.kinds.amounts import RATIO
from gatehook.testing.metaapi.book import Book
from gatehook.testing.metaapi.engine import Engine
from gatehook.testing.metaapi.settings import SymbolSettings
from gatehook.testing.metaapi.times import broker_text
from gatehook.testing.metaapi.times import utc_text


def listed_account(book: Book) -> Mapping[str, Any]:
    """Return an account as a list shows it; whether it is a demo account is not said."""
    settings = book.settings
    return {
        "id": settings.id,
        "name": settings.name or settings.id,
        "login": settings.login,
        "server": settings.server,
        "platform": "mt5",
        "type": "cloud-g2",
        "state": book.state,
        "connectionStatus": book.connection,
    }


def account_information(engine: Engine) -> Mapping[str, Any]:
    """Return the money of an account."""
    worth, book = engine.worth, engine.book
    settings, equity, margin = book.settings, worth.equity, worth.margin_used
    level = {"marginLevel": round(RATIO.divide(equity * 100, margin), 2)} if margin else {}
    return {
        "platform": "mt5",
        "broker": "Stand-in Broker",
        "currency": settings.currency,
        "server": settings.server,
        "name": settings.name or settings.id,
        "login": int(settings.login),
        "balance": book.balance,
        "equity": equity,
        "margin": margin,
        "freeMargin": equity - margin,
        "leverage": settings.leverage,
        **level,
        "tradeAllowed": True,
        "investorMode": False,
        "marginMode": settings.margin_mode,
        "credit": Decimal(0),
    }


def specification(symbol: SymbolSettings) -> Mapping[str, Any]:
    """Return the steps and limits of a symbol."""
    return {
        "symbol": symbol.name,
        "description": symbol.description or symbol.name,
        "path": f"Stand-in\\{symbol.name}",
        "tickSize": symbol.point,
        "point": symbol.point,
        "pipSize": symbol.pip,
        "digits": symbol.digits,
        "contractSize": symbol.contract_size,
        "minVolume": symbol.min_volume,
        "maxVolume": symbol.max_volume,
        "volumeStep": symbol.volume_step,
        "stopsLevel": symbol.stops_level,
        "freezeLevel": 0,
        "baseCurrency": symbol.base,
        "profitCurrency": symbol.profit_currency,
        "marginCurrency": symbol.base,
        "tradeMode": symbol.trade_mode,
        "executionMode": "SYMBOL_TRADE_EXECUTION_MARKET",
        "fillingModes": ["SYMBOL_FILLING_IOC"],
        "allowedOrderTypes": ["SYMBOL_ORDER_MARKET", "SYMBOL_ORDER_LIMIT", "SYMBOL_ORDER_STOP", "SYMBOL_ORDER_SL"],
        "swapMode": "SYMBOL_SWAP_MODE_CURRENCY_DEPOSIT",
        "swapLong": symbol.swap_long,
        "swapShort": symbol.swap_short,
    }


def price_of(engine: Engine, symbol_name: str) -> Mapping[str, Any]:
    """Return the newest price of a symbol."""
    symbol, price = engine.market.symbols[symbol_name], engine.market.at(symbol_name, engine.now)
    rate = engine.worth.rate(symbol.profit_currency)
    value = round(symbol.point * symbol.contract_size * rate, 8)
    return {
        "symbol": symbol_name,
        "bid": price.bid,
        "ask": price.ask,
        "profitTickValue": value,
        "lossTickValue": value,
        "accountCurrencyExchangeRate": Decimal(1),
        "time": utc_text(price.time),
        "brokerTime": broker_text(price.time),
    }
