"""What a provider raises, and what each error proves.

``Denied``, ``NotConnected``, ``AuthError`` and ``NotFound`` say that nothing was sent. ``Rejected`` says that the venue
proved its refusal. Everything else that leaves a trading method, ``Ambiguous`` first of all, proves nothing: the order
becomes ``unknown``.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Any
from typing import ClassVar


class Category(StrEnum):
    """What an error proves about the venue."""

    DENIED = "denied"
    REJECTED = "rejected"
    AMBIGUOUS = "ambiguous"
    CONNECTION = "connection"
    AUTH = "auth"
    NOT_FOUND = "not_found"
    DATA = "data"


class Retry(StrEnum):
    """Whether asking again can help: never, at once, or after ``retry_after`` seconds."""

    NEVER = "never"
    SAFE = "safe"
    AFTER = "after"


class ProviderError(Exception):
    """The base of all errors of providers and handles.

    Attributes:
        code: our word for it, stable, lower snake case.
        category: what it proves.
        retry: whether asking again can help.
        venue_code, venue_message: the venue's own, where it gave them.
        retry_after: seconds to wait, where ``retry`` is ``after``.
    """

    code: ClassVar[str] = "error"
    category: ClassVar[Category] = Category.DATA
    retry: ClassVar[Retry] = Retry.NEVER

    def __init__(
        self,
        message: str,
        *,
        venue_code: str | None = None,
        venue_message: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.venue_code = venue_code
        self.venue_message = venue_message
        self.retry_after = _seconds(retry_after)


def _seconds(stated: Any) -> float | None:
    """Read what authors pass on from a venue, headers among it: what is no time to wait states none."""
    try:
        seconds = float(stated)
    except (TypeError, ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds < math.inf else None


class Denied(ProviderError):
    """Refused on our side: nothing was sent, and the client order id stays free."""

    code = "denied"
    category = Category.DENIED


class InvalidOrder(Denied):
    """The order breaks a rule of the instrument; the message names the rule and the bound."""

    code = "invalid_order"


class UnsupportedCapability(Denied):
    """The provider does not declare what was asked for."""

    code = "unsupported_capability"


class UnitMismatch(Denied):
    """The quantity cannot be converted exactly into the instrument's unit."""

    code = "unit_mismatch"


class AccountNotAllowed(Denied):
    """The account is not in the entry's ``allowedAccounts``."""

    code = "account_not_allowed"


class DuplicateClientOrderId(Denied):
    """The id was used before for an order of other content."""

    code = "duplicate_client_order_id"


class ModeNotAllowed(Denied):
    """The account's mode is not the gateway's."""

    code = "mode_not_allowed"


class NoQuote(Denied):
    """There is no price, or it is older than allowed."""

    code = "no_quote"


class NotReconciled(Denied):
    """Trading on the account is closed until its first complete reconciliation."""

    code = "not_reconciled"
    retry = Retry.SAFE


class UnresolvedOutstanding(Denied):
    """New risk on the account waits until something is settled: an order long unknown, a position not acknowledged, a
    reconciliation that failed.
    """

    code = "unresolved_outstanding"
    retry = Retry.SAFE


class Halted(Denied):
    """Trading is halted for this scope; what reduces risk passes."""

    code = "halted"


class PermissionDenied(Denied):
    """A rule denies the command to its caller."""

    code = "permission_denied"


class ApprovalDenied(Denied):
    """The command needed an approval and did not get it: rejected, expired, or one of too many."""

    code = "approval_denied"


class ApprovalPending(Denied):
    """The command waits for a person's approval; the message names it. Nothing was sent yet.

    Attributes:
        approval_id: names the approval.
    """

    code = "approval_pending"
    retry = Retry.SAFE
    approval_id: str = ""


class LimitExceeded(Denied):
    """The command is over a limit; the message names the limit, its use and what is left."""

    code = "limit_exceeded"


class LimitUncomputable(Denied):
    """A limit is set, and what it needs is not known (a quote, a position, a conversion)."""

    code = "limit_uncomputable"
    retry = Retry.SAFE


class Throttled(Denied):
    """The entry's own budget of requests is used up; nothing was sent. ``retry_after`` says for how long."""

    code = "throttled"
    retry = Retry.AFTER


class StorageUnavailable(Denied):
    """The journal cannot be written (a full disk, a read-only file): nothing new leaves."""

    code = "storage_unavailable"


class Rejected(ProviderError):
    """The venue proved that it refused."""

    code = "rejected"
    category = Category.REJECTED


class InsufficientFunds(Rejected):
    """Not enough money or margin."""

    code = "insufficient_funds"


class MarketClosed(Rejected):
    """The instrument does not trade now."""

    code = "market_closed"


class InvalidStops(Rejected):
    """A trigger, stop-loss or take-profit is on the wrong side of the market or too near to it."""

    code = "invalid_stops"


class PostOnlyWouldTake(Rejected):
    """A post-only order would have traded at once."""

    code = "post_only_would_take"


class ReduceOnlyRejected(Rejected):
    """A reduce-only order without a position to reduce."""

    code = "reduce_only_rejected"


class OrderNotCancellable(Rejected):
    """The order is already filled, canceled, expired or rejected; nothing changed."""

    code = "order_not_cancellable"


class RateLimited(Rejected):
    """Too many requests; nothing was done. ``retry_after`` says for how long."""

    code = "rate_limited"
    retry = Retry.AFTER


class ClockSkew(Rejected):
    """The venue refused a request for its time; nothing was done. Raise it when the clock is set: one retry is safe."""

    code = "clock_skew"
    retry = Retry.SAFE


class NotConnected(ProviderError):
    """No connection before the first byte left: nothing was sent."""

    code = "not_connected"
    category = Category.CONNECTION
    retry = Retry.SAFE


class AuthError(ProviderError):
    """Credentials are missing or were refused."""

    code = "auth"
    category = Category.AUTH


class NotFound(ProviderError):
    """What was asked for does not exist."""

    code = "not_found"
    category = Category.NOT_FOUND


class Ambiguous(ProviderError):
    """The request left and its outcome is not proven. The desk turns it into the status ``unknown``."""

    code = "ambiguous"
    category = Category.AMBIGUOUS


class CursorExpired(ProviderError):
    """The stream cannot be resumed from the cursor; start from a snapshot."""

    code = "cursor_expired"


class StreamOverflow(ProviderError):
    """The consumer fell behind and the stream's policy is ``error``."""

    code = "stream_overflow"


class FilterError(ProviderError):
    """A memory filter has an unknown operator, a bad key or a bad value; nothing was read."""

    code = "filter"


class Conflict(ProviderError):
    """The document's revision is not the expected one; nothing was written."""

    code = "conflict"


class Closed(ProviderError):
    """The provider was closed."""

    code = "closed"


class ToolFailed(ProviderError):
    """A tool of an MCP server says itself that it failed, in words the adapter does not know; what it did before is
    not proven.
    """

    code = "tool_failed"


class ToolAnswerInvalid(ProviderError):
    """A tool answered, and the answer is not what it must be: no JSON, a wrong type, a number that is none.

    Attributes:
        pointer: the JSON pointer to what is wrong in the answer; ``""`` is the whole of it.
    """

    code = "answer_invalid"

    def __init__(self, message: str, *, pointer: str = "", venue_code: str | None = None) -> None:
        super().__init__(message, venue_code=venue_code)
        self.pointer = pointer


class CallRefused(ProviderError):
    """An MCP server answered a call with a protocol error instead of a result; ``venue_code`` is its number."""

    code = "call_refused"
