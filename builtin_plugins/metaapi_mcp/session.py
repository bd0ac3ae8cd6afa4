"""Calls of the server's tools: what is read, and what trades."""

from __future__ import annotations

from typing import Any
from typing import Final

import attrs

from gatehook import Ambiguous
from gatehook import McpTools
from gatehook import NotConnected
from gatehook.kinds.errors import CallRefused
from gatehook.kinds.errors import ToolAnswerInvalid

from .reading import Node
from .reading import text_of
from .refusals import failure
from .refusals import refusal

#: Seconds for one call of an account that answers.
CALL: Final = 8.0
#: The words of a trade that was done, wholly or in part, or taken to be done.
DONE: Final = "TRADE_RETCODE_DONE"
PLACED: Final = "TRADE_RETCODE_PLACED"
PARTIAL: Final = "TRADE_RETCODE_DONE_PARTIAL"
NO_CHANGES: Final = "TRADE_RETCODE_NO_CHANGES"
_DONE: Final = frozenset({DONE, PLACED, PARTIAL, NO_CHANGES})


@attrs.frozen(kw_only=True)
class TradeReply:
    """What a trading tool answered. ``word`` decides: the server says ``success`` whatever happened."""

    word: str
    order_id: str | None
    position_id: str | None
    client_id: str | None


class Session:
    """The server's tools, as this plugin uses them."""

    def __init__(self, tools: McpTools) -> None:
        self._tools = tools

    @property
    def generation(self) -> int:
        """Which connection to the server this is; 0 before the first."""
        return self._tools.generation

    @property
    def names(self) -> frozenset[str]:
        """The names of the server's tools; empty before the first connection."""
        return frozenset(self._tools.tools)

    async def wait_connected(self, timeout: float) -> None:
        """Wait until tools can be called.

        Raises:
            NotConnected: it did not come to that within ``timeout`` seconds.
        """
        await self._tools.wait_connected(timeout)

    async def ask(self, tool: str, account_id: str | None = None, *, timeout: float = CALL, **arguments: Any) -> Node:
        """Call a tool that changes nothing, and return its answer.

        Raises:
            NotConnected: when there is no connection, or no answer in time.
            ToolFailed: when the tool says that it failed.
            ToolAnswerInvalid: when the answer is no JSON.
        """
        given = arguments if account_id is None else {"accountId": account_id, **arguments}
        try:
            result = await self._tools.call(tool, given, timeout=timeout)
        except Ambiguous as error:
            raise NotConnected(f"{tool} was not answered: {error.message}") from error
        if result.is_error:
            raise failure(result)
        return Node(tool, result.json())

    async def trade(self, tool: str, account_id: str, **arguments: Any) -> TradeReply:
        """Call a tool that trades, once. What is ``None`` is left out.

        Raises:
            Denied, NotConnected: nothing was sent.
            Rejected: the venue proved that it refused.
            Ambiguous: it was sent, and what came of it is not known.
        """
        given = {name: value for name, value in arguments.items() if value is not None}
        try:
            result = await self._tools.call(tool, {"accountId": account_id, **given}, timeout=CALL)
            if result.is_error:
                raise refusal(result)
            return _reply(Node(tool, result.json()))
        except (CallRefused, ToolAnswerInvalid) as error:
            raise Ambiguous(f"{tool} was sent, and its answer proves nothing: {error.message}") from error


def _reply(answer: Node) -> TradeReply:
    word = answer["stringCode"].text()
    if word not in _DONE:
        answer["stringCode"].wrong("a word for a trade that was done")
    order, position = answer.get("orderId"), answer.get("positionId")
    return TradeReply(
        word=word,
        order_id=None if order is None else order.identity(),
        position_id=None if position is None else position.identity(),
        client_id=text_of(answer.get("clientOrderId")),
    )
