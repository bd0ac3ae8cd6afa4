"""FTS5 expressions, built of quoted words only: nothing of a query is ever syntax."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gatehook.kinds.memory import Query
from gatehook.memory.scope import TOKEN_LENGTH
from gatehook.memory.scope import token_groups
from gatehook.memory.text import Unit
from gatehook.memory.text import wanted_of

_MAX_GROUPS: Final = 4


def scope_match(query: Query) -> str:
    """Return the part that selects by tokens; it may be empty, and lets through at least what the query's SQL does."""
    return " AND ".join(f"scope : ({_any(group)})" for group in token_groups(query, most=_MAX_GROUPS))


def _any(words: Iterable[str]) -> str:
    return " OR ".join(f'"{word}"' for word in words)


def complete_match(units: tuple[Unit, ...], scope: str, *, context: bool) -> str:
    """Match documents with every unit."""
    return _within([_spelled(unit) for unit in units], " AND ", scope, context=context)


def partial_match(units: tuple[Unit, ...], scope: str, *, context: bool) -> str:
    """Match documents with any unit, or any part of one."""
    return _within(map(_phrase, wanted_of(units)), " OR ", scope, context=context)


def _spelled(unit: Unit) -> str:
    spellings = " OR ".join(map(_phrase, unit.spellings))
    return f"({spellings})" if unit.others else spellings


def _phrase(words: Iterable[str]) -> str:
    return f'"{" ".join(words)}"'


def _within(phrases: Iterable[str], word: str, scope: str, *, context: bool) -> str:
    phrases = list(phrases)
    text = f"({word.join(phrases)})"
    # To look into some columns only costs a tenth of a search, and is needed only for what another column can hold.
    if not context:
        text = f"{{text tags}} : {text}"
    elif any(len(part) >= TOKEN_LENGTH for part in text.split('"')):
        text = f"{{text tags ctx}} : {text}"
    return f"{scope} AND {text}" if scope else text
