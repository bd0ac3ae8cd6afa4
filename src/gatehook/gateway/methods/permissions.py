"""Permissions: the rules and defaults that hold, and what persons allow in advance."""

from __future__ import annotations

from functools import partial
from typing import Any
from typing import Final

import anyio.to_thread

from gatehook.audit import kinds
from gatehook.config import Config
from gatehook.config.trading import Permit
from gatehook.config.trading import RiskClass
from gatehook.gateway.methods.method import Method
from gatehook.gateway.methods.method import Methods
from gatehook.gateway.params import Params
from gatehook.guard.grant import Grant
from gatehook.kinds.accounts import Mode
from gatehook.kinds.amounts import exact
from gatehook.kinds.codec import to_json
from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.times import SECOND
from gatehook.kinds.times import from_rfc3339
from gatehook.orders import Desk

_SPANS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class PermissionMethods:
    """``permissions.*``."""

    def __init__(self, desk: Desk, config: Config) -> None:
        self._desk = desk
        self._config = config

    def table(self) -> Methods:
        """Return the methods by name."""
        return {
            "permissions.list": Method(self.list_permissions),
            "permissions.grant": Method(self.grant),
            "permissions.revoke": Method(self.revoke),
        }

    async def list_permissions(self, params: Params) -> Any:
        """List the rules in their order, what holds where none matches, and the grants with what is left."""
        trade = Permit.ALLOW if self._config.gateway.mode is Mode.PAPER else Permit.ASK
        return {
            "schemaVersion": 1,
            "rules": [{**to_json(rule), "class": str(rule.risk)} for rule in self._config.permissions],
            "defaults": {str(RiskClass.TRADE): str(trade)},
            "grants": [to_json(grant) for grant in self._desk.guard.grants.all()],
        }

    async def grant(self, params: Params) -> Any:
        """Allow in advance what would be asked."""
        rate = params.integer("rate", 0)
        uses = params.integer("uses", 0)
        give = partial(
            self._desk.guard.grants.grant,
            caller=params.text("caller"),
            lifetime=self._lifetime(params),
            given_by=params.person,
            uses=uses or None,
            symbols=params.texts("symbols"),
            sides=params.texts("sides"),
            types=params.texts("types"),
            max_notional=params.maybe_read("max_notional", exact),
            max_daily_notional=params.maybe_read("max_daily_notional", exact),
            rate_per_minute=rate or None,
            **_account(params),
        )
        given = await anyio.to_thread.run_sync(give)
        try:
            await self._note(kinds.GRANT_GIVEN, params, given)
        except StorageUnavailable:  # what is not in the audit does not hold
            await anyio.to_thread.run_sync(self._desk.guard.grants.revoke, given.grant_id)
            raise
        return {"schemaVersion": 1, "grant": to_json(given)}

    async def revoke(self, params: Params) -> Any:
        """Take a grant back."""
        revoked = await anyio.to_thread.run_sync(self._desk.guard.grants.revoke, params.text("id"))
        await self._note(kinds.GRANT_REVOKED, params, revoked)
        return {"schemaVersion": 1, "grant": to_json(revoked)}

    async def _note(self, kind: str, params: Params, grant: Grant) -> None:
        await self._desk.audit.record(kind, actor=params.person, grant=to_json(grant))

    def _lifetime(self, params: Params) -> float:
        """Return how many seconds a grant lives: ``30m``, ``2h``, or until a time."""
        text = params.text("expires")
        if text[:-1].isdecimal() and text[-1] in _SPANS:
            return float(int(text[:-1]) * _SPANS[text[-1]])
        try:
            return (from_rfc3339(text) - self._desk.clock.wall()) / SECOND
        except ValueError:
            raise params.refuse("expires is neither a span as 30m, 2h or 1d nor a time as RFC 3339 has it") from None


def _account(params: Params) -> dict[str, str]:
    """The patterns of ``ENTRY`` or ``ENTRY/ACCOUNT``; any where none is named."""
    entry, _, account = (params.maybe("account") or "*").partition("/")
    return {"entry": entry, "account": account or "*"}
