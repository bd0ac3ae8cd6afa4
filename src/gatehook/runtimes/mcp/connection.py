"""One connection: the transport, the SDK's session on it, the server's tools. Entered and left by one task."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from collections.abc import Callable
from collections.abc import Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

import anyio
import attrs
import mcp_types as types
from mcp import ClientSession
from mcp import MCPError
from mcp.shared.dispatcher import CallOptions
from mcp.shared.dispatcher import ProgressFnT
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import TypeAdapter
from pydantic import ValidationError

from gatehook import __version__
from gatehook.catalog.manifest import Transport
from gatehook.context import McpResult
from gatehook.context import ToolDefinition
from gatehook.kinds.errors import Denied
from gatehook.runtimes.child_records import ChildRecords
from gatehook.runtimes.children import Child
from gatehook.runtimes.children import ChildNotStarted
from gatehook.runtimes.children import ChildSpec
from gatehook.runtimes.children import child_environment
from gatehook.runtimes.mcp.arguments import compiled
from gatehook.runtimes.mcp.dispatcher import Dispatcher
from gatehook.runtimes.mcp.faults import ConnectionDown
from gatehook.runtimes.mcp.faults import InputRefused
from gatehook.runtimes.mcp.faults import NotUsable
from gatehook.runtimes.mcp.faults import Unanswered
from gatehook.runtimes.mcp.faults import UnreadableAnswer
from gatehook.runtimes.mcp.inputs import Inputs
from gatehook.runtimes.mcp.inputs import between_rounds
from gatehook.runtimes.mcp.listing import BadToolList
from gatehook.runtimes.mcp.listing import clean
from gatehook.runtimes.mcp.listing import read_tools
from gatehook.runtimes.mcp.negotiation import negotiate
from gatehook.runtimes.mcp.results import read_result
from gatehook.runtimes.mcp.spec import McpLimits
from gatehook.runtimes.mcp.spec import McpSpec

if TYPE_CHECKING:
    import httpx2

_RESULT: Final = TypeAdapter[types.CallToolResult | types.InputRequiredResult](
    types.CallToolResult | types.InputRequiredResult
)
_INFO: Final = types.Implementation(name="gatehook", version=__version__)
_LONGEST_NAME: Final = 100


@attrs.frozen(kw_only=True)
class Surroundings:
    """What connections of one session share: names, loggers, where children are recorded, tokens."""

    entry_id: str
    logger: logging.Logger
    redact: Callable[[str], str]
    records: ChildRecords | None = None
    tokens: dict[str, Any] = attrs.field(factory=dict, repr=False)


class Connection:
    """An agreed session with a server. Calls may come from any task."""

    def __init__(self, session: ClientSession, dispatcher: Dispatcher, limits: McpLimits, inputs: Inputs) -> None:
        self._session = session
        self._inputs = inputs
        self._limits = limits
        self._outputs: dict[str, Any] = {}
        self.dispatcher = dispatcher
        self.tools: Mapping[str, ToolDefinition] = {}

    @property
    def is_modern(self) -> bool:
        """Whether the version spoken has no sessions and no ping."""
        return self._session.protocol_version in MODERN_PROTOCOL_VERSIONS

    @property
    def server(self) -> Mapping[str, str]:
        """The server's ``name`` and ``version`` as it says, and the ``protocol`` agreed on."""
        info = self._session.server_info
        said = {"name": info.name, "version": info.version} if info is not None else {"name": "", "version": ""}
        cut = {name: clean(text)[:_LONGEST_NAME] for name, text in said.items()}
        return {**cut, "protocol": self._session.protocol_version or ""}

    async def list_tools(self) -> Mapping[str, ToolDefinition]:
        """Ask for the tools, all pages of them.

        Raises:
            BadToolList: they cannot be used.
            ConnectionDown, Unanswered, UnreadableAnswer, MCPError: as for any request.
        """
        raw: list[Mapping[str, Any]] = []
        cursor: str | None = None
        cursors: set[str] = set()
        while True:
            page = await self._page(cursor)
            raw += [_as_sent(one) for one in page.tools]
            cursor = page.next_cursor
            if cursor is None:
                break
            if cursor in cursors or len(cursors) + 1 >= self._limits.max_pages:
                raise BadToolList("its list of tools has no end")
            if len(raw) > self._limits.max_tools:
                raise BadToolList(f"it has more than {self._limits.max_tools} tools")
            cursors.add(cursor)
        self._outputs.clear()
        return read_tools(raw, self._limits)

    async def _page(self, cursor: str | None) -> types.ListToolsResult:
        params = types.PaginatedRequestParams(cursor=cursor) if cursor is not None else None
        try:
            with anyio.fail_after(self._limits.start_timeout):
                return await self._session.list_tools(params=params)
        except TimeoutError:
            raise Unanswered(self._limits.start_timeout, sent=True) from None
        except ValidationError:
            raise BadToolList("its list of tools is none") from None

    async def call(
        self, tool: ToolDefinition, arguments: dict[str, Any], timeout: float, progress: ProgressFnT | None
    ) -> McpResult:
        """Call a tool.

        Raises:
            ToolAnswerInvalid: the answer is against the tool's output schema.
            UnreadableAnswer: the answer is no result of a tool.
            InputRefused: the tool wants input that is not given.
            ConnectionDown, Unanswered, TooLarge, MCPError: as for any request.
        """
        if self.is_modern:
            raw = await self._stamped(tool.name, arguments, timeout, progress)
        else:
            # The versions with a handshake want nothing beside the request itself: the SDK's models are half of a
            # call's cost, and what they check is checked in ``read_result``.
            opts = CallOptions(timeout=timeout)
            if progress is not None:
                opts["on_progress"] = progress
            params = {"name": tool.name, "arguments": arguments}
            raw = await self.dispatcher.send_raw_request("tools/call", params, opts)
        return read_result(tool.name, raw, self._output(tool))

    async def _stamped(
        self, tool: str, arguments: dict[str, Any], timeout: float, progress: ProgressFnT | None
    ) -> dict[str, Any]:
        deadline = anyio.current_time() + timeout
        params = types.CallToolRequestParams(name=tool, arguments=arguments)
        result = await self._round(params, timeout, progress)
        for round_ in range(self._limits.max_rounds):
            if not isinstance(result, types.InputRequiredResult):
                break
            given = self._inputs.answers(tool, result.input_requests or {}) or None
            if given is None:
                await between_rounds(round_)
            params = types.CallToolRequestParams(
                name=tool, arguments=arguments, input_responses=given, request_state=result.request_state
            )
            left = deadline - anyio.current_time()
            if left <= 0:
                raise Unanswered(timeout, sent=True)
            result = await self._round(params, left, progress)
        if isinstance(result, types.InputRequiredResult):
            raise InputRefused(f"it has asked for input more than {self._limits.max_rounds} times")
        content = [block.model_dump(by_alias=True) for block in result.content]
        return {"content": content, "structuredContent": result.structured_content, "isError": bool(result.is_error)}

    async def _round(
        self, params: types.CallToolRequestParams, timeout: float, progress: ProgressFnT | None
    ) -> types.CallToolResult | types.InputRequiredResult:
        request = types.CallToolRequest(params=params)
        try:
            return await self._session.send_request(
                request, _RESULT, request_read_timeout_seconds=timeout, progress_callback=progress
            )
        except ValidationError:
            raise UnreadableAnswer("it is no result of a tool") from None

    def _output(self, tool: ToolDefinition) -> Any:
        if tool.output_schema is None:
            return None
        if tool.name not in self._outputs:
            try:
                self._outputs[tool.name] = compiled(tool.output_schema, f"the answer of {tool.name!r}")
            except Denied:  # a schema that is none cannot be broken; its definition is in the fingerprint all the same
                self._outputs[tool.name] = None
        return self._outputs[tool.name]

    async def ping(self, timeout: float) -> bool:
        """Ask whether the server is there; any answer says that it is."""
        try:
            with anyio.move_on_after(timeout):
                if self.is_modern:
                    await self._session.send_discover(self._session.protocol_version or "")
                else:
                    await self._session.send_ping()
                return True
        except (MCPError, UnreadableAnswer, ValidationError):
            return True
        except (ConnectionDown, Unanswered):
            return False
        return False

    async def listen(self) -> bool:
        """Hear of changed tools, in a version in which a client has to ask for that; ``True`` when the server let go.

        Returns at once where there is nothing to ask for.
        """
        if not self.is_modern:
            return False
        wanted = types.SubscriptionFilter(tools_list_changed=True)
        request = types.SubscriptionsListenRequest(params=types.SubscriptionsListenRequestParams(notifications=wanted))
        try:
            await self._session.send_request(request, types.EmptyResult)
        except (MCPError, UnreadableAnswer, ValidationError):
            return False  # it has no such thing; its tools are looked at when it is connected to anew
        except (ConnectionDown, Unanswered):
            return True
        return True


