"""Which version of the protocol a server speaks, found out without waiting for what will never be answered.

Every server answers ``initialize`` in one way or another, so over stdio and SSE it comes first; a server that only
speaks the versions without it says so, and is asked for those. Over streamable HTTP, where each message has a response
of its own, the versions without sessions are tried first: a restart of the server is nothing to them.
"""

from __future__ import annotations

from typing import Any
from typing import Final

import anyio
import mcp_types as types
from mcp import ClientSession
from mcp import MCPError
from mcp_types.version import LATEST_MODERN_VERSION
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from gatehook.runtimes.mcp.faults import ConnectionDown
from gatehook.runtimes.mcp.faults import NotUsable
from gatehook.runtimes.mcp.faults import Unanswered
from gatehook.runtimes.mcp.faults import UnreadableAnswer

#: How long a server may think about a question that it may not know.
PROBE_SECONDS: Final = 3.0
_UNSUPPORTED: Final = -32022
#: What servers without ``initialize`` answer it with.
_NO_HANDSHAKE: Final = frozenset({_UNSUPPORTED, -32601, -32602, -32600})


async def negotiate(session: ClientSession, *, modern_first: bool) -> None:
    """Agree on a version; the session has adopted it then.

    Raises:
        NotUsable: there is none in common.
        MCPError: the server refuses for another reason.
        ConnectionDown, Unanswered, UnreadableAnswer: as for any request.
    """
    if modern_first and await _discovered(session):
        return
    try:
        await session.initialize()
    except ValidationError:
        raise UnreadableAnswer("its answer to initialize is none") from None
    except RuntimeError:
        raise NotUsable("the server speaks no version of the protocol that Gatehook speaks") from None
    except MCPError as error:
        if error.code not in _NO_HANDSHAKE:
            raise
        if not await _discovered(session, _common(error.data)):
            raise NotUsable("the server speaks no version of the protocol that Gatehook speaks") from None


async def _discovered(session: ClientSession, version: str = LATEST_MODERN_VERSION) -> bool:
    """Ask for the versions without a handshake; ``False`` when the server does not know the question."""
    raw = await _probed(session, version)
    if raw is None:
        return False
    try:
        result = types.DiscoverResult.model_validate(raw)
    except ValidationError:
        return False
    if not any(one in MODERN_PROTOCOL_VERSIONS for one in result.supported_versions):
        return False
    session.adopt(result)
    return True


async def _probed(session: ClientSession, version: str, *, again: bool = True) -> dict[str, Any] | None:
    """Ask once, and once more with the version that a refusal names, be it the same."""
    try:
        with anyio.fail_after(PROBE_SECONDS):
            return await session.send_discover(version)
    except MCPError as error:
        if error.code == _UNSUPPORTED and again and _named(error.data):
            return await _probed(session, _common(error.data), again=False)
    except ConnectionDown as error:
        if error.dead:
            raise
    except (TimeoutError, Unanswered, UnreadableAnswer):
        return None
    return None


def _named(data: Any) -> list[str]:
    """Return the versions that a refusal names and the SDK knows, the oldest first."""
    supported = data.get("supported") if isinstance(data, dict) else None
    return [one for one in MODERN_PROTOCOL_VERSIONS if one in (supported or ())]


def _common(data: Any) -> str:
    """Return the newest version that a refusal names; else the newest at all."""
    return (_named(data) or [LATEST_MODERN_VERSION])[-1]
