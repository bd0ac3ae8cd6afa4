"""Orders and fills: what is asked of a broker and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any
from typing import Final

import attrs

from gatehook.kinds.amounts import Money
from gatehook.kinds.amounts import exact
from gatehook.kinds.conversion import as_tuple
from gatehook.kinds.conversion import exact_or_none
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.times import Ns


class Side(StrEnum):
    """Which way; never defaulted."""

    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> Side:
        """The side that closes this one."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(StrEnum):
    """When an order trades."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"


class TimeInForce(StrEnum):
    """How long an order works."""

    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    GTD = "gtd"
    DAY = "day"


class TrailingUnit(StrEnum):
    """What a trailing offset is measured in; a point is one price increment, a basis point 0.01 %."""

    PRICE = "price"
    POINTS = "points"
    BPS = "bps"


class OrderStatus(StrEnum):
    """Where an order is in its life. Strict: an unknown word is a ``ValueError``."""

    INITIALIZED = "initialized"
    DENIED = "denied"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    TRIGGERED = "triggered"
    PARTIALLY_FILLED = "partially_filled"
    PENDING_UPDATE = "pending_update"
    PENDING_CANCEL = "pending_cancel"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"

    @property
    def is_final(self) -> bool:
        """Whether nothing works at the venue any more (late evidence may still add fills)."""
        return self in FINAL


FINAL: Final = frozenset(
    {OrderStatus.DENIED, OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED}
)

_WORKING: Final = frozenset(
    {OrderStatus.ACCEPTED, OrderStatus.TRIGGERED, OrderStatus.PARTIALLY_FILLED, OrderStatus.PENDING_UPDATE}
    | {OrderStatus.PENDING_CANCEL}
)
_PROVEN: Final = _WORKING | FINAL - {OrderStatus.DENIED}

#: The one table of moves. A move to the same status (more filled) is always allowed where the status stays open or
#: late evidence raises a final order's filled quantity.
TRANSITIONS: Final[Mapping[OrderStatus, frozenset[OrderStatus]]] = {
    OrderStatus.INITIALIZED: frozenset({OrderStatus.DENIED, OrderStatus.SUBMITTED}),
    OrderStatus.DENIED: frozenset(),
    OrderStatus.SUBMITTED: _PROVEN | {OrderStatus.UNKNOWN, OrderStatus.DENIED},
    OrderStatus.UNKNOWN: _PROVEN,
    **{status: (_PROVEN - {OrderStatus.REJECTED}) | {OrderStatus.UNKNOWN} for status in _WORKING},
    OrderStatus.FILLED: frozenset(),
    OrderStatus.CANCELED: frozenset({OrderStatus.FILLED}),
    OrderStatus.EXPIRED: frozenset({OrderStatus.FILLED}),
    OrderStatus.REJECTED: frozenset({OrderStatus.FILLED}),
}


class OrderOrigin(StrEnum):
    """Who made an order: us, somebody at the venue, or the venue itself (a stop-out, protection that fired)."""

    GATEWAY = "gateway"
    EXTERNAL = "external"
    VENUE = "venue"


class Liquidity(StrEnum):
    """Which side of the book a fill was; descriptive."""

    MAKER = "maker"
    TAKER = "taker"
    UNKNOWN = "unknown"

    @classmethod
    def _missing_(cls, _: object) -> Liquidity:
        return cls.UNKNOWN


@attrs.frozen(kw_only=True)
class Trailing:
    """A stop that follows the market at ``offset`` (> 0), from ``activation_price`` on where one is given."""

    offset: Decimal = attrs.field(converter=exact)
    unit: TrailingUnit
    activation_price: Decimal | None = attrs.field(default=None, converter=exact_or_none)


@attrs.frozen(kw_only=True)
class OrderRequest:
    """One order as its caller wants it. Nothing here is rounded, truncated or defaulted on the way to the venue.

    ``quantity`` is in ``quantity_unit``, prices in the instrument's quote currency, ``expire_at`` (GTD only,
    exclusive) in nanoseconds UTC. ``client_order_id`` is unique in the gateway.
    """

    client_order_id: str
    account: AccountKey
    instrument_id: InstrumentId
    side: Side
    type: OrderType
    quantity: Decimal = attrs.field(converter=exact)
    quantity_unit: QuantityUnit
    price: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    trigger_price: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    trailing: Trailing | None = None
    time_in_force: TimeInForce | None = None
    expire_at: Ns | None = None
    post_only: bool = False
    reduce_only: bool = False
    position_id: str | None = None
    take_profit: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    stop_loss: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    tags: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)

    @property
    def ref(self) -> OrderRef:
        """The order's name before the venue gave it one."""
        return OrderRef(account=self.account, client_order_id=self.client_order_id)


