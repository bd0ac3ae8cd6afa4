"""The 32 tools: their names, argument schemas and descriptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from typing import Final

import attrs

Schema = Mapping[str, Any]

TEXT: Final[Schema] = {"type": "string"}
NUMBER: Final[Schema] = {"type": "number"}

_SIDE: Final[Schema] = {"type": "string", "enum": ["buy", "sell"]}
_DIRECTION: Final[Schema] = {"type": "string", "enum": ["ORDER_TYPE_BUY", "ORDER_TYPE_SELL"]}
_STOPS: Final[Mapping[str, Schema]] = {"stopLoss": NUMBER, "takeProfit": NUMBER}
_OPENING: Final[Mapping[str, Schema]] = {**_STOPS, "comment": TEXT}
_SPAN: Final[Mapping[str, Schema]] = {"startTime": TEXT, "endTime": TEXT}
_FRAME: Final[Schema] = {"type": "string", "enum": ["1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w", "1mn"]}
_MOST: Final[Schema] = {"type": "number", "default": 1000}


def _object(properties: Mapping[str, Schema], *required: str) -> Schema:
    return {"type": "object", "properties": dict(properties)} | ({"required": list(required)} if required else {})


_DISTANCE: Final = _object(
    {
        "distance": NUMBER,
        "units": {"type": "string", "enum": ["RELATIVE_PRICE", "RELATIVE_POINTS", "RELATIVE_PIPS"]},
    },
    "distance",
)
_THRESHOLDS: Final = _object(
    {
        "thresholds": {
            "type": "array",
            "items": _object({"threshold": NUMBER, "stopLoss": NUMBER}, "threshold", "stopLoss"),
        },
        "units": {
            "type": "string",
            "enum": ["ABSOLUTE_PRICE", "RELATIVE_PRICE", "RELATIVE_POINTS", "RELATIVE_PIPS"],
        },
        "stopPriceBase": {"type": "string", "enum": ["CURRENT_PRICE", "OPEN_PRICE"]},
    },
    "thresholds",
)

#: A stop loss that follows the price.
TRAILING: Final = _object({"distance": _DISTANCE, "threshold": _THRESHOLDS})


@attrs.frozen
class Tool:
    """A tool as ``tools/list`` shows it, and whether a call of it can change what an account holds."""

    name: str
    description: str
    input_schema: Schema
    trades: bool = False

    def to_json(self) -> Mapping[str, Any]:
        """Return its entry of ``tools/list``."""
        return {"name": self.name, "description": self.description, "inputSchema": self.input_schema}


def _reads(name: str, description: str, *required: str, **optional: Schema) -> Tool:
    """Return a tool that reads an account; ``required`` arguments are texts."""
    texts = dict.fromkeys(("accountId", *required), TEXT)
    return Tool(name, description, _object({**texts, **optional}, "accountId", *required))


def _trades(name: str, description: str, required: Mapping[str, Schema], **optional: Schema) -> Tool:
    needed = {"accountId": TEXT, **required}
    return Tool(name, description, _object({**needed, **optional}, *needed), trades=True)


_OF: Final = {"symbol": TEXT}
_MARKET: Final = {**_OF, "side": _SIDE, "volume": NUMBER}
_RESTING: Final = {**_OF, "volume": NUMBER, "openPrice": NUMBER}

TOOLS: Final[tuple[Tool, ...]] = (
    Tool("list_accounts", "The trading accounts that this connection may see.", _object({})),
    _reads("get_account_state", "An account at a glance: its money, positions and resting orders."),
    _reads("get_account_information", "The money of an account: balance, equity, margin, leverage."),
    _trades("place_market_order", "Buy or sell at once, at the market's price.", _MARKET, **_OPENING),
    _trades(
        "place_limit_order",
        "Rest an order at a price better than the market's.",
        {**_MARKET, "openPrice": NUMBER},
        **_OPENING,
    ),
    _trades("close_position", "Close the whole of a position at the market's price.", {"positionId": TEXT}),
    _trades("modify_position", "Set the stop loss and take profit of a position.", {"positionId": TEXT}, **_STOPS),
    _trades("cancel_order", "Take back a resting order.", {"orderId": TEXT}),
    _reads("get_symbol_price", "The newest bid and ask of a symbol.", "symbol"),
    Tool(
        "calculate_margin",
        "What an order would tie up as margin; nothing is placed.",
        _object(
            {"accountId": TEXT, **_OF, "type": _DIRECTION, "volume": NUMBER, "openPrice": NUMBER},
            *("accountId", "symbol", "type", "volume", "openPrice"),
        ),
    ),
    _reads("get_positions", "The open positions of an account."),
    _reads("get_orders", "The resting orders of an account."),
    _reads("get_history_orders", "Orders that came to their end in a span of time.", **_SPAN),
    _reads("get_deals", "Deals made in a span of time.", **_SPAN),
    _reads("subscribe_price", "Let the terminal follow a symbol's price.", "symbol"),
    _reads("get_position", "One open position.", "positionId"),
    _reads("get_order", "One resting order.", "orderId"),
    _reads("get_symbols", "The names of the symbols that an account can trade."),
    _reads("get_symbol_specification", "Steps, limits and contract size of a symbol.", "symbol"),
    _trades("create_stop_buy_order", "Buy once the market has risen to a price.", _RESTING, **_OPENING),
    _trades("create_stop_sell_order", "Sell once the market has fallen to a price.", _RESTING, **_OPENING),
    _trades(
        "modify_order",
        "Move a resting order, with its stop loss and take profit.",
        {"orderId": TEXT, "openPrice": NUMBER},
        **_STOPS,
    ),
    Tool(
        "get_candles",
        "Candles that opened at startTime or before it, at most 1000, the oldest first.",
        _object(
            {"accountId": TEXT, **_OF, "timeframe": _FRAME, "startTime": TEXT, "limit": _MOST},
            *("accountId", "symbol", "timeframe"),
        ),
    ),
    _reads(
        "get_ticks",
        "Ticks from startTime on, at most 1000, the oldest first.",
        "symbol",
        startTime=TEXT,
        offset={"type": "number", "default": 0},
        limit=_MOST,
    ),
    _reads("get_history_orders_by_ticket", "The ended order with a ticket.", "ticket"),
    _reads("get_deals_by_ticket", "The deals with a ticket.", "ticket"),
    _reads("get_terminal_state", "What the terminal knows of an account at this moment."),
    _reads("undeploy_account", "Take an account's terminal down."),
    _reads("deploy_account", "Bring an account's terminal up."),
    _reads("redeploy_account", "Take an account's terminal down and bring it up again."),
    _trades(
        "create_market_order_with_trailing_sl",
        "Buy or sell at once, with a stop loss that follows the price.",
        {"actionType": _DIRECTION, **_OF, "volume": NUMBER, "trailingStopLoss": TRAILING},
        **_OPENING,
        clientId=TEXT,
    ),
    _reads("get_server_time", "The time of the trade server, in UTC and in the broker's zone."),
)


DEFINITIONS: Final[Mapping[str, Tool]] = {tool.name: tool for tool in TOOLS}
