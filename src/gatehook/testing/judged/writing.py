"""Writes the documents of the set: a pen with a seed, a calendar, and the words that texts are made of."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Final

from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.times import DAY
from gatehook.kinds.times import MINUTE
from gatehook.kinds.times import Ns
from gatehook.kinds.times import from_rfc3339
from gatehook.testing.judged.queries import KEY

BEGIN: Final[Ns] = from_rfc3339("2026-01-05T08:00:00Z")
END: Final[Ns] = BEGIN + 90 * DAY
# fmt: off
SYMBOLS: Final = (
    "XAUUSD", "XAGUSD", "EURUSD", "GBPUSD", "USDJPY", "AUDUSD", "NZDUSD", "USDCHF", "BTC/USDT", "ETH/USDT",
    "SOL/USDT", "XRP/USDT", "ADA/USDT", "AAPL", "MSFT", "NVDA", "TSLA", "AMZN", "US500", "GER40",
)
# fmt: on
_REMARKS: Final = (
    "Volume was thin.",
    "The desk was quiet.",
    "Nothing else changed.",
    "Checked twice.",
    "To be looked at again on Monday.",
    "The feed was fine.",
    "Nobody objected.",
    "Spread as usual.",
)
_WATCHING: Final = (
    "Watching {symbol} near {price}; no setup yet.",
    "{symbol} drifted around {price} all morning.",
    "Plan for {symbol}: wait for a close above {price}.",
    "{symbol} looks heavy under {price}, volume fades.",
    "Alarm set on {symbol} at {price}.",
    "Reviewed the {symbol} chart, range low {price}.",
    "{symbol} opened at {price} and went nowhere.",
    "Backtest of the {symbol} filter: threshold {price} is as good as any.",
)


class Pen:
    """Makes documents; the same seed makes the same ones."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.docs: list[MemoryDoc] = []
        self._revisions: dict[str, int] = {}

    def moment(self) -> Ns:
        """Return some moment of the calendar."""
        return BEGIN + self.rng.randrange(89 * 24 * 60) * MINUTE

    def price(self) -> str:
        """Return some price."""
        return f"{self.rng.randrange(10, 60_000)}.{self.rng.randrange(100):02}"

    def remark(self) -> str:
        """Return a sentence that says nothing."""
        return self.rng.choice(_REMARKS)

    def write(
        self,
        id_: str,
        text: str,
        *,
        kind: str = "note",
        ts: Ns | None = None,
        symbol: str = "",
        tags: Iterable[str] = (),
    ) -> str:
        """Write a document, or another revision of one; return the key that it is judged by."""
        at = self.moment() if ts is None else ts
        self._revisions[id_] = self._revisions.get(id_, 0) + 1
        key = f"{id_}#{self._revisions[id_]}"
        doc = MemoryDoc(
            id=id_,
            text=text,
            namespace=("judged", kind),
            ts=at,
            kind=kind,
            tags=frozenset(tags),
            meta={KEY: key, **({"symbol": symbol} if symbol else {})},
            available_at=at,
        )
        self.docs.append(doc)
        return key

    def write_noise(self, count: int) -> None:
        """Write notes that answer nothing."""
        for number in range(count):
            symbol = self.rng.choice(SYMBOLS)
            text = self.rng.choice(_WATCHING).format(symbol=symbol, price=self.price())
            kind = self.rng.choice(("chat", "journal"))
            self.write(f"noise-{number:03}", f"{text} {self.remark()}", kind=kind, symbol=symbol)
