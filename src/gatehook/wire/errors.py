"""Errors as they cross the wire, and the same classes again on the other side."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import Final

from gatehook.diagnostics import GatehookError
from gatehook.kinds import errors
from gatehook.kinds.errors import Category
from gatehook.kinds.errors import Denied
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.errors import Retry
from gatehook.kinds.errors import ToolAnswerInvalid
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.wire.codec import NotOnTheWire

#: The code of what a provider raised that is no error of its kind; it proves nothing.
INTERNAL: Final = "internal"
#: The code of a ``TimeoutError``.
TIMEOUT: Final = "timeout"


class InvalidArguments(Denied):
    """The arguments of a tool are not what the wire says; the provider was not asked.

    Attributes:
        pointer: the JSON pointer to what is wrong.
    """

    code = "invalid_arguments"
    pointer: str = ""


class UnknownStream(ProviderError):
    """There is no such stream on this connection: never opened, closed, idle for too long."""

    code = "unknown_stream"


def _classes(base: type[ProviderError]) -> Iterator[type[ProviderError]]:
    for cls in base.__subclasses__():
        if cls.__module__ in (errors.__name__, __name__):
            yield cls
            yield from _classes(cls)


#: code -> its class, for every error that can cross the wire
CODES: Final[Mapping[str, type[ProviderError]]] = {cls.code: cls for cls in _classes(ProviderError)}


def error_json(error: Exception) -> Mapping[str, Any]:
    """Write what a provider raised. Of what is no ``ProviderError`` only the type is told: its text may be anything."""
    if isinstance(error, ProviderError):
        body: dict[str, Any] = {
            "code": error.code,
            "category": str(error.category),
            "retry": str(error.retry),
            "retry_after": error.retry_after,
            "message": error.message,
            "venue_code": error.venue_code,
            "venue_message": error.venue_message,
        }
        pointer = getattr(error, "pointer", "")
        return {**body, "pointer": pointer} if pointer else body
    if isinstance(error, NotOnTheWire):
        denied = InvalidArguments(str(error))
        denied.pointer = error.pointer
        return error_json(denied)
    if isinstance(error, GatehookError):
        return error_json(UnsupportedCapability(str(error)))
    code, category = (TIMEOUT, Category.DATA) if isinstance(error, TimeoutError) else (INTERNAL, Category.DATA)
    return {
        "code": code,
        "category": str(category),
        "retry": str(Retry.NEVER),
        "retry_after": None,
        "message": "the time is up" if code == TIMEOUT else f"the provider raised {type(error).__name__}",
        "venue_code": None,
        "venue_message": None,
    }


def error_from(body: Any, *, tool: str) -> Exception:
    """Build the error that a tool answered with.

    A code that is not known here, or one that contradicts its own category, becomes a plain ``ProviderError``: it
    proves nothing.
    """
    if not isinstance(body, dict) or not isinstance(body.get("code"), str):
        return ToolAnswerInvalid(
            f"the tool {tool!r} says that it failed, and not how: an error is an object with a code"
        )
    code, message = body["code"], _text(body.get("message")) or "no words"
    if code == TIMEOUT:
        return TimeoutError(message)
    cls = CODES.get(code)
    if cls is None or body.get("category", str(cls.category)) != str(cls.category):
        return ProviderError(f"{message} [{code}]", **_venue(body))
    if cls is ToolAnswerInvalid:
        return ToolAnswerInvalid(message, pointer=_text(body.get("pointer")) or "")
    error = cls(message, **_venue(body))
    if isinstance(error, InvalidArguments):
        error.pointer = _text(body.get("pointer")) or ""
    return error


def _venue(body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "venue_code": _text(body.get("venue_code")),
        "venue_message": _text(body.get("venue_message")),
        "retry_after": body.get("retry_after"),
    }


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
