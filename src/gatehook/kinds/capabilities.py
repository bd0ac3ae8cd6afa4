"""What a plugin can declare in its manifest: one closed, typed vocabulary for each kind.

A field knows its manifest key, what it means, and the contract statements it switches on. Absent means unsupported.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any
from typing import Literal

import attrs

from gatehook.kinds.accounts import AccountType
from gatehook.kinds.accounts import PositionMode
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import TimeInForce
from gatehook.kinds.prices import Timeframe


class AbsenceProof(StrEnum):
    """How a broker proves that an order never arrived."""

    BY_ID_LAG = "by_id+lag"
    BOUNDED_REQUEST = "bounded_request"
    SCAN = "scan"
    NONE = "none"


class ListContingency(StrEnum):
    """Order lists a broker takes."""

    OCO = "oco"
    OTO = "oto"
    BRACKET = "bracket"


def _key(key: str, summary: str, *, default: Any = False, statements: tuple[int | str, ...] = ()) -> Any:
    return attrs.field(default=default, metadata={"key": key, "summary": summary, "statements": statements})


def _bound(key: str, summary: str) -> Any:
    metadata = {"key": key, "summary": summary, "statements": (), "bounds": True}
    return attrs.field(default=None, metadata=metadata)


def _requests_per_minute() -> Any:
    return _bound("requestsPerMinute", "the most requests that leave in any minute")


def _requests_burst() -> Any:
    return _bound("requestsBurst", "the most requests that leave at once; absent: a tenth of a minute's")


@attrs.frozen(kw_only=True)
class BrokerCapabilities:
    """The vocabulary of ``connector.broker``."""

    order_types: tuple[OrderType, ...] = _key(
        "orderTypes", "order types the broker takes", default=(), statements=(10,)
    )
    times_in_force: tuple[TimeInForce, ...] = _key(
        "timesInForce",
        "how long orders may work; absent: market is IOC, all others GTC",
        default=(),
        statements=(10, 19),
    )
    position_modes: tuple[PositionMode, ...] = _key(
        "positionModes", "how positions are kept", default=(), statements=(33,)
    )
    account_types: tuple[AccountType, ...] = _key("accountTypes", "cash, margin", default=())
    post_only: bool = _key("supportsPostOnly", "orders that never take", statements=(19,))
    reduce_only: bool = _key("supportsReduceOnly", "orders that only reduce a position", statements=(20,))
    amend: bool | Literal["price"] = _key(
        "supportsAmend", 'working orders can be changed; "price": all but their quantity', statements=(26, 28)
    )
    cancel_all: bool = _key("supportsCancelAll", "all working orders canceled by one call", statements=(27,))
    close_position: bool | Literal["whole"] = _key(
        "supportsClosePosition", 'positions closed by reference; "whole": never a part of one', statements=(33,)
    )
    order_protection: bool = _key("supportsOrderProtection", "orders that carry a stop-loss and a take-profit")
    order_trailing: bool = _key("supportsOrderTrailing", "market orders that carry a stop-loss that trails")
    protection: bool = _key("supportsProtection", "stop-loss and take-profit of open positions can be set")
    trailing_stop_loss: bool = _key("supportsTrailingSL", "the stop-loss of a position can trail")
    order_lists: tuple[ListContingency, ...] = _key("orderLists", "OCO, OTO, bracket", default=())
    quote_quantity: bool = _key("supportsQuoteQuantity", "quantities in the quote currency")
    margin_estimate: bool = _key("supportsMarginEstimate", "says what margin an order would take")
    events: bool = _key("supportsEvents", "reports orders and fills by itself", statements=(18, 30, 44))
    absence_proof: AbsenceProof = _key(
        "absenceProof", "how it proves that an order never arrived", default=AbsenceProof.NONE, statements=(15,)
    )
    client_order_id_length: int = _key(
        "clientOrderIdLength", "longest client order id the venue takes", default=36, statements=(5,)
    )
    requests_per_minute: int | None = _requests_per_minute()
    requests_burst: int | None = _requests_burst()


@attrs.frozen(kw_only=True)
class MarketDataCapabilities:
    """The vocabulary of ``connector.marketData``."""

    ticks: bool | Literal["polled"] = _key(
        "supportsTicks", 'quote streams; "polled" where they are asked for', statements=(38, 40)
    )
    trades: bool = _key("supportsTrades", "trade streams", statements=(38, 40))
    timeframes: tuple[Timeframe, ...] = _key("timeframes", "candles it has", default=(), statements=(37,))
    history: bool = _key("supportsHistory", "candle history", statements=(37,))
    tick_history: bool = _key("supportsTickHistory", "tick history")
    requests_per_minute: int | None = _requests_per_minute()
    requests_burst: int | None = _requests_burst()


@attrs.frozen(kw_only=True)
class FeedCapabilities:
    """The vocabulary of ``feed.external``."""

    news_kinds: tuple[str, ...] = _key("newsKinds", "news, social, filing, calendar", default=())
    streams: bool = _key("supportsFeedStream", "items as they come")


@attrs.frozen(kw_only=True)
class MarketplaceCapabilities:
    """The vocabulary of ``feed.marketplace``."""

    signals: bool = _key("supportsSignals", "copy-trading signals")


@attrs.frozen(kw_only=True)
class ChannelCapabilities:
    """The vocabulary of ``channel.ui``."""

    approvals: bool = _key("supportsApprovals", "a person can answer approvals")


@attrs.frozen(kw_only=True)
class NotifierCapabilities:
    """The vocabulary of ``channel.notifications``."""

    receipts: bool = _key("supportsReceipts", "says what became of a notification")


@attrs.frozen(kw_only=True)
class MemoryCapabilities:
    """The vocabulary of ``memory.backend``."""

    vectors: bool = _key("supportsVectors", "vector and hybrid search", statements=(28, 29, 30))
    as_of: bool = _key("supportsAsOf", "search as of a time", statements=(24,))
    forget: bool = _key("supportsForget", "proves that forgotten text is gone", statements=(35,))
    scan: bool = _key("supportsScan", "iterates over everything, resumable", statements=(36,))
    cjk: bool = _key("supportsCjk", "finds parts of Chinese, Japanese and Korean text", statements=(17,))
    stemming: str | None = _key("stemming", "the language whose inflections match", default=None, statements=(18,))
    multiprocess: bool = _key("supportsMultiprocess", "readers in other processes", statements=(32,))
    durable: bool = _key("durable", "what was written survives a crash", statements=(31,))
    max_document_bytes: int = _key("maxDocumentBytes", "longest text, in UTF-8 bytes", default=1_000_000)


@attrs.frozen(kw_only=True)
class CapabilityKey:
    """One word of a vocabulary. What ``bounds`` is no ability: absent means no bound, and a lower one is no loss."""

    key: str
    field: str
    summary: str
    statements: tuple[int | str, ...]
    bounds: bool = False


def vocabulary(capabilities: type) -> Iterator[CapabilityKey]:
    """Yield the words of a kind's vocabulary in the order they are defined."""
    for field in attrs.fields(capabilities):
        yield CapabilityKey(
            key=field.metadata["key"],
            field=field.name,
            summary=field.metadata["summary"],
            statements=field.metadata["statements"],
            bounds=field.metadata.get("bounds", False),
        )
