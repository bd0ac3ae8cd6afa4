"""The gateway as a whole: its state, its entries, its slots, and the paper broker's reset."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from typing import Any

import attrs

from gatehook.catalog.slots import SLOTS
from gatehook.gateway.halting import record_json
from gatehook.gateway.methods.method import Method
from gatehook.gateway.methods.method import Methods
from gatehook.gateway.params import Params
from gatehook.gateway.reconciling import known_accounts
from gatehook.gateway.reconciling import reconciliation_rows
from gatehook.gateway.slots import slot_rows
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.times import to_rfc3339

if TYPE_CHECKING:
    from gatehook.context import PluginStatus
    from gatehook.gateway.gateway import Gateway


class RunningMethods:
    """``status``, ``plugins.restart``, ``slots.*``."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._host = gateway.host

    def table(self) -> Methods:
        """Return the methods by name."""
        return {
            "status": Method(self.status),
            "plugins.restart": Method(self.restart, timeout=50.0),
            "slots.list": Method(self.slots),
            "slots.use": Method(self.use_slot, timeout=100.0),
        }

    async def status(self, params: Params) -> Any:
        """Say how the gateway and its entries are."""
        health = self._gateway.health()
        orders = await self._gateway.open_orders()
        return {
            "schemaVersion": 1,
            "pid": os.getpid(),
            "mode": str(self._host.config.gateway.mode),
            "data_dir": str(self._host.config.gateway.data_dir),
            "time": to_rfc3339(self._host.clock.now()),
            "health": {"status": str(health.status), "reasons": list(health.reasons)},
            "entries": [_status(one) for one in self._host.statuses()],
            "prices": self._prices(),
            "halt": [record_json(record) for record in self._host.desk.guard.halt.records],
            "reconciliation": reconciliation_rows(
                self._host.desk, known_accounts(self._host.desk, self._gateway.brokers.entries()), orders
            ),
            "approvals": [one.approval_id for one in self._host.desk.guard.approvals.pending()],
            "orders": {
                "open": len(orders),
                "unknown": sum(order.status is OrderStatus.UNKNOWN for order in orders),
            },
            "diagnostics": [{**one.to_json(), "place": one.place} for one in self._host.diagnostics],
            "log": self._gateway.log_state(),
        }

    def _prices(self) -> list[Any]:
        counts = self._gateway.prices.counts
        return [
            {"entry": source.entry_id, "label": source.label, **attrs.asdict(counts[source.entry_id])}
            for source in self._gateway.prices.sources()
            if source.entry_id in counts
        ]

    async def restart(self, params: Params) -> Any:
        """Restart one entry and say what became of it."""
        return {"schemaVersion": 1, **_status(await self._host.restart(params.text("entry")))}

    async def slots(self, params: Params) -> Any:
        """Say who fills each slot, and who could."""
        return {"schemaVersion": 1, "slots": slot_rows(self._host.plan, self._holders())}

    def _holders(self) -> dict[str, str | None]:
        return {slot: self._host.slot(slot) for slot in SLOTS}

    async def use_slot(self, params: Params) -> Any:
        """Let another entry fill a slot; when it does not start, nothing changed."""
        slot, entry = params.text("slot"), params.text("entry")
        await self._host.use_slot(slot, entry)
        return {"schemaVersion": 1, "slots": slot_rows(self._host.plan, self._holders())}


def _status(status: PluginStatus) -> Any:
    return {
        "entry_id": status.entry_id,
        "plugin_id": status.plugin_id,
        "state": str(status.state),
        "reason": status.reason,
    }
