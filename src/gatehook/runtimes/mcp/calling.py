"""One call: how it can end, in the words of ``gatehook.kinds.errors``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any
from typing import Final
from typing import Protocol

import attrs

from gatehook.context import McpResult
from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import AuthError
from gatehook.kinds.errors import CallRefused
from gatehook.kinds.errors import Denied
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.errors import ToolAnswerInvalid
from gatehook.kinds.errors import ToolFailed
from gatehook.runtimes.mcp.faults import ConnectionDown
from gatehook.runtimes.mcp.faults import InputRefused
from gatehook.runtimes.mcp.faults import NotUsable
from gatehook.runtimes.mcp.faults import TooLarge
from gatehook.runtimes.mcp.faults import Unanswered
from gatehook.runtimes.mcp.faults import UnreadableAnswer
from gatehook.runtimes.stderr_lines import one_line

if TYPE_CHECKING:
    from gatehook.runtimes.mcp.connection import Connection

_LONGEST_TEXT: Final = 300
_LEAST_SECONDS: Final = 0.001


class Progress(Protocol):
    """Is told what a tool reports while it works."""

    async def __call__(self, progress: float, total: float | None, message: str | None) -> None:
        """Take a report; ``message`` is the server's text, cut."""


@attrs.frozen
class Words:
    """How an entry's calls are named, and how a server's text may be shown."""

    entry_id: str
    redact: Callable[[str], str]

    def of(self, tool: str) -> str:
        """Name a call."""
        return f"{self.entry_id}: the tool {tool!r}"

    def foreign(self, text: str) -> str:
        """Return a text of the server's as it may be shown: redacted first, then cut."""
        return one_line(self.redact(text), _LONGEST_TEXT)


async def call_tool(
    connection: Connection,
    tool: str,
    arguments: dict[str, Any],
    seconds: float,
    progress: Progress | None,
    words: Words,
) -> McpResult:
    """Call a tool of the connection; ``seconds`` are left.

    Raises:
        Denied, NotConnected, AuthError, Ambiguous, CallRefused, ToolAnswerInvalid, ToolFailed: as
            ``gatehook.context.McpTools.call``.
    """
    from mcp import MCPError

    try:
        return await connection.call(connection.tools[tool], arguments, max(seconds, _LEAST_SECONDS), progress)
    except (ConnectionDown, Unanswered) as error:
        if isinstance(error, ConnectionDown) and error.dead:
            connection.dispatcher.end(error)
        raise _unproven(tool, error, words) from None
    except NotUsable as error:
        raise Denied(f"{words.of(tool)}: {error}; nothing was sent") from None
    except TooLarge as error:
        raise Ambiguous(f"{words.of(tool)}: {error}; it was executed, and its answer is lost") from None
    except (ToolAnswerInvalid, UnreadableAnswer, InputRefused) as error:
        raise _no_result(tool, error, words) from None
    except MCPError as error:
        text = words.foreign(error.message)
        raise CallRefused(
            f"{words.of(tool)}: the server answered with the protocol error {error.code}: {text}",
            venue_code=str(error.code),
            venue_message=text,
        ) from None


def _no_result(tool: str, error: ToolAnswerInvalid | UnreadableAnswer | InputRefused, words: Words) -> ProviderError:
    if isinstance(error, ToolAnswerInvalid):
        return ToolAnswerInvalid(f"{words.entry_id}: {error.message}", pointer=error.pointer)
    if isinstance(error, InputRefused):
        return ToolFailed(f"{words.of(tool)}: {words.foreign(str(error))}; what it did before is not proven")
    return ToolAnswerInvalid(f"{words.of(tool)}: its answer cannot be read: {error}")


def _unproven(tool: str, error: ConnectionDown | Unanswered, words: Words) -> ProviderError:
    what = words.foreign(str(error))
    if not error.sent:
        kind = AuthError if isinstance(error, ConnectionDown) and error.refused else NotConnected
        return kind(f"{words.of(tool)}: {what}; nothing was sent")
    after = error.retry_after if isinstance(error, ConnectionDown) else None
    return Ambiguous(f"{words.of(tool)}: {what}; it may have been executed", retry_after=after)
