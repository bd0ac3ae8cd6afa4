"""The contract statements: number and text, from the suites themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gatehook.kinds.capabilities import vocabulary
from gatehook.kinds.kind import KINDS
from gatehook.kinds.kind import Kind
from gatehook.testing import BrokerSuite
from gatehook.testing import DeskSuite
from gatehook.testing import MarketDataSuite
from gatehook.testing import MemorySuite
from gatehook.testing.statements import Suite
from gatehook.testing.statements import statements_of
from generating.tables import code
from generating.tables import prose
from generating.tables import table

_SUITES: Final[tuple[tuple[str, type[Suite], Kind | None], ...]] = (
    ("Brokers", BrokerSuite, Kind.BROKER),
    ("Brokers behind the desk", DeskSuite, None),
    ("Market data", MarketDataSuite, Kind.MARKET_DATA),
    ("Memory backends", MemorySuite, Kind.MEMORY),
)


def section() -> str:
    """Return one table for each suite."""
    return "\n\n".join(_suite(title, suite, kind) for title, suite, kind in _SUITES)


def _suite(title: str, suite: type[Suite], kind: Kind | None) -> str:
    switches = {} if kind is None else _switches(kind)
    rows = [(number, prose(text), switches.get(number, "every plugin")) for number, text in statements_of(suite)]
    intro = f"`gatehook.testing.{suite.__name__}`, {len(rows)} statements."
    return f"## {title}\n\n{intro}\n\n" + table(("number", "statement", "belongs to"), rows)


def _switches(kind: Kind) -> Mapping[str, str]:
    found: dict[str, list[str]] = {}
    for word in vocabulary(KINDS[kind].capabilities):
        for number in word.statements:
            found.setdefault(str(number), []).append(code(word.key))
    return {number: ", ".join(words) for number, words in found.items()}
