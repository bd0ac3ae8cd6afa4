"""One call to a provider that changes something at the venue, and what its end proves."""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from enum import StrEnum
from typing import Any
from typing import Final

import anyio
import attrs

from gatehook.kinds.errors import AuthError
from gatehook.kinds.errors import Denied
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import NotFound
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.errors import Rejected
from gatehook.kinds.errors import Retry
from gatehook.kinds.orders import Reason
from gatehook.orders.access import CallKind
from gatehook.orders.entry import Entry

#: Seconds before the one retry where the venue asks for less and states no time.
DEFAULT_PAUSE: Final = 1.0
_SUPERSEDED: Final = object()


class Proof(StrEnum):
    """What the end of a call proves."""

    ANSWERED = "answered"
    NOTHING_SENT = "nothing_sent"
    REFUSED = "refused"
    NOTHING = "nothing"


@attrs.frozen(kw_only=True)
class Reply:
    """How a call ended: its value where it answered, its error where it raised."""

    proof: Proof
    value: Any = None
    error: ProviderError | None = None
    reason: Reason | None = None


async def send(
    entry: Entry,
    kind: CallKind,
    what: str,
    function: Callable[[], Awaitable[Any]],
    *,
    superseded: Callable[[], Awaitable[bool]] | None = None,
) -> Reply:
    """Call a provider, and never raise: being cancelled, like everything that is no proof, proves nothing.

    A refusal after which asking again is safe (too many requests, a clock that was off) is followed by one more call
    with the same ids, once the venue's time is up, if that is before the deadline of one call. ``superseded`` is asked
    immediately before it, and stops it: an event proved that the first call was accepted after all, or a halt came.
    """
    reply = cut_off = unproven(f"{what} was cut off when the entry stopped")
    deadline = anyio.current_time() + entry.access.timeout
    try:
        with entry.sending():
            reply = await _attempt(entry, kind, what, function)
            pause = _pause(reply)
            if pause is None or anyio.current_time() + pause > deadline:
                return reply
            await anyio.sleep(pause)
            refusal, reply = reply, cut_off
            reply = await _attempt(entry, kind, what, _unless(superseded, function))
            if reply.proof is Proof.NOTHING_SENT or reply.value is _SUPERSEDED:
                reply = refusal
    except (anyio.get_cancelled_exc_class(), SystemExit) as error:
        return reply if reply is not cut_off else unproven(f"{what} ended without proof: {_described(error)}")
    return reply


def _unless(
    superseded: Callable[[], Awaitable[bool]] | None, function: Callable[[], Awaitable[Any]]
) -> Callable[[], Awaitable[Any]]:
    async def is_superseded() -> bool:
        try:
            return superseded is not None and await superseded()
        except Exception:  # noqa: BLE001  whoever cannot be asked does not agree
            return True

    async def call() -> Any:
        return _SUPERSEDED if await is_superseded() else await function()

    return call


async def _attempt(entry: Entry, kind: CallKind, what: str, function: Callable[[], Awaitable[Any]]) -> Reply:
    try:
        return Reply(proof=Proof.ANSWERED, value=await entry.access.call(kind, what, function))
    except (Denied, NotConnected, AuthError, NotFound) as error:
        return Reply(proof=Proof.NOTHING_SENT, error=error, reason=reason_of(error))
    except Rejected as error:
        return Reply(proof=Proof.REFUSED, error=error, reason=reason_of(error))
    except Exception as error:  # noqa: BLE001  none of them is a proof
        return unproven(f"{what} ended without proof: {_described(error)}")


def _pause(reply: Reply) -> float | None:
    """Seconds before a refused call may be made once more; ``None``: never."""
    error = reply.error
    if reply.proof is not Proof.REFUSED or error is None or error.retry is Retry.NEVER:
        return None
    if error.retry_after is not None:
        return error.retry_after
    return 0.0 if error.retry is Retry.SAFE else DEFAULT_PAUSE


def unproven(message: str) -> Reply:
    """Make the reply of a call whose outcome is not known."""
    return Reply(proof=Proof.NOTHING, reason=Reason(code="ambiguous", message=message))


def reason_of(error: ProviderError) -> Reason:
    """Write an error as the reason of an order."""
    return Reason(
        code=error.code, message=error.message, venue_code=error.venue_code, venue_message=error.venue_message
    )


def rejection(reason: Reason | None) -> Rejected:
    """Make the error again of which ``reason`` was made."""
    if reason is None:
        return Rejected("the venue refused")
    kind = next((one for one in Rejected.__subclasses__() if one.code == reason.code), Rejected)
    return kind(reason.message, venue_code=reason.venue_code, venue_message=reason.venue_message)


def _described(error: BaseException) -> str:
    """Name an error. Only what plugin authors write for people is quoted: other texts may hold anything."""
    return error.message if isinstance(error, ProviderError) else type(error).__name__
