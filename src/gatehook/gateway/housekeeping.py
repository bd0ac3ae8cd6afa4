"""What the memory needs now and then: dropping what is not kept, and its own maintenance while nobody uses it."""

from __future__ import annotations

import logging
from typing import Final

import anyio

from gatehook.config.memory import RetentionConfig
from gatehook.diagnostics.codes import documents as codes
from gatehook.gateway.retention import BATCH
from gatehook.gateway.retention import drop_excess
from gatehook.gateway.retention import drop_old
from gatehook.gateway.slot import memory_in_slot
from gatehook.host import MemoryHandle
from gatehook.host import PluginHost
from gatehook.kinds.errors import ProviderError

_LOG: Final = logging.getLogger("gatehook.gateway")
#: Seconds between two looks. A memory that ended no call in between is idle.
INTERVAL: Final = 30.0
#: Quotas are counted at every so many looks only: counting reads everything.
_COUNTED: Final = 20
#: Seconds that the memory may take for its own maintenance at a time.
_BUDGET: Final = 1.0


class Housekeeping:
    """Looks after whatever fills the slot."""

    def __init__(self, host: PluginHost) -> None:
        self._host = host
        self._rules = host.config.memory.retention
        self._looks = 0
        self._seen: tuple[str, int] | None = None
        self._maintained: tuple[str, int] | None = None

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await anyio.sleep(INTERVAL)
            await self.look()

    async def look(self) -> None:
        """Let the memory maintain itself if nobody used it since the last look, and drop a part of what is to go."""
        filled = memory_in_slot(self._host, caller="gateway")
        if filled is None:
            return
        entry_id, memory = filled
        try:
            await self._maintain(entry_id, memory)
            for rule in self._rules:
                await self._keep_to(rule, memory)
        except (ProviderError, TimeoutError) as error:
            self._host.report(codes.RETENTION_FAILED(why=str(error) or type(error).__name__))
        self._looks += 1
        self._seen = entry_id, memory.calls

    async def _maintain(self, entry_id: str, memory: MemoryHandle) -> None:
        now = entry_id, memory.calls
        if now == self._seen != self._maintained:
            await memory.maintain(_BUDGET)
            self._maintained = entry_id, memory.calls

    async def _keep_to(self, rule: RetentionConfig, memory: MemoryHandle) -> None:
        old = await drop_old(memory, rule, self._host.clock.now())
        excess = 0
        if self._looks % _COUNTED == 0:
            while dropped := await drop_excess(memory, rule):
                excess += dropped
                if dropped < BATCH:
                    break
        for count, why in ((old, "too old"), (excess, "too many")):
            if count:
                _LOG.info("%d documents of %s were dropped from the memory: %s", count, rule.namespace, why)