@asynccontextmanager
async def connected(spec: McpSpec, around: Surroundings) -> AsyncIterator[Connection]:
    """Connect, agree on a version and read the tools, within the start deadline; let go within bounds.

    Raises:
        NotUsable: trying again will not help.
        BadToolList, ConnectionDown, Unanswered, UnreadableAnswer, MCPError: it did not come to that.
    """
    with anyio.CancelScope(deadline=anyio.current_time() + spec.limits.start_timeout) as starting:
        async with _dispatcher(spec, around) as dispatcher:
            inputs = Inputs(spec.inputs, around.logger)
            asked = inputs.elicited if inputs.are_declared else None
            session = ClientSession(dispatcher=dispatcher, client_info=_INFO, elicitation_callback=asked)
            async with session:
                connection = Connection(session, dispatcher, spec.limits, inputs)
                await negotiate(session, modern_first=spec.transport is Transport.STREAMABLE_HTTP)
                connection.tools = await connection.list_tools()
                starting.deadline = float("inf")
                yield connection
    if starting.cancelled_caught:
        raise Unanswered(spec.limits.start_timeout, sent=True)


@asynccontextmanager
async def _dispatcher(spec: McpSpec, around: Surroundings) -> AsyncIterator[Dispatcher]:
    if spec.transport is Transport.STDIO:
        async with _stdio(spec, around) as dispatcher:
            yield dispatcher
        return
    from gatehook.runtimes.mcp.http import new_client  # and with it httpx2
    from gatehook.runtimes.mcp.sse import SseDispatcher
    from gatehook.runtimes.mcp.streamable import StreamableDispatcher

    async with _authorizer(spec, around) as auth, new_client(spec, auth) as client:
        if spec.transport is Transport.SSE:
            yield SseDispatcher(client, spec.url, spec.limits, around.logger)
            return
        over_http = StreamableDispatcher(client, spec.url, spec.limits, around.logger)
        try:
            yield over_http
        finally:
            await over_http.end_session()


