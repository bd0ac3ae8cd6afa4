"""Secrets: values that never show, references to where they are kept, and the one boundary that redacts."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any
from typing import Final
from typing import NoReturn
from urllib.parse import quote
from urllib.parse import quote_plus

import attrs

MASK: Final = "********"
#: Shorter values cannot be removed from text without tearing it apart; they are a finding instead.
SHORTEST_REDACTED: Final = 6

_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET_WORDS: Final = frozenset({"token", "password", "passphrase", "secret", "credential", "credentials", "apikey"})
_SECRET_PAIRS: Final = frozenset({("api", "key"), ("private", "key")})


class Secret:
    """A value that shows only as a mask; ``reveal()`` gives it to the code that needs it.

    It compares and hashes by value, and cannot be serialised.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value."""
        return self._value

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __format__(self, spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not serialised; store a reference to where it is kept")


class SecretUnavailable(Exception):
    """A reference leads nowhere. The message names the place, never a value."""


@attrs.frozen
class SecretReference:
    """Where a secret is kept: an environment variable, a file, or the system's key ring."""

    store: str
    name: str

    def __str__(self) -> str:
        return f"{{ {self.store} = {self.name!r} }}"

    def resolve(self, environment: Mapping[str, str] | None = None) -> Secret:
        """Fetch the value.

        Raises:
            SecretUnavailable: saying which store and name, and why.
        """
        try:
            return Secret(_STORES[self.store](self.name, os.environ if environment is None else environment))
        except SecretUnavailable:
            raise
        except Exception as error:  # noqa: BLE001  whatever a store raises is one finding; its text may hold the value
            raise SecretUnavailable(f"{self.store} {self.name!r} cannot be read: {type(error).__name__}") from None


def _from_environment(name: str, environment: Mapping[str, str]) -> str:
    if name not in environment:
        raise SecretUnavailable(f"the environment variable {name} is not set")
    return environment[name]


def _from_file(name: str, _: Mapping[str, str]) -> str:
    return Path(name).expanduser().read_text("utf-8").removesuffix("\n")


def _from_keyring(name: str, _: Mapping[str, str]) -> str:
    try:
        import keyring
    except ImportError:
        raise SecretUnavailable("the package keyring is not installed; install it or use env or file") from None
    value = keyring.get_password("gatehook", name)
    if value is None:
        raise SecretUnavailable(f"the key ring has no {name!r} under the service gatehook")
    return str(value)


_STORES: Final = {"env": _from_environment, "file": _from_file, "keyring": _from_keyring}
_INTERPOLATED: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}\Z")


def reference_in(value: Any) -> SecretReference | None:
    """Read ``{ env = "X" }``, ``{ file = "…" }``, ``{ keyring = "…" }`` or ``"${X}"``; ``None`` for any other value."""
    if isinstance(value, str) and (match := _INTERPOLATED.match(value)):
        return SecretReference("env", match[1])
    if isinstance(value, Mapping) and len(value) == 1:
        store, name = next(iter(value.items()))
        if store in _STORES and isinstance(name, str):
            return SecretReference(store, name)
    return None


def is_secret_name(name: str) -> bool:
    """Say whether a property's name has one of the words that mean a secret: token, password, api key, ..."""
    words = [word.lower() for word in _WORDS.findall(name)]
    return not _SECRET_WORDS.isdisjoint(words) or any(pair in _SECRET_PAIRS for pair in pairwise(words))


class Redactor:
    """The one boundary that removes secrets' values from text on its way out, also as JSON or ``repr`` write them."""

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, secret: Secret) -> bool:
        """Redact this value from now on; ``False`` when it is too short for that."""
        value = secret.reveal()
        if len(value) < SHORTEST_REDACTED:
            return False
        if value not in self._values:
            self._values |= _written_forms(value)
            longest_first = sorted(self._values, key=len, reverse=True)
            self._pattern = re.compile("|".join(re.escape(one) for one in longest_first))
        return True

    def redact(self, text: str) -> str:
        """Return ``text`` with every known secret masked."""
        return text if self._pattern is None else self._pattern.sub(MASK, text)


def _written_forms(value: str) -> set[str]:
    """Return a value and how it looks inside quotes and in a URL, where some letters are escaped."""
    quoted = {repr(value)[1:-1], json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    return {value, *quoted, quote(value), quote(value, safe=""), quote_plus(value)}
