"""A plugin's process that speaks the wire on stdio: started, spoken to, started again; no MCP SDK anywhere."""

from __future__ import annotations

import random
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

import anyio
import attrs
from anyio.abc import ByteReceiveStream
from anyio.abc import ByteSendStream
from anyio.abc import TaskStatus

from gatehook import __version__
from gatehook.context import McpResult
from gatehook.context import PluginContext
from gatehook.context import ToolDefinition
from gatehook.hookspecs import hookimpl
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.kind import KINDS
from gatehook.kinds.provider import Provider
from gatehook.runtimes.child_records import ChildRecords
from gatehook.runtimes.children import Child
from gatehook.runtimes.children import ChildSpec
from gatehook.runtimes.mcp.spec import McpLimits
from gatehook.wire.host_requests import HostRequests
from gatehook.wire.jsonrpc import Limits
from gatehook.wire.session import StdioWireSession

if TYPE_CHECKING:
    from gatehook.catalog.manifest import Manifest

#: Seconds: a connection that lived so long was a good one, and the next wait is short again.
GOOD: Final = 10.0


def wire_plugin(manifest: Manifest) -> object:
    """Return an object with the hooks of a plugin whose server speaks the kinds: they build providers over the wire."""
    from gatehook.wire.client import wire_providers

    hooks = {KINDS[kind].hook: _hook(make) for kind, make in wire_providers(manifest).items()}
    return SimpleNamespace(**hooks)


def _hook(make: Callable[[PluginContext], Provider]) -> Callable[[PluginContext], Provider]:
    def provide(context: PluginContext) -> Provider:
        return make(context)

    marked: Callable[[PluginContext], Provider] = hookimpl(provide)
    return marked


