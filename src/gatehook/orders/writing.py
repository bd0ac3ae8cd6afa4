"""Domain objects as the journal's text, and whether what a provider said can be read again."""

from __future__ import annotations

import json
from typing import Any
from typing import TypeVar

from gatehook.kinds.codec import from_json
from gatehook.kinds.json_text import exact_text
from gatehook.kinds.json_text import to_text

T = TypeVar("T")


def write_json(value: Any) -> str:
    """Write a domain object as compact JSON text."""
    return to_text(value)


def write_checked(value: Any) -> str:
    """Write what a provider said, if it can be read again: a field of a wrong type must not poison the journal.

    Raises:
        ValueError: when it cannot.
    """
    try:
        text = exact_text(value)
        if text is None:  # perhaps it can all the same
            text = to_text(value)
            read_json(type(value), text)
    except Exception as error:
        raise ValueError(f"not a valid {type(value).__name__}: {type(error).__name__}") from error
    return text


def read_json(cls: type[T], text: str) -> T:
    """Read what ``write_json`` wrote."""
    return from_json(cls, json.loads(text))
