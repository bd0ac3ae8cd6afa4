"""What the server says when it refuses: which of its codes prove that nothing was done."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from gatehook import Ambiguous
from gatehook import McpResult
from gatehook import ProviderError
from gatehook import Rejected
from gatehook.kinds.errors import InsufficientFunds
from gatehook.kinds.errors import InvalidStops
from gatehook.kinds.errors import MarketClosed
from gatehook.kinds.errors import RateLimited
from gatehook.kinds.errors import ToolAnswerInvalid
from gatehook.kinds.errors import ToolFailed

#: The proven refusals. The server makes these codes of the trade server's own answers, so the trade server refused.
#: ``TRADE_CONTEXT_BUSY`` is its "try again": nothing was done, and asking once more is safe.
PROVEN: Final[Mapping[str, type[Rejected]]] = {
    "MARKET_CLOSED": MarketClosed,
    "TRADE_CONTEXT_BUSY": RateLimited,
    "INSUFFICIENT_FUNDS": InsufficientFunds,
    "INVALID_STOPS": InvalidStops,
}
#: Seconds before a busy trade server is asked again.
BUSY_PAUSE: Final = 1.0
_LONGEST: Final = 200
_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e]+")


def refusal(result: McpResult) -> ProviderError:
    """Make the error of a trading tool that says that it failed: proven by its code, or else ``Ambiguous``."""
    code, words = _said(result)
    if code in PROVEN:
        pause = BUSY_PAUSE if code == "TRADE_CONTEXT_BUSY" else None
        return PROVEN[code](f"the venue refused: {code}", venue_code=code, venue_message=words, retry_after=pause)
    return Ambiguous(
        f"{result.tool} failed with {code}, which proves nothing: {words}", venue_code=code, venue_message=words
    )


def failure(result: McpResult) -> ToolFailed:
    """Make the error of a reading tool that says that it failed."""
    code, words = _said(result)
    return ToolFailed(f"{result.tool} failed with {code}: {words}", venue_code=code, venue_message=words)


def _said(result: McpResult) -> tuple[str, str]:
    try:
        answer = result.json()
    except ToolAnswerInvalid:
        answer = {"error": " ".join(result.texts)}
    fields = answer if isinstance(answer, dict) else {}
    return _plain(fields.get("code"), "no code"), _plain(fields.get("error"), "no words")


def _plain(text: object, missing: str) -> str:
    """Write what a server said on one line that is safe to show."""
    return _UNPRINTABLE.sub(" ", text).strip()[:_LONGEST] if isinstance(text, str) and text else missing
