"""Makes the set: texts of eight classes with queries whose answers are known by how they were made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any
from typing import Final

from gatehook.kinds.times import DAY
from gatehook.kinds.times import HOUR
from gatehook.kinds.times import MINUTE
from gatehook.kinds.times import Ns
from gatehook.testing.judged.queries import JudgedQuery
from gatehook.testing.judged.queries import JudgedSet
from gatehook.testing.judged.queries import QueryClass
from gatehook.testing.judged.writing import BEGIN
from gatehook.testing.judged.writing import END
from gatehook.testing.judged.writing import SYMBOLS
from gatehook.testing.judged.writing import Pen

SEED: Final = 20260105
#: So many queries each class has.
EACH: Final = 15
_HALF_LIFE: Final = 30 * DAY
_EVENTS: Final = (
    ("liquidation cascade", "A liquidation cascade hit {symbol}; longs were wiped out within minutes."),
    ("dividend announcement", "{symbol}: a special dividend announcement came after the close."),
    ("listing delayed", "The new {symbol} contract listing was delayed by the exchange."),
    ("margin requirement raised", "The broker raised the margin requirement for {symbol} from Friday on."),
    ("trading halt", "Trading in {symbol} was put on a halt for volatility."),
    ("short squeeze", "A short squeeze drove {symbol} up; borrow became scarce."),
    ("whale transfer", "A whale transfer related to {symbol} reached an exchange wallet."),
    ("insider purchase", "A filing shows an insider purchase connected to {symbol}."),
)
_TICKERS: Final = ("F", "T", "KO")
_STATES: Final[tuple[tuple[str, str, tuple[str, ...]], ...]] = (
    (
        "stop",
        "current stop on {symbol}",
        ("Stop on {symbol} set at {price}.", "Moved the stop on {symbol} to {price}."),
    ),
    (
        "target",
        "what is the target for {symbol} now",
        ("Target for {symbol} is {price}.", "New target for {symbol}: {price}."),
    ),
    (
        "bias",
        "{symbol} bias today",
        ("Bias on {symbol} is long above {price}.", "Bias on {symbol} is short below {price}."),
    ),
)


@lru_cache(maxsize=1)
def make_set() -> JudgedSet:
    """Make the set: about 600 documents, 120 queries."""
    pen = Pen(SEED)
    by_hand = json.loads(files(__package__).joinpath("by_hand.json").read_text("utf-8"))
    queries: list[JudgedQuery] = []
    for kind, made in (
        (QueryClass.EXACT, _exact(pen)),
        (QueryClass.EVENT, _events(pen)),
        (QueryClass.PARAPHRASE, _pairs(pen, "paraphrase", by_hand)),
        (QueryClass.INFLECTION, _pairs(pen, "inflection", by_hand)),
        (QueryClass.LANGUAGES, _pairs(pen, "languages", by_hand)),
    ):
        queries += (_query(kind, number, text, grades) for number, (text, grades) in enumerate(made))
    queries += _states(pen)
    queries += (_query(QueryClass.NOTHING, number, text, {}) for number, text in enumerate(by_hand["nothing"]))
    pen.write_noise(180)
    return JudgedSet(sorted(pen.docs, key=lambda doc: (doc.available_at, doc.id)), queries)


def _query(kind: QueryClass, number: int, text: str, relevant: Mapping[str, int], **fields: Any) -> JudgedQuery:
    id_ = f"{kind.name.lower()}-{number + 1:02}"
    held_out = bool(number % 2)
    return JudgedQuery(id=id_, kind=kind, text=text, relevant=relevant, held_out=held_out, **{"now": END, **fields})


Made = Iterator[tuple[str, Mapping[str, int]]]


def _exact(pen: Pen) -> Made:
    """Ids of orders, trades and accounts, and tickers that are words."""
    orders = [_order(pen, number) for number in range(90)]
    asked = pen.rng.sample(orders, 12)
    for number, (order, trade, account, order_key, fill_key) in enumerate(asked):
        if number < 6:
            yield (order if number % 2 else f"what happened to {order}"), {order_key: 1, fill_key: 1}
        elif number < 9:
            yield trade, {fill_key: 1}
        else:
            yield account, {order_key: 1}
    for ticker in _TICKERS:
        texts = (f"Sold {ticker} into the close at {pen.price()}.", f"Bought {ticker} on the dip, {pen.price()}.")
        keys = [pen.write(f"ticker-{ticker}-{at}", text, kind="journal") for at, text in enumerate(texts)]
        yield ticker, dict.fromkeys(keys, 1)


def _order(pen: Pen, number: int) -> tuple[str, str, str, str, str]:
    order, trade = f"ORD-2026-{1000 + 7 * number}", f"TR{pen.rng.randrange(10**7):07}"
    account = f"acct-{2000 + 13 * number}"
    symbol, side = pen.rng.choice(SYMBOLS), pen.rng.choice(("buy", "sell"))
    quantity, price, ts = pen.rng.randrange(1, 50), pen.price(), pen.moment()
    text = f"order {order} {side} {quantity} {symbol} limit at {price} is filled, account {account}"
    order_key = pen.write(order, text, kind="order", ts=ts, symbol=symbol)
    text = f"fill {trade} of order {order}: {side} {quantity} {symbol} at {price}"
    fill_key = pen.write(trade, text, kind="fill", ts=ts + MINUTE, symbol=symbol)
    return order, trade, account, order_key, fill_key


def _events(pen: Pen) -> Made:
    keys: dict[tuple[str, str], str] = {}
    for symbol in SYMBOLS:
        for name, text in _EVENTS:
            id_ = f"event-{symbol.replace('/', '')}-{name.replace(' ', '-')}"
            keys[symbol, name] = pen.write(
                id_, f"{text.format(symbol=symbol)} {pen.remark()}", kind="news", symbol=symbol
            )
    for symbol, name in pen.rng.sample(sorted(keys), EACH):
        yield f"{symbol} {name}", {keys[symbol, name]: 1}


def _pairs(pen: Pen, name: str, by_hand: Mapping[str, Any]) -> Made:
    for number, (text, query) in enumerate(by_hand[name]):
        key = pen.write(f"{name}-{number:02}", text, kind=pen.rng.choice(("journal", "chat", "note")))
        yield query, {key: 1}


def _states(pen: Pen) -> Iterator[JudgedQuery]:
    """Things that change: asked for as they are, and as they were."""
    subjects = [(state, symbol) for state in _STATES for symbol in pen.rng.sample(SYMBOLS, 5)]
    for number, ((name, question, texts), symbol) in enumerate(subjects):
        keys, times = _history(pen, f"{name}-{symbol.replace('/', '')}", symbol, texts, revised=number % 3 == 0)
        text = question.format(symbol=symbol)
        yield _query(QueryClass.LATEST, number, text, {keys[-1]: 1}, half_life=_HALF_LIFE)
        then = times[2] - HOUR
        past = {keys[1]: 1}
        yield _query(QueryClass.AS_OF, number, text, past, now=then, as_of=then, half_life=_HALF_LIFE)


def _history(pen: Pen, name: str, symbol: str, texts: tuple[str, ...], *, revised: bool) -> tuple[list[str], list[Ns]]:
    """Write four states a few weeks apart: as revisions of one document, or as documents of their own."""
    keys, times = [], []
    for at in range(4):
        ts = BEGIN + (5 + 22 * at) * DAY + pen.rng.randrange(3 * 24) * HOUR
        text = f"{texts[at % len(texts)].format(symbol=symbol, price=pen.price())} {pen.remark()}"
        keys.append(
            pen.write(f"state-{name}" if revised else f"state-{name}-{at}", text, kind="plan", ts=ts, symbol=symbol)
        )
        times.append(ts)
    return keys, times
