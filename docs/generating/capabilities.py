"""The capability vocabularies of the seven kinds."""

from __future__ import annotations

import re

import attrs

from gatehook.catalog.vocabulary import words
from gatehook.kinds.capabilities import CapabilityKey
from gatehook.kinds.capabilities import vocabulary
from gatehook.kinds.kind import KINDS
from gatehook.kinds.kind import Kind
from generating.tables import cell_code
from generating.tables import prose
from generating.tables import table

_HEADER = ("manifest key", "value", "when absent", "meaning", "statements it switches on")


def section() -> str:
    """Return one table for each kind."""
    return "\n\n".join(f"## {kind}\n\n{_table(kind)}" for kind in KINDS)


def _table(kind: Kind) -> str:
    known = KINDS[kind].capabilities
    defaults = {field.name: field.default for field in attrs.fields(known)}
    return table(_HEADER, [_cells(word, defaults[word.field]) for word in vocabulary(known)])


def _cells(word: CapabilityKey, default: object) -> tuple[str, ...]:
    statements = ", ".join(map(str, word.statements)) or "none"
    return (
        cell_code(word.key),
        _expected(words()[word.key].shape.expected),
        "no bound" if word.bounds else _absent(default),
        prose(word.summary),
        statements,
    )


def _expected(said: str) -> str:
    """Write the words that a value may be as code."""
    return re.sub(r'"([^"]+)"', r"`\1`", said.replace(" | ", ", "))


def _absent(default: object) -> str:
    return "unsupported" if default in (False, None, ()) else cell_code(default)
