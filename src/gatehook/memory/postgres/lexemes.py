"""Texts and queries as the server's full-text types, of our own words: its parser and dictionaries decide nothing.

A vector holds three sorts of lexemes that cannot be taken for each other: the stems of text and tags, those of the
neighbouring turns (``~``), and opaque tokens of namespace, tags, symbol, account and source (``#``).
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import attrs

from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.memory.scope import TOKEN_KEYS
from gatehook.memory.scope import scope_of
from gatehook.memory.scope import token_groups
from gatehook.memory.stemming import stem
from gatehook.memory.text import Unit
from gatehook.memory.text import fold
from gatehook.memory.text import wanted_of
from gatehook.memory.text import words_of

CONTEXT: Final = "~"
_SCOPE: Final = "#"
#: The server knows no position behind this one: words there are found, but in no phrase.
_LAST_POSITION: Final = 16_000
#: The server takes no lexeme of more than 2 KB; four bytes a character at most.
_LONGEST: Final = 500
#: A text is taken apart in pieces, so that other threads get their turn.
_PIECE: Final = 20_000
#: Just below the server's limit for a vector, and a length of text that stays below it in every script.
_MAX_BYTES: Final = 1_040_000
_FITTING: Final = 200_000
_TOKEN: Final = 25
_MAX_GROUPS: Final = 4
EVERYWHERE: Final = (NamespaceSelector.everything(),)


@attrs.frozen
class Vector:
    """A document's lexemes as text that the server reads as a ``tsvector``, and how many words it has."""

    text: str
    words: int


class TooManyWords(ValueError):
    """The server has no room for so many different words of one document."""


@lru_cache(maxsize=65_536)
def lexeme_of(word: str) -> str:
    """Return what stands for a word."""
    return stem(word)[:_LONGEST]


def lexemes_of(text: str) -> list[str]:
    """Return the lexemes of a text's words in order."""
    if len(text) <= _PIECE:
        return [lexeme_of(word) for word in words_of(fold(text))]
    return [one for piece in _pieces(text) for one in lexemes_of(piece)]


def _pieces(text: str) -> Iterator[str]:
    """Cut a text at spaces, where there are any."""
    at = 0
    while at < len(text):
        end = at + _PIECE
        space = text.rfind(" ", at, end) if end < len(text) else -1
        end = space if space > at else end
        yield text[at:end]
        at = end


def vector_of(doc: MemoryDoc, context: str, *, past: bool) -> Vector:
    """Return the vector of a document's revision; a past one has no context.

    Raises:
        TooManyWords: when the server could not store it.
    """
    places: dict[str, str] = {}
    position = _place(places, lexemes_of(doc.text), 0)
    words = position
    for tag in sorted(doc.tags):
        # A gap, so that no phrase reaches from one tag into the next.
        end = _place(places, lexemes_of(tag), position + 1)
        words += end - position - 1
        position = end
    if context:
        end = _place(places, [f"{CONTEXT}{word}" for word in lexemes_of(context)], position + 1)
        words += end - position - 1
    found = [f"'{lexeme}':{at}" if at else f"'{lexeme}'" for lexeme, at in places.items()]
    found += [f"'{_SCOPE}{token}'" for token in scope_of(doc, past=past).split()]
    if not certainly_fits(doc):
        _check_size(found)
    return Vector(" ".join(found), words)


def certainly_fits(doc: MemoryDoc) -> bool:
    """Say whether the vector of a document has room, that of its neighbours' words included; to count costs more."""
    several = (doc.meta[key] for key in TOKEN_KEYS if key in doc.meta)
    tokens = len(doc.tags) + sum(len(one) for one in several if isinstance(one, tuple | list))
    return len(doc.text) + sum(map(len, doc.tags)) + _TOKEN * tokens < _FITTING


def _place(places: dict[str, str], lexemes: Sequence[str], position: int) -> int:
    """Note where lexemes are, as the server writes it; return the last position."""
    room = max(_LAST_POSITION - position, 0)
    for at, lexeme in enumerate(lexemes[:room], start=position + 1):
        places[lexeme] = f"{places[lexeme]},{at}" if lexeme in places else f"{at}"
    for lexeme in lexemes[room:]:
        places.setdefault(lexeme, "")
    return position + len(lexemes)


def _check_size(found: Iterable[str]) -> None:
    # Each is written with quotes, a colon and a comma a place: as much as the server needs beside two bytes a place.
    size = sum(len(one.encode()) + 2 * one.count(",") for one in found)
    if size > _MAX_BYTES:
        raise TooManyWords("its text and tags have more different words than a PostgreSQL index takes")


@attrs.frozen
class Want:
    """A word or phrase that a query looks for. ``lexeme``: the word's stem; ``None`` for a phrase."""

    expression: str
    lexeme: str | None


def wants_of(units: Iterable[Unit], *, context: bool) -> tuple[Want, ...]:
    """Return everything of which a document needs to have only one to be found: units, and parts of units."""
    return tuple(dict.fromkeys(_want(words, context=context) for words in wanted_of(units)))


def _want(words: tuple[str, ...], *, context: bool) -> Want:
    stems = [lexeme_of(word) for word in words]
    return Want(_expression(stems, context=context), stems[0] if len(stems) == 1 else None)


def _expression(stems: list[str], *, context: bool) -> str:
    plain = _phrase(stems)
    return f"({plain} | {_phrase([f'{CONTEXT}{one}' for one in stems])})" if context else plain


def _phrase(stems: list[str]) -> str:
    return f"({' <-> '.join(quoted(one) for one in stems)})"


def quoted(lexeme: str) -> str:
    """Return a lexeme in quotes; none of ours holds a quote or a backslash."""
    return f"'{lexeme}'"


def every(units: Iterable[Unit], *, context: bool) -> str:
    """Match documents with every unit."""
    return " & ".join(_spelled(unit, context=context) for unit in units)


def _spelled(unit: Unit, *, context: bool) -> str:
    spellings = " | ".join(_want(words, context=context).expression for words in unit.spellings)
    return f"({spellings})" if unit.others else spellings


def some(wants: Iterable[Want]) -> str:
    """Match documents with any of these."""
    return " | ".join(want.expression for want in wants)


def scope(query: Query) -> str:
    """Match at least what the query's namespaces and filter let through; it may be empty."""
    groups = token_groups(query, most=_MAX_GROUPS)
    return " & ".join(f"({' | '.join(quoted(f'{_SCOPE}{token}') for token in group)})" for group in groups)


def all_of(*expressions: str) -> str:
    """Match what all of these match; empty ones match everything."""
    return " & ".join(f"({one})" for one in expressions if one)
