"""One call to a provider that changes something at the venue, and what its end proves."""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import anyio
import attrs

from gatehook.kinds.errors import AuthError
from gatehook.kinds.errors import Denied
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import NotFound
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.errors import Rejected
from gatehook.kinds.orders import Reason
from gatehook.orders.access import CallKind
from gatehook.orders.entry import Entry


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


async def send(entry: Entry, kind: CallKind, what: str, function: Callable[[], Awaitable[Any]]) -> Reply:
    """Call a provider, and never raise: being cancelled, like everything that is no proof, proves nothing."""
    reply = unproven(f"{what} was cut off when the entry stopped")
    try:
        with entry.sending():
            reply = Reply(proof=Proof.ANSWERED, value=await entry.access.call(kind, what, function))
    except (Denied, NotConnected, AuthError, NotFound) as error:
        return Reply(proof=Proof.NOTHING_SENT, error=error, reason=reason_of(error))
    except Rejected as error:
        return Reply(proof=Proof.REFUSED, error=error, reason=reason_of(error))
    except (Exception, SystemExit, anyio.get_cancelled_exc_class()) as error:  # noqa: BLE001  none of them is a proof
        return unproven(f"{what} ended without proof: {_described(error)}")
    return reply


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
