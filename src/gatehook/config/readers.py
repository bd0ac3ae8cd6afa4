"""How the value of each shape of setting is read: strictly, nothing coerced, and no message holds the value."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from collections.abc import Mapping
from datetime import date
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Any
from typing import Final
from urllib.parse import urlsplit

import attrs

from gatehook.config.memory import EVERYTHING
from gatehook.config.memory import is_duration
from gatehook.config.settings import Setting
from gatehook.config.settings import Shape
from gatehook.config.trees import frozen
from gatehook.diagnostics import did_you_mean
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.kind import KINDS
from gatehook.secrets import SecretReference
from gatehook.secrets import reference_in

#: The slots there are, from the table of kinds.
SLOTS: Final = tuple(spec.slot for spec in KINDS.values() if spec.slot)
LONGEST_ID: Final = 64
ID_RULE: Final = f"an id: lower-case words joined by -, _ or ., at most {LONGEST_ID} characters"
_ID: Final = re.compile(r"[a-z][a-z0-9]*([._-][a-z0-9]+)*\Z")
_VENUE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_LARGEST: Final = 10**12
CURRENCY: Final = r"[A-Z0-9]{2,10}"
AMOUNT: Final = r"[0-9]{1,18}([.][0-9]{1,18})?"
TIME_OF_DAY: Final = r"([01][0-9]|2[0-3]):[0-5][0-9]"
#: Longer conversions are a mistake: each step adds the age and the spread of a quote.
LONGEST_CONVERSION: Final = 4
LONGEST_PATTERN: Final = 200
LONGEST_ACCOUNT: Final = 200
LONGEST_NAMESPACE: Final = 200
NAMESPACE_RULE: Final = f"parts separated by /, none of them empty, without *, at most {LONGEST_NAMESPACE} characters"
PATTERN_RULE: Final = f"at most {LONGEST_PATTERN} characters without ? [ ], in which * matches anything"
_EXACT: Final = 'an amount in quotes, like "0.5", or a whole number: a decimal number is not exact'
_TYPE_NAMES: Final[tuple[tuple[type | tuple[type, ...], str], ...]] = (
    (bool, "true or false"),
    (int, "a whole number"),
    (float, "a decimal number"),
    (str, "a string"),
    (Mapping, "a table"),
    ((list, tuple), "a list"),
    ((date, time), "a date or time"),
    (type(None), "nothing"),
)


def type_name(value: Any) -> str:
    """Name a value's type in the words of TOML; never the value."""
    return next((words for types, words in _TYPE_NAMES if isinstance(value, types)), "something else")


def is_id(text: Any) -> bool:
    """Say whether this may be the id of an entry."""
    return isinstance(text, str) and len(text) <= LONGEST_ID and _ID.match(text) is not None


def is_account(text: str) -> bool:
    """Say whether this may be a venue's id of an account."""
    return 0 < len(text) <= LONGEST_ACCOUNT and text.isprintable() and text.strip() == text


def is_pattern(text: Any) -> bool:
    """Say whether this may be a word in which ``*`` matches anything; what else matching knows is refused."""
    return (
        isinstance(text, str) and 0 < len(text) <= LONGEST_PATTERN and text.isprintable() and not set("?[]") & set(text)
    )


class WrongType(Exception):
    """A value has another type than its setting."""

    def __init__(self, expected: str, found: Any) -> None:
        super().__init__()
        self.expected = expected
        self.found = type_name(found)


class BadValue(Exception):
    """A value has the right type, and is not one that its setting can have."""

    def __init__(self, expected: str, hint: str = "") -> None:
        super().__init__()
        self.expected = expected
        self.hint = hint


