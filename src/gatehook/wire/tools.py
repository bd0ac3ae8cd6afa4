"""The one table of the wire: which tool is which method of which kind, its parameters and its result."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from functools import cache
from typing import Any
from typing import Final
from typing import get_type_hints

import attrs

from gatehook.kinds.accounts import AccountState
from gatehook.kinds.accounts import PositionReport
from gatehook.kinds.broker import Broker
from gatehook.kinds.channel import Channel
from gatehook.kinds.feed import ExternalFeed
from gatehook.kinds.kind import Kind
from gatehook.kinds.market_data import MarketData
from gatehook.kinds.marketplace import Marketplace
from gatehook.kinds.memory import MemoryBackend
from gatehook.kinds.memory import StoredDoc
from gatehook.kinds.notifier import Notifier
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Order
from gatehook.kinds.prices import Candle
from gatehook.kinds.prices import Tick
from gatehook.kinds.provider import Health
from gatehook.kinds.streams import Gap
from gatehook.kinds.streams import Reconnected
from gatehook.kinds.streams import Snapshot
from gatehook.kinds.streams import Stale
from gatehook.wire.protocol import OPEN
from gatehook.wire.protocol import WORDS

#: type on the wire -> class, of everything that can be in a stream
ITEMS: Final[Mapping[str, type]] = {
    "tick": Tick,
    "candle": Candle,
    "order": Order,
    "fill": Fill,
    "position_report": PositionReport,
    "account_state": AccountState,
    "stored_doc": StoredDoc,
    "gap": Gap,
    "stale": Stale,
    "reconnected": Reconnected,
    "snapshot": Snapshot,
}
CONTROLS: Final = ("gap", "stale", "reconnected", "snapshot")


@attrs.frozen(kw_only=True)
class Tool:
    """A method as a tool.

    Attributes:
        method: its name on the provider; ``""`` for ``gatehook.open``.
        parameters: their annotations by name, in the order of the signature.
        optional: the parameters that may be absent.
        defaults: what an absent parameter is.
        result: the annotation of what it returns.
        part: ``open``, ``next`` or ``close`` of a stream; ``""`` for an ordinary method.
        stream_of: what the stream carries: words of ``ITEMS``.
        reads: whether it changes nothing.
        trades: whether it can move money: no answer is an unknown outcome then.
    """

    name: str
    kind: Kind | None
    method: str
    summary: str
    parameters: Mapping[str, Any]
    defaults: Mapping[str, Any] = attrs.field(factory=dict)
    result: Any = None
    part: str = ""
    stream_of: tuple[str, ...] = ()
    reads: bool = False
    trades: bool = False


_READS: Final[Mapping[Kind, Sequence[str]]] = {
    Kind.BROKER: (
        "list_accounts",
        "get_account",
        "list_instruments",
        "get_order",
        "list_orders",
        "list_fills",
        "list_positions",
        "estimate_margin",
    ),
    Kind.MARKET_DATA: ("list_instruments", "quote", "history", "ticks_history"),
    Kind.FEED: ("fetch",),
    Kind.MARKETPLACE: ("list_strategies",),
    Kind.MEMORY: ("get", "search", "stats", "namespaces"),
}
_WRITES: Final[Mapping[Kind, Sequence[str]]] = {
    Kind.CHANNEL: ("send",),
    Kind.NOTIFIER: ("notify",),
    Kind.MEMORY: ("upsert", "delete", "forget", "flush", "maintain"),
}
#: By position, so that the table names none: what sends orders is the desk alone.
_TRADES: Final[Mapping[Kind, Sequence[str]]] = {
    Kind.BROKER: (
        "submit_order",
        "cancel_order",
        "amend_order",
        "cancel_all",
        "submit_order_list",
        "close_position",
        "modify_position",
    )
}
#: kind -> its stream: the method, the parameters that open it, and what it carries
_STREAMS: Final[Mapping[Kind, tuple[str, Sequence[str]]]] = {
    Kind.BROKER: ("events", ("order", "fill", "position_report", "account_state")),
    Kind.MARKET_DATA: ("stream", ("tick", "candle")),
    Kind.MEMORY: ("scan", ("stored_doc",)),
}
_CLASSES: Final[Mapping[Kind, type]] = {
    Kind.BROKER: Broker,
    Kind.MARKET_DATA: MarketData,
    Kind.FEED: ExternalFeed,
    Kind.MARKETPLACE: Marketplace,
    Kind.CHANNEL: Channel,
    Kind.NOTIFIER: Notifier,
    Kind.MEMORY: MemoryBackend,
}


def name_of(kind: Kind, method: str, part: str = "") -> str:
    """Return the tool's name of a method, or of a part of its stream."""
    return ".".join(["gatehook", WORDS[kind], method, *([part] if part else [])])


