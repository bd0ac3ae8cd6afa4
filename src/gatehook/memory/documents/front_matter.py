"""Front matter: what a note says of itself above its text, between two lines of three dashes.

Of YAML only the plain part is read, and of that only the keys below. Whatever else stands there stays text, so front
matter that nobody can read loses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import Any
from typing import Final

import attrs

from gatehook.kinds.times import Ns
from gatehook.memory.documents.plain_yaml import Entry
from gatehook.memory.documents.plain_yaml import entries_of

#: Front matter that does not end within so many lines is none.
_LONGEST: Final = 200
_MOST_VALUES: Final = 100
_LONGEST_VALUE: Final = 200
_LONGEST_TITLE: Final = 500
_DATE: Final = re.compile(
    r"(?:19[7-9]|20\d|21\d)\d-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?: ?(?:[Zz]|[+-]\d\d:\d\d))?)?"
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@attrs.frozen(kw_only=True)
class FrontMatter:
    """What was read, and what the lines of the front matter are as text.

    Attributes:
        lines: how many it has, its fences included; 0 where there is none.
        title, aliases: as they stand there. tags: without their ``#``.
        date: when it happened, as it stands there, with the same in ns UTC.
        shown: by line (from 0), what is text instead of it: the title and aliases alone, nothing for what was read.
    """

    lines: int = 0
    title: str = ""
    aliases: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    date: tuple[str, Ns] | None = None
    shown: Mapping[int, str] = attrs.field(factory=dict)

    def text_of(self, lines: Sequence[str]) -> list[str]:
        """Return all lines of the file as they are text."""
        return [self.shown.get(at, line) for at, line in enumerate(lines)]


def front_matter_of(lines: Sequence[str]) -> FrontMatter:
    """Read what stands above a text."""
    count = _length(lines)
    found: dict[str, Any] = {}
    shown: dict[int, str] = {0: "", count - 1: ""} if count else {}
    for entry in sorted(entries_of(lines, 1, count - 1), key=lambda one: one.key.lower() == _SECOND_CHOICE):
        name, read = _FIELDS.get(entry.key.lower(), ("", None))
        if read is None or name in found or entry.values is None:
            continue
        value = read(entry) if entry.values else None
        if value is not None:
            found[name] = value
        if value is not None or not entry.values:
            shown |= dict.fromkeys(entry.lines, "")
            shown |= _beside(entry) if name in _WORDS else {}
    return FrontMatter(lines=count, shown=shown, **found)


def _length(lines: Sequence[str]) -> int:
    """Return how many lines the front matter has, its fences included."""
    if not lines or lines[0].rstrip() != "---":
        return 0
    ends = (at for at, line in enumerate(lines[1:_LONGEST], 2) if line.rstrip() in ("---", "..."))
    return next(ends, 0)


def _beside(entry: Entry) -> Mapping[int, str]:
    shown: dict[int, str] = {}
    for at, value in entry.values or ():
        shown[at] = f"{shown[at]}, {value}" if at in shown else value
    return shown


def _values(entry: Entry) -> tuple[str, ...]:
    return tuple(value for _, value in entry.values or ())


def _title(entry: Entry) -> str | None:
    (title, *more) = _values(entry)
    return None if entry.is_list or more or len(title) > _LONGEST_TITLE else title


def _date(entry: Entry) -> tuple[str, Ns] | None:
    (text, *more) = _values(entry)
    if entry.is_list or more or not _DATE.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(re.sub(r" (?=[Zz+-])", "", text).upper())
    except ValueError:  # no such day, or no such hour
        return None
    whole = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return text, (whole - _EPOCH) // timedelta(microseconds=1) * 1_000


def _tags(entry: Entry) -> tuple[str, ...] | None:
    values = _values(entry)
    words = values if entry.is_list else tuple(re.split(r"[,\s]+", values[0]))
    return _several(word.strip().removeprefix("#") for word in words)


def _aliases(entry: Entry) -> tuple[str, ...] | None:
    return _several(_values(entry))


def _several(values: Iterable[str]) -> tuple[str, ...] | None:
    """Return values that are not empty, each once, ``None`` where they are too many or too long."""
    found = tuple(dict.fromkeys(one for one in values if one))
    return None if len(found) > _MOST_VALUES or any(len(one) > _LONGEST_VALUE for one in found) else found


_SECOND_CHOICE: Final = "created"
#: Whose values are text all the same.
_WORDS: Final = frozenset({"title", "aliases"})
_FIELDS: Final[Mapping[str, tuple[str, Callable[[Entry], Any]]]] = {
    "title": ("title", _title),
    "date": ("date", _date),
    _SECOND_CHOICE: ("date", _date),
    "tags": ("tags", _tags),
    "tag": ("tags", _tags),
    "aliases": ("aliases", _aliases),
    "alias": ("aliases", _aliases),
}