class WireProcess:
    """``McpTools`` over a process that is started again when it ends: the same object all the time.

    Args:
        child: what is started.
        context: what the process may ask of the gateway.
        redact: takes secrets out of what it writes to stderr.
        records: where it is noted, so that the next start of the gateway ends what was left.
        prepare: called before each start; what it raises ends the session for good.
        admit: told the tools of each connection before a call is let through; what it raises ends the session.
        told: called with why there is no connection any more, or with nothing when there is one again.
        limits: the bounds of a session.
    """

    def __init__(
        self,
        child: ChildSpec,
        context: PluginContext,
        *,
        redact: Callable[[str], str],
        records: ChildRecords,
        prepare: Callable[[], Awaitable[None]],
        admit: Callable[[Mapping[str, ToolDefinition]], Awaitable[None]],
        told: Callable[[str], None],
        limits: McpLimits,
    ) -> None:
        self._child = child
        self._context = context
        self._redact = redact
        self._records = records
        self._prepare = prepare
        self._admit = admit
        self._told = told
        self._limits = limits
        self._requests = HostRequests(context, lambda: context.task_group)
        self._session = StdioWireSession(
            offers=self._offer,
            hear=self._hear,
            limits=Limits(frame=limits.max_result, outbox=limits.max_unsent),
            call_timeout=limits.call_timeout,
            handshake_timeout=limits.start_timeout,
            client_version=__version__,
        )
        self._admitted = anyio.Event()
        self._why = "it has not been started"

    @property
    def tools(self) -> Mapping[str, ToolDefinition]:
        """The tools, by name; those of the last connection while there is none."""
        return self._session.tools

    @property
    def server(self) -> Mapping[str, str]:
        """``name``, ``version`` and ``protocol`` of the server; empty before the first connection."""
        return self._session.server

    @property
    def generation(self) -> int:
        """Which connection this is: 0 before the first, one more with each."""
        return self._session.generation

    async def call(self, tool: str, arguments: Mapping[str, Any], *, timeout: float | None = None) -> McpResult:
        """Call a tool; see ``gatehook.context.McpTools``."""
        if not self._admitted.is_set():
            raise NotConnected(f"the plugin's process is not there: {self._why}; nothing was sent")
        return await self._session.call(tool, arguments, timeout=timeout)

    def allow_undeclared(self, tool: str, *arguments: str) -> None:
        """Do nothing: the arguments of the wire are the wire's, and no schema of the server's is held against them."""

    async def wait_connected(self, timeout: float) -> None:
        """Wait until calls can be made; see ``gatehook.context.McpTools``."""
        with anyio.move_on_after(timeout):
            while not self._admitted.is_set():
                await self._admitted.wait()
        if not self._admitted.is_set():
            raise NotConnected(f"the plugin's process was not there within {timeout:g} s: {self._why}")

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Own the process until cancelled: started when calls can be made, and from then on started again by itself.

        Raises:
            NotConnected: when the first start fails.
            ChildNotStarted: the program is not there, or cannot be run.
            Exception: what ``prepare`` or ``admit`` raises.
        """
        bound = self._limits.backoff
        while True:
            begun = anyio.current_time()
            try:
                await self._once(task_status)
            except NotConnected as error:
                if not self.generation:
                    raise
                self._why = str(error)
            lived = anyio.current_time() - begun
            bound = self._limits.backoff if lived > GOOD else min(self._limits.backoff_cap, bound * 2)
            self._told(f"its process is not there: {self._why}")
            await anyio.sleep(random.uniform(0, bound))  # noqa: S311  jitter is no secret

    async def _once(self, task_status: TaskStatus[None]) -> None:
        await self._prepare()
        child = Child.start(
            self._child,
            name=self._context.entry_id,
            logger=self._context.logger,
            redact=self._redact,
            records=self._records,
        )
        self._requests = HostRequests(self._context, lambda: self._context.task_group)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(child.watch_stderr)
                await self._speak(child, task_status)
                tasks.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            raise _single(group) from None
        finally:
            self._admitted = anyio.Event()
            self._requests.let_go()
            code = await child.stop(grace=self._limits.grace)
        self._why = f"it ended ({_ending(code)})"

    async def _speak(self, child: Child, task_status: TaskStatus[None]) -> None:
        """Run one connection until it ends.

        Raises:
            NotConnected: when it did not come to one.
        """
        limit = self._limits.start_timeout
        async with anyio.create_task_group() as tasks:
            with anyio.move_on_after(limit) as scope:
                await tasks.start(self._converse, child)
                await self._admit(self._session.tools)
                self._admitted.set()
                self._told("")
                _started(task_status)
            if scope.cancelled_caught:
                raise NotConnected(f"it did not answer within {limit:g} s")

    async def _converse(self, child: Child, *, task_status: TaskStatus[None]) -> None:
        try:
            await self._session.run(ChildOutput(child), ChildInput(child), task_status=task_status)
        except NotConnected as error:
            said = f"; its last words: {child.stderr_tail[-1]}" if child.stderr_tail else ""
            raise NotConnected(f"{error}{said}") from None

    async def _offer(self, method: str, params: Any) -> Any:
        return await self._requests.answer(method, params)

    def _hear(self, method: str, params: Any) -> None:
        self._requests.hear(method, params)


def _started(task_status: TaskStatus[None]) -> None:
    try:
        task_status.started()
    except RuntimeError:
        return  # a later connection of a session that was started long ago


def _single(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _ending(code: int | None) -> str:
    if code is None:
        return "how is not known"
    return f"exit code {code}" if code >= 0 else f"signal {-code}"


@attrs.frozen
class ChildOutput(ByteReceiveStream):
    """A child's stdout as a stream."""

    child: Child

    async def receive(self, max_bytes: int = 65_536) -> bytes:
        """Return what is there, at least a byte."""
        data = await self.child.receive(max_bytes)
        if not data:
            raise anyio.EndOfStream
        return data

    async def aclose(self) -> None:
        """Do nothing: who started the child ends it."""


@attrs.frozen
class ChildInput(ByteSendStream):
    """A child's stdin as a stream."""

    child: Child

    def write_some(self, data: bytes | memoryview) -> int:
        """Write what the pipe takes now and return how much that was."""
        return self.child.write_some(data)

    async def send(self, item: bytes) -> None:
        """Write all of it."""
        await self.child.send(item)

    async def aclose(self) -> None:
        """Do nothing: who started the child ends it."""
