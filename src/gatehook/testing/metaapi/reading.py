"""How arguments are read: exactly in a strict server, as careless JavaScript does in a faithful one."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from decimal import InvalidOperation
from typing import Any
from typing import Final

import attrs

from gatehook.testing.metaapi.book import Wish
from gatehook.testing.metaapi.definitions import TRAILING
from gatehook.testing.metaapi.definitions import Schema
from gatehook.testing.metaapi.rules import WORDS
from gatehook.testing.metaapi.rules import check_words
from gatehook.testing.metaapi.times import from_text


class ToolError(Exception):
    """A call that fails; ``code`` is what its answer says."""

    def __init__(self, message: str, code: str = "UNKNOWN_ERROR") -> None:
        super().__init__(message)
        self.code = code


@attrs.frozen
class Arguments:
    """The arguments of a call. A strict server has compared them with the tool's schema before."""

    values: Mapping[str, Any]
    faithful: bool
    omitted_removes: bool = False

    def text(self, name: str) -> str:
        """Return a text.

        Raises:
            ToolError: where it is missing.
        """
        value = self.values.get(name)
        if value is None:
            raise ToolError(f"{name} is required")
        return str(value)

    def number(self, name: str, default: Decimal | None = None) -> Decimal:
        """Return a number.

        Raises:
            ToolError: where it is missing or no number.
        """
        value = self.values.get(name, default)
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            raise ToolError(f"{name} must be a number") from None
        if not number.is_finite():
            raise ToolError(f"{name} must be a finite number")
        return number

    def moment(self, name: str, default: int) -> int:
        """Return a time in nanoseconds.

        Raises:
            ToolError: for text that is no time.
        """
        if self.values.get(name) is None:
            return default
        try:
            return from_text(self.text(name))
        except ValueError:
            raise ToolError(f"{name} must be an ISO 8601 time") from None

    def sign(self, name: str) -> int:
        """Return 1 for a purchase, -1 for a sale: faithfully, whatever is not a purchase is a sale."""
        return 1 if self.values.get(name) in ("buy", "ORDER_TYPE_BUY") else -1

    def protection(self) -> Wish:
        """Return what a stop loss and a take profit become, zero for none; a faithful server drops a zero."""
        omitted = Decimal(0) if self.omitted_removes else None
        return Wish(self._level("stopLoss", omitted), self._level("takeProfit", omitted))

    def wish(self) -> Wish:
        """Return everything that comes with an opening order.

        Raises:
            TradeRefused: for a client's id and a comment that are too long together.
        """
        comment, client_id = self._words("comment"), self.client_id()
        check_words(comment, client_id)
        return Wish(self._level("stopLoss") or None, self._level("takeProfit") or None, comment, client_id)

    def client_id(self) -> str | None:
        """Return the client's id; a faithful server cuts it to what fits, saying nothing."""
        value = self._words("clientId")
        return value[:WORDS] if value is not None and self.faithful else value

    def trailing(self) -> Mapping[str, Any] | None:
        """Return the trailing stop.

        Raises:
            ToolError: for one that is none.
        """
        value = self.values.get("trailingStopLoss")
        if value is not None:
            problems = problems_of(TRAILING, value)
            if problems:
                raise ToolError(f"trailingStopLoss: {problems[0]}")
        return value

    def _words(self, name: str) -> str | None:
        value = self.values.get(name)
        return str(value) if value else None

    def _level(self, name: str, omitted: Decimal | None = None) -> Decimal | None:
        value = self.values.get(name)
        if value is None or (self.faithful and not value):
            return omitted
        return self.number(name)


def problems_of(schema: Schema, value: Any) -> list[str]:
    """Return what is wrong with a value, by its schema."""
    from jsonschema import Draft202012Validator

    return [f"{one.json_path}: {one.message}" for one in Draft202012Validator(schema).iter_errors(value)]


ERROR_CODES: Final[Mapping[str, str]] = {
    "TRADE_RETCODE_MARKET_CLOSED": "MARKET_CLOSED",
    "TRADE_RETCODE_NO_MONEY": "INSUFFICIENT_FUNDS",
    "TRADE_RETCODE_INVALID_STOPS": "INVALID_STOPS",
}
