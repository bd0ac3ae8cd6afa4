"""What a person is shown before a command is sent: facts that the desk resolved, never a plugin's or caller's prose."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from gatehook.guard.facts import CommandFacts
from gatehook.guard.facts import CommandKind
from gatehook.guard.facts import OrderFacts
from gatehook.guard.facts import Quote
from gatehook.guard.limit_use import LimitUse
from gatehook.kinds.amounts import RATIO
from gatehook.kinds.amounts import plain
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import Trailing
from gatehook.kinds.times import SECOND
from gatehook.kinds.times import Ns
from gatehook.kinds.times import to_rfc3339

Shown = tuple[tuple[str, str], ...]

#: Longer texts are cut, with a mark that says so.
LONGEST: Final = 200
_DIGEST: Final = 16
_LONGEST_NAME: Final = 64
_MOST_LIMITS: Final = 40
_MARK: Final = "\N{REPLACEMENT CHARACTER}"
_UNREADABLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters, marks and symbols that show nothing: fillers, joiners, variation selectors, the empty braille cell.
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {
    chr(at) for at in range(0xFE00, 0xFE10)
}
_KINDS: Final = {
    CommandKind.SUBMIT: "new order",
    CommandKind.SUBMIT_LIST: "new orders that belong together",
    CommandKind.AMEND: "change of a working order",
    CommandKind.CANCEL: "cancel of an order",
    CommandKind.CANCEL_ALL: "cancel of all orders",
    CommandKind.CLOSE: "close of a position",
    CommandKind.MODIFY_POSITION: "change of a position's protection",
}


def cleaned(text: str, longest: int = LONGEST) -> str:
    """Return a text that shows what it is, on one line: characters that control, turn direction or show nothing are
    replaced by a mark, and what is longer than ``longest`` characters is cut.
    """
    kept = "".join(_visible(char) for char in text[: longest + 1])
    return kept if len(kept) <= longest else kept[: longest - 1] + "…"


def _visible(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Zs":
        return " "
    return _MARK if category in _UNREADABLE or char in _BLANK else char


def shown_facts(facts: CommandFacts, limits_use: Sequence[LimitUse], *, now: Ns, currency: str) -> Shown:
    """Return what a person is asked to approve, label and text, in the order to show it.

    Args:
        facts: the command.
        limits_use: the limits that apply to its account.
        now: market time, for the age of quotes.
        currency: the valuation currency.
    """
    rows = [*_command(facts), *_orders(facts, now, currency)]
    rows += [(f"also: {label}", text) for label, text in facts.details]
    rows += _limits(limits_use)
    rows.append(("digest", facts.digest[:_DIGEST]))
    return tuple((cleaned(label), cleaned(text)) for label, text in rows)


def _command(facts: CommandFacts) -> Iterator[tuple[str, str]]:
    yield "command", _KINDS[facts.kind]
    yield "account", f"{_quoted(facts.account.account_id)} of {facts.account.entry_id}"
    yield "money", f"{facts.mode} account"
    yield "asked by", _quoted(facts.caller)


def _orders(facts: CommandFacts, now: Ns, currency: str) -> Iterator[tuple[str, str]]:
    several = len(facts.orders) > 1
    for number, order in enumerate(facts.orders, start=1):
        for label, text in _order(order, now, currency):
            yield (f"{number}. {label}" if several else label), text


def _order(order: OrderFacts, now: Ns, currency: str) -> Iterator[tuple[str, str]]:
    request = order.request
    if order.replaces is not None:
        yield "becomes of order", _quoted(order.replaces)
    yield "instrument", _quoted(str(request.instrument_id))
    yield "side", str(request.side)
    yield "quantity", _quantity(order)
    yield "type", _terms(request)
    yield from _prices(request)
    yield "position", _effect(request)
    yield f"worth in {currency}", _known(order.value, order.problem)
    yield "market", _market(order.quote, order.problem, now)
    if order.distance is not None:
        yield "distance to the market", f"{_percent(order.distance)} %"
    if request.tags:
        yield "tags", ", ".join(_quoted(tag) for tag in request.tags)


def _quantity(order: OrderFacts) -> str:
    request = order.request
    base = "not known" if order.base is None else plain(order.base)
    return f"{plain(request.quantity)} {request.quantity_unit} = {base} {_quoted(order.instrument.base)}"


def _terms(request: OrderRequest) -> str:
    words = [str(request.type)]
    if request.time_in_force is not None:
        words.append(str(request.time_in_force))
    if request.expire_at is not None:
        words.append(f"until {to_rfc3339(request.expire_at)}")
    return " ".join([*words, *(["post-only"] if request.post_only else [])])


def _prices(request: OrderRequest) -> Iterator[tuple[str, str]]:
    named = (
        ("price", request.price),
        ("trigger price", request.trigger_price),
        ("stop loss", request.stop_loss),
        ("take profit", request.take_profit),
    )
    yield from ((label, plain(value)) for label, value in named if value is not None)
    if request.trailing is not None:
        yield "trailing", _trailing(request.trailing)


def _trailing(trailing: Trailing) -> str:
    start = "" if trailing.activation_price is None else f" from {plain(trailing.activation_price)} on"
    return f"{plain(trailing.offset)} {trailing.unit}{start}"


def _effect(request: OrderRequest) -> str:
    which = "" if request.position_id is None else f" {_quoted(request.position_id)}"
    return f"only reduces the position{which}" if request.reduce_only else f"may open or add to a position{which}"


def _market(quote: Quote | None, problem: str, now: Ns) -> str:
    if quote is None:
        return _known(None, problem)
    age = Decimal(max(0, now - quote.at)) / SECOND
    return f"bid {plain(quote.bid)}, ask {plain(quote.ask)}, {age:.1f} s old"


def _known(value: Decimal | None, problem: str) -> str:
    return plain(value) if value is not None else f"not known: {problem}" if problem else "not known"


def _percent(ratio: Decimal) -> str:
    return f"{RATIO.multiply(ratio, Decimal(100)):.3f}"


def _limits(rows: Sequence[LimitUse]) -> Iterator[tuple[str, str]]:
    for one in rows[:_MOST_LIMITS]:
        yield f"limit {one.limit} of {one.scope}", _limit(one)
    if len(rows) > _MOST_LIMITS:
        yield "limits not shown", str(len(rows) - _MOST_LIMITS)


def _limit(one: LimitUse) -> str:
    bound = "" if one.bound is None else plain(one.bound)
    if one.use is None or one.headroom is None:
        return f"{bound} ({one.about})" if bound and one.about else bound or one.about
    about = f" ({one.about})" if one.about else ""
    return f"{plain(one.use)} of {bound} used, {plain(one.headroom)} left{about}"


def _quoted(text: str) -> str:
    """A name that somebody else chose: in marks, so that it cannot pass for a word of ours."""
    return '"' + cleaned(text, _LONGEST_NAME).replace('"', "'") + '"'