@attrs.frozen
class Reader:
    """Reads the value of one setting. Every method raises ``WrongType`` or ``BadValue``.

    Attributes:
        base: where relative paths start.
    """

    about: Setting
    base: Path

    def read(self, value: Any) -> Any:
        """Return the value as the section has it."""
        return _METHODS[self.about.shape](self, value)

    def _of_type(self, value: Any, *types: type, expected: str = "") -> Any:
        if isinstance(value, types) and (bool in types or not isinstance(value, bool)):
            return value
        raise WrongType(expected or str(self.about.shape), value)

    def switch(self, value: Any) -> bool:
        """Read true or false."""
        return bool(self._of_type(value, bool))

    def text(self, value: Any) -> str:
        """Read printable text that is not empty."""
        text = str(self._of_type(value, str))
        if not text or not text.isprintable():
            raise BadValue("a string, not empty, without control characters")
        return text

    def choice(self, value: Any) -> str:
        """Read one of the setting's words."""
        expected = "one of " + ", ".join(self.about.choices)
        word = str(self._of_type(value, str, expected=expected))
        if word not in self.about.choices:
            raise BadValue(expected, did_you_mean(word[:LONGEST_ID], self.about.choices))
        return word

    def choices(self, value: Any) -> tuple[str, ...]:
        """Read a list of the setting's words."""
        return tuple(self.choice(one) for one in self._of_type(value, list, tuple))

    def seconds(self, value: Any) -> float:
        """Read a length of time."""
        number = self._of_type(value, int, float)
        if not 0 < number <= _LARGEST or not math.isfinite(number):
            raise BadValue(str(self.about.shape))
        return float(number)

    def count(self, value: Any) -> int:
        """Read how many."""
        number = int(self._of_type(value, int))
        if not 1 <= number <= _LARGEST:
            raise BadValue(str(self.about.shape))
        return number

    def path(self, value: Any) -> Path:
        """Read a path; ``~`` is the user's home."""
        text = str(self._of_type(value, str))
        if not text or "\0" in text:
            raise BadValue("a path, not empty")
        try:
            return self.base / Path(text).expanduser()
        except RuntimeError:  # ~somebody without a home
            raise BadValue("a path whose ~ names a known user") from None

    def paths(self, value: Any) -> tuple[Path, ...]:
        """Read a list of paths."""
        return tuple(self.path(one) for one in self._of_type(value, list, tuple))

    def id(self, value: Any) -> str:
        """Read an id."""
        text = str(self._of_type(value, str, expected="an id"))
        if not is_id(text):
            raise BadValue(ID_RULE)
        return text

    def ids(self, value: Any) -> tuple[str, ...]:
        """Read a list of ids."""
        return tuple(self.id(one) for one in self._of_type(value, list, tuple))

    def user_ids(self, value: Any) -> tuple[int, ...]:
        """Read a list of numeric user ids."""
        found = tuple(self._of_type(one, int) for one in self._of_type(value, list, tuple))
        if not all(0 <= one < 1 << 32 for one in found):
            raise BadValue(str(self.about.shape))
        return found

    def texts_by_id(self, value: Any) -> Mapping[str, str]:
        """Read a table of strings by id."""
        return self._frozen({self.id(name): self.text(one) for name, one in self._of_type(value, Mapping).items()})

    def slots(self, value: Any) -> Mapping[str, str | tuple[str, ...]]:
        """Read which entry fills which slot."""
        table = self._of_type(value, Mapping)
        for name in table:
            if name not in SLOTS:
                raise BadValue("a table of these slots: " + ", ".join(SLOTS), did_you_mean(name[:LONGEST_ID], SLOTS))
        return self._frozen(
            {name: self.ids(one) if isinstance(one, list | tuple) else self.id(one) for name, one in table.items()}
        )

    def table(self, value: Any) -> Mapping[str, Any]:
        """Read a table whose keys are not ours."""
        return self._frozen(self._of_type(value, Mapping))

    def venue(self, value: Any) -> str:
        """Read the venue part of instrument ids."""
        text = self.text(value)
        if not _VENUE.match(text):
            raise BadValue("letters, digits, - and _, at most 64 characters")
        return text

    def url(self, value: Any) -> str:
        """Read the address of a server."""
        text = self.text(value)
        if not _is_server(text):
            raise BadValue("an http or https URL, without a user or password in it")
        return text

    def currency(self, value: Any) -> str:
        """Read a currency's code."""
        text = str(self._of_type(value, str))
        if not re.fullmatch(CURRENCY, text):
            raise BadValue("2 to 10 capitals or digits, like USD")
        return text

    def conversion(self, value: Any) -> Mapping[str, tuple[str, ...]]:
        """Read by which instruments currencies are converted."""
        table = self._of_type(value, Mapping)
        return self._frozen({self.currency(name): self._path_of(one) for name, one in table.items()})

    def _path_of(self, value: Any) -> tuple[str, ...]:
        steps = self._of_type(value, list, tuple)
        if not 1 <= len(steps) <= LONGEST_CONVERSION:
            raise BadValue(f"a table of lists of 1 to {LONGEST_CONVERSION} instrument ids")
        return tuple(self._instrument(one) for one in steps)

    def _instrument(self, value: Any) -> str:
        text = self.text(value)
        try:
            return str(InstrumentId.parse(text))
        except ValueError:
            raise BadValue("a table of lists of instrument ids, each like EURUSD.PAPER") from None

    def secret(self, value: Any) -> SecretReference:
        """Read where a secret is kept; one in clear text is refused. A relative file is relative to ``base``."""
        reference = reference_in(value)
        if reference is None:
            raise BadValue('a reference like { env = "NAME" }, { file = "…" } or { keyring = "…" }, never the secret')
        if reference.store != "file":
            return reference
        return SecretReference("file", str(self.base / Path(reference.name).expanduser()))

    def time_of_day(self, value: Any) -> str:
        """Read a time of the day, hours and minutes."""
        text = str(self._of_type(value, str))
        if not re.fullmatch(TIME_OF_DAY, text):
            raise BadValue("a time from 00:00 to 23:59")
        return text

    def amount(self, value: Any) -> Decimal:
        """Read an exact amount above zero."""
        given = self._of_type(value, str, int, expected=_EXACT if isinstance(value, float) else "")
        number = Decimal(given) if re.fullmatch(AMOUNT, str(given)) else Decimal(0)
        if not number:
            raise BadValue('an amount above zero, like "0.5", with at most 18 digits before and after the point')
        return number

    def pattern(self, value: Any) -> str:
        """Read a word in which ``*`` matches anything; nothing else in it has a meaning."""
        text = self.text(value)
        if not is_pattern(text):
            raise BadValue(PATTERN_RULE)
        return text

    def patterns(self, value: Any) -> tuple[str, ...]:
        """Read a list of such words."""
        return tuple(self.pattern(one) for one in self._of_type(value, list, tuple))

    def texts(self, value: Any) -> tuple[str, ...]:
        """Read a list of strings."""
        return tuple(self.text(one) for one in self._of_type(value, list, tuple))

    def globs(self, value: Any) -> tuple[str, ...]:
        """Read a list of patterns of relative paths."""
        found = self.texts(value)
        if not all(len(one) <= LONGEST_PATTERN and not one.startswith("/") for one in found):
            raise BadValue(f"patterns like notes/**/*.md, relative, of at most {LONGEST_PATTERN} characters")
        return found

    def namespace(self, value: Any) -> str:
        """Read a namespace."""
        text = self.text(value)
        if len(text) > LONGEST_NAMESPACE or not all(text.split("/")) or "*" in text:
            raise BadValue(NAMESPACE_RULE)
        return text

    def namespace_or_all(self, value: Any) -> str:
        """Read a namespace, or the word for all of them."""
        return EVERYTHING if value == EVERYTHING else self.namespace(value)

    def duration(self, value: Any) -> str:
        """Read a length of time with its unit."""
        text = str(self._of_type(value, str))
        if not is_duration(text):
            raise BadValue("a length of time like 12h, 90d or 52w")
        return text

    def _frozen(self, table: Mapping[str, Any]) -> Mapping[str, Any]:
        result: Mapping[str, Any] = frozen(table)
        return result


