"""What an event carries, as the domain object that its topic promises: a plugin may have published its JSON."""

from __future__ import annotations

from typing import Any
from typing import TypeVar

from cattrs import transform_error

from gatehook.kinds.codec import from_json

T = TypeVar("T")


def payload_as(cls: type[T], payload: Any) -> T:
    """Return the payload as an object of ``cls``.

    Raises:
        ValueError: it is none; the message says what is wrong with it, and holds no value of it.
    """
    if isinstance(payload, cls):
        return payload
    try:
        return from_json(cls, payload)
    except (ValueError, TypeError, ExceptionGroup) as error:
        raise ValueError("; ".join(transform_error(error)) or type(error).__name__) from None
