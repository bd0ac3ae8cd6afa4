"""JSON-RPC 2.0 messages: their text, and what of a line is one."""

from __future__ import annotations

import json
from typing import Any
from typing import Final

import attrs

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
#: The server has too much to do; the request was not begun.
BUSY: Final = -32000

# ASCII alone: no line separator of any kind, and a lone surrogate does not stop the stream.
_ENCODE: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode

#: What a request's id may be.
Id = int | str


class RpcError(Exception):
    """An error answer: code, message and, where there is more to say, data."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code
        self.message = message
        self.data = data


class Garbage(Exception):
    """The line is no message. ``request_id`` is the id it still shows, ``code`` what to answer."""

    def __init__(self, what: str, *, request_id: Id | None = None, code: int = PARSE_ERROR) -> None:
        super().__init__(what)
        self.request_id = request_id
        self.code = code


@attrs.frozen
class JsonText:
    """A value that is JSON text already; it goes out as it is."""

    text: str


def encoded(value: Any) -> str:
    """Write a value as JSON on one line.

    Raises:
        TypeError, ValueError: for what JSON cannot say, NaN and the infinities among it.
    """
    return value.text if isinstance(value, JsonText) else _ENCODE(value)


def request_line(request_id: int, method: str, params: Any) -> bytes:
    """Write a request."""
    return f'{{"jsonrpc":"2.0","id":{request_id},"method":"{method}","params":{encoded(params)}}}\n'.encode()


def notification_line(method: str, params: Any) -> bytes:
    """Write a notification."""
    return f'{{"jsonrpc":"2.0","method":"{method}","params":{encoded(params)}}}\n'.encode()


def result_line(request_id: Id, result: Any) -> bytes:
    """Write an answer."""
    return f'{{"jsonrpc":"2.0","id":{_ENCODE(request_id)},"result":{encoded(result)}}}\n'.encode()


def error_line(request_id: Id | None, error: RpcError) -> bytes:
    """Write an error answer."""
    body: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.data is not None:
        body["data"] = error.data
    return f'{{"jsonrpc":"2.0","id":{_ENCODE(request_id)},"error":{_ENCODE(body)}}}\n'.encode()


def parsed(line: bytes) -> list[dict[str, Any]]:
    """Read a line: one message, or those of a batch.

    Raises:
        Garbage: it is no JSON-RPC; nothing else, whatever the line is.
    """
    try:
        value = json.loads(line.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:  # bad UTF-8 is a ValueError too
        raise Garbage(f"no JSON: {type(error).__name__}", request_id=_id_in(line)) from None
    found = value if isinstance(value, list) else [value]
    if not all(isinstance(one, dict) for one in found):
        raise Garbage("no JSON object", code=INVALID_REQUEST)
    return found


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def _id_in(line: bytes) -> Id | None:
    """Return the id of a message whose only fault is NaN or an infinity."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return id_of(value) if isinstance(value, dict) else None


def id_of(message: dict[str, Any]) -> Id | None:
    """Return a message's id where it is text or a whole number; ``True`` is none."""
    found = message.get("id")
    return found if type(found) in (int, str) else None


def error_of(body: Any) -> RpcError:
    """Read the body of an error answer, however poor it is."""
    if not isinstance(body, dict):
        return RpcError(INTERNAL_ERROR, "an error without words")
    code, message = body.get("code"), body.get("message")
    return RpcError(
        code if type(code) is int else INTERNAL_ERROR,
        message if isinstance(message, str) else "an error without words",
        body.get("data"),
    )