def _is_server(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:  # a malformed address, or a port that is no number
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc and port != 0


_METHODS: Final[Mapping[Shape, Callable[[Reader, Any], Any]]] = {
    Shape.SWITCH: Reader.switch,
    Shape.TEXT: Reader.text,
    Shape.CHOICE: Reader.choice,
    Shape.CHOICES: Reader.choices,
    Shape.SECONDS: Reader.seconds,
    Shape.COUNT: Reader.count,
    Shape.PATH: Reader.path,
    Shape.PATHS: Reader.paths,
    Shape.ID: Reader.id,
    Shape.IDS: Reader.ids,
    Shape.USER_IDS: Reader.user_ids,
    Shape.TEXTS_BY_ID: Reader.texts_by_id,
    Shape.SLOTS: Reader.slots,
    Shape.FREE: Reader.table,
    Shape.VENUE: Reader.venue,
    Shape.URL: Reader.url,
    Shape.SECRET: Reader.secret,
    Shape.CURRENCY: Reader.currency,
    Shape.CONVERSION: Reader.conversion,
    Shape.TIME_OF_DAY: Reader.time_of_day,
    Shape.AMOUNT: Reader.amount,
    Shape.PATTERN: Reader.pattern,
    Shape.PATTERNS: Reader.patterns,
    Shape.TEXTS: Reader.texts,
    Shape.GLOBS: Reader.globs,
    Shape.NAMESPACE: Reader.namespace,
    Shape.NAMESPACE_OR_ALL: Reader.namespace_or_all,
    Shape.DURATION: Reader.duration,
}
