"""The parameters of one request, checked as they are taken."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from typing import TypeVar

from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import gateway as codes

T = TypeVar("T")


class Params:
    """Parameters by name; a wrong one is ``gateway.bad-request``.

    Attributes:
        method: the method they are for.
        person: who asks, as the audit names them.
    """

    def __init__(self, method: str, values: Any, *, person: str = "cli") -> None:
        self.method = method
        self.person = person
        if not isinstance(values, Mapping):
            raise self.refuse("its parameters are no object")
        self._values = values

    def refuse(self, why: str) -> GatehookError:
        """Make the error that refuses this request."""
        return GatehookError(codes.BAD_REQUEST(method=self.method, why=why))

    def text(self, name: str) -> str:
        """Return a text that must be there."""
        value = self.maybe(name)
        if not value:
            raise self.refuse(f"{name} is missing")
        return value

    def maybe(self, name: str) -> str | None:
        """Return a text, or ``None``."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, str):
            raise self.refuse(f"{name} is no text")
        return value

    def integer(self, name: str, default: int, *, least: int = 0, most: int = 100_000) -> int:
        """Return a whole number within its bounds."""
        value = self._values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.refuse(f"{name} is no whole number from {least} to {most}")
        return value

    def flag(self, name: str) -> bool:
        """Return yes or no; absent means no."""
        value = self._values.get(name, False)
        if not isinstance(value, bool):
            raise self.refuse(f"{name} is neither true nor false")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts; absent means none."""
        value = self._values.get(name, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self.refuse(f"{name} is no list of texts")
        return tuple(value)

    def table(self, name: str) -> Mapping[str, Any]:
        """Return an object; absent means an empty one."""
        value = self._values.get(name, {})
        if not isinstance(value, Mapping):
            raise self.refuse(f"{name} is no object")
        return value

    def read(self, name: str, build: Callable[[str], T]) -> T:
        """Build a value from a text that must be there."""
        text = self.text(name)
        try:
            return build(text)
        except (ValueError, TypeError) as error:
            raise self.refuse(f"{name}: {error}") from None

    def maybe_read(self, name: str, build: Callable[[str], T]) -> T | None:
        """Build a value from a text, or return ``None``."""
        return None if self.maybe(name) is None else self.read(name, build)
