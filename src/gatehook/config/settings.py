"""One setting of the core configuration: its shape, its default, what it does, whether a change needs a restart.

The sections in ``model`` are made of these; the loader, the JSON Schema and the reference are made from the sections.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from typing import Final

import attrs

_KEY: Final = "gatehook"


class Shape(StrEnum):
    """What a value must look like in the file; the words appear in messages and in the reference."""

    SWITCH = "true or false"
    TEXT = "a string"
    CHOICE = "one of the words listed"
    CHOICES = "a list of the words listed"
    SECONDS = "a number of seconds above zero"
    COUNT = "a whole number of at least 1"
    PATH = "a path"
    PATHS = "a list of paths"
    ID = "an id"
    IDS = "a list of ids"
    USER_IDS = "a list of numeric user ids"
    TEXTS_BY_ID = "a table of strings by plugin id"
    SLOTS = 'a table of slots, each an entry id, "none", or a list of entry ids'
    FREE = "a table"
    VENUE = "a short string"
    URL = "an http or https URL"
    SECRET = "a reference to a secret"  # noqa: S105  a shape, not a secret
    CURRENCY = "a currency's code in capitals"
    CONVERSION = "a table of lists of instrument ids by currency"
    TIME_OF_DAY = "a time like 00:00"
    AMOUNT = "an amount above zero, as a string or a whole number"
    PATTERN = "a word, in which * matches anything"
    PATTERNS = "a list of words, in which * matches anything"
    TEXTS = "a list of strings"
    GLOBS = "a list of patterns of paths"
    NAMESPACE = "parts separated by /"
    NAMESPACE_OR_ALL = 'parts separated by /, or "*"'
    DURATION = "a length of time like 90d: s, m, h, d or w"


@attrs.frozen(kw_only=True)
class Setting:
    """What is known of a setting beside its name and default.

    Attributes:
        shape: what its value looks like.
        summary: what it does, in a line.
        restart: whether a change needs a restart of the gateway.
        choices_type: the words of ``Shape.CHOICE`` and ``Shape.CHOICES``.
        shown: the default as documentation shows it, where the value itself depends on the machine.
        key: its name in the file, where it is not the attribute's.
    """

    shape: Shape
    summary: str
    restart: bool = True
    choices_type: type[StrEnum] | None = None
    shown: str | None = None
    key: str | None = None

    @property
    def choices(self) -> tuple[str, ...]:
        """The words of ``choices_type``."""
        return tuple(str(word) for word in self.choices_type or ())


def about(
    shape: Shape,
    summary: str,
    *,
    restart: bool = True,
    choices: type[StrEnum] | None = None,
    shown: str | None = None,
    key: str | None = None,
) -> Mapping[str, Setting]:
    """Return the metadata that makes an attribute of a section a setting."""
    return {_KEY: Setting(shape=shape, summary=summary, restart=restart, choices_type=choices, shown=shown, key=key)}


@attrs.frozen
class Named:
    """A setting under its key in the file, and the attribute it becomes.

    Attributes:
        default: the default value; ``attrs.NOTHING`` where there is none.
    """

    key: str
    attribute: str
    about: Setting
    default: Any


def settings_of(section: type) -> tuple[Named, ...]:
    """Return a section's settings, in the order they are declared."""
    return tuple(
        Named(field.metadata[_KEY].key or field.name, field.name, field.metadata[_KEY], _default(field.default))
        for field in attrs.fields(section)
        if _KEY in field.metadata
    )


def _default(declared: Any) -> Any:
    return declared.factory() if hasattr(declared, "factory") else declared
