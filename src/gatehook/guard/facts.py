"""What is known of a command when it is judged: resolved by the desk, never a plugin's prose."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import attrs

from gatehook.kinds.accounts import Mode
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.times import Ns


class CommandKind(StrEnum):
    """The trading commands, by the name of the broker's method."""

    SUBMIT = "submit_order"
    SUBMIT_LIST = "submit_order_list"
    AMEND = "amend_order"
    CANCEL = "cancel_order"
    CANCEL_ALL = "cancel_all"
    CLOSE = "close_position"
    MODIFY_POSITION = "modify_position"


@attrs.frozen(kw_only=True)
class Quote:
    """The market of an instrument: ``bid`` and ``ask`` in its quote currency, ``at`` in market time."""

    bid: Decimal
    ask: Decimal
    at: Ns


@attrs.frozen(kw_only=True)
class OrderFacts:
    """One order that a command makes, or that results from an amend.

    Attributes:
        request: the order as it will be sent, its quantity in the instrument's own unit.
        base: its quantity in base units; ``None`` where it cannot be computed.
        value: its worth in the valuation currency; ``None`` where it cannot be computed or no limit needs it.
        quote: the market it was judged on; ``None`` where there is none or nothing needs it.
        problem: why ``base``, ``value`` or ``quote`` is missing.
        replaces: the client order id of the order that an amend changes.
    """

    request: OrderRequest
    instrument: Instrument
    base: Decimal | None = None
    value: Decimal | None = None
    quote: Quote | None = None
    problem: str = ""
    replaces: str | None = None

    @property
    def distance(self) -> Decimal | None:
        """How far its price is from the side of the market it would trade at, as a fraction, whichever way."""
        price = self.request.price if self.request.price is not None else self.request.trigger_price
        if self.quote is None or price is None:
            return None
        touch = self.quote.ask if self.request.side == "buy" else self.quote.bid
        return abs(price - touch) / touch


@attrs.frozen(kw_only=True)
class CommandFacts:
    """A command as it is judged.

    Attributes:
        command_id: the client order id of an order, the list id of a list, the command id of another command.
        digest: of its exact content; an approval is bound to it.
        caller: who asks, as the handle was bound.
        mode: whose money the account is, as its broker proves.
        orders: the orders it makes, or that result from it.
        reducing: whether it only reduces risk: exempt from prompt, halt, and limits of count and worth.
        details: what else a person is shown (a position's protection), label and text.
    """

    kind: CommandKind
    command_id: str
    digest: str
    caller: str
    account: AccountKey
    mode: Mode
    orders: tuple[OrderFacts, ...] = ()
    reducing: bool = False
    details: tuple[tuple[str, str], ...] = ()
