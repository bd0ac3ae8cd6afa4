"""Errors as the control socket says them: code, message, place, remedy."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from typing import Final

from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import gateway as codes
from gatehook.kinds.errors import ApprovalPending
from gatehook.kinds.errors import Category
from gatehook.kinds.errors import ProviderError

_LOG: Final = logging.getLogger("gatehook.gateway")

_REMEDIES: Final[Mapping[Category, str]] = {
    Category.DENIED: "Nothing was sent. Correct what the message names and try again.",
    Category.REJECTED: "The venue refused it; nothing is open because of it.",
    Category.AMBIGUOUS: "Its outcome is not known: do not send it again. `gatehook orders list` shows its state.",
    Category.CONNECTION: "Nothing was sent. `gatehook status` shows when the connection is back.",
    Category.AUTH: "Check the credentials in the entry's configuration.",
    Category.NOT_FOUND: "Check the id.",
    Category.DATA: "`gatehook logs` has the details.",
}


def describe_error(error: Exception) -> Mapping[str, Any]:
    """Return what a client is told about an error; an unexpected one is logged with its traceback."""
    if isinstance(error, GatehookError):
        first = error.diagnostics[0]
        return {**first.to_json(), "place": first.place}
    if isinstance(error, ApprovalPending):
        return {**_describe_refusal(error), "approval": error.approval_id, "remedy": _how_to_approve(error.approval_id)}
    if isinstance(error, ProviderError):
        return _describe_refusal(error)
    _LOG.error("a request failed", exc_info=error)
    failed = codes.FAILED(method="The request", kind=type(error).__name__)
    return {**failed.to_json(), "place": ""}


def _how_to_approve(approval_id: str) -> str:
    return f"`gatehook approvals approve {approval_id}` shows it and asks; without an answer nothing is sent."


def _describe_refusal(error: ProviderError) -> Mapping[str, Any]:
    return {
        "code": error.code,
        "category": str(error.category),
        "severity": "error",
        "message": error.message,
        "place": "",
        "remedy": _REMEDIES[error.category],
        "retry": str(error.retry),
        "retry_after": error.retry_after,
        "venue_code": error.venue_code,
        "venue_message": error.venue_message,
    }


def too_slow(method: str, seconds: float) -> GatehookError:
    """Make the error for a method that missed its deadline."""
    return GatehookError(codes.TOO_SLOW(method=method, seconds=f"{seconds:g}"))