@attrs.frozen(kw_only=True)
class OrderRef:
    """Names an order by our id, the venue's, or both."""

    account: AccountKey
    client_order_id: str | None = None
    venue_order_id: str | None = None

    def __attrs_post_init__(self) -> None:
        if self.client_order_id is None and self.venue_order_id is None:
            raise ValueError("an order is named by client_order_id, venue_order_id or both")


@attrs.frozen(kw_only=True)
class OrderChange:
    """What an amend sets; ``None`` leaves a field as it is. ``quantity`` is the new total, filled part included."""

    quantity: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    price: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    trigger_price: Decimal | None = attrs.field(default=None, converter=exact_or_none)


@attrs.frozen(kw_only=True)
class Reason:
    """Why an order was refused or ended: our code, and the venue's own code and words where it gave them."""

    code: str
    message: str
    venue_code: str | None = None
    venue_message: str | None = None


@attrs.frozen(kw_only=True)
class Order:
    """An order as known now: the request, and what the venue made of it.

    While open ``filled + leaves == quantity``; at the end ``leaves == 0`` and ``filled + canceled == quantity``.
    ``cost`` is the sum of quantity x price over its fills (never a rounded average).
    """

    request: OrderRequest
    status: OrderStatus
    venue_order_id: str | None = None
    filled: Decimal = attrs.field(default=Decimal(0), converter=exact)
    leaves: Decimal = attrs.field(converter=exact)
    canceled: Decimal = attrs.field(default=Decimal(0), converter=exact)
    cost: Decimal = attrs.field(default=Decimal(0), converter=exact)
    reason: Reason | None = None
    origin: OrderOrigin = OrderOrigin.GATEWAY
    owner: str = ""
    version: int = 0
    ts_submitted: Ns | None = None
    ts_accepted: Ns | None = None
    ts_last: Ns = 0
    raw: Any = attrs.field(default=None, eq=False, repr=False)

    @classmethod
    def of(cls, request: OrderRequest, status: OrderStatus, **fields: Any) -> Order:
        """Make an unfilled order of a request."""
        return cls(request=request, status=status, leaves=request.quantity, **fields)

    @property
    def ref(self) -> OrderRef:
        """The order's name."""
        return OrderRef(
            account=self.request.account,
            client_order_id=self.request.client_order_id,
            venue_order_id=self.venue_order_id,
        )


@attrs.frozen(kw_only=True)
class Fill:
    """One trade of one order. (account, instrument, trade_id, venue_order_id) is its dedupe key."""

    trade_id: str
    account: AccountKey
    instrument_id: InstrumentId
    venue_order_id: str
    client_order_id: str | None
    side: Side
    quantity: Decimal = attrs.field(converter=exact)
    quantity_unit: QuantityUnit
    price: Decimal = attrs.field(converter=exact)
    commission: Money | None = None
    liquidity: Liquidity = Liquidity.UNKNOWN
    position_id: str | None = None
    ts_event: Ns
    ts_init: Ns = attrs.field(default=0, eq=False)
    raw: Any = attrs.field(default=None, eq=False, repr=False)

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes two reports the same fill."""
        return (str(self.account), str(self.instrument_id), self.trade_id, self.venue_order_id)
