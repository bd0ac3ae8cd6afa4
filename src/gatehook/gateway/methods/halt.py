"""The halt: setting and lifting it, and sweeping what works at the venues."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from typing import Final

from gatehook.audit import kinds
from gatehook.gateway.brokers import Brokers
from gatehook.gateway.halting import halt_state
from gatehook.gateway.methods.method import Method
from gatehook.gateway.methods.method import Methods
from gatehook.gateway.params import Params
from gatehook.gateway.sweeping import Sweep
from gatehook.gateway.sweeping import Wanted
from gatehook.guard.halt import ALL
from gatehook.kinds.errors import StorageUnavailable
from gatehook.orders import Desk

_SWEEP: Final = 120.0
_MOST: Final = 10_000


class HaltMethods:
    """``halt.*``."""

    def __init__(self, desk: Desk, brokers: Brokers) -> None:
        self._desk = desk
        self._brokers = brokers

    def table(self) -> Methods:
        """Return the methods by name."""
        return {
            "halt.list": Method(self.list_records),
            "halt.set": Method(self.halt),
            "halt.clear": Method(self.resume),
            "halt.sweep": Method(self.sweep, timeout=_SWEEP),
        }

    async def list_records(self, params: Params) -> Any:
        """Say what is halted, and which orders may still open risk all the same."""
        return await self._state(params.texts("scopes"))

    async def halt(self, params: Params) -> Any:
        """Halt some scopes; a scope that is halted keeps its record."""
        scopes = params.texts("scopes") or (ALL,)
        for scope in scopes:
            await self._desk.halt(scope, reason=params.text("reason"), by=params.person)
        return await self._state(scopes)

    async def resume(self, params: Params) -> Any:
        """Lift one scope."""
        await self._desk.resume(params.text("scope"), reason=params.text("reason"), by=params.person)
        return await self._state(())

    async def sweep(self, params: Params) -> Any:
        """Cancel orders and close positions of some scopes."""
        wanted = Wanted(
            scopes=params.texts("scopes") or (ALL,),
            flatten=params.flag("flatten"),
            protective=params.flag("include_protective"),
            external=params.flag("include_external"),
        )
        dry_run = params.flag("dry_run")
        if not dry_run:
            with suppress(StorageUnavailable):  # what reduces risk is not held up
                await self._desk.audit.record(kinds.SWEPT, actor=params.person, **wanted.to_json())
        return (await Sweep(self._desk, self._brokers, wanted).run(dry_run=dry_run)).to_json()

    async def _state(self, scopes: tuple[str, ...]) -> Any:
        """What is halted; the orders are those of ``scopes``, by default of all that is halted."""
        records = self._desk.guard.halt.records
        orders = await self._brokers.orders(open_only=True, limit=_MOST)
        return halt_state(records, orders, scopes or tuple(record.scope for record in records))
