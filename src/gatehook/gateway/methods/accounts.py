"""Accounts and positions, as their brokers report them now."""

from __future__ import annotations

from typing import Any

from gatehook.gateway.brokers import Brokers
from gatehook.gateway.methods.method import Method
from gatehook.gateway.methods.method import Methods
from gatehook.gateway.params import Params
from gatehook.kinds.codec import to_json


class AccountMethods:
    """``accounts.list`` and ``positions.list``."""

    def __init__(self, brokers: Brokers) -> None:
        self._brokers = brokers

    def table(self) -> Methods:
        """Return the methods by name."""
        return {
            "accounts.list": Method(self.accounts, timeout=20.0),
            "positions.list": Method(self.positions, timeout=20.0),
        }

    async def accounts(self, params: Params) -> Any:
        """List accounts with their money; a broker that does not answer is a problem in the list, not a failure."""
        states, problems = await self._brokers.account_states()
        return {"schemaVersion": 1, "accounts": [to_json(state) for state in states], "problems": problems}

    async def positions(self, params: Params) -> Any:
        """List open positions of all accounts."""
        reports, problems = await self._brokers.positions()
        return {
            "schemaVersion": 1,
            "positions": [to_json(one) for report in reports for one in report.positions],
            "incomplete": [str(report.account) for report in reports if not report.complete],
            "problems": problems,
        }
