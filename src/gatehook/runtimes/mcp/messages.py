"""JSON-RPC messages as bytes: written compactly, read exactly, and of an unreadable one at least the id."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from typing import Final

from gatehook.kinds.exact_json import NotExactJson
from gatehook.kinds.exact_json import exact_value

#: How much of a message that is too large is kept, to find out which request it answers.
HEAD: Final = 1024
_ID: Final = re.compile(rb'\A\s*\{(?:\s*"jsonrpc"\s*:\s*"2\.0"\s*,)?\s*"id"\s*:\s*(\d{1,15}|"[^"\\]{1,100}")\s*,')
_LAST_ID: Final = re.compile(rb',\s*"id"\s*:\s*(\d{1,15}|"[^"\\]{1,100}")\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*\Z')
_ENCODE: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class Unreadable(ValueError):
    """These bytes are no JSON-RPC message. ``request_id`` is the request it seems to answer, or ``None``."""

    def __init__(self, reason: str, request_id: int | str | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.request_id = request_id


def encode(message: Mapping[str, Any]) -> bytes:
    """Write a message on one line, without its end."""
    return _ENCODE(message).encode()


def decode(data: bytes) -> dict[str, Any]:
    """Read a message; numbers with a point are ``Decimal``.

    Raises:
        Unreadable: it is no JSON object, or not exact.
    """
    try:
        message = exact_value(data)
    except NotExactJson as error:
        raise Unreadable(str(error), answered_by(data[:HEAD], data[-HEAD:])) from None
    if type(message) is not dict:
        raise Unreadable("it is no object", None)
    return message


def answered_by(head: bytes, tail: bytes) -> int | str | None:
    """Guess the id of a message from its two ends, where the usual writers put it."""
    match = _ID.search(head) or _LAST_ID.search(tail)
    if match is None:
        return None
    text = match[1].decode("utf-8", errors="replace")
    return text[1:-1] if text.startswith('"') else int(text)