@cache
def tools_of(kind: Kind) -> Mapping[str, Tool]:
    """Return the tools of a kind, by name."""
    found = [
        Tool(
            name=name_of(kind, "capabilities"),
            kind=kind,
            method="capabilities",
            summary="What it can really do now, by the manifest's keys; null for as the manifest declares.",
            parameters={},
            result=None,
            reads=True,
        ),
        Tool(
            name=name_of(kind, "health"),
            kind=kind,
            method="health",
            summary="How it is, by what was observed; answered at once.",
            parameters={},
            result=Health,
            reads=True,
        ),
    ]
    found += [_of_method(kind, one, reads=True) for one in _READS.get(kind, ())]
    found += [_of_method(kind, one) for one in _WRITES.get(kind, ())]
    found += [_of_method(kind, one, trades=True) for one in _TRADES.get(kind, ())]
    if kind in _STREAMS:
        found += _of_stream(kind, *_STREAMS[kind])
    return {tool.name: tool for tool in found}


#: The one tool of no kind.
OPEN_TOOL: Final = Tool(
    name=OPEN,
    kind=None,
    method="",
    summary="Let the plugin's providers connect; answered when they have. Calling it again changes nothing.",
    parameters={},
)


def tool_table(kinds: Iterable[Kind]) -> Mapping[str, Tool]:
    """Return every tool of a server of these kinds, by name."""
    table = {OPEN: OPEN_TOOL}
    for kind in kinds:
        table |= tools_of(kind)
    return table


def _of_method(kind: Kind, method: str, *, reads: bool = False, trades: bool = False) -> Tool:
    function = getattr(_CLASSES[kind], method)
    parameters, defaults, result = _signature(function)
    return Tool(
        name=name_of(kind, method),
        kind=kind,
        method=method,
        summary=_first_paragraph(function),
        parameters=parameters,
        defaults=defaults,
        result=result,
        reads=reads,
        trades=trades,
    )


def _of_stream(kind: Kind, method: str, words: Sequence[str]) -> list[Tool]:
    parameters, defaults, _ = _signature(getattr(_CLASSES[kind], method))
    carried = (*words, *CONTROLS)
    stream = {"stream": str}

    def part(name: str, summary: str, **fields: Any) -> Tool:
        return Tool(
            name=name_of(kind, method, name),
            kind=kind,
            method=method,
            summary=summary,
            part=name,
            stream_of=carried,
            reads=True,
            **fields,
        )

    return [
        part("open", _first_paragraph(getattr(_CLASSES[kind], method)), parameters=parameters, defaults=defaults),
        part(
            "next",
            "Return the items after the position `after`, which says that all up to there arrived; wait for the first"
            " at most `wait` seconds.",
            parameters={**stream, "after": int | None, "limit": int, "wait": float},
            defaults={"after": None, "limit": 1000, "wait": 15.0},
        ),
        part("close", "End the stream; one that has ended is no error.", parameters=stream),
    ]


def _signature(function: Callable[..., Any]) -> tuple[Mapping[str, Any], Mapping[str, Any], Any]:
    hints = get_type_hints(function, include_extras=True)
    parameters = [one for one in inspect.signature(function).parameters.values() if one.name != "self"]
    return (
        {one.name: hints[one.name] for one in parameters},
        {one.name: one.default for one in parameters if one.default is not inspect.Parameter.empty},
        hints.get("return"),
    )


def _first_paragraph(function: Callable[..., Any]) -> str:
    text = inspect.getdoc(function) or ""
    return " ".join(text.partition("\n\n")[0].split())
