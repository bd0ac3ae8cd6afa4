"""How a message to a server can fail, with the one fact that matters for an order: whether it had left."""

from __future__ import annotations


class ConnectionDown(Exception):
    """There is no connection, or it was lost.

    Attributes:
        sent: whether a byte of the message may have reached the server.
        retry_after: seconds the server asked to wait, where it did.
        refused: the server refused the credentials.
        lost_session: the server does not know the session; a new one can be made at once.
        dead: the whole connection is of no more use; otherwise only this message failed.
    """

    def __init__(
        self,
        reason: str,
        *,
        sent: bool,
        retry_after: float | None = None,
        refused: bool = False,
        lost_session: bool = False,
        dead: bool = True,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent
        self.retry_after = retry_after
        self.refused = refused
        self.lost_session = lost_session
        self.dead = dead


class Unanswered(Exception):
    """The time was over before there was an answer. ``sent`` as in ``ConnectionDown``."""

    def __init__(self, seconds: float, *, sent: bool) -> None:
        super().__init__(f"no answer within {seconds:.3g} s")
        self.seconds = seconds
        self.sent = sent


class TooLarge(Exception):
    """The answer is over the cap and was thrown away; ``size`` is what was seen of it, in bytes."""

    def __init__(self, size: int, cap: int) -> None:
        super().__init__(f"the answer has {size} bytes or more, over the cap of {cap}")
        self.size = size


class UnreadableAnswer(Exception):
    """The server answered this message with something that is no JSON-RPC; the text says what, never its content."""


class NotUsable(Exception):
    """Trying again will not help: the program is missing, an address is forbidden, no protocol version fits."""


class InputRefused(Exception):
    """A tool wants input that the entry does not give, or has asked for some too often; the text says which."""