@asynccontextmanager
async def _authorizer(spec: McpSpec, around: Surroundings) -> AsyncIterator[httpx2.Auth | None]:
    if spec.auth is None:
        yield None
        return
    from gatehook.runtimes.mcp.oauth import Authorizer

    authorizer = Authorizer(spec, spec.auth, around.tokens, around.logger.warning)
    async with anyio.create_task_group() as tasks:
        await tasks.start(authorizer.run)
        yield authorizer
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def _stdio(spec: McpSpec, around: Surroundings) -> AsyncIterator[Dispatcher]:
    from gatehook.runtimes.mcp.stdio import StdioDispatcher

    child_spec = ChildSpec(command=spec.command, environment=child_environment(spec.environment), cwd=spec.root)
    try:
        child = Child.start(
            child_spec, name=around.entry_id, logger=around.logger, redact=around.redact, records=around.records
        )
    except ChildNotStarted as error:
        raise NotUsable(str(error)) from None
    dispatcher = StdioDispatcher(child, spec.limits, around.logger)
    try:
        yield dispatcher
    finally:
        await child.stop(grace=spec.limits.grace, frozen=dispatcher.is_frozen)


def _as_sent(tool: types.Tool) -> dict[str, Any]:
    made = tool.model_dump(by_alias=True)
    annotations = made.get("annotations")
    if isinstance(annotations, dict):
        made["annotations"] = {name: value for name, value in annotations.items() if value is not None}
    return made
