"""Limits: how much of each is used, and what is left."""

from __future__ import annotations

from typing import Any

from gatehook.gateway.brokers import Brokers
from gatehook.gateway.methods.method import Method
from gatehook.gateway.methods.method import Methods
from gatehook.gateway.params import Params
from gatehook.kinds.codec import to_json
from gatehook.orders import Desk


class LimitMethods:
    """``limits.show``."""

    def __init__(self, desk: Desk, brokers: Brokers) -> None:
        self._desk = desk
        self._brokers = brokers

    def table(self) -> Methods:
        """Return the methods by name."""
        return {"limits.show": Method(self.show, timeout=20.0)}

    async def show(self, params: Params) -> Any:
        """Show every limit of every account, or of one."""
        wanted = params.maybe("account")
        refs, problems = await self._brokers.accounts()
        accounts = [
            {"account": str(ref.account), "limits": [to_json(row) for row in self._desk.guard.limits.use(ref.account)]}
            for ref in refs
            if wanted in (None, str(ref.account))
        ]
        return {"schemaVersion": 1, "accounts": accounts, "problems": problems}
