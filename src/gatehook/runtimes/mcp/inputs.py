"""What a tool asks for while it works: answered as the entry's configuration says, never by itself, and always logged.

Nobody sits at a gateway, so by default nothing is answered and the call fails. A server of the versions with a
handshake asks by a request of its own; one of the later versions ends its answer with the questions, and the call is
made again with the answers.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from typing import Final

import anyio
import mcp_types as types
from mcp.client import ClientRequestContext

from gatehook.kinds.errors import Denied
from gatehook.runtimes.mcp.arguments import compiled
from gatehook.runtimes.mcp.arguments import first_problem
from gatehook.runtimes.mcp.faults import InputRefused
from gatehook.runtimes.mcp.listing import clean
from gatehook.runtimes.mcp.spec import InputPolicy

_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 0.25
_LONGEST_KEY: Final = 100


class Inputs:
    """Answers for one connection."""

    def __init__(self, policy: InputPolicy, logger: logging.Logger) -> None:
        self._policy = policy
        self._logger = logger

    @property
    def are_declared(self) -> bool:
        """Whether the server is told that it may ask."""
        return self._policy is not InputPolicy.REFUSE

    async def elicited(
        self, context: ClientRequestContext, params: types.ElicitRequestParams
    ) -> types.ElicitResult | types.ErrorData:
        """Answer a request of the server; the SDK calls this only where asking was declared."""
        return self._answer("elicitation/create", params)

    def answers(self, tool: str, requests: Mapping[str, Any]) -> types.InputResponses:
        """Return the answers to what a tool asks for.

        Raises:
            InputRefused: at least one of them is not to be answered.
        """
        for key, request in requests.items():
            if not self.are_declared or not isinstance(request, types.ElicitRequest):
                raise InputRefused(f"it asks for input ({request.method} {shown(key)}), and nobody answers that here")
        return {key: self._answer(f"{tool}: {shown(key)}", request.params) for key, request in requests.items()}

    def _answer(self, what: str, params: types.ElicitRequestParams) -> types.ElicitResult:
        content = self._defaults(params)
        answer = "declined" if content is None else "answered with the defaults of its form"
        self._logger.info("the server asks for input (%s): %s", what, answer)
        if content is None:
            return types.ElicitResult(action="decline")
        return types.ElicitResult(action="accept", content=content)

    def _defaults(self, params: types.ElicitRequestParams) -> dict[str, Any] | None:
        """Return the form filled with its own defaults; ``None`` where that is not wanted, or they do not suffice."""
        if self._policy is not InputPolicy.DEFAULTS or not isinstance(params, types.ElicitRequestFormParams):
            return None
        schema: Mapping[str, Any] = params.requested_schema
        properties = schema.get("properties")
        if not isinstance(properties, Mapping):
            return None
        stated = {name: one for name, one in properties.items() if isinstance(one, Mapping)}
        made = {name: one["default"] for name, one in stated.items() if "default" in one}
        try:
            return None if first_problem(compiled(schema, "the form"), made) else made
        except Denied:
            return None


def shown(key: str) -> str:
    """Return a name of the server's as it may stand in a message."""
    return repr(clean(key)[:_LONGEST_KEY])


async def between_rounds(round_: int) -> None:
    """Pause before a call is made again for a tool that only wants to be asked again."""
    await anyio.sleep(min(_LONGEST_PAUSE, _PAUSE * 2.0 ** min(round_, 10)))
