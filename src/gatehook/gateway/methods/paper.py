"""The paper broker's reset."""

from __future__ import annotations

from typing import Any
from typing import Final

from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import gateway as codes
from gatehook.gateway.brokers import Brokers
from gatehook.gateway.methods.method import Method
from gatehook.gateway.methods.method import Methods
from gatehook.gateway.params import Params
from gatehook.host import PluginHost
from gatehook.orders import CallKind

PAPER: Final = "paper"


class PaperMethods:
    """``paper.reset``."""

    def __init__(self, host: PluginHost, brokers: Brokers) -> None:
        self._host = host
        self._brokers = brokers

    def table(self) -> Methods:
        """Return the methods by name."""
        return {"paper.reset": Method(self.reset, timeout=20.0)}

    async def reset(self, params: Params) -> Any:
        """Put every account of a paper entry back to its start, or say what that would drop."""
        entry_id = params.text("entry")
        if not any(one.entry_id == entry_id and one.plugin_id == PAPER for one in self._host.plan.activations):
            raise GatehookError(codes.NO_ENTRY(what=f"a paper broker called {entry_id}", hint=""))
        handle = self._brokers.handle(entry_id)
        orders = await handle.orders(open_only=True)
        reports = [await handle.positions(ref.account) for ref in await handle.accounts()]
        if not params.flag("dry_run"):
            access = self._host.desk.access(entry_id)
            reset: Any = getattr(access.provider, "reset")  # noqa: B009  the paper broker's own, not a kind's
            await access.call(CallKind.REDUCE, "reset", reset)
        positions = sum(len(report.positions) for report in reports)
        return {"schemaVersion": 1, "entry": entry_id, "orders": len(orders), "positions": positions}
