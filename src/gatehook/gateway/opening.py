"""The lines with which a gateway opens: what runs, on what, with whose money, and what stands against trading."""

from __future__ import annotations

import os
from collections.abc import Iterable
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from typing import Final

import anyio
import attrs

from gatehook.catalog.slots import SLOTS
from gatehook.config.trading import LimitsConfig
from gatehook.gateway.brokers import Brokers
from gatehook.gateway.prices import Prices
from gatehook.gateway.reconciling import reconciliation_rows
from gatehook.guard.halt import HaltRecord
from gatehook.host import PluginHost
from gatehook.kinds.accounts import AccountRef
from gatehook.kinds.accounts import Mode
from gatehook.kinds.amounts import plain
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.times import to_rfc3339

#: Seconds that the opening waits for first reconciliations, which go on behind it, and for first prices.
_FIRST: Final = 2.0
_MOST: Final = 10_000


async def opening_lines(host: PluginHost, brokers: Brokers, prices: Prices) -> list[str]:
    """Return the opening lines, in the operator's order, without the ``ready`` line."""
    config = host.config
    refs, problems = await brokers.accounts()
    await _first_reconciliations(host, refs)
    await prices.ask_for_labels(_FIRST)
    unknown = host.desk.unknown_orders()
    return [
        f"mode: {config.gateway.mode}",
        f"configuration: {', '.join(str(layer) for layer in config.layers)}",
        f"data directory: {config.gateway.data_dir} (pid {os.getpid()})",
        *_accounts(refs, problems),
        *_price_sources(prices),
        *_slots(host),
        *halt_lines(host.desk.guard.halt.records),
        f"unknown orders: {len(unknown)}{_names(order.request.client_order_id for order in unknown)}",
        *await _reconciliation(host, brokers, refs),
        *_limits(config.limits, refs),
        approvals_line(config.gateway.mode, len(config.permissions), len(host.desk.guard.grants.all())),
    ]


async def _first_reconciliations(host: PluginHost, refs: Iterable[AccountRef]) -> None:
    """Let first reconciliations end, which take a moment; what takes longer is shown as it is."""
    with anyio.move_on_after(_FIRST):
        for ref in refs:
            await host.desk.reconciliations.wait_for_first(ref.account, _FIRST)


def _accounts(refs: Iterable[AccountRef], problems: Iterable[str]) -> list[str]:
    lines = [f"account: {ref.account}, {ref.mode} (proven by {ref.account.entry_id}), {ref.venue}" for ref in refs]
    return [*lines, *(f"account: not known: {problem}" for problem in problems)] or ["account: none"]


def _price_sources(prices: Prices) -> list[str]:
    return [f"prices: {source.entry_id}, {source.label}" for source in prices.sources()] or ["prices: none"]


def _slots(host: PluginHost) -> list[str]:
    return [f"{slot}: {host.slot(slot) or 'none'}" for slot in SLOTS]


def halt_lines(records: Iterable[HaltRecord]) -> list[str]:
    """Return a line for each scope that is halted."""
    lines = [
        f"halt: {one.scope} HALTED by {one.by} since {to_rfc3339(one.at)}: {one.reason}; `gatehook resume {one.scope}`"
        for one in records
    ]
    return lines or ["halt: not halted"]


async def _reconciliation(host: PluginHost, brokers: Brokers, refs: Iterable[AccountRef]) -> list[str]:
    orders = await brokers.orders(open_only=True, limit=_MOST)
    rows = reconciliation_rows(host.desk, [ref.account for ref in refs], orders)
    return [f"reconciliation: {reconciliation_text(row)}" for row in rows] or ["reconciliation: no account"]


def reconciliation_text(row: Mapping[str, Any]) -> str:
    """Return what a row of ``reconciliation_rows`` says, in a line."""
    parts = [f"{row['account']} {row['state']}", f"{row['open_orders']} open orders"]
    if row["external_orders"]:
        parts.append(f"{row['external_orders']} of them from outside")
    if row["adjustments"]:
        parts.append(f"{len(row['adjustments'])} differences to acknowledge")
    if row["blocked"]:
        parts.append(f"NO NEW RISK: {row['blocked']}")
    return ", ".join(parts)


def _limits(limits: Mapping[str, LimitsConfig], refs: Iterable[AccountRef]) -> list[str]:
    lines = [f"limits: {ref.account} {_limits_of(limits, ref.account)}" for ref in refs]
    return lines or ["limits: no account"]


def _limits_of(limits: Mapping[str, LimitsConfig], account: AccountKey) -> str:
    """What is set for an account, and for all accounts of its entry together."""
    own = _settings(limits.get(str(account)))
    shared = [f"{one} for all of {account.entry_id}" for one in _settings(limits.get(account.entry_id))]
    return ", ".join([*own, *shared]) or "no limits"


def _settings(config: LimitsConfig | None) -> list[str]:
    if config is None:
        return []
    named = ((name, value) for name, value in attrs.asdict(config, recurse=False).items() if name != "scope")
    return [f"{name} {_amount(value)}" for name, value in named if value not in (None, ())]


def _amount(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(value)
    return plain(value) if isinstance(value, Decimal) else str(value)


def approvals_line(mode: Mode, rules: int, grants: int) -> str:
    """Return who is asked before an order leaves."""
    default = "orders leave without asking" if mode is Mode.PAPER else "a person is asked before an order leaves"
    first = f"{rules} rule{'s' * (rules != 1)} first, otherwise " if rules else ""
    return f"approvals: {first}{default}" + (f", {grants} grants" if grants else "")


def _names(ids: Iterable[str]) -> str:
    listed = list(ids)
    return f" ({', '.join(listed[:10])}{', …' if len(listed) > 10 else ''})" if listed else ""  # noqa: PLR2004  a line's worth
