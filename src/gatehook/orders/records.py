"""What the journal hands out: the records of orders, commands and changes."""

from __future__ import annotations

from enum import StrEnum
from typing import Any
from typing import Final

import attrs

from gatehook.kinds.accounts import AccountState
from gatehook.kinds.accounts import PositionReport
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import Reason
from gatehook.kinds.times import Ns
from gatehook.orders.machine import Traded

FILL_TOPIC: Final = "account.fill"
POSITION_TOPIC: Final = "account.position"
STATE_TOPIC: Final = "account.state"
ORDER_TOPIC: Final = "account.order."


@attrs.frozen
class Moment:
    """When something was journaled: market time (a replay's own) and the machine's time."""

    market: Ns
    wall: Ns


@attrs.frozen(kw_only=True)
class Known:
    """An order in the journal: ``seq`` names its row, ``digest`` the content it was claimed with."""

    seq: int
    digest: str
    order: Order
    traded: Traded = attrs.field(factory=Traded)


@attrs.frozen(kw_only=True)
class Change:
    """One thing that happened to an account, as consumers see it. ``seq`` grows, and is the position to resume from;
    reports of positions and money have none, only their newest is kept.
    """

    seq: int | None
    topic: str
    account: AccountKey
    payload: Order | Fill | PositionReport | AccountState
    at: Moment
    traded: Traded | None = None


class CommandState(StrEnum):
    """What became of a command. ``superseded``: its outcome was never proven, and what the venue showed in a complete
    reconciliation after it is in the journal.
    """

    SENT = "sent"
    DONE = "done"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    SUPERSEDED = "superseded"


@attrs.frozen(kw_only=True)
class CommandResult:
    """What a command came to: the refusal, or the client order ids of the orders that it changed."""

    reason: Reason | None = None
    orders: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Command:
    """A trading command that makes no order: a cancel, an amend, the cancel of all, a position's protection."""

    command_id: str
    kind: str
    account: AccountKey
    digest: str
    caller: str
    body: Any
    state: CommandState = CommandState.SENT
    result: CommandResult = attrs.field(factory=CommandResult)


@attrs.frozen(kw_only=True)
class Conclusion:
    """What came of a send: the venue's view of the order, or the status the desk gives it. Only a ``proven`` status
    moves an order that the venue has said something of.
    """

    report: Order | None = None
    status: OrderStatus | None = None
    reason: Reason | None = None
    proven: bool = False


def payload_class(topic: str) -> type[Order | Fill | PositionReport | AccountState]:
    """The class of a topic's payloads."""
    if topic.startswith(ORDER_TOPIC):
        return Order
    return {FILL_TOPIC: Fill, POSITION_TOPIC: PositionReport, STATE_TOPIC: AccountState}[topic]
